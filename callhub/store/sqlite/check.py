"""``verify`` for a file: reads only, on a connection of its own, beside a running server too."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from callhub.dispatch.replay import apply
from callhub.errors import StoreUnavailable
from callhub.store.base import Flaw, Verdict
from callhub.store.ledger import SHARD, Record
from callhub.store.records import Holding
from callhub.store.sqlite.connection import open_reading
from callhub.store.sqlite.migrate import scripts, version_of
from callhub.store.sqlite.rows import KEPT, RECORD, kept_of, record_of
from callhub.store.verify import Ledger, Replay, examine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from callhub.store.records import Kept

_AT_A_TIME = 1000


def verify_file(path: Path, replay: Replay = apply, version: int | None = None) -> Verdict:
    """Check everything in a database against everything; ``version`` is the one expected, by default this program's.

    Raises:
        StoreUnavailable: There is no such database, or it has another version.
    """
    try:
        db = open_reading(path)
    except StoreUnavailable as wrong:
        if getattr(wrong.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_CORRUPT:
            return Verdict(0, 0, (Flaw("file", path.name, wrong.message),))
        raise
    try:
        found = version_of(db)
        if found != (len(scripts()) if version is None else version):
            raise StoreUnavailable(f"{path} has version {found}: start the server once, it will be brought up to date")
        db.text_factory = lambda text: text.decode(errors="replace")
        db.execute("BEGIN")  # one consistent read, however long it takes
        return _examine(db, replay)
    except sqlite3.DatabaseError as error:
        return Verdict(0, 0, (Flaw("file", path.name, f"cannot be read: {error}"),))
    finally:
        db.close()


def _examine(db: sqlite3.Connection, replay: Replay) -> Verdict:
    answer = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    epoch = db.execute("SELECT epoch FROM meta").fetchone()
    head = db.execute("SELECT seq, chain FROM head WHERE shard = ?", (SHARD,)).fetchone()
    if epoch is None or head is None:
        return Verdict(0, 0, (Flaw("missing", "head", "the database does not say where its journal stands"),))
    verdict = examine(
        Ledger(
            epoch=epoch[0],
            seq=head[0],
            chain=head[1],
            records=_records(db),
            ids=(str(id) for (id,) in _walk(db, "SELECT id FROM incident")),
            kept=lambda id: _kept(db, id),
            holdings=lambda id: _holdings(db, id),
        ),
        replay,
    )
    if answer != "ok":
        return Verdict(verdict.rows, verdict.incidents, (Flaw("file", "database", str(answer)), *verdict.flaws))
    return verdict


def _records(db: sqlite3.Connection) -> Iterator[Record]:
    for row in _walk(db, f"SELECT {RECORD} FROM journal ORDER BY seq"):
        yield record_of(row)


def _kept(db: sqlite3.Connection, id: str) -> Kept | None:
    row = db.execute(f"SELECT {KEPT} FROM incident WHERE id = ?", (id,)).fetchone()
    return None if row is None else kept_of(row)


def _holdings(db: sqlite3.Connection, id: str) -> list[Holding]:
    query = "SELECT responder, what, slot FROM engagement WHERE incident = ? ORDER BY responder, what"
    return [Holding(*row) for row in db.execute(query, (id,))]


def _walk(db: sqlite3.Connection, query: str) -> Iterator[tuple[object, ...]]:
    cursor = db.execute(query)
    while rows := cursor.fetchmany(_AT_A_TIME):
        yield from rows
