"""What goes after its time, a bounded part in each transaction, so that no alarm waits long behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.store.base import ENDED_SESSION
from callhub.store.codec import encode_time
from callhub.store.sqlite.writing import remove_messages

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    from callhub.store.sqlite.connection import WriteConnection

PURGED_MAX = 1000
"""Rows looked at or removed in one transaction: some 10 ms."""
OLD_ANSWERS = "SELECT n FROM answer WHERE substr(sender, 1, 8) <> 'gateway:' AND at < ? ORDER BY at LIMIT ?"
"""By the index ``answer_old``, whose condition it repeats."""
OLD_SESSIONS = "SELECT digest FROM token WHERE kind = ? OR (kind = 'session' AND created_at < ?) LIMIT ?"


async def purge_messages(writer: WriteConnection, ended_before: datetime) -> int:
    """Remove the messages of incidents that ended before then; how many."""
    removed, after = 0, 0

    def chunk(db: sqlite3.Connection) -> tuple[int, list[int]]:
        query = "SELECT seq FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?"
        seqs = [seq for (seq,) in db.execute(query, (after, PURGED_MAX))]
        if not seqs:
            return 0, seqs
        ended = "seq BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM incident WHERE id = outbox.incident AND ended_at < ?)"
        return remove_messages(db, ended, seqs[0], seqs[-1], encode_time(ended_before)), seqs

    while True:
        count, seqs = await writer.transact(chunk)
        removed += count
        if len(seqs) < PURGED_MAX:
            return removed
        after = seqs[-1]


async def purge_answers(writer: WriteConnection, answered_before: datetime) -> int:
    """Remove the answers that nobody repeats any more; how many. Those to gateways stay."""

    def chunk(db: sqlite3.Connection) -> int:
        values = (encode_time(answered_before), PURGED_MAX)
        return db.execute(f"DELETE FROM answer WHERE n IN ({OLD_ANSWERS})", values).rowcount

    return await _all(writer, chunk)


async def purge_sessions(writer: WriteConnection, signed_in_before: datetime) -> int:
    """Remove the sessions that signed out or began before then; how many."""

    def chunk(db: sqlite3.Connection) -> int:
        values = (ENDED_SESSION, encode_time(signed_in_before), PURGED_MAX)
        return db.execute(f"DELETE FROM token WHERE digest IN ({OLD_SESSIONS})", values).rowcount

    return await _all(writer, chunk)


async def _all(writer: WriteConnection, chunk: Callable[[sqlite3.Connection], int]) -> int:
    removed = count = await writer.transact(chunk)
    while count == PURGED_MAX:
        removed += (count := await writer.transact(chunk))
    return removed
