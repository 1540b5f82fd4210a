"""What the engine is told: everything that can happen, with all it needs to know about it.

Rules of this file:
1. An event is frozen and complete: the hub looks up devices, elders and earlier answers and puts them in, so that the
   engine asks nobody anything. ``id`` is time-ordered (UUIDv7), given by the hub; an incident that an event opens has
   that id.
2. ``actor`` is who caused it. ``request`` is the caller's own message, so that a repeat can be told from a new one.
3. An event about an incident that has ended, so that the engine no longer holds it, brings it along in ``ended`` and
   ``ended_places`` (filled by the hub).
4. The time of an event is the ``now`` that goes with it into ``handle``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callhub.domain.family import FamilyContact
from callhub.domain.incident import Incident, Places
from callhub.domain.people import Actor, Device, Duty, Elder, Position, Responder, Supervised
from callhub.domain.policy import Policy
from callhub.domain.roll_call import Cause, Gap, Home, Listed


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Who sent a message and which id they gave it.

    ``sender`` is ``gateway:GW``, ``responder:V-1``, ``user:NAME`` ...
    """

    sender: str
    id: str


@dataclass(frozen=True, slots=True)
class PriorAnswer:
    """An earlier answer to a message of the same sender and id.

    ``answer`` is what was said, ``refused`` if an error.
    """

    fingerprint: str
    at: datetime
    incident: str | None
    answer: dict[str, Any]
    refused: bool = False


def early_cancel(device: str) -> str:
    """The fingerprint, under an alarm's id, of a cancel that came before that alarm of this device."""
    return f"early_cancel|{device}"


