"""What happened: the facts of which an incident is the sum.

Rules of this file:
1. A fact is frozen, says what happened in the past tense, and is never changed once committed.
2. A field marked ``private()`` (names, telephone numbers, texts, positions, raw frames) goes into the private part of
   its journal row. It is None after an erasure, so ``apply()`` never reads it.
3. Deadlines change through ``DeadlinesChanged`` alone: what an incident is waiting for can be read in one place.
4. ``fact`` is the stable code of the type, on disk and in the timeline.
"""

from callhub.domain.facts.call_backs import CallBackBegan, CallBackEnded, CallBackHeld, CallFirstChanged, LadderWaits
from callhub.domain.facts.desks import DeskCalled, DeskCallEnded, FollowUpMissed, ResolutionMissed, ServiceMissed
from callhub.domain.facts.directory import DirectoryChanged, DutyChanged, TestRecorded, TestWindowOpened
from callhub.domain.facts.duties import ActedFor, ArrivalMissed, Assigned, AssignmentMoved, NeedRaised
from callhub.domain.facts.fields import private, private_fields
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
from callhub.domain.facts.row import Fact, Row
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

__all__ = [
    "ActedFor",
    "AlarmMadeUrgent",
    "AlarmRecorded",
    "ArrivalMissed",
    "Assigned",
    "AssignmentMoved",
    "CallBackBegan",
    "CallBackEnded",
    "CallBackHeld",
    "CallFirstChanged",
    "CancelRequested",
    "ContactMade",
    "DeadlinesChanged",
    "DepartmentMoved",
    "DeskCallEnded",
    "DeskCalled",
    "DeviceSignalled",
    "DirectoryChanged",
    "DutyChanged",
    "ElderIdentified",
    "Fact",
    "FamilyChanged",
    "FaultFolded",
    "FaultFound",
    "FaultMended",
    "FaultReturned",
    "FollowUpMissed",
    "HomeCheckBegan",
    "HomeChecked",
    "HomeMoved",
    "HomesListed",
    "IncidentOpened",
    "LadderExhausted",
    "LadderWaits",
    "NeedRaised",
    "NoteAdded",
    "OfferAccepted",
    "OfferDeclined",
    "OfferMade",
    "OfferReminded",
    "OfferSilent",
    "OfferWithdrawn",
    "OwnerActed",
    "OwnerCleared",
    "OwnerTaken",
    "Ranked",
    "ResolutionMissed",
    "RollCallBegan",
    "RollCallExtended",
    "RollCallHeldUp",
    "Row",
    "ServiceMissed",
    "StateChanged",
    "StepEntered",
    "TestRecorded",
    "TestWindowOpened",
    "WatchChanged",
    "WhistleCalled",
    "WhistleConfirmed",
    "WhistleFinished",
    "WhistleMissed",
    "WhistleRefused",
    "WhistleReported",
    "WhistleReturned",
    "WhistleWithdrawn",
    "private",
    "private_fields",
]
