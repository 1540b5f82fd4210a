"""Rows of tables as records."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from callhub.domain.events import PriorAnswer
from callhub.domain.messages import Addressee, AddresseeKind, Message, MessageType, Stored
from callhub.domain.people import Device
from callhub.store.base import Token, User
from callhub.store.codec import decode, decode_json, decode_time
from callhub.store.ledger import Record
from callhub.store.records import Index, Kept

if TYPE_CHECKING:
    import sqlite3

KEPT = "id, number, version, state, class, elder, area, ended_at, document, digest, places, places_digest"
RECORD = "seq, shard, incident, version, body, private, private_digest, chain"
STORED = "seq, kind, addressee, key, incident, type, body"
DEVICE = "record, test_until"
TOKEN = "digest, kind, id, role, area, created_at"
USER = "name, role, area, password"
PRIOR = "fingerprint, at, incident, answer, refused"


def kept_of(row: tuple[object, ...]) -> Kept:
    """A row of ``KEPT``."""
    id, number, version, state, class_, elder, area, ended_at, *parts = row
    index = Index(number, version, state, class_, elder, area, ended_at)  # type: ignore[arg-type]  # STRICT columns
    return Kept(id, index, *parts)  # type: ignore[arg-type]  # the same


def read_kept(db: sqlite3.Connection, id: str) -> Kept | None:
    """The incident as stored."""
    row = db.execute(f"SELECT {KEPT} FROM incident WHERE id = ?", (id,)).fetchone()
    return None if row is None else kept_of(row)


def record_of(row: tuple[object, ...]) -> Record:
    """A row of ``RECORD``."""
    return Record(*row)  # type: ignore[arg-type]  # STRICT columns


def stored_of(row: tuple[int, str, str, str | None, str, str, bytes]) -> Stored:
    """A row of ``STORED``."""
    seq, kind, addressee, key, incident, type_, body = row
    to = Addressee(AddresseeKind(kind), addressee)
    return Stored(seq, Message(to, MessageType(type_), incident, key, decode_json(body)))


def device_of(row: tuple[bytes, int | None]) -> Device:
    """A row of ``DEVICE``."""
    device = decode(Device, row[0])
    return device if row[1] is None else replace(device, test_until=decode_time(row[1]))


def token_of(row: tuple[str, str, str, str | None, str | None, int]) -> Token:
    """A row of ``TOKEN``."""
    digest, kind, id, role, area, created_at = row
    return Token(digest, kind, id, role, area, decode_time(created_at))


def user_of(row: tuple[str, str, str | None, str]) -> User:
    """A row of ``USER``."""
    return User(*row)


def prior_of(row: tuple[str, int, str | None, bytes, int]) -> PriorAnswer:
    """A row of ``PRIOR``."""
    fingerprint, at, incident, answer, refused = row
    return PriorAnswer(fingerprint, decode_time(at), incident, decode_json(answer), bool(refused))