@dataclass(frozen=True, slots=True)
class Request:
    """The caller's message: its key, what makes it the same message (``fingerprint``), and the answers given before.

    ``prior`` is filled by the hub, newest last.
    """

    key: RequestKey
    fingerprint: str
    prior: tuple[PriorAnswer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have."""

    id: str
    actor: Actor
    request: Request | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpAsked(Event):
    """What may open a case.

    ``gathered`` (set by the hub): other emergencies open in the same batch, whose last event is ``CasesGathered``; who
    is asked for all of them is decided there.
    """

    gathered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised(HelpAsked):
    """A device asks for help. ``device_record`` and ``elder`` are None when unknown (filled by the hub).

    ``alarm`` is the gateway's id of it; ``kind`` is already mapped to the known ones. ``raw`` is the frame as text.
    ``quiet``: the caller says test; it is quiet only while the device is on test.
    """

    gateway: str
    alarm: str
    device: str
    kind: str
    at: datetime | None = None
    position: Position | None = None
    battery: float | None = None
    text: str | None = None
    says_test: bool = False
    ignored: tuple[str, ...] = ()
    raw: str = ""
    device_record: Device | None = None
    elder: Elder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFaulty(HelpAsked):
    """A frame that cannot be read.

    ``wants_help``: it was an alarm without a readable device, an emergency; else it is a technical fault of the
    gateway. ``code``, ``field_name`` and ``message`` are the error that answers it. ``alarm``: the frame's own id, if
    it was readable.
    """

    gateway: str
    alarm: str | None = None
    wants_help: bool
    code: str
    field_name: str | None = None
    message: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesGathered(Event):
    """All events of a batch are decided but for who is asked for these cases, which ``gathered`` events opened.

    ``incidents`` are the ids of those events; one that opened no case, or one that does not wait, is passed over.
    """

    incidents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked(Event):
    """A button asks for a cancel of ``alarm`` (the gateway's id), which may not have come yet."""

    gateway: str
    alarm: str | None
    device: str
    elder: Elder | None = None
    device_record: Device | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSent(Event):
    """A device says ``arrived``, ``card`` or ``confirm``."""

    gateway: str
    device: str
    signal: str
    card: str | None = None
    elder: Elder | None = None
    device_record: Device | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceSaid(Event):
    """A responder is available or not, until an instant or until they say otherwise."""

    responder: str
    available: bool
    until: datetime | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAnswered(Event):
    """Somebody answers an offer; ``via`` is ``app`` on a link, ``telephone`` when a user answers for them."""

    offer: str
    accept: bool
    reason: str | None = None
    via: str = "app"
    responder: str | None = None
    ended: Incident | None = None
    ended_places: Places | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyMoved(Event):
    """A responder (or somebody for them) reports: ``action`` is ``en_route on_scene cleared release need``.

    ``fields`` as on the wire: outcome, note, reason, version, need, proof. ``elder`` for the card's proof, when the
    incident has one (filled by the hub).
    """

    incident: str
    responder: str
    action: str
    fields: dict[str, Any] = field(default_factory=dict)
    via: str = "app"
    elder: Elder | None = None
    ended: Incident | None = None
    ended_places: Places | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTaken(HelpAsked):
    """An operator took a call by telephone, or a responder reports (``source`` ``operator`` or ``responder``).

    ``elder`` is None when nobody by that id, phone or address is known; what was said is in ``text``.
    """

    source: str
    kind: str
    elder: Elder | None = None
    phone: str | None = None
    address: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillAsked(Event):
    """A person practises an emergency of ``kind`` at an elder's home, and says why."""

    elder: Elder
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollCallAsked(Event):
    """Presses may have been missed: check the homes. ``area`` is the path of the gap's area, empty when it has none."""

    cause: Cause
    gap: Gap
    area: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorActed(Event):
    """A human's action on an incident, by its name in the REST contract.

    ``fields`` is the body; ``if_match`` the version they saw, or None. ``elder`` is the one named by ``identify``.
    """

    incident: str
    action: str
    fields: dict[str, Any] = field(default_factory=dict)
    if_match: int | None = None
    elder: Elder | None = None
    ended: Incident | None = None
    ended_places: Places | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAsked(Event):
    """Put a device on test until then, at most one hour ahead."""

    device: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFirstAsked(Event):
    """A person wants the presses of one elder to be called back first; ``seconds`` 0: not any more."""

    elder: str
    seconds: int
    until: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryUpdated(Event):
    """The directory changed; the change itself is committed with the facts this event leads to.

    ``responders`` are new or changed records (``active`` False: disabled). ``elders`` are changed ones that have an
    open incident; ``moved_devices`` maps a device to its new elder. ``revoked`` are ``(kind, id)`` whose tokens are
    gone, ``removed_users`` user names. ``policies`` replace those in force for new incidents. ``supervised`` are the
    changed devices (``heartbeat_s`` 0: not any more), ``homes`` the area paths of the changed elders, ``families`` the
    contacts that each elder of an open incident has after the change, if they changed (both by the hub).
    """

    what: str
    counts: dict[str, int] = field(default_factory=dict)
    responders: tuple[Responder, ...] = ()
    elders: tuple[Elder, ...] = ()
    moved_devices: tuple[Device, ...] = ()
    revoked: tuple[tuple[str, str], ...] = ()
    removed_users: tuple[str, ...] = ()
    policies: tuple[Policy, ...] = ()
    duties: tuple[Duty, ...] = ()
    supervised: tuple[Supervised, ...] = ()
    homes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    families: tuple[tuple[str, tuple[FamilyContact, ...]], ...] = ()
    change: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChanged(Event):
    """A responder's link came up or went down; not a fact, it moves reachability."""

    responder: str
    up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSeen(Event):
    """A responder's app gave a position; not a fact."""

    responder: str
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchersChanged(Event):
    """A signed-in operator or above opened their first stream or lost their last one."""

    user: str
    area: str | None
    watching: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineDue(Event):
    """The next deadline of an incident, or a timer (``incident`` None), is due; made by the hub from ``due()``.

    ``device_record`` and ``elder`` when the timer is about a device, ``listed`` or ``home`` when it is a roll-call's:
    all homes of its gap, or the next one to check (filled by the hub).
    """

    incident: str | None = None
    responder: str | None = None
    key: str | None = None
    device_record: Device | None = None
    elder: Elder | None = None
    listed: Listed | None = None
    home: Home | None = None
