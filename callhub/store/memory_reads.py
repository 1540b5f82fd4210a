"""What the memory store holds, and how it is read; see ``memory`` for the writing half."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from callhub.domain.habits import Habit
from callhub.domain.messages import Addressee, Message, Stored
from callhub.domain.people import Supervised
from callhub.domain.supervision import SUPERVISION_LOST, WATCHED, reported
from callhub.store.base import Document, Found, Names, Page, Snapshot, Token, User
from callhub.store.codec import decode, decode_json, decode_policy, decode_row
from callhub.store.cursors import read_cursor, read_number, write_cursor
from callhub.store.ledger import SHARD, Record, genesis
from callhub.store.memory_homes import find_homes
from callhub.store.records import Holding, Kept, choose, is_wanted, marks_of, readable, runs_of, time_of
from callhub.store.verify import Ledger, Replay, examine

KINDS = ("areas", "elders", "devices", "responders", "contacts")
"""Of records in the directory."""

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from callhub.domain.events import PriorAnswer, RequestKey
    from callhub.domain.facts import Row
    from callhub.domain.family import FamilyContact
    from callhub.domain.people import Area, Device, Duty, Elder, Position, Responder
    from callhub.domain.roll_call import Gap, Listed
    from callhub.store.base import Filter, Need, Verdict


@dataclass(slots=True)
class Box:
    """The messages of one addressee by seq, and how far they were confirmed and given out."""

    messages: dict[int, tuple[Message, bytes]] = field(default_factory=dict)
    confirmed: int = 0
    given: int = 0

    def waiting(self, after: int = 0) -> list[Stored]:
        """Unconfirmed messages after ``after``, in order."""
        return [
            Stored(seq, replace(message, body=decode_json(body)))
            for seq, (message, body) in self.messages.items()
            if seq > max(after, self.confirmed)
        ]


class MemoryReads:
    """The reading half of ``MemoryStore``."""

    def __init__(self, epoch: str, replay: Replay) -> None:
        self._epoch = epoch
        self._replay = replay
        self._journal: list[Record] = []
        self._seqs: dict[str, dict[int, int]] = {}  # of each incident: version -> seq
        self._kept: dict[str, Kept] = {}
        self._numbers: dict[int, str] = {}
        self._holdings: dict[str, list[Holding]] = {}
        self._slots: dict[tuple[str, int], str] = {}
        self._boxes: dict[Addressee, Box] = {}
        self._outbox_seq = 0
        self._answers: dict[RequestKey, list[tuple[PriorAnswer, bytes]]] = {}
        self._people: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        self._users: dict[str, User] = {}
        self._tokens: dict[str, Token] = {}
        self._policies: dict[str, bytes] = {}
        self._in_force: tuple[str, ...] = ()
        self._duties: dict[str, Duty] = {}
        self._positions: dict[str, tuple[Position, datetime]] = {}
        self._seen: dict[tuple[str, str], datetime] = {}
        self._health: dict[str, bytes] = {}
        self._habits: dict[str, bytes] = {}

    @property
    def _chain(self) -> bytes:
        return self._journal[-1].chain if self._journal else genesis(self._epoch, SHARD)

    async def load(self) -> Snapshot:
        """Everything a start needs."""
        open_ids = [id for id, kept in self._kept.items() if kept.index.ended_at is None]
        return Snapshot(
            epoch=self._epoch,
            seq=len(self._journal),
            last_at=time_of(record.body for record in reversed(self._journal)),
            last_number=max((kept.index.number for kept in self._kept.values()), default=0),
            rows={id: tuple(row for _, row in readable(id, "rows", partial(self.rows, id)) or ()) for id in open_ids},
            places={id: self._kept[id].read.places for id in open_ids},
            responders=tuple(self._sorted("responders")),
            duties=tuple(self._duties[id] for id in sorted(self._duties)),
            positions=dict(self._positions),
            policies=tuple(decode_policy(self._policies[key]) for key in self._in_force),
            policies_known={key: decode_policy(policy) for key, policy in self._policies.items()},
            supervised=tuple(self._supervised()),
            runs=runs_of(self._seen),
            marks=marks_of(self._seen),
            habits=tuple(decode(Habit, self._habits[id]) for id in sorted(self._habits)),
        )

    def _supervised(self) -> Iterator[Supervised]:
        for device in self._sorted("devices"):
            if device.active and device.heartbeat_s > 0:
                elder = self._people["elders"].get(device.elder)
                kinds = ("device", WATCHED, reported(SUPERVISION_LOST))
                marks = [self._seen.get((kind, device.id)) for kind in kinds]
                area = elder.area if elder is not None else ()
                yield Supervised(device.id, device.heartbeat_s, device.gateway, device.elder, area, *marks)

    def lookup(self, need: Need) -> Found:
        """What a batch needs."""
        elders = {id: self._people["elders"][id] for id in need.elders if id in self._people["elders"]}
        devices = {id: self._people["devices"][id] for id in need.devices if id in self._people["devices"]}
        for device in devices.values():
            if device.elder in self._people["elders"]:
                elders[device.elder] = self._people["elders"][device.elder]
        return Found(
            requests={key: self._prior(key) for key in need.requests if key in self._answers},
            devices=devices,
            elders=elders,
            by_phone={phone: elder for phone in need.phones if (elder := self._by_phone(phone))},
            by_address={where: elder for where in need.addresses if (elder := self._by_address(where))},
            homes={gap: self._homes(gap) for gap in need.gaps},
        )

    def _homes(self, gap: Gap) -> Listed:
        incidents = [kept.read.incident for kept in self._kept.values()]
        return find_homes(
            gap,
            self._people["devices"].values(),
            self._people["elders"],
            lambda id: self._seen.get(("device", id)),
            incidents,
        )

    def _prior(self, key: RequestKey) -> tuple[PriorAnswer, ...]:
        return tuple(replace(prior, answer=decode_json(body)) for prior, body in self._answers[key])

    def _by_phone(self, phone: str) -> Elder | None:
        elders = self._people["elders"]
        own = choose(elder for elder in elders.values() if phone and elder.phone == phone)
        if own is not None:
            return own
        devices = (device for device in self._people["devices"].values() if phone and device.phone == phone)
        return choose(elders[device.elder] for device in devices if device.elder in elders)

    def _by_address(self, address: str) -> Elder | None:
        return choose(elder for elder in self._people["elders"].values() if address and elder.address == address)

    def outbox(self, addressee: Addressee, after: int, limit: int) -> tuple[Stored, ...]:
        """Unconfirmed messages after ``after``."""
        return tuple(self._boxes.get(addressee, Box()).waiting(after)[:limit])

    def outbox_head(self, addressee: Addressee) -> tuple[int, int]:
        """(confirmed, given out)."""
        box = self._boxes.get(addressee, Box())
        return box.confirmed, box.given

    def waiting(self) -> tuple[Addressee, ...]:
        """Addressees with unconfirmed messages, sorted."""
        return tuple(sorted(addressee for addressee, box in self._boxes.items() if box.waiting()))

    def incident(self, id: str) -> Document | None:
        """One incident."""
        kept = self._kept.get(id)
        return None if kept is None else kept.read

    def incidents(self, wanted: Filter, limit: int, cursor: str | None) -> Page:
        """Incidents, newest first."""
        before = read_number("incidents", cursor)
        numbered = sorted(self._kept.values(), key=lambda kept: -kept.index.number)
        found = [
            kept
            for kept in numbered
            if (before is None or kept.index.number < before) and is_wanted(kept.index, wanted)
        ]
        shown = found[:limit]
        more = write_cursor("incidents", str(shown[-1].index.number)) if len(found) > limit else None
        return Page(tuple(kept.read for kept in shown), more, len(self._journal))

    def engaged(self, responder: str) -> tuple[Document, ...]:
        """Incidents that ask or hold this responder, oldest first."""
        held = (
            self._kept[id] for id, holdings in self._holdings.items() if any(h.responder == responder for h in holdings)
        )
        return tuple(kept.read for kept in sorted(held, key=lambda kept: kept.index.number))

    def rows(self, incident: str) -> tuple[tuple[int, Row], ...]:
        """The rows of one incident."""
        return tuple((seq, self._journal[seq - 1].row) for seq in self._seqs.get(incident, {}).values())

    def changes_since(self, seq: int, limit: int) -> tuple[tuple[int, str], ...] | None:
        """(seq, incident) after ``seq``."""
        if not 0 <= seq <= len(self._journal):
            return None
        changes = [(record.seq, record.incident) for record in self._journal[seq:] if record.incident is not None]
        return tuple(changes[:limit])

    async def journal(self, after: int, limit: int) -> tuple[tuple[int, Row], ...]:
        """(seq, row) after ``after``."""
        return tuple((record.seq, decode_row(record.body)) for record in self._journal[after : after + limit])

    def names(
        self, elders: Iterable[str], responders: Iterable[str], areas: Iterable[str], contacts: Iterable[str] = ()
    ) -> Names:
        """The records behind ids."""
        people = self._people
        return Names(
            elders={id: people["elders"][id] for id in elders if id in people["elders"]},
            responders={id: people["responders"][id] for id in responders if id in people["responders"]},
            areas={id: people["areas"][id] for id in areas if id in people["areas"]},
            contacts={id: people["contacts"][id] for id in contacts if id in people["contacts"]},
        )

    def head(self) -> tuple[str, int]:
        """(epoch, seq)."""
        return self._epoch, len(self._journal)

    def people(self, kind: str, limit: int, cursor: str | None, phone: str | None = None) -> Page:
        """A page in the order of ids."""
        after = read_cursor(kind, cursor)
        found = [
            record
            for record in self._sorted(kind)
            if (after is None or record.id > after) and (phone is None or getattr(record, "phone", None) == phone)
        ]
        shown = found[:limit]
        return Page(tuple(shown), write_cursor(kind, shown[-1].id) if len(found) > limit else None, len(self._journal))

    def _sorted(self, kind: str) -> list[Any]:
        return [record for _, record in sorted(self._people[kind].items())]

    def person(self, kind: str, id: str) -> Area | Elder | Device | Responder | FamilyContact | None:
        """One record."""
        found: Area | Elder | Device | Responder | FamilyContact | None = self._people[kind].get(id)
        return found

    def family_of(self, elder: str) -> tuple[FamilyContact, ...]:
        """The contacts of an elder, by id."""
        return tuple(contact for contact in self._sorted("contacts") if contact.elder == elder)

    def seen_at(self, kind: str, id: str) -> datetime | None:
        """The last sign of life."""
        return self._seen.get((kind, id))

    def device_health(self, id: str) -> dict[str, Any]:
        """What a device last reported."""
        health: dict[str, Any] = decode_json(self._health.get(id, b"{}"))
        return health

    def all_areas(self) -> tuple[Area, ...]:
        """Every area, by id."""
        return tuple(self._sorted("areas"))

    def token(self, digest: str) -> Token | None:
        """The token with this digest."""
        return self._tokens.get(digest)

    def tokens_of(self, kind: str, id: str) -> tuple[Token, ...]:
        """The tokens of a client, oldest first."""
        found = [token for token in self._tokens.values() if (token.kind, token.id) == (kind, id)]
        return tuple(sorted(found, key=lambda token: (token.created_at, token.digest)))

    def user(self, name: str) -> User | None:
        """A user by name."""
        return self._users.get(name)

    def users(self) -> tuple[User, ...]:
        """All users, by name."""
        return tuple(user for _, user in sorted(self._users.items()))

    def verify(self) -> Verdict:
        """Check everything against everything."""
        return examine(
            Ledger(
                epoch=self._epoch,
                seq=len(self._journal),
                chain=self._chain,
                records=self._journal,
                ids=sorted(self._kept),
                kept=self._kept.get,
                holdings=lambda id: self._holdings.get(id, []),
            ),
            self._replay,
        )
