"""On the way, there, done, or not any more: what somebody with an assignment reports.

Rules of this file:
1. Accepted is not done: arriving starts a resolution deadline, resolving a follow-up.
2. Arrival is what a responder says, with or without a card's proof.
3. Resolved: nobody is on scene, somebody cleared with an outcome other than ``no_access``, and either as many as
   needed have, or nobody else is on the way on time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.dispatch.answers import settle, withdraw_all
from callhub.dispatch.desk_calls import WHISTLE_CLOCKS, call_desk, end_call, keep_whistles
from callhub.dispatch.escalation import change_state, resume
from callhub.dispatch.keyholders import KEY, ask_for_key
from callhub.dispatch.lifecycle import IncidentEvent, advance_assignment
from callhub.domain import facts as f
from callhub.domain.decision import Answer
from callhub.domain.incident import Assignment, AssignmentState, Incident, IncidentState
from callhub.domain.people import ActorKind, Elder
from callhub.errors import Conflict, InvalidMessage, NotAssigned, NotFound

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case, Turn
    from callhub.domain.events import DutyMoved

NEEDS = ("key", "second_person", "ambulance", "police", "fire", "other")
OUTCOMES = ("helped", "false_alarm", "hospital", "emergency_services", "no_access", "other")


def move_duty(turn: Turn, event: DutyMoved) -> Answer:
    """A responder's report, or somebody's for them."""
    world = turn.world
    incident = world.incidents.get(event.incident)
    if incident is None:
        _refuse_ended(turn, event)
        raise NotFound("incident", event.incident)
    assignment = incident.assignment_of(event.responder)
    if assignment is None:
        raise NotAssigned(event.incident, event.responder)
    case = turn.case(incident.id)
    if event.actor.kind is not ActorKind.RESPONDER:
        reason = event.fields.get("reason")
        case.add(f.ActedFor(responder=event.responder, action=event.action, via=event.via, reason=reason))
    _ACTIONS[event.action](case, assignment, event)
    state = case.incident.assignments[assignment.id].state.value
    return Answer({"ok": True, "state": state}, incident=case.id)


def _refuse_ended(turn: Turn, event: DutyMoved) -> None:
    """An ended incident: whoever had a part in it is told that they hold no assignment any more."""
    held = turn.world.ended.get(event.incident)
    incident = held[0] if held is not None else event.ended
    if incident is None:
        return
    asked = {o.responder for o in incident.offers.values()} | {w.department for w in incident.whistles.values()}
    if event.responder in asked:
        raise NotAssigned(event.incident, event.responder)


def _en_route(case: Case, assignment: Assignment, event: DutyMoved) -> None:
    if assignment.state is not AssignmentState.EN_ROUTE:
        advance_assignment(assignment.state, AssignmentState.EN_ROUTE)
        case.add(f.AssignmentMoved(assignment=assignment.id, state=AssignmentState.EN_ROUTE))


def _on_scene(case: Case, assignment: Assignment, event: DutyMoved) -> None:
    if assignment.state is not AssignmentState.ON_SCENE:
        arrive(case, assignment, _proof(event.fields.get("proof"), event.elder))


def _proof(given: object, elder: Elder | None) -> str | None:
    """Whether the card shown is the elder's; arrival counts without it."""
    card = given.get("card") if isinstance(given, dict) else None
    if not isinstance(card, str) or not card:
        return None
    return "card" if elder is not None and elder.card and card == elder.card else "card_mismatch"


def arrive(case: Case, assignment: Assignment, proof: str | None) -> None:
    """Somebody is there: a late one is on time again, and those only asked are stood down."""
    advance_assignment(assignment.state, AssignmentState.ON_SCENE)
    case.add(f.AssignmentMoved(assignment=assignment.id, state=AssignmentState.ON_SCENE, proof=proof))
    change_state(case, IncidentEvent.ARRIVED)
    case.disarm(f"arrival:{assignment.id}")
    case.arm(f"resolution:{assignment.id}", case.policy.resolution_s, "resolution")
    settle(case)


def _cleared(case: Case, assignment: Assignment, event: DutyMoved) -> None:
    outcome = outcome_of(case, event)
    advance_assignment(assignment.state, AssignmentState.CLEARED)
    case.add(
        f.AssignmentMoved(
            assignment=assignment.id,
            state=AssignmentState.CLEARED,
            outcome=outcome,
            note=event.fields.get("note"),
        )
    )
    _left(case, assignment)
    if outcome == "no_access":
        call_desk(case, "no_access")


