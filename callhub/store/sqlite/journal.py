"""Journal rows in order, read a page at a time beside a running server."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from callhub.errors import StoreUnavailable
from callhub.store.codec import decode_row
from callhub.store.sqlite.connection import open_reading

if TYPE_CHECKING:
    from pathlib import Path

    from callhub.domain.facts import Row


def read_journal(path: Path, after: int, limit: int) -> tuple[tuple[int, Row], ...]:
    """(seq, row) of up to ``limit`` rows after ``after``, without private parts, on a connection of its own.

    About 0.3 ms for the connection and 20 us a row; for any thread.

    Raises:
        StoreUnavailable: The file cannot be read.
        StoreCorrupt: A row is not what was written.
    """
    db = open_reading(path)
    try:
        found = db.execute(
            "SELECT seq, body FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        ).fetchall()
    except sqlite3.Error as wrong:
        raise StoreUnavailable(f"{path} cannot be read: {wrong}") from wrong
    finally:
        db.close()
    return tuple((seq, decode_row(body)) for seq, body in found)
