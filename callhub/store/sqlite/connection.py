"""The connections to the file: one that writes, in a thread of its own, and those that only read.

Rules of this file:
1. A whole transaction is one hop to the writing thread and back: a hop costs about 150 us, a statement 3 to 8.
2. Work that reached the thread is finished there, whether or not anybody still waits for it.
3. Nothing is tried again after the disk failed: what was believed to be durable may not be.
"""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import aiosqlite

from callhub.errors import StoreError, StoreRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

PATH_BYTES_MAX = 480
"""SQLite itself refuses paths of more than 512 bytes, and adds a suffix to ours."""
BUSY_S = 5.0
"""How long to wait for a lock of another program, such as a backup."""
WAL_PAGES = 4000
"""Pages (4 KiB) in the write-ahead log before it is folded into the file: with 1000 the worst commits take three times
as long, far more only delays a start."""
_FATAL = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    }
)


def is_fatal(error: sqlite3.Error) -> bool:
    """Whether the disk or the file itself failed, so that this process knows nothing certain any more."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _FATAL


def store_error(error: Exception) -> StoreError:
    """What a failure in a transaction means to the caller; nothing was written either way."""
    match error:
        case StoreError():
            return error
        case sqlite3.IntegrityError() | sqlite3.DataError() | sqlite3.ProgrammingError() | sqlite3.InterfaceError():
            return StoreRefused(str(error))
        case sqlite3.Error():
            return StoreUnavailable(str(error))
        case _:
            # A value that no column takes: a number of more than 64 bits, a lone surrogate.
            return StoreRefused(type(error).__name__)


class WriteConnection(aiosqlite.Connection):
    """The one connection that writes.

    Args:
        path: The file, which exists.
        on_fatal: Called in the writing thread when the disk failed, before anybody learns of it.
    """

    def __init__(self, path: Path, on_fatal: Callable[[str], None]) -> None:
        super().__init__(partial(open_writing, path), iter_chunk_size=64)
        self._thread.daemon = True  # a process that dies without close() must not wait for it
        self._on_fatal = on_fatal
        self._failed: str | None = None

    async def start(self) -> None:
        """Start the thread and connect.

        Raises:
            sqlite3.Error: The file cannot be opened or is no database.
        """
        try:
            _ = await self
        except BaseException:
            # The thread still answers a future of this event loop: it must have ended before the loop does.
            await asyncio.to_thread(self._thread.join)
            raise

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` in the writing thread: one hop."""
        done: T = await self._execute(self._run, work)  # type: ignore[no-untyped-call]  # aiosqlite leaves it untyped
        return done

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` in one durable transaction: all of it or nothing, in one hop.

        Raises:
            StoreRefused: A constraint said no.
            StoreUnavailable: Anything else.
        """
        return await self.run(partial(_in_transaction, work))

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._failed is not None:
            raise StoreUnavailable(self._failed)
        try:
            return work(self._conn)
        except (sqlite3.Error, StoreError, ValueError, OverflowError) as error:
            if isinstance(error, sqlite3.Error) and is_fatal(error):
                self._failed = str(error)
                self._on_fatal(self._failed)
                raise StoreUnavailable(self._failed) from error
            raise store_error(error) from error


def _in_transaction(work: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return done


def open_writing(path: Path) -> sqlite3.Connection:
    """Connect for writing; every commit is on the disk when it returns (WAL with ``synchronous=FULL``)."""
    connection = sqlite3.connect(_uri(path, "rw"), uri=True, isolation_level=None, timeout=BUSY_S)
    try:
        for setting in ("journal_mode = WAL", "synchronous = FULL", f"wal_autocheckpoint = {WAL_PAGES}"):
            connection.execute(f"PRAGMA {setting}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def open_reading(path: Path) -> sqlite3.Connection:
    """Connect for reading committed data only, in the calling thread.

    Raises:
        StoreUnavailable: There is no such file, or it is no database.
    """
    connection = None
    try:
        connection = sqlite3.connect(_uri(path, "ro"), uri=True, isolation_level=None, timeout=BUSY_S)
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise StoreUnavailable(f"{path} cannot be read: {error}") from error
    return connection


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(str(path))}?mode={mode}"