def outcome_of(case: Case, event: DutyMoved) -> str:
    """How it ended for whoever leaves; raises ``InvalidMessage``, or ``Conflict`` when an alarm was not seen."""
    outcome = event.fields.get("outcome")
    if outcome not in OUTCOMES:
        raise InvalidMessage("outcome", f"one of {' '.join(OUTCOMES)}")
    check_seen(case.incident, event.fields.get("version"))
    return str(outcome)


def check_seen(incident: Incident, version: object) -> None:
    """Once an alarm has joined, whoever ends something must have seen it; raises ``Conflict``."""
    if incident.joined_version is None:
        return
    if not isinstance(version, int) or version < incident.joined_version:
        raise Conflict(
            f"an alarm joined at version {incident.joined_version}: look at it first", version=incident.version
        )


def _release(case: Case, assignment: Assignment, event: DutyMoved) -> None:
    release(case, assignment, note=event.fields.get("reason"))
    _left(case, assignment)


def release(case: Case, assignment: Assignment, *, code: str | None = None, note: str | None = None) -> None:
    """End a duty without an outcome; ``code`` when callhub does it."""
    advance_assignment(assignment.state, AssignmentState.RELEASED)
    case.add(f.AssignmentMoved(assignment=assignment.id, state=AssignmentState.RELEASED, code=code, note=note))
    case.disarm(f"arrival:{assignment.id}", f"resolution:{assignment.id}")


def _left(case: Case, assignment: Assignment) -> None:
    """Somebody went: the case is resolved, or goes on with the others, or with nobody."""
    case.disarm(f"arrival:{assignment.id}", f"resolution:{assignment.id}")
    after_departure(case, "released", from_first=assignment.by_hand)


def after_departure(case: Case, why: str, *, from_first: bool = False) -> None:
    """Resolve if that is so now, else set the state word by who is left and let the ladder go on."""
    incident = case.incident
    if is_resolved(incident):
        resolve(case)
        return
    was_waiting = incident.state in (IncidentState.SEEKING, IncidentState.UNANSWERED)
    if not incident.live:
        if not was_waiting:
            change_state(case, IncidentEvent.VACATED)
    elif incident.state is IncidentState.ON_SCENE and not _on_scene_now(incident):
        change_state(case, IncidentEvent.LEFT)
    settle(case)
    resume(case, why, from_first=from_first)


def _on_scene_now(incident: Incident) -> bool:
    return any(a.state is AssignmentState.ON_SCENE for a in incident.live)


def is_resolved(incident: Incident) -> bool:
    """Rule 3."""
    done = sum(1 for a in incident.assignments.values() if incident.has_done(a))
    if done == 0 or _on_scene_now(incident):
        return False
    return done >= incident.needed or not any(a.is_on_time for a in incident.live)


def resolve(case: Case) -> None:
    """Whoever is still asked or on the way is told; the follow-up stands alone."""
    end_all(case, "resolved")
    change_state(case, IncidentEvent.RESOLVED)
    call = end_call(case)
    case.disarm_all(but=WHISTLE_CLOCKS)
    case.arm("follow_up", case.policy.follow_up_s, "follow_up")
    keep_whistles(case, call)


def end_all(case: Case, reason: str) -> None:
    """Release and stand down everybody who is asked or assigned."""
    withdraw_all(case, reason)
    for assignment in case.incident.live:
        release(case, assignment, code=reason)


def close(case: Case, outcome: str) -> None:
    """End a case that needs no human to end it, with the word for why."""
    end_all(case, IncidentEvent.CLOSED.value)
    change_state(case, IncidentEvent.CLOSED, outcome=outcome)
    end_call(case)
    case.disarm_all()


def _need(case: Case, assignment: Assignment, event: DutyMoved) -> None:
    raise_need(case, assignment.responder, event)


def raise_need(case: Case, responder: str, event: DutyMoved) -> None:
    """Somebody at work needs something: desks are called, and for a key the keyholders are asked."""
    need = event.fields.get("need")
    if need not in NEEDS:
        raise InvalidMessage("need", f"one of {' '.join(NEEDS)}")
    case.add(f.NeedRaised(responder=responder, need=str(need), note=event.fields.get("note")))
    if need == KEY:
        ask_for_key(case)
    call_desk(case, "need")


_ACTIONS = {
    "en_route": _en_route,
    "on_scene": _on_scene,
    "cleared": _cleared,
    "release": _release,
    "need": _need,
}
