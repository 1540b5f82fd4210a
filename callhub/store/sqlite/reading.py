"""Inline reads: an indexed read costs about 8 us, a hop to another thread twenty times that.

Rules of this file: a read sees what is committed, never what is being written; where several statements must agree
they stand in one transaction. Everything here runs in the thread of the event loop.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from callhub.domain.family import FamilyContact
from callhub.domain.habits import Habit
from callhub.domain.incident import Places
from callhub.domain.messages import Addressee, AddresseeKind
from callhub.domain.people import Area, Device, Duty, Elder, Position, Responder
from callhub.errors import StoreUnavailable
from callhub.store.base import Document, Found, Names, Page, Snapshot
from callhub.store.codec import decode, decode_json, decode_policy, decode_row, decode_time
from callhub.store.cursors import read_cursor, read_number, write_cursor
from callhub.store.ledger import SHARD
from callhub.store.records import choose, readable, time_of
from callhub.store.sqlite import rows as r
from callhub.store.sqlite.connection import is_fatal
from callhub.store.sqlite.homes import read_homes
from callhub.store.sqlite.listing import listing
from callhub.store.sqlite.supervised import read_supervision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from callhub.domain.events import PriorAnswer, RequestKey
    from callhub.domain.facts import Row
    from callhub.domain.messages import Stored
    from callhub.store.base import Filter, Need, Token, User

NEWEST_ROWS = 100
"""Rows read to learn when the journal was written last: more than one only where the newest cannot be read."""

_TABLES: dict[str, tuple[str, type]] = {
    "areas": ("area", Area),
    "elders": ("elder", Elder),
    "devices": ("device", Device),
    "responders": ("responder", Responder),
    "contacts": ("contact", FamilyContact),
}


class SqliteReads:
    """The reading half of ``SqliteStore``. ``on_fatal`` is called when the disk fails."""

    def __init__(self, on_fatal: Callable[[str], None]) -> None:
        self._on_fatal = on_fatal
        self._reader: sqlite3.Connection | None = None
        self._epoch = ""

    # Statements

    def _all(self, query: str, *values: object) -> list[Any]:
        return self._named(query, values)

    def _named(self, query: str, values: Sequence[object] | Mapping[str, object]) -> list[Any]:
        if self._reader is None:
            raise StoreUnavailable("the store is not open")
        try:
            return self._reader.execute(query, values).fetchall()
        except sqlite3.Error as error:
            if is_fatal(error):
                self._on_fatal(str(error))
            raise StoreUnavailable(str(error)) from error

    def _one(self, query: str, *values: object) -> Any:  # noqa: ANN401  # a row, or None
        rows = self._all(query, *values)
        return rows[0] if rows else None

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """Reads inside agree with each other."""
        self._all("BEGIN")
        try:
            yield
        finally:
            self._all("COMMIT")

    # The journal and its documents

    async def load(self) -> Snapshot:
        """Everything a start needs; about 30 us a row of an open incident."""
        with self._at_once():
            seq = self._seq()
            newest = self._all(f"SELECT body FROM journal ORDER BY seq DESC LIMIT {NEWEST_ROWS:d}")
            known = self._all("SELECT key, place, ladder FROM policy ORDER BY place, key")
            return Snapshot(
                epoch=self._epoch,
                seq=seq,
                last_at=time_of(body for (body,) in newest),
                last_number=self._one("SELECT coalesce(max(number), 0) FROM incident")[0],
                rows=self._open_rows(),
                places={
                    id: readable(id, "places", partial(decode, Places, places)) or Places()
                    for id, places in self._all("SELECT id, places FROM incident WHERE ended_at IS NULL")
                },
                responders=tuple(
                    decode(Responder, record) for (record,) in self._all("SELECT record FROM responder ORDER BY id")
                ),
                duties=tuple(
                    decode(Duty, record) for (record,) in self._all("SELECT record FROM duty ORDER BY responder")
                ),
                positions={
                    id: (decode(Position, position), decode_time(at))
                    for id, position, at in self._all("SELECT responder, position, at FROM position")
                },
                policies=tuple(decode_policy(ladder) for _, place, ladder in known if place is not None),
                policies_known={key: decode_policy(ladder) for key, _, ladder in known},
                habits=tuple(
                    decode(Habit, record) for (record,) in self._all("SELECT record FROM habit ORDER BY responder")
                ),
                **read_supervision(self._all),
            )

    def _open_rows(self) -> dict[str, tuple[Row, ...]]:
        return {
            id: tuple(row for _, row in readable(id, "rows", partial(self.rows, id)) or ())
            for (id,) in self._all("SELECT id FROM incident WHERE ended_at IS NULL ORDER BY number")
        }

    def _seq(self) -> int:
        return int(self._one("SELECT seq FROM head WHERE shard = ?", SHARD)[0])

    def head(self) -> tuple[str, int]:
        """(epoch, seq)."""
        return self._epoch, self._seq()

    def rows(self, incident: str) -> tuple[tuple[int, Row], ...]:
        """The rows of one incident, oldest first."""
        found = self._all("SELECT seq, body, private FROM journal WHERE incident = ? ORDER BY version", incident)
        return tuple((seq, decode_row(body, private)) for seq, body, private in found)

    def changes_since(self, seq: int, limit: int) -> tuple[tuple[int, str], ...] | None:
        """(seq, incident) after ``seq``."""
        with self._at_once():
            if not 0 <= seq <= self._seq():
                return None
            query = "SELECT seq, incident FROM journal WHERE seq > ? AND incident IS NOT NULL ORDER BY seq LIMIT ?"
            return tuple(self._all(query, seq, limit))

    def incident(self, id: str) -> Document | None:
        """One incident."""
        row = self._one(f"SELECT {r.KEPT} FROM incident WHERE id = ?", id)
        return None if row is None else r.kept_of(row).read

    def incidents(self, wanted: Filter, limit: int, cursor: str | None) -> Page:
        """Incidents, newest first."""
        queries = listing(wanted, read_number("incidents", cursor), limit + 1)
        with self._at_once():
            rows = [row for query, values in queries for row in self._all(query, *values)]
            seq = self._seq()
        # Queries may overlap: an unanswered incident lies in an area, too.
        found = sorted({row[0]: r.kept_of(row) for row in rows}.values(), key=lambda kept: -kept.index.number)
        shown = found[:limit]
        more = write_cursor("incidents", str(shown[-1].index.number)) if len(found) > limit else None
        return Page(tuple(kept.read for kept in shown), more, seq)

    def engaged(self, responder: str) -> tuple[Document, ...]:
        """Incidents that ask or hold this responder, oldest first."""
        query = (
            f"SELECT {r.KEPT} FROM incident"
            " WHERE id IN (SELECT incident FROM engagement WHERE responder = ?) ORDER BY number"
        )
        return tuple(r.kept_of(row).read for row in self._all(query, responder))

    # The outbox

    def outbox(self, addressee: Addressee, after: int, limit: int) -> tuple[Stored, ...]:
        """Unconfirmed messages after ``after``."""
        kind, id = addressee.kind.value, addressee.id
        query = (
            f"SELECT {r.STORED} FROM outbox WHERE kind = ? AND addressee = ? AND seq > max(?, coalesce("
            "(SELECT confirmed FROM cursor WHERE kind = ? AND addressee = ?), 0)) ORDER BY seq LIMIT ?"
        )
        return tuple(r.stored_of(row) for row in self._all(query, kind, id, after, kind, id, limit))

    def outbox_head(self, addressee: Addressee) -> tuple[int, int]:
        """(confirmed, given out)."""
        kind, id = addressee.kind.value, addressee.id
        with self._at_once():
            cursor = self._one("SELECT confirmed, given FROM cursor WHERE kind = ? AND addressee = ?", kind, id)
            last = self._one("SELECT max(seq) FROM outbox WHERE kind = ? AND addressee = ?", kind, id)[0]
        confirmed, given = cursor or (0, 0)
        return confirmed, max(given, last or 0)

    def waiting(self) -> tuple[Addressee, ...]:
        """Addressees with unconfirmed messages, sorted."""
        query = (
            "SELECT o.kind, o.addressee FROM outbox o LEFT JOIN cursor c USING (kind, addressee)"
            " GROUP BY o.kind, o.addressee HAVING max(o.seq) > coalesce(max(c.confirmed), 0)"
        )
        return tuple(sorted(Addressee(AddresseeKind(kind), id) for kind, id in self._all(query)))

    # What a batch and a reader need to know

    def lookup(self, need: Need) -> Found:
        """What a batch needs."""
        with self._at_once():
            devices = {id: device for id in need.devices if (device := self.person("devices", id))}
            of_devices = {device.elder for device in devices.values() if device.elder is not None}
            return Found(
                requests={key: prior for key in need.requests if (prior := self._prior(key))},
                devices=devices,
                elders=self._by_ids("elders", {*need.elders, *of_devices}),
                by_phone={phone: elder for phone in need.phones if (elder := self._by_phone(phone))},
                by_address={where: elder for where in need.addresses if (elder := self._by("address", where))},
                homes={gap: read_homes(self._named, gap) for gap in need.gaps},
            )

    def _prior(self, key: RequestKey) -> tuple[PriorAnswer, ...]:
        query = f"SELECT {r.PRIOR} FROM answer WHERE sender = ? AND id = ? ORDER BY n"
        return tuple(r.prior_of(row) for row in self._all(query, key.sender, key.id))

    def _by(self, column: str, value: str) -> Elder | None:
        # "<> ''" lets the partial index be used, and nobody is found by nothing.
        query = f"SELECT record FROM elder WHERE {column} = ? AND {column} <> ''"
        return choose(decode(Elder, record) for (record,) in self._all(query, value))

    def _by_phone(self, phone: str) -> Elder | None:
        query = "SELECT record FROM elder WHERE id IN (SELECT elder FROM device WHERE phone = ? AND phone <> '')"
        return self._by("phone", phone) or choose(decode(Elder, record) for (record,) in self._all(query, phone))

    def _by_ids(self, kind: str, ids: Iterable[str]) -> dict[str, Any]:
        return {id: record for id in ids if (record := self.person(kind, id)) is not None}

    def names(
        self, elders: Iterable[str], responders: Iterable[str], areas: Iterable[str], contacts: Iterable[str] = ()
    ) -> Names:
        """The records behind ids."""
        return Names(
            elders=self._by_ids("elders", elders),
            responders=self._by_ids("responders", responders),
            areas=self._by_ids("areas", areas),
            contacts=self._by_ids("contacts", contacts),
        )

    # The directory

    def people(self, kind: str, limit: int, cursor: str | None, phone: str | None = None) -> Page:
        """A page in the order of ids."""
        table, _ = _TABLES[kind]
        after = read_cursor(kind, cursor)
        where, values = ["id > ?"], [after or ""]
        if phone is not None:
            where.append("FALSE" if kind == "areas" else "phone = ?")
            values += [] if kind == "areas" else [phone]
        query = f"SELECT {_columns(kind)} FROM {table} WHERE {' AND '.join(where)} ORDER BY id LIMIT {limit + 1:d}"
        with self._at_once():
            found = [_person(kind, row) for row in self._all(query, *values)]
            seq = self._seq()
        shown = found[:limit]
        return Page(tuple(shown), write_cursor(kind, shown[-1].id) if len(found) > limit else None, seq)

    def person(self, kind: str, id: str) -> Any | None:  # noqa: ANN401  # the caller names the kind
        """One record."""
        row = self._one(f"SELECT {_columns(kind)} FROM {_TABLES[kind][0]} WHERE id = ?", id)
        return None if row is None else _person(kind, row)

    def family_of(self, elder: str) -> tuple[FamilyContact, ...]:
        """The contacts of an elder, by id."""
        rows = self._all("SELECT record FROM contact WHERE elder = ? ORDER BY id", elder)
        return tuple(decode(FamilyContact, record) for (record,) in rows)

    def seen_at(self, kind: str, id: str) -> datetime | None:
        """The last sign of life."""
        row = self._one("SELECT at FROM seen WHERE kind = ? AND id = ?", kind, id)
        return None if row is None else decode_time(row[0])

    def device_health(self, id: str) -> dict[str, Any]:
        """What a device last reported."""
        row = self._one("SELECT health FROM device_health WHERE device = ?", id)
        return {} if row is None else decode_json(row[0])

    def all_areas(self) -> tuple[Area, ...]:
        """Every area, by id; about 4 us each."""
        return tuple(decode(Area, record) for (record,) in self._all("SELECT record FROM area ORDER BY id"))

    def token(self, digest: str) -> Token | None:
        """The token with this digest."""
        row = self._one(f"SELECT {r.TOKEN} FROM token WHERE digest = ?", digest)
        return None if row is None else r.token_of(row)

    def tokens_of(self, kind: str, id: str) -> tuple[Token, ...]:
        """The tokens of a client, oldest first."""
        found = f"SELECT {r.TOKEN} FROM token WHERE kind = ? AND id = ? ORDER BY created_at, digest"
        return tuple(r.token_of(row) for row in self._all(found, kind, id))

    def user(self, name: str) -> User | None:
        """A user by name."""
        row = self._one(f"SELECT {r.USER} FROM user WHERE name = ?", name)
        return None if row is None else r.user_of(row)

    def users(self) -> tuple[User, ...]:
        """All users, by name."""
        return tuple(r.user_of(row) for row in self._all(f"SELECT {r.USER} FROM user ORDER BY name"))


def _columns(kind: str) -> str:
    return r.DEVICE if kind == "devices" else "record"


def _person(kind: str, row: Any) -> Any:  # noqa: ANN401  # a row of the table of that kind, its record
    return r.device_of(row) if kind == "devices" else decode(_TABLES[kind][1], row[0])
