"""One server for one database: a lock that dies with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from callhub.errors import DatabaseHeld, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path


class Hold:
    """Holds ``PATH.lock`` until released. The lock decides, not the file: one left behind by a crash does not matter.

    Raises:
        DatabaseHeld: Another process (or another store in this one) holds it.
        StoreUnavailable: The file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        lock = path.with_name(path.name + ".lock")
        try:
            self._file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as wrong:
            raise StoreUnavailable(f"{lock} cannot be written: {wrong.strerror}") from wrong
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as wrong:
            pid = os.pread(self._file, 20, 0).strip()
            os.close(self._file)
            raise DatabaseHeld(int(pid) if pid.isdigit() else 0) from wrong
        except OSError as wrong:
            os.close(self._file)
            raise StoreUnavailable(f"{lock} cannot be locked: {wrong.strerror}") from wrong
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others have it. The file stays: removing it would race with whoever opens it now."""
        os.close(self._file)
