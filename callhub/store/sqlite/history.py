"""What happened, for studies: presses, duties and people of a journal, read beside a running server."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callhub.domain.people import Duty, Position, Responder
from callhub.errors import StoreUnavailable
from callhub.store.codec import decode, decode_policy, decode_row
from callhub.store.sqlite.connection import open_reading
from callhub.store.sqlite.migrate import scripts, version_of

if TYPE_CHECKING:
    from pathlib import Path

    from callhub.domain.facts import Row
    from callhub.domain.policy import Policy

_WANTED = ("incident_opened", "alarm_recorded", "duty_changed")


@dataclass(frozen=True, slots=True)
class History:
    """One consistent read.

    ``rows`` are those with an opening, an alarm or a change of duty, oldest first, private parts filled in where they
    are not erased. ``positions`` are where apps saw people last; ``policies`` those in force.
    """

    rows: tuple[Row, ...]
    responders: tuple[Responder, ...]
    duties: tuple[Duty, ...]
    positions: dict[str, Position]
    policies: tuple[Policy, ...]


def read_history(path: Path) -> History:
    """Read a database and change nothing in it; about 20 us a row that is wanted.

    Raises:
        StoreUnavailable: There is no such database, it has another version, or it cannot be read.
        StoreCorrupt: A row is not what was written.
    """
    db = open_reading(path)
    try:
        found = version_of(db)
        if found != len(scripts()):
            raise StoreUnavailable(f"{path} has version {found}: start the server once, it will be brought up to date")
        db.execute("BEGIN")  # one consistent read, however long it takes
        return _read(db)
    except sqlite3.Error as wrong:
        raise StoreUnavailable(f"{path} cannot be read: {wrong}") from wrong
    finally:
        db.close()


def _read(db: sqlite3.Connection) -> History:
    has = " OR ".join("instr(body, ?)" for _ in _WANTED)
    rows = db.execute(
        f"SELECT body, private FROM journal WHERE {has} ORDER BY seq", [f'"{fact}"'.encode() for fact in _WANTED]
    )
    return History(
        rows=tuple(decode_row(body, private) for body, private in rows),
        responders=tuple(decode(Responder, record) for (record,) in db.execute("SELECT record FROM responder")),
        duties=tuple(decode(Duty, record) for (record,) in db.execute("SELECT record FROM duty")),
        positions={id: decode(Position, at) for id, at in db.execute("SELECT responder, position FROM position")},
        policies=tuple(
            decode_policy(ladder)
            for (ladder,) in db.execute("SELECT ladder FROM policy WHERE place IS NOT NULL ORDER BY place, key")
        ),
    )
