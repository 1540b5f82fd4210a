"""What a store keeps of an incident beside its journal rows, and how it is looked up.

Rules of this file: everything here is derived from a ``Document`` alone, by every store in the same way, and
``verify`` derives it again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import structlog

from callhub.domain import facts as f
from callhub.domain.call_back import CallFirst
from callhub.domain.drills import DRILLED_AREA, DRILLED_ELDER
from callhub.domain.incident import Incident, Places
from callhub.domain.people import Duty, Elder
from callhub.domain.supervision import RUN, SUPERVISION_LOST, WATCHED, reported
from callhub.errors import StoreCorrupt
from callhub.store.base import Document, Filter
from callhub.store.codec import decode, decode_row, decode_time, document_bytes, encode, encode_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Index(NamedTuple):
    """The columns an incident is found by.

    ``area`` is the path with slashes around every id (``/D/S/``), ``/`` without one. ``ended_at`` is None while open,
    else microseconds since 1970.
    """

    number: int
    version: int
    state: str
    class_: str
    elder: str | None
    area: str
    ended_at: int | None


class Holding(NamedTuple):
    """A live offer, assignment or whistle of a responder.

    ``slot`` is which of their capacity an emergency uses, else None.
    """

    responder: str
    what: str
    slot: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """An incident as stored: its columns, document and digest, and the private places beside them.

    ``holdings`` are filled when it is encoded; stores keep them by responder, too.
    """

    id: str
    index: Index
    document: bytes
    digest: bytes
    places: bytes
    places_digest: bytes
    holdings: list[Holding] = field(default_factory=list)

    @property
    def ended_at(self) -> datetime | None:
        """When the incident was closed or cancelled; None while open."""
        return None if self.index.ended_at is None else decode_time(self.index.ended_at)

    @property
    def read(self) -> Document:
        """The document it holds; ``StoreCorrupt`` when it cannot be read."""
        return Document(decode(Incident, self.document), decode(Places, self.places))


def keep(document: Document) -> Kept:
    """Encode a document; ``StoreRefused`` when it cannot be written down; about 20 us."""
    incident = document.incident
    written = document_bytes(incident)
    places = encode(document.places)
    return Kept(
        incident.id,
        index_of(incident),
        written,
        hashlib.sha256(written).digest(),
        places,
        hashlib.sha256(places).digest(),
        holdings_of(incident),
    )


def with_places(kept: Kept, places: Places) -> Kept:
    """The same incident with other places."""
    written = encode(places)
    return replace(kept, places=written, places_digest=hashlib.sha256(written).digest())


def index_of(incident: Incident) -> Index:
    """The columns of an incident."""
    return Index(
        incident.number,
        incident.version,
        incident.state.value,
        incident.class_.value,
        incident.elder,
        area_path(incident.area),
        None if incident.is_open else encode_time(incident.ended_at or incident.opened_at),
    )


def area_path(area: Iterable[str]) -> str:
    """Area ids from the district down as one text that can be searched for ``/ID/``."""
    return "/" + "".join(f"{id}/" for id in area)


def holdings_of(incident: Incident) -> list[Holding]:
    """Live offers and assignments, and whistles that are out; at most one of each for one responder."""
    held = {Holding(offer.responder, "offer", None) for offer in incident.live_offers}
    held |= {Holding(duty.responder, "assignment", duty.slot) for duty in incident.live}
    held |= {Holding(whistle.department, "whistle", None) for whistle in incident.whistles.values() if whistle.is_shown}
    return sorted(held, key=lambda holding: holding[:2])


def is_wanted(index: Index, wanted: Filter) -> bool:
    """Whether a list with this filter shows the incident."""
    if wanted.state == "open":
        if index.ended_at is not None:
            return False
    elif wanted.state is not None and index.state != wanted.state:
        return False
    if wanted.class_ is not None and index.class_ != wanted.class_:
        return False
    if wanted.elder is not None and index.elder != wanted.elder:
        return False
    if wanted.elderless and index.elder is not None:
        return False
    if wanted.area is None or index.area == "/" or f"/{wanted.area}/" in index.area:
        return True
    return wanted.unanswered_too and index.state == "unanswered"


def choose(elders: Iterable[Elder]) -> Elder | None:
    """Whom a telephone number or an address means when several share it: an active one, then by id."""
    return min(elders, key=lambda elder: (not elder.active, elder.id), default=None)


@dataclass(slots=True)
class Projected:
    """What rows change outside incidents: test windows and tests by device, who is on duty, call-first by elder."""

    test_until: dict[str, datetime]
    tested_at: dict[str, datetime]
    duties: dict[str, Duty]
    call_first: dict[str, CallFirst | None]


def project(rows: Iterable[f.Row]) -> Projected:
    """Read the facts that the directory shows; the newest of each wins."""
    found = Projected({}, {}, {}, {})
    for row in rows:
        for fact in row.facts:
            if isinstance(fact, f.DutyChanged):
                found.duties[fact.responder] = Duty(fact.responder, fact.available, fact.until)
            elif isinstance(fact, f.TestWindowOpened):
                found.test_until[fact.device] = fact.until
            elif isinstance(fact, f.TestRecorded):
                found.tested_at[fact.device] = row.at
            elif isinstance(fact, f.CallFirstChanged):
                until = fact.until if fact.seconds else None
                found.call_first[fact.elder] = None if until is None else CallFirst(fact.seconds, until)
    return found


NO_MARKS = ("device", "gateway", "responder", DRILLED_ELDER, DRILLED_AREA, WATCHED, reported(SUPERVISION_LOST))
"""What is seen or kept of each device by itself; everything else is a mark of supervision as a whole."""


def marks_of(seen: Mapping[tuple[str, str], datetime]) -> dict[tuple[str, str], datetime]:
    """The marks of supervision among what was seen, without the runs."""
    return {about: at for about, at in seen.items() if about[0] not in NO_MARKS and about[0] != RUN}


def runs_of(seen: Mapping[tuple[str, str], datetime]) -> tuple[tuple[datetime, datetime], ...]:
    """When servers ran: from, until at least; oldest first. A run is known by the time of its start."""
    return tuple(sorted((datetime.fromisoformat(begin), at) for (kind, begin), at in seen.items() if kind == RUN))


def readable(id: str, what: str, read: Callable[[], T]) -> T | None:
    """What a start reads of an open incident; None when it cannot be read, which must not keep the others down."""
    try:
        return read()
    except StoreCorrupt as wrong:
        _log.critical("incident_not_read", incident_id=id, what=what, why=wrong.message)
        return None


def time_of(bodies: Iterable[bytes]) -> datetime | None:
    """The time of the newest row that can be read, of bodies given newest first."""
    for body in bodies:
        try:
            return decode_row(body).at
        except StoreCorrupt as wrong:
            _log.critical("row_not_read", why=wrong.message)
    return None
