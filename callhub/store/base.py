"""The ``Store`` protocol: rows in, rows out, and no decisions.

One process writes, through one ``commit`` at a time. Everything of a commit becomes durable together or not at all.
Reads see committed facts alone. All times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from callhub.domain.events import PriorAnswer, RequestKey
    from callhub.domain.facts import Row
    from callhub.domain.family import FamilyContact
    from callhub.domain.habits import Habit
    from callhub.domain.incident import Incident, Places
    from callhub.domain.messages import Addressee, Message, Stored
    from callhub.domain.people import Actor, Area, Device, Duty, Elder, Position, Responder, Supervised
    from callhub.domain.policy import Policy
    from callhub.domain.roll_call import Gap, Listed


ENDED_SESSION = "ended"
"""Kind of the token of a session that signed out."""


@dataclass(frozen=True, slots=True)
class User:
    """A console user. ``password`` is an argon2 hash; ``area`` None: sees all."""

    name: str
    role: str
    area: str | None
    password: str


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token of a ``gateway``, ``responder`` or ``api`` client; only the SHA-256 of it (hex) is kept."""

    digest: str
    kind: str
    id: str
    role: str | None
    area: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """Upserts and removals in the directory, committed with the facts that follow from them."""

    areas: tuple[Area, ...] = ()
    elders: tuple[Elder, ...] = ()
    devices: tuple[Device, ...] = ()
    responders: tuple[Responder, ...] = ()
    users: tuple[User, ...] = ()
    removed_users: tuple[str, ...] = ()
    tokens: tuple[Token, ...] = ()
    revoked: tuple[tuple[str, str], ...] = ()
    policies: tuple[Policy, ...] | None = None
    contacts: tuple[FamilyContact, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The state of one incident after a commit, with its private companion."""

    incident: Incident
    places: Places


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer to a caller's message, kept for repeats."""

    key: RequestKey
    prior: PriorAnswer


@dataclass(frozen=True, slots=True)
class Marks:
    """What is not a fact and is flushed along: last signs of life, positions, confirmed messages.

    ``seen``: (``device`` | ``gateway`` | ``responder`` or a mark of ``domain.supervision``, id) -> instant.
    ``confirmed``: addressee -> highest seq confirmed, clamped to what was given out before this commit.
    ``device_health``: device -> what it reported; what it left out stays as it was.
    """

    seen: dict[tuple[str, str], datetime] = field(default_factory=dict)
    positions: dict[str, tuple[Position, datetime]] = field(default_factory=dict)
    confirmed: dict[Addressee, int] = field(default_factory=dict)
    device_health: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that becomes durable together. ``fence``: (shard, epoch) of the writer; one machine has shard 0."""

    rows: Sequence[Row] = ()
    documents: Sequence[Document] = ()
    messages: Sequence[Message] = ()
    answers: Sequence[StoredAnswer] = ()
    changes: Sequence[DirectoryChange] = ()
    marks: Marks = field(default_factory=Marks)
    habits: Sequence[Habit] = ()
    fence: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit gave: the journal seq of its last row and the messages with their seq."""

    seq: int
    stored: tuple[Stored, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """What a batch of events needs to know. ``phones`` and ``addresses`` find elders, ``gaps`` the homes of each."""

    requests: frozenset[RequestKey] = frozenset()
    devices: frozenset[str] = frozenset()
    elders: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    gaps: frozenset[Gap] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a ``Need``; what is not there is absent. ``elders`` also holds the elders of the devices found."""

    requests: dict[RequestKey, tuple[PriorAnswer, ...]] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    elders: dict[str, Elder] = field(default_factory=dict)
    by_phone: dict[str, Elder] = field(default_factory=dict)
    by_address: dict[str, Elder] = field(default_factory=dict)
    homes: dict[Gap, Listed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a start needs: open incidents (replayed from their rows), people, ladders, and where the journal stands.

    ``rows`` maps each open incident to its journal rows, oldest first; to none of them where one cannot be read.
    ``policies_known`` are all ladders ever frozen into an incident by ``policy_key``, ``policies`` those in force.
    ``last_at`` is the time of the newest row that can be read.
    ``supervised`` are the active devices with a ``heartbeat_s`` and their marks, ``runs`` when servers ran (from, until
    at least, oldest first), ``marks`` what else supervision keeps, by kind and id. ``habits`` is what was learned of
    those who were ever asked.
    """

    epoch: str
    seq: int
    last_at: datetime | None
    last_number: int
    rows: dict[str, tuple[Row, ...]]
    places: dict[str, Places]
    responders: tuple[Responder, ...]
    duties: tuple[Duty, ...]
    positions: dict[str, tuple[Position, datetime]]
    policies: tuple[Policy, ...]
    policies_known: dict[str, Policy]
    supervised: tuple[Supervised, ...] = ()
    runs: tuple[tuple[datetime, datetime], ...] = ()
    marks: dict[tuple[str, str], datetime] = field(default_factory=dict)
    habits: tuple[Habit, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list. ``next`` is an opaque cursor or None; ``as_of`` the journal seq it is true at."""

    items: tuple[Any, ...]
    next: str | None
    as_of: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which incidents to list.

    ``state``: ``open``, a state word, or None for all. ``area``: only this subtree, plus incidents without an area, and
    with ``unanswered_too`` every unanswered one. ``elder``: those of one elder; ``elderless``: those about
    no elder.
    """

    state: str | None = None
    area: str | None = None
    elder: str | None = None
    class_: str | None = None
    unanswered_too: bool = False
    elderless: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """Names for ids, joined at read."""

    elders: dict[str, Elder] = field(default_factory=dict)
    responders: dict[str, Responder] = field(default_factory=dict)
    areas: dict[str, Area] = field(default_factory=dict)
    contacts: dict[str, FamilyContact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place where the store contradicts itself: which check, where (``journal 17``, ``incident ID``), and what."""

    check: Literal["file", "chain", "private", "digest", "document", "missing"]
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of ``verify``: how much was read and every flaw found, in order."""

    rows: int
    incidents: int
    flaws: tuple[Flaw, ...] = ()


class Store(Protocol):
    """Durable memory of one installation."""

    async def open(self) -> None:
        """Open and migrate (a verified copy first); refuse a database held by a running process (``DatabaseHeld``)."""

    async def close(self) -> None:
        """Checkpoint and close; safe to call twice."""

    async def commit(self, commit: Commit) -> Committed:
        """Make all of it durable (fsync) or nothing of it.

        Raises ``StoreRefused`` when a constraint says no (nothing changed), ``StoreUnavailable`` on anything else.
        Not cancelled half-way: a commit that began is finished.
        """

    async def load(self) -> Snapshot:
        """Everything a start needs, in one consistent read."""

    def lookup(self, need: Need) -> Found:
        """What a batch needs, by index, inline; about 8 us a row."""

    def outbox(self, addressee: Addressee, after: int, limit: int) -> tuple[Stored, ...]:
        """Unconfirmed messages with ``seq`` above ``after``, in order."""

    def outbox_head(self, addressee: Addressee) -> tuple[int, int]:
        """(highest seq confirmed, highest seq given out) of an addressee; 0 when none."""

    def waiting(self) -> tuple[Addressee, ...]:
        """Addressees with unconfirmed messages."""

    async def erase(self, seqs: Sequence[int], at: datetime, event: str, actor: Actor) -> int:
        """Blank the private part of journal rows, and the places and messages of their incidents, for good.

        That it was done is a row of its own, whose seq this gives; the chain still verifies. ``at``, ``event`` and
        ``actor`` are that row's. The records of people in the directory are changed by a commit.

        Raises ``StoreRefused`` when one of the incidents is open (somebody may be on the way there) or there is no
        such row.
        """

    async def purge(
        self,
        ended_before: datetime,
        answered_before: datetime | None = None,
        signed_in_before: datetime | None = None,
    ) -> int:
        """Remove messages of incidents that ended before then, and, each where it is given, old answers and sessions.

        Answers to gateways stay: a press that says when it happened is a repeat for ever. A session that signed out
        goes, whenever it began. Commits get their turn in between. Gives how many were removed.
        """

    def incident(self, id: str) -> Document | None:
        """One incident as committed."""

    def incidents(self, wanted: Filter, limit: int, cursor: str | None) -> Page:
        """Committed documents, newest first; ``StoreError`` never, ``InvalidMessage("cursor")`` for a bad cursor."""

    def engaged(self, responder: str) -> tuple[Document, ...]:
        """Incidents in which this responder holds a live offer or assignment, or is called by a whistle."""

    def rows(self, incident: str) -> tuple[tuple[int, Row], ...]:
        """The journal rows of one incident with their seq, oldest first, private parts filled in where not erased."""

    def changes_since(self, seq: int, limit: int) -> tuple[tuple[int, str], ...] | None:
        """(seq, incident) of each journal row after ``seq`` that is about an incident; None if ``seq`` is unknown."""

    async def journal(self, after: int, limit: int) -> tuple[tuple[int, Row], ...]:
        """(seq, row) of up to ``limit`` rows after ``after``, oldest first, without private parts.

        Read and decoded beside the event loop. Raises ``StoreUnavailable`` or ``StoreCorrupt``.
        """

    def names(
        self, elders: Iterable[str], responders: Iterable[str], areas: Iterable[str], contacts: Iterable[str] = ()
    ) -> Names:
        """The records behind ids; unknown ids are absent."""

    def head(self) -> tuple[str, int]:
        """(epoch, seq) of the journal: the epoch is made with the database and survives a restart."""

    def people(self, kind: str, limit: int, cursor: str | None, phone: str | None = None) -> Page:
        """A page of ``areas``, ``elders``, ``devices``, ``responders`` or ``contacts`` in the order of their ids."""

    def person(self, kind: str, id: str) -> Any | None:  # noqa: ANN401  # the caller names the kind
        """One area, elder, device, responder or contact."""

    def family_of(self, elder: str) -> tuple[FamilyContact, ...]:
        """The contacts of an elder in the order of their ids; by index, about 8 us."""

    def seen_at(self, kind: str, id: str) -> datetime | None:
        """The last sign of life of a ``device``, ``gateway`` or ``responder``."""

    def device_health(self, id: str) -> dict[str, Any]:
        """Battery, rssi, faults and ``last_tested_at`` of a device as last reported; empty when never."""

    def all_areas(self) -> tuple[Area, ...]:
        """Every area; a district has about 1,640."""

    def token(self, digest: str) -> Token | None:
        """The token with this SHA-256 (hex), unless revoked."""

    def tokens_of(self, kind: str, id: str) -> tuple[Token, ...]:
        """The tokens that a client has now, oldest first; for a ``session``, ``id`` is its user. By index."""

    def user(self, name: str) -> User | None:
        """A console user by name."""

    def users(self) -> tuple[User, ...]:
        """All console users."""

    def verify(self) -> Verdict:
        """Check the chain, the private parts and every incident's digest; reads only, beside a running server too."""
