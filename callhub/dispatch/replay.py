"""How facts make an incident: the only code that changes one.

Rules of this file:
1. ``apply`` is used while deciding, at a restart and by ``verify``: there is no other way to a state.
2. It reads no private field, no clock and no policy: a fact carries all that matters.
3. An unknown fact is a defect and raises; a fact that is not about the incident's state (a note) changes its version
   only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from callhub.dispatch.call_back_replay import CALL_BACK_HANDLERS
from callhub.dispatch.roll_call_replay import ROLL_CALL_HANDLERS
from callhub.dispatch.whistle_replay import WHISTLE_HANDLERS
from callhub.domain import facts as f
from callhub.domain.incident import (
    ENDED,
    AlarmRef,
    Assignment,
    AssignmentState,
    Contact,
    Deadline,
    Incident,
    IncidentState,
    Offer,
    OfferState,
)
from callhub.domain.policy import IncidentClass
from callhub.domain.roles import Part
from callhub.errors import EngineFault

ALARMS_MAX = 50
"""Alarms that an incident keeps, about 200 bytes each: each commit writes all of it, and a stuck button goes on."""
ALARMS_FIRST = 10
"""How many of them are the first ones; the others are the newest."""

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from callhub.domain.people import Actor


def apply(incident: Incident | None, row: f.Row) -> Incident:
    """Apply one row; the first row of an incident opens it (``incident`` None). Changes and returns the incident."""
    for fact in row.facts:
        if isinstance(fact, f.IncidentOpened):
            incident = opened(row.incident or "", fact, row.at)
        elif incident is None:
            raise EngineFault(f"row {row.event} does not open incident {row.incident}")
        else:
            apply_fact(incident, fact, row.at, row.actor)
    if incident is None:
        raise EngineFault(f"row {row.event} has no facts")
    seal(incident, row.version, row.actor)
    return incident


def seal(incident: Incident, version: int, actor: Actor) -> None:
    """End a row: set the version, and who brought it about, so that whoever comes second learns who was first."""
    incident.version = version
    incident.last_actor = actor.id or None


def opened(id: str, fact: f.IncidentOpened, at: datetime) -> Incident:
    """The incident an ``IncidentOpened`` begins."""
    return Incident(
        id=id,
        number=fact.number,
        class_=fact.class_,
        kind=fact.kind,
        urgency=fact.urgency,
        source=fact.source,
        policy=fact.policy,
        needed=fact.needed,
        opened_at=at,
        reason=fact.reason,
        gateway=fact.gateway,
        device=fact.device,
        device_known=fact.device_known,
        elder=fact.elder,
        area=fact.area,
        paired=fact.paired,
        family=fact.family,
        says_test=fact.says_test,
        drill=fact.class_ is IncidentClass.DRILL,
        follows=fact.follows,
        part_of=fact.part_of,
    )


def apply_fact(incident: Incident, fact: f.Fact, at: datetime, actor: Actor) -> None:
    """Apply one fact; O(1) but for withdrawals of the named offer."""
    handler = _HANDLERS.get(type(fact))
    if handler is None:
        raise EngineFault(f"no rule applies the fact {fact.fact}")
    handler(incident, fact, at, actor)


def in_order(deadlines: dict[str, Deadline]) -> dict[str, Deadline]:
    """Deadlines by key, so that the digest does not depend on the order in which they were armed."""
    return dict(sorted(deadlines.items()))


def _alarm(i: Incident, fact: f.AlarmRecorded, at: datetime, actor: Actor) -> None:
    i.alarms.append(
        AlarmRef(
            id=fact.id,
            gateway=fact.gateway,
            device=fact.device,
            kind=fact.kind,
            received_at=fact.received_at,
            at=fact.at,
            joined=fact.joined,
            says_test=fact.says_test,
        )
    )
    if len(i.alarms) > ALARMS_MAX:
        _count_one_only(i)
    if fact.joined:
        i.joined_version = i.version + 1
        if not fact.says_test:
            i.says_test = False


def _count_one_only(i: Incident) -> None:
    """Forget the oldest alarm after the first ones, if the same device sent the same since.

    So every gateway, device and kind stays, and with them who hears progress and what a device's cancel is about.
    """
    newest = {(a.gateway, a.device, a.kind): n for n, a in enumerate(i.alarms)}
    for n in range(ALARMS_FIRST, len(i.alarms)):
        alarm = i.alarms[n]
        if newest[alarm.gateway, alarm.device, alarm.kind] != n:
            del i.alarms[n]
            i.alarms_more += 1
            return


def _urgent(i: Incident, fact: f.AlarmMadeUrgent, at: datetime, actor: Actor) -> None:
    i.kind, i.urgency, i.policy, i.needed, i.class_ = fact.kind, fact.urgency, fact.policy, fact.needed, fact.class_
    # Another ladder: the rungs of the old one say nothing about it.
    i.step = i.reached = 0


def _state(i: Incident, fact: f.StateChanged, at: datetime, actor: Actor) -> None:
    i.state = fact.state
    if fact.outcome is not None:
        i.outcome = fact.outcome
    i.ended_at = at if fact.state in ENDED else None
    if fact.state in ENDED or fact.state is IncidentState.RESOLVED:
        i.call_back = None
    if fact.event == "reopened":
        i.reopened_at = at
        i.outcome = None
        i.was_on_scene = i.heard_well = i.heard_silence = i.exhausted = i.owner_lapsed = False
        i.joined_version = None
        i.reached = 0
        i.owner = None
    elif fact.state is IncidentState.RESOLVED:
        i.owner_lapsed = False


def _step(i: Incident, fact: f.StepEntered, at: datetime, actor: Actor) -> None:
    i.step = fact.step
    i.exhausted = False
    i.reached = max(i.reached, fact.step)


def _exhausted(i: Incident, fact: f.LadderExhausted, at: datetime, actor: Actor) -> None:
    i.exhausted = True


def _offer_made(i: Incident, fact: f.OfferMade, at: datetime, actor: Actor) -> None:
    i.offers[fact.offer] = Offer(
        id=fact.offer,
        responder=fact.responder,
        kind=fact.kind,
        step=fact.step,
        state=OfferState.OPEN,
        offered_at=at,
        respond_by=fact.respond_by,
        distance_m=fact.distance_m,
        eta_s=fact.eta_s,
        by_hand=fact.by_hand,
    )
    _asks_for(i, fact)


def _asks_for(i: Incident, fact: f.OfferMade | f.OfferReminded) -> None:
    if fact.need is not None:
        i.key_offers = (*i.key_offers, fact.offer)


def _offer(i: Incident, id: str, **changes: Any) -> None:
    i.offers[id] = replace(i.offers[id], **changes)


def _reminded(i: Incident, fact: f.OfferReminded, at: datetime, actor: Actor) -> None:
    _offer(i, fact.offer, respond_by=fact.respond_by, reminded_at=at)
    _asks_for(i, fact)


def _silent(i: Incident, fact: f.OfferSilent, at: datetime, actor: Actor) -> None:
    _offer(i, fact.offer, state=OfferState.SILENT)


def _accepted(i: Incident, fact: f.OfferAccepted, at: datetime, actor: Actor) -> None:
    _offer(i, fact.offer, state=OfferState.ACCEPTED, answered_at=at)


def _declined(i: Incident, fact: f.OfferDeclined, at: datetime, actor: Actor) -> None:
    _offer(i, fact.offer, state=OfferState.DECLINED, answered_at=at)


def _withdrawn(i: Incident, fact: f.OfferWithdrawn, at: datetime, actor: Actor) -> None:
    _offer(i, fact.offer, state=OfferState.WITHDRAWN, stand_down=fact.reason)


def _assigned(i: Incident, fact: f.Assigned, at: datetime, actor: Actor) -> None:
    i.assignments[fact.assignment] = Assignment(
        id=fact.assignment,
        responder=fact.responder,
        state=AssignmentState.ASSIGNED,
        assigned_at=at,
        slot=fact.slot,
        arrive_by=fact.arrive_by,
        eta_s=fact.eta_s,
        by_hand=fact.by_hand,
    )
    if fact.role is not None:
        i.roles[fact.assignment] = Part(fact.role, fact.fetch)


_STAMPS = {
    AssignmentState.EN_ROUTE: "en_route_at",
    AssignmentState.ON_SCENE: "on_scene_at",
    AssignmentState.CLEARED: "cleared_at",
    AssignmentState.RELEASED: "cleared_at",
}


def _moved(i: Incident, fact: f.AssignmentMoved, at: datetime, actor: Actor) -> None:
    changes: dict[str, Any] = {"state": fact.state, _STAMPS[fact.state]: at}
    if fact.outcome is not None:
        changes["outcome"] = fact.outcome
    if fact.proof is not None:
        changes["proof"] = fact.proof
    if fact.state is AssignmentState.ON_SCENE:
        i.was_on_scene = True
    i.assignments[fact.assignment] = replace(i.assignments[fact.assignment], **changes)


def _late(i: Incident, fact: f.ArrivalMissed, at: datetime, actor: Actor) -> None:
    i.assignments[fact.assignment] = replace(i.assignments[fact.assignment], late=True)


def _owner(i: Incident, fact: f.OwnerTaken, at: datetime, actor: Actor) -> None:
    i.owner = fact.owner
    i.owner_lapsed = False
    if i.answered_at is None:
        i.answered_at = at


def _owner_gone(i: Incident, fact: f.OwnerCleared, at: datetime, actor: Actor) -> None:
    i.owner = None
    i.owner_lapsed = True


def _deadlines(i: Incident, fact: f.DeadlinesChanged, at: datetime, actor: Actor) -> None:
    for key in fact.disarmed:
        i.deadlines.pop(key, None)
    i.deadlines.update(fact.armed)
    i.deadlines = in_order(i.deadlines)


def _desk_called(i: Incident, fact: f.DeskCalled, at: datetime, actor: Actor) -> None:
    i.desk_call = fact.call


def _desk_call_ended(i: Incident, fact: f.DeskCallEnded, at: datetime, actor: Actor) -> None:
    i.desk_call = None


def _cancel_requested(i: Incident, fact: f.CancelRequested, at: datetime, actor: Actor) -> None:
    i.cancel_requested = True


def _signalled(i: Incident, fact: f.DeviceSignalled, at: datetime, actor: Actor) -> None:
    if fact.signal in {"arrived", "card"}:
        i.device_says_arrived = True


def _contact(i: Incident, fact: f.ContactMade, at: datetime, actor: Actor) -> None:
    i.contacts.append(Contact(fact.party, fact.result, at, actor.id))
    if fact.party in {"120", "110", "119"}:
        i.services[fact.party] = fact.result
    elif fact.result in {"silent", "no_answer"}:
        i.heard_silence, i.heard_well = True, False
    elif fact.party == "elder" and fact.result == "spoke_ok":
        i.heard_well = True
    if i.answered_at is None and actor.is_human:
        i.answered_at = at


def _identified(i: Incident, fact: f.ElderIdentified, at: datetime, actor: Actor) -> None:
    i.elder = fact.elder
    i.area = fact.area
    i.paired = fact.paired
    i.family = fact.family


def _family(i: Incident, fact: f.FamilyChanged, at: datetime, actor: Actor) -> None:
    i.family = fact.family


def _watch(i: Incident, fact: f.WatchChanged, at: datetime, actor: Actor) -> None:
    i.unwatched = fact.unwatched


def _remark(i: Incident, fact: f.Fact, at: datetime, actor: Actor) -> None:
    """A fact for the timeline that changes no state."""


_HANDLERS: dict[type, Callable[[Incident, Any, datetime, Actor], None]] = {
    f.AlarmRecorded: _alarm,
    f.AlarmMadeUrgent: _urgent,
    f.StateChanged: _state,
    f.StepEntered: _step,
    f.LadderExhausted: _exhausted,
    f.OfferMade: _offer_made,
    f.OfferReminded: _reminded,
    f.OfferSilent: _silent,
    f.OfferAccepted: _accepted,
    f.OfferDeclined: _declined,
    f.OfferWithdrawn: _withdrawn,
    f.Assigned: _assigned,
    f.AssignmentMoved: _moved,
    f.ArrivalMissed: _late,
    f.OwnerTaken: _owner,
    f.OwnerCleared: _owner_gone,
    f.DeadlinesChanged: _deadlines,
    f.DeskCalled: _desk_called,
    f.DeskCallEnded: _desk_call_ended,
    f.CancelRequested: _cancel_requested,
    f.DeviceSignalled: _signalled,
    f.ContactMade: _contact,
    f.ElderIdentified: _identified,
    f.FamilyChanged: _family,
    f.WatchChanged: _watch,
    f.OwnerActed: _remark,
    f.Ranked: _remark,
    f.ResolutionMissed: _remark,
    f.FollowUpMissed: _remark,
    f.ServiceMissed: _remark,
    f.NeedRaised: _remark,
    f.NoteAdded: _remark,
    f.HomeMoved: _remark,
    f.ActedFor: _remark,
    f.DepartmentMoved: _remark,
    **WHISTLE_HANDLERS,
    **CALL_BACK_HANDLERS,
    **ROLL_CALL_HANDLERS,
    f.FaultFound: _remark,
    f.FaultMended: _remark,
    f.FaultReturned: _remark,
    f.FaultFolded: _remark,
}
