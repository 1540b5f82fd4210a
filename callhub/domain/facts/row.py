"""A journal row: everything that one decision did to one incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callhub.domain.facts.call_backs import CallBackBegan, CallBackEnded, CallBackHeld, CallFirstChanged, LadderWaits
from callhub.domain.facts.desks import DeskCalled, DeskCallEnded, FollowUpMissed, ResolutionMissed, ServiceMissed
from callhub.domain.facts.directory import DirectoryChanged, DutyChanged, TestRecorded, TestWindowOpened
from callhub.domain.facts.duties import ActedFor, ArrivalMissed, Assigned, AssignmentMoved, NeedRaised
from callhub.domain.facts.ladder import DeadlinesChanged, LadderExhausted, Ranked, StateChanged, StepEntered
from callhub.domain.facts.offers import (
    OfferAccepted,
    OfferDeclined,
    OfferMade,
    OfferReminded,
    OfferSilent,
    OfferWithdrawn,
)
from callhub.domain.facts.opening import AlarmMadeUrgent, AlarmRecorded, IncidentOpened
from callhub.domain.facts.ownership import OwnerActed, OwnerCleared, OwnerTaken, WatchChanged
from callhub.domain.facts.places import ElderIdentified, FamilyChanged, HomeMoved
from callhub.domain.facts.roll_calls import (
    HomeCheckBegan,
    HomeChecked,
    HomesListed,
    RollCallBegan,
    RollCallExtended,
    RollCallHeldUp,
)
from callhub.domain.facts.signals import CancelRequested, ContactMade, DeviceSignalled, NoteAdded
from callhub.domain.facts.supervision import FaultFolded, FaultFound, FaultMended, FaultReturned
from callhub.domain.facts.whistles import (
    DepartmentMoved,
    WhistleCalled,
    WhistleConfirmed,
    WhistleFinished,
    WhistleMissed,
    WhistleRefused,
    WhistleReported,
    WhistleReturned,
    WhistleWithdrawn,
)
from callhub.domain.people import Actor

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
    | FamilyChanged
    | WatchChanged
    | ActedFor
    | WhistleCalled
    | WhistleReported
    | WhistleMissed
    | WhistleRefused
    | DepartmentMoved
    | WhistleFinished
    | WhistleConfirmed
    | WhistleReturned
    | WhistleWithdrawn
    | CallBackBegan
    | CallBackHeld
    | CallBackEnded
    | LadderWaits
    | CallFirstChanged
    | DutyChanged
    | TestRecorded
    | TestWindowOpened
    | DirectoryChanged
    | FaultFound
    | FaultMended
    | FaultReturned
    | FaultFolded
    | RollCallBegan
    | RollCallExtended
    | HomesListed
    | HomeCheckBegan
    | HomeChecked
    | RollCallHeldUp
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
