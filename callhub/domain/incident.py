"""The incident: the case that people handle, as the sum of its facts.

Rules of this file:
1. An incident is changed by ``dispatch.replay.apply`` alone.
2. It holds ids, states, times and distances, never a name, a telephone number, a text or a position, so that its
   digest survives the erasure of a person.
3. Offers and assignments are frozen; a change replaces them, so that a copy of an incident is shallow and cheap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callhub.domain.call_back import CallBack
from callhub.domain.family import Relative
from callhub.domain.people import Position, ResponderKind
from callhub.domain.policy import IncidentClass
from callhub.domain.roles import HelpRole, Part
from callhub.domain.roll_call import RollCall
from callhub.domain.whistle import Whistle


class IncidentState(StrEnum):
    """The state word of an incident; ``unanswered`` means the ladder ran out and nobody has it yet."""

    SEEKING = "seeking"
    ASSIGNED = "assigned"
    ON_SCENE = "on_scene"
    UNANSWERED = "unanswered"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class OfferState(StrEnum):
    """The state of an invitation to one responder."""

    OPEN = "open"
    SILENT = "silent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class AssignmentState(StrEnum):
    """The state of an accepted duty; skipping forward is legal."""

    ASSIGNED = "assigned"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    CLEARED = "cleared"
    RELEASED = "released"


class Source(StrEnum):
    """What an incident came from."""

    DEVICE = "device"
    OPERATOR = "operator"
    RESPONDER = "responder"
    SYSTEM = "system"


class OwnerKind(StrEnum):
    """Who can take an incident over."""

    USER = "user"
    API = "api"
    DESK = "desk"


LIVE_OFFERS = frozenset({OfferState.OPEN, OfferState.SILENT})
LIVE_ASSIGNMENTS = frozenset({AssignmentState.ASSIGNED, AssignmentState.EN_ROUTE, AssignmentState.ON_SCENE})
ENDED = frozenset({IncidentState.CLOSED, IncidentState.CANCELLED})
JOINABLE = frozenset({IncidentState.SEEKING, IncidentState.ASSIGNED, IncidentState.ON_SCENE, IncidentState.UNANSWERED})


@dataclass(frozen=True, slots=True)
class Offer:
    """An invitation to one responder. Times are aware UTC; ``respond_by`` is when others are asked as well."""

    id: str
    responder: str
    kind: ResponderKind
    step: int
    state: OfferState
    offered_at: datetime
    respond_by: datetime
    reminded_at: datetime | None = None
    answered_at: datetime | None = None
    distance_m: int | None = None
    eta_s: int | None = None
    stand_down: str | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """An accepted duty. ``slot`` is 1..capacity for an emergency, else None; ``late``: the arrival was missed."""

    id: str
    responder: str
    state: AssignmentState
    assigned_at: datetime
    slot: int | None = None
    arrive_by: datetime | None = None
    eta_s: int | None = None
    en_route_at: datetime | None = None
    on_scene_at: datetime | None = None
    cleared_at: datetime | None = None
    late: bool = False
    outcome: str | None = None
    proof: str | None = None
    by_hand: bool = False

    @property
    def is_live(self) -> bool:
        """Assigned, en route or on scene."""
        return self.state in LIVE_ASSIGNMENTS

    @property
    def is_on_time(self) -> bool:
        """Live, and the arrival not missed or the person on scene."""
        return self.is_live and (not self.late or self.state is AssignmentState.ON_SCENE)


@dataclass(frozen=True, slots=True)
class AlarmRef:
    """One signal that asked for help, without its private part. ``id`` is the gateway's own id of it."""

    id: str
    gateway: str | None
    device: str | None
    kind: str
    received_at: datetime
    at: datetime | None = None
    joined: bool = False
    says_test: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """Who took over. ``watching``: they had a console open then, so that they can be missed when it goes away."""

    kind: OwnerKind
    id: str
    watching: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time at which something happens by itself, and why, as a code."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class DeskCall:
    """A missed or failed thing that is shown to desks, one level up each time.

    ``rung`` is the index of the area path that is being called, counted from the top (0 is the district); None: all
    top areas. ``rearm`` are the keys of the missed deadlines.
    """

    reason: str
    rung: int | None
    called: int = 1
    rearm: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """That somebody was spoken to, without what was said."""

    party: str
    result: str
    at: datetime
    by: str


