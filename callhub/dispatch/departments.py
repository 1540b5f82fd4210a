"""What departments say: reporting in, refusing, at work, finished. Whoever is called by no whistle is passed on.

Rules of this file: a whistle's id is its offer's id. A late report is a report; a second one changes nothing. Somebody
may say it for the department, as for any responder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.dispatch import answers, duties, whistles
from callhub.domain import facts as f
from callhub.domain.decision import Answer
from callhub.domain.people import ActorKind
from callhub.domain.whistle import Whistle, WhistleState
from callhub.errors import OfferNotOpen, UnknownOffer

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case, Turn
    from callhub.domain.events import DutyMoved, OfferAnswered
    from callhub.domain.incident import Incident

_REFUSED = frozenset({WhistleState.REFUSED, WhistleState.WITHDRAWN})


def answer_offer(turn: Turn, event: OfferAnswered) -> Answer:
    """A yes or no to any offer; one that is a whistle is answered here."""
    incident = answers.incident_in(turn, event)
    whistle = incident.whistles.get(event.offer) if incident is not None else None
    if incident is None or whistle is None:
        return answers.answer_offer(turn, event)
    own = event.actor.kind is ActorKind.RESPONDER
    if own and event.actor.id != whistle.department:
        raise UnknownOffer(event.offer)
    if not _is_said(whistle, accept=event.accept):
        if not whistle.is_offered:
            raise OfferNotOpen(whistle.id, whistle.state)
        case = turn.case(incident.id)
        action = "accept" if event.accept else "decline"
        if not own:
            case.add(f.ActedFor(responder=whistle.department, action=action, via=event.via, reason=event.reason))
        if event.accept:
            whistles.report(case, whistle, event.via)
        else:
            whistles.refuse(case, whistle, event.via, event.reason)
        answers.owner_acted(case, event.actor, action)
        incident = case.incident
    return Answer({"ok": True, "state": state_for(incident, whistle.department)}, incident=incident.id)


def _is_said(whistle: Whistle, *, accept: bool) -> bool:
    """Whether the same was said before: then it is a result and changes nothing."""
    if accept:
        return whistle.reported_at is not None and whistle.state not in _REFUSED
    return whistle.state is WhistleState.REFUSED and whistle.reported_at is None


def accept_for(case: Case, department: str, reason: str | None) -> bool:
    """Report in for a department on the telephone; whether it has a whistle here at all."""
    whistle = case.incident.whistle_of(department)
    if whistle is not None and whistle.is_offered:
        case.add(f.ActedFor(responder=department, action="accept", via="telephone", reason=reason))
        whistles.report(case, whistle, "telephone")
    return whistle is not None


def move_duty(turn: Turn, event: DutyMoved) -> Answer:
    """A report from the way; a department that has reported in speaks of its whistle."""
    incident = turn.world.incidents.get(event.incident)
    whistle = incident.whistle_of(event.responder) if incident is not None else None
    if whistle is None or not whistle.is_taken:
        return duties.move_duty(turn, event)
    case = turn.case(event.incident)
    if event.actor.kind is not ActorKind.RESPONDER:
        reason = event.fields.get("reason")
        case.add(f.ActedFor(responder=event.responder, action=event.action, via=event.via, reason=reason))
    if event.action == "cleared":
        whistles.finish(case, whistle, duties.outcome_of(case, event), event.fields.get("note"))
    elif event.action == "release":
        whistles.refuse(case, whistle, event.via, event.fields.get("reason"))
    elif event.action == "need":
        duties.raise_need(case, event.responder, event)
    else:
        case.add(f.DepartmentMoved(whistle=whistle.id, department=event.responder, action=event.action))
    return Answer({"ok": True, "state": state_for(case.incident, event.responder)}, incident=case.id)


_WORDS = {
    WhistleState.CALLED: "open",
    WhistleState.FINISHED: "cleared",
    WhistleState.CONFIRMED: "cleared",
}


def state_for(incident: Incident, responder: str) -> str | None:
    """What somebody is to the incident, in the words of offers and assignments; by the newest whistle, if called."""
    mine = [w for w in incident.whistles.values() if w.department == responder]
    if not mine:
        return answers.state_for(incident, responder)
    whistle = mine[-1]
    if whistle.is_taken:
        return "assigned"
    if whistle.state in _WORDS:
        return _WORDS[whistle.state]
    if whistle.state is WhistleState.MISSED:
        return "silent"
    if whistle.reported_at is not None:
        return "released"
    return "declined" if whistle.state is WhistleState.REFUSED else "withdrawn"
