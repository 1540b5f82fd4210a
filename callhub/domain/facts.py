"""What happened: the facts of which an incident is the sum.

Rules of this file:
1. A fact is frozen, says what happened in the past tense, and is never changed once committed.
2. A field marked ``private()`` (names, telephone numbers, texts, positions, raw frames) goes into the private part of
   its journal row. It is None after an erasure, so ``apply()`` never reads it.
3. Deadlines change through ``DeadlinesChanged`` alone: what an incident is waiting for can be read in one place.
4. ``fact`` is the stable code of the type, on disk and in the timeline.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any, Literal

from callhub.domain.incident import (
    AssignmentState,
    Deadline,
    DeskCall,
    IncidentState,
    Owner,
    Source,
)
from callhub.domain.people import Actor, Position, ResponderKind
from callhub.domain.policy import IncidentClass


def private() -> Any:
    """A field that belongs to the private part of a journal row; None when absent or erased."""
    return field(default=None, metadata={"private": True})


@cache
def private_fields(kind: type) -> tuple[str, ...]:
    """The names of the private fields of a fact type."""
    return tuple(f.name for f in fields(kind) if f.metadata.get("private"))


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOpened:
    """A case began. ``policy`` is the id of the frozen ladder; ``reason`` is a code such as ``engine_error``."""

    fact: Literal["incident_opened"] = "incident_opened"
    number: int
    class_: IncidentClass
    kind: str
    urgency: int
    source: Source
    policy: str
    needed: int
    gateway: str | None = None
    device: str | None = None
    device_known: bool | None = None
    elder: str | None = None
    area: tuple[str, ...] = ()
    paired: tuple[str, ...] = ()
    says_test: bool = False
    follows: str | None = None
    reason: str | None = None
    text: str | None = private()
    phone: str | None = private()
    address: str | None = private()
    home: Position | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRecorded:
    """A signal that asks for help became part of this incident; ``joined`` when the incident was there before."""

    fact: Literal["alarm_recorded"] = "alarm_recorded"
    id: str
    gateway: str | None = None
    device: str | None = None
    kind: str
    received_at: datetime
    at: datetime | None = None
    joined: bool = False
    says_test: bool = False
    device_known: bool | None = None
    battery: float | None = None
    ignored: tuple[str, ...] = ()
    text: str | None = private()
    position: Position | None = private()
    raw: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMadeUrgent:
    """A more urgent alarm put the incident on its own ladder, at the first step."""

    fact: Literal["alarm_made_urgent"] = "alarm_made_urgent"
    kind: str
    urgency: int
    policy: str
    needed: int
    class_: IncidentClass


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """The state word changed by this lifecycle event; ``outcome`` when it was closed."""

    fact: Literal["state_changed"] = "state_changed"
    event: str
    state: IncidentState
    outcome: str | None = None
    reason: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntered:
    """The ladder stands on this rung now (0-based). ``why``: ``opened timeout nobody_left escalated urgent late released
    reopened owner_gone unanswered``."""

    fact: Literal["step_entered"] = "step_entered"
    step: int
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderExhausted:
    """The ladder ran out (``again``: it had before): loud, repeating, still open; all steps count as reached."""

    fact: Literal["ladder_exhausted"] = "ladder_exhausted"
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Why these people were asked: chosen (at most 20), passed over (the 20 nearest, a reason each), counts of the rest."""

    fact: Literal["ranked"] = "ranked"
    step: int
    chosen: tuple[dict[str, Any], ...] = ()
    passed_over: tuple[dict[str, Any], ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMade:
    """A responder was invited. Metres in a straight line, seconds of expected arrival; both None without positions."""

    fact: Literal["offer_made"] = "offer_made"
    offer: str
    responder: str
    kind: ResponderKind
    step: int
    respond_by: datetime
    distance_m: int | None = None
    eta_s: int | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferReminded:
    """The same offer was sent again with a new deadline."""

    fact: Literal["offer_reminded"] = "offer_reminded"
    offer: str
    respond_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSilent:
    """Nobody answered in time; others are asked as well, a late yes is still a yes."""

    fact: Literal["offer_silent"] = "offer_silent"
    offer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAccepted:
    """A responder said yes; ``via`` is ``app``, ``telephone`` or another way."""

    fact: Literal["offer_accepted"] = "offer_accepted"
    offer: str
    via: str = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDeclined:
    """A responder said no."""

    fact: Literal["offer_declined"] = "offer_declined"
    offer: str
    via: str = "app"
    reason: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferWithdrawn:
    """The invitation was taken back: ``filled resolved cancelled closed off_duty busy disabled``."""

    fact: Literal["offer_withdrawn"] = "offer_withdrawn"
    offer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A responder has the duty now; ``slot`` is which of their capacity it uses (emergencies only)."""

    fact: Literal["assigned"] = "assigned"
    assignment: str
    responder: str
    slot: int | None
    arrive_by: datetime
    eta_s: int | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentMoved:
    """An assignment changed its state to en route, on scene, cleared or released.

    ``proof``: ``card`` (matched), ``card_mismatch``, ``device`` or None. ``code``: why it was released by callhub.
    """

    fact: Literal["assignment_moved"] = "assignment_moved"
    assignment: str
    state: AssignmentState
    outcome: str | None = None
    proof: str | None = None
    code: str | None = None
    note: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalMissed:
    """The arrival deadline passed; the assignment stays, marked late, and the ladder goes on."""

    fact: Literal["arrival_missed"] = "arrival_missed"
    assignment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerTaken:
    """A human or a desk took over; ``handed_by`` when it was passed on."""

    fact: Literal["owner_taken"] = "owner_taken"
    owner: Owner
    handed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerCleared:
    """The owner is gone: ``owner_check_missed user_removed owner_away resolved_check``."""

    fact: Literal["owner_cleared"] = "owner_cleared"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerActed:
    """An action of the owner renewed the owner check."""

    fact: Literal["owner_acted"] = "owner_acted"
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinesChanged:
    """Deadlines that were armed (by key) and keys that were disarmed."""

    fact: Literal["deadlines_changed"] = "deadlines_changed"
    armed: dict[str, Deadline] = field(default_factory=dict)
    disarmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCalled:
    """The incident is shown to a desk until a person acts on it; ``desks`` are their ids, maybe none on duty."""

    fact: Literal["desk_called"] = "desk_called"
    call: DeskCall
    area: str | None
    desks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCallEnded:
    """A person acted on it."""

    fact: Literal["desk_call_ended"] = "desk_call_ended"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionMissed:
    """Somebody is on scene for longer than the policy allows."""

    fact: Literal["resolution_missed"] = "resolution_missed"
    assignment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpMissed:
    """Resolved, but nobody closed it in time."""

    fact: Literal["follow_up_missed"] = "follow_up_missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMissed:
    """120, 110 or 119 was asked for and is not there in time."""

    fact: Literal["service_missed"] = "service_missed"
    party: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """A button asked for a cancel: shown to people, never a cancel."""

    fact: Literal["cancel_requested"] = "cancel_requested"
    id: str
    gateway: str
    device: str | None
    alarm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSignalled:
    """A device said ``arrived``, ``card`` or ``confirm``; shown as "device says". ``matches``: the card is the elder's."""

    fact: Literal["device_signalled"] = "device_signalled"
    id: str
    gateway: str
    device: str
    signal: str
    matches: bool | None = None
    card: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMade:
    """Somebody was spoken to, or 120/110/119 was asked for or came."""

    fact: Literal["contact_made"] = "contact_made"
    party: str
    result: str
    note: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedRaised:
    """A responder needs something: ``key second_person ambulance police fire other``."""

    fact: Literal["need_raised"] = "need_raised"
    responder: str
    need: str
    note: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """A line for the timeline. ``what``: ``note``, ``feedback`` or ``report``; ``rating`` 1..5 for feedback."""

    fact: Literal["note_added"] = "note_added"
    what: str = "note"
    rating: int | None = None
    text: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class ElderIdentified:
    """An incident without an elder got one."""

    fact: Literal["elder_identified"] = "elder_identified"
    elder: str
    area: tuple[str, ...]
    paired: tuple[str, ...] = ()
    address: str | None = private()
    home: Position | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeMoved:
    """An import changed the elder's home, or whose device it is, while the case is open; both are shown."""

    fact: Literal["home_moved"] = "home_moved"
    what: str
    address: str | None = private()
    home: Position | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchChanged:
    """Whether anybody watches this open emergency."""

    fact: Literal["watch_changed"] = "watch_changed"
    unwatched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActedFor:
    """A human did this on behalf of a responder who called in."""

    fact: Literal["acted_for"] = "acted_for"
    responder: str
    action: str
    via: str = "telephone"
    reason: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyChanged:
    """A responder went on or off duty; not part of any incident. ``cause``: ``presence until_over disabled import``."""

    fact: Literal["duty_changed"] = "duty_changed"
    responder: str
    available: bool
    until: datetime | None = None
    cause: str = "presence"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRecorded:
    """A quiet test of a device that is on test; not part of any incident."""

    fact: Literal["test_recorded"] = "test_recorded"
    gateway: str
    device: str
    alarm: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TestWindowOpened:
    """A device is on test until then; not part of any incident."""

    fact: Literal["test_window_opened"] = "test_window_opened"
    device: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryChanged:
    """People, devices, areas, users, tokens or policies changed; not part of any incident. ``counts`` by kind."""

    fact: Literal["directory_changed"] = "directory_changed"
    what: str
    counts: dict[str, int] = field(default_factory=dict)
    ids: tuple[str, ...] = ()


Fact = (
    IncidentOpened
    | AlarmRecorded
    | AlarmMadeUrgent
    | StateChanged
    | StepEntered
    | LadderExhausted
    | Ranked
    | OfferMade
    | OfferReminded
    | OfferSilent
    | OfferAccepted
    | OfferDeclined
    | OfferWithdrawn
    | Assigned
    | AssignmentMoved
    | ArrivalMissed
    | OwnerTaken
    | OwnerCleared
    | OwnerActed
    | DeadlinesChanged
    | DeskCalled
    | DeskCallEnded
    | ResolutionMissed
    | FollowUpMissed
    | ServiceMissed
    | CancelRequested
    | DeviceSignalled
    | ContactMade
    | NeedRaised
    | NoteAdded
    | ElderIdentified
    | HomeMoved
    | WatchChanged
    | ActedFor
    | DutyChanged
    | TestRecorded
    | TestWindowOpened
    | DirectoryChanged
)


@dataclass(frozen=True, slots=True)
class Row:
    """One journal row: all facts of one decision on one incident (None: not about an incident).

    ``version`` is the incident's version after this row (1 for the opening), 0 when ``incident`` is None. ``event`` is
    the id of the event that was decided.
    """

    incident: str | None
    version: int
    at: datetime
    event: str
    actor: Actor
    facts: tuple[Fact, ...]