@dataclass(slots=True)
class Incident:
    """The state of one case; see the rules above.

    ``area`` is the path of area ids from the district down at opening. ``step`` is the rung of the ladder that is
    asking now, ``reached`` the highest one so far. ``exhausted``: the ladder ran out. ``joined_version`` is the version
    at which the last alarm joined: whoever closes must have seen it. Of very many alarms the first and the newest are
    kept, and ``alarms_more`` counts the others, which the journal has. ``part_of`` is the roll-call of a home check.
    ``family`` are the elder's contacts. ``key_offers`` ask for a key, whoever else is coming. ``roles`` are those of
    assignments that have one, by their id.
    """

    id: str
    number: int
    class_: IncidentClass
    kind: str
    urgency: int
    source: Source
    policy: str
    needed: int
    opened_at: datetime
    version: int = 0
    state: IncidentState = IncidentState.SEEKING
    reason: str | None = None
    gateway: str | None = None
    device: str | None = None
    device_known: bool | None = None
    elder: str | None = None
    area: tuple[str, ...] = ()
    paired: tuple[str, ...] = ()
    says_test: bool = False
    cancel_requested: bool = False
    device_says_arrived: bool = False
    drill: bool = False
    follows: str | None = None
    step: int = 0
    reached: int = 0
    exhausted: bool = False
    owner: Owner | None = None
    owner_lapsed: bool = False
    offers: dict[str, Offer] = field(default_factory=dict)
    assignments: dict[str, Assignment] = field(default_factory=dict)
    alarms: list[AlarmRef] = field(default_factory=list)
    alarms_more: int = 0
    deadlines: dict[str, Deadline] = field(default_factory=dict)
    contacts: list[Contact] = field(default_factory=list)
    services: dict[str, str] = field(default_factory=dict)
    desk_call: DeskCall | None = None
    heard_well: bool = False
    heard_silence: bool = False
    was_on_scene: bool = False
    joined_version: int | None = None
    outcome: str | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    reopened_at: datetime | None = None
    unwatched: bool = False
    last_actor: str | None = None
    whistles: dict[str, Whistle] = field(default_factory=dict)
    call_back: CallBack | None = None
    roll_call: RollCall | None = None
    part_of: str | None = None
    family: tuple[Relative, ...] = ()
    key_offers: tuple[str, ...] = ()
    roles: dict[str, Part] = field(default_factory=dict)

    def copy(self) -> Incident:
        """A copy that shares only frozen parts; about 5 us."""
        # Written out: copy.copy() on a slotted dataclass costs several times as much, and this runs for every event.
        new = object.__new__(Incident)
        for name in _SLOTS:
            value = getattr(self, name)
            if type(value) is dict:
                value = dict(value)
            elif type(value) is list:
                value = list(value)
            setattr(new, name, value)
        return new

    @property
    def is_open(self) -> bool:
        """Neither closed nor cancelled."""
        return self.state not in ENDED

    @property
    def live(self) -> list[Assignment]:
        """Assignments that are assigned, en route or on scene, in the order they were made."""
        return [a for a in self.assignments.values() if a.state in LIVE_ASSIGNMENTS]

    @property
    def on_time(self) -> int:
        """Assignments that count for ``needed``.

        Live with the arrival not missed, or on scene, or cleared with an outcome other than ``no_access``.
        """
        return sum(1 for a in self.assignments.values() if a.is_on_time or self.has_done(a))

    def has_done(self, assignment: Assignment) -> bool:
        """Cleared with an outcome other than ``no_access``, since the last reopening and the last alarm that joined.

        Whoever left before another alarm came has not seen to that one.
        """
        left_at = assignment.cleared_at
        if assignment.state is not AssignmentState.CLEARED or assignment.outcome == "no_access" or left_at is None:
            return False
        if self.reopened_at is not None and left_at <= self.reopened_at:
            return False
        return all(left_at >= alarm.received_at for alarm in self.alarms if alarm.joined)

    @property
    def ladder_runs(self) -> bool:
        """Whether more people are wanted: ``seeking`` in the API, whatever the state word says."""
        if self.state in ENDED or self.state is IncidentState.RESOLVED:
            return False
        return self.needed > self.on_time

    @property
    def has_whistle_out(self) -> bool:
        """A department was called, and it is neither confirmed nor withdrawn: a person has to close."""
        return any(whistle.is_out for whistle in self.whistles.values())

    @property
    def open_offers(self) -> list[Offer]:
        """Offers in state open, oldest first."""
        return [o for o in self.offers.values() if o.state is OfferState.OPEN]

    @property
    def live_offers(self) -> list[Offer]:
        """Offers that can still be accepted: open or silent, oldest first."""
        return [o for o in self.offers.values() if o.state in LIVE_OFFERS]

    def offer_of(self, responder: str) -> Offer | None:
        """The live offer this responder holds here, if any; at most one exists."""
        # Written out, as below: this runs for everybody who was asked whenever something happens to them.
        for offer in self.offers.values():
            if offer.responder == responder and offer.state in LIVE_OFFERS:
                return offer
        return None

    def assignment_of(self, responder: str) -> Assignment | None:
        """The live assignment this responder holds here, if any."""
        for assignment in self.assignments.values():
            if assignment.responder == responder and assignment.state in LIVE_ASSIGNMENTS:
                return assignment
        return None

    def fetches_key(self, assignment: Assignment) -> bool:
        """Whether this person brings the key."""
        part = self.roles.get(assignment.id)
        return part is not None and part.role is HelpRole.KEY

    def whistle_of(self, department: str) -> Whistle | None:
        """The whistle this department has still to answer or to finish, if any; at most one exists."""
        return next((w for w in self.whistles.values() if w.department == department and w.is_awaited), None)

    @property
    def next_deadline(self) -> Deadline | None:
        """The earliest deadline, or None (only legal once the incident has ended)."""
        return min(self.deadlines.values(), key=lambda d: (d.at, d.why), default=None)

    @property
    def rings(self) -> bool:
        """Whether consoles that may see it must sound.

        Only an emergency that nobody owns rings: it ran out of people, a desk was asked, or a human voice is needed.
        """
        if self.class_ is not IncidentClass.EMERGENCY or self.owner is not None or not self.is_open:
            return False
        desk_asked = any(o.kind is ResponderKind.DESK for o in self.live_offers)
        called = self.desk_call is not None and self.desk_call.reason != "follow_up_missed"
        voice_needed = self.call_back is not None and not self.call_back.held
        return self.state is IncidentState.UNANSWERED or desk_asked or called or self.owner_lapsed or voice_needed


_SLOTS: tuple[str, ...] = tuple(Incident.__dataclass_fields__)


@dataclass(slots=True)
class Places:
    """Where help is needed: the private companion of an incident, kept beside it and never part of its digest.

    ``home`` and ``address`` are the elder's at opening; ``new_home`` and ``new_address`` are set when an import moved
    them meanwhile. ``fix`` is the alarm's own position, used for ``go_to`` only if ``fix_wins``. ``words`` is what
    people wrote that is shown again with a whistle: its id with ``:text`` or ``:reason``.
    """

    home: Position | None = None
    home_source: str = "home"
    address: str = ""
    fix: Position | None = None
    fix_at: datetime | None = None
    fix_wins: bool = False
    new_home: Position | None = None
    new_address: str = ""
    words: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> tuple[Position, str] | None:
        """Where to go and how we know: ``device``, ``home`` or ``grid``; None while nobody knows."""
        if self.fix is not None and self.fix_wins:
            return self.fix, "device"
        if self.home is not None:
            return self.home, self.home_source
        return None
