"""What a human does to an incident: every action of the REST contract.

Rules of this file:
1. An action is legal or refused as a whole. Machines close only technical cases and drills.
2. A human's action ends a desk call; an owner's action renews their owner check.
3. After a contact that found silence, neither ``close`` nor ``cancel``, before somebody was on scene or the elder said
   that all is well: a silent call means go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.dispatch import call_back_answers, departments, desk_calls, drills, whistles
from callhub.dispatch.answers import accept, clear_owner, owner_acted, refuse_full, take_over
from callhub.dispatch.departments import move_duty
from callhub.dispatch.duties import end_all
from callhub.dispatch.escalation import (
    BY_HAND,
    change_state,
    check_watched,
    climb,
    enter_step,
    make_offer,
    repeat,
    resume,
    search,
)
from callhub.dispatch.lifecycle import IncidentEvent, advance_incident
from callhub.domain import facts as f
from callhub.domain.decision import Answer
from callhub.domain.events import DutyMoved, OperatorActed
from callhub.domain.family import relatives
from callhub.domain.incident import Incident, IncidentState, Owner, OwnerKind
from callhub.domain.people import ActorKind, ResponderKind
from callhub.domain.policy import IncidentClass
from callhub.errors import (
    AlreadyAssigned,
    Conflict,
    IllegalTransition,
    InvalidMessage,
    NotAllowed,
    NotFound,
    OfferNotOpen,
    UnknownOffer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from callhub.dispatch.turn import Case, Turn

ON_BEHALF = {"en-route": "en_route", "on-scene": "on_scene", "cleared": "cleared", "release": "release", "need": "need"}
PARTIES = ("elder", "family", "responder", "120", "110", "119")
RESULTS = ("spoke_ok", "needs_help", "silent", "no_answer", "requested", "arrived")
SERVICES = frozenset({"120", "110", "119"})
MACHINES_CLOSE = frozenset({IncidentClass.TECHNICAL, IncidentClass.DRILL})


def act(turn: Turn, event: OperatorActed) -> Answer:
    """One action on one incident; the answer names the incident."""
    incident, ended = _find(turn, event)
    if event.if_match is not None and event.if_match != incident.version:
        raise Conflict(
            "the incident changed meanwhile", by=incident.last_actor, version=incident.version, precondition="version"
        )
    if event.action in ON_BEHALF:
        return _on_behalf(turn, event)
    if event.action == "reopen":
        case = _reopen(turn, incident, event, ended=ended)
    elif (handler := _ACTIONS.get(event.action)) is None:
        raise NotFound("action", event.action)
    elif ended:
        return _note_ended(turn, incident, event)
    else:
        case = turn.case(incident.id)
        handler(case, event)
    if event.actor.is_human:
        desk_calls.acted(case)
    owner_acted(case, event.actor, event.action)
    return Answer({"ok": True}, incident=incident.id)


def _find(turn: Turn, event: OperatorActed) -> tuple[Incident, bool]:
    world = turn.world
    incident = world.incidents.get(event.incident)
    if incident is not None:
        return incident, False
    if event.incident in world.ended:
        return world.ended[event.incident][0], True
    if event.ended is not None:
        return event.ended, True
    raise NotFound("incident", event.incident)


def _revive(turn: Turn, incident: Incident, event: OperatorActed) -> Case:
    held = turn.world.ended.get(incident.id)
    places = held[1] if held is not None else event.ended_places
    if places is None:
        raise NotFound("incident", incident.id)
    return turn.revive(incident, places)


def _note_ended(turn: Turn, incident: Incident, event: OperatorActed) -> Answer:
    """A note or the elder's feedback still belongs to a case that is closed: the loop is closed afterwards."""
    if event.action not in {"note", "feedback"}:
        raise IllegalTransition("incident", incident.state, event.action)
    case = _revive(turn, incident, event)
    _ACTIONS[event.action](case, event)
    return Answer({"ok": True}, incident=incident.id)


def _text(event: OperatorActed, name: str) -> str | None:
    value = event.fields.get(name)
    return value if isinstance(value, str) else None


# Owning


def _owner_of(event: OperatorActed, turn: Turn) -> Owner:
    kind = OwnerKind.API if event.actor.kind is ActorKind.API else OwnerKind.USER
    return Owner(kind, event.actor.id, watching=event.actor.id in turn.world.roster.watchers)


def _take_over(case: Case, event: OperatorActed) -> None:
    take_over(case, _owner_of(event, case.turn))


def _hand_over(case: Case, event: OperatorActed) -> None:
    to = _text(event, "to")
    if not to:
        raise InvalidMessage("to", "the user who takes over")
    take_over(case, Owner(OwnerKind.USER, to, watching=to in case.turn.world.roster.watchers), handed=True)


# Asking


def _assign(case: Case, event: OperatorActed) -> None:
    """Offer it to one person by hand; with ``confirmed_by`` they have said yes on the telephone."""
    responder = _responder(event)
    person = case.turn.world.roster.people.get(responder)
    if person is None or not person.record.active:
        raise NotFound("responder", responder)
    if person.record.kind is ResponderKind.DEPARTMENT:
        raise InvalidMessage("responder", f"{responder} is a department: call it with a whistle")
    incident = case.incident
    if incident.state is IncidentState.RESOLVED:
        raise IllegalTransition("incident", incident.state, "assign")
    if incident.assignment_of(responder) is not None:
        raise AlreadyAssigned(responder)
    refuse_full(case.turn, incident, responder)
    offer = incident.offer_of(responder)
    if offer is None:
        chosen = search(case, case.policy.steps[incident.step]).by_hand(person)
        offer = incident.offers[make_offer(case, chosen, BY_HAND)]
    if event.fields.get("confirmed_by") is not None:
        _accept_for(case, responder, event)


def _responder(event: OperatorActed) -> str:
    responder = _text(event, "responder")
    if not responder:
        raise InvalidMessage("responder", "the responder's id")
    return responder


def _accept_for(case: Case, responder: str, event: OperatorActed) -> None:
    offer = case.incident.offer_of(responder)
    if offer is None:
        refuse_full(case.turn, case.incident, responder)
        before = [o for o in case.incident.offers.values() if o.responder == responder]
        raise OfferNotOpen(before[-1].id, before[-1].state) if before else UnknownOffer(f"of {responder}")
    reason = _text(event, "reason")
    case.add(f.ActedFor(responder=responder, action="accept", via="telephone", reason=reason))
    accept(case, offer, "telephone")


def _accept(case: Case, event: OperatorActed) -> None:
    responder = _responder(event)
    if departments.accept_for(case, responder, _text(event, "reason")):
        return
    if case.incident.assignment_of(responder) is None:
        _accept_for(case, responder, event)


def _on_behalf(turn: Turn, event: OperatorActed) -> Answer:
    duty = DutyMoved(
        id=event.id,
        actor=event.actor,
        incident=event.incident,
        responder=_responder(event),
        action=ON_BEHALF[event.action],
        fields={"version": event.if_match, **event.fields},
        via="telephone",
        elder=event.elder,
        ended=event.ended,
    )
    move_duty(turn, duty)
    case = turn.cases[event.incident]
    # What the person on the telephone reports is no look at what the desk was called for, unless it is the way out.
    if event.action != "cleared":
        desk_calls.acted(case)
    owner_acted(case, event.actor, event.action)
    return Answer({"ok": True}, incident=event.incident)


def _escalate(case: Case, event: OperatorActed) -> None:
    incident = case.incident
    if not incident.ladder_runs:
        raise IllegalTransition("incident", incident.state, "escalate")
    if incident.exhausted:
        repeat(case)
    else:
        climb(case, "escalated")


# Speaking


def _contact(case: Case, event: OperatorActed) -> None:
    party, result = _text(event, "party"), _text(event, "result")
    if party not in PARTIES:
        raise InvalidMessage("party", f"one of {' '.join(PARTIES)}")
    if result not in RESULTS:
        raise InvalidMessage("result", f"one of {' '.join(RESULTS)}")
    case.add(f.ContactMade(party=party, result=result, note=_text(event, "note")))
    if party in SERVICES and result == "requested":
        case.arm(f"service:{party}", case.policy.service_check_s, "service")
    elif party in SERVICES and result == "arrived":
        case.disarm(f"service:{party}")
    call_back_answers.heard(case, party, result, human=event.actor.is_human)


def _note(case: Case, event: OperatorActed) -> None:
    text = _text(event, "text")
    if not text:
        raise InvalidMessage("text", "what to note")
    case.add(f.NoteAdded(what="note", text=text))


def _feedback(case: Case, event: OperatorActed) -> None:
    rating = event.fields.get("rating")
    if rating is not None and (not isinstance(rating, int) or isinstance(rating, bool) or not 1 <= rating <= 5):
        raise InvalidMessage("rating", "a whole number from 1 to 5")
    if rating is None and not _text(event, "text"):
        raise InvalidMessage("rating", "a rating from 1 to 5, a text, or both")
    case.add(f.NoteAdded(what="feedback", rating=rating, text=_text(event, "text")))


def _identify(case: Case, event: OperatorActed) -> None:
    """Say whose case it is; people can be found now, so the ladder begins anew."""
    elder = event.elder
    if elder is None:
        raise NotFound("elder", str(event.fields.get("elder")))
    incident = case.incident
    if incident.elder is not None:
        raise Conflict("the incident has an elder already", version=incident.version)
    places = case.places
    places = type(places)(
        home=elder.position,
        home_source=elder.position_source,
        address=elder.address or places.address,
        fix=places.fix,
        fix_at=places.fix_at,
        fix_wins=False if elder.position is not None else places.fix_wins,
        words=places.words,
    )
    case.turn.world.places[case.id] = places
    case.add(
        f.ElderIdentified(
            elder=elder.id,
            area=elder.area,
            paired=elder.paired,
            family=relatives(elder.family),
            address=elder.address,
            home=elder.position,
        )
    )
    check_watched(case)
    resume(case, "identified", from_first=True)


# Ending


def _end(case: Case, event: OperatorActed, what: IncidentEvent) -> None:
    incident = case.incident
    if not event.actor.is_human and incident.class_ not in MACHINES_CLOSE:
        raise NotAllowed("only a person may do that")
    advance_incident(incident.state, what)
    if incident.heard_silence and not incident.heard_well and not incident.was_on_scene:
        raise Conflict("somebody was called and stayed silent: a person must be there first", version=incident.version)
    if incident.joined_version is not None and event.if_match is None:
        raise Conflict(
            f"an alarm joined at version {incident.joined_version}: name the version you saw",
            version=incident.version,
            precondition="needed",
        )
    outcome = _text(event, "outcome")
    if what is IncidentEvent.CLOSED:
        whistles.refuse_close(incident)
        if not outcome:
            raise InvalidMessage("outcome", "how it ended")
    whistles.withdraw_all(case, what.value)
    end_all(case, what.value)
    change_state(case, what, outcome=outcome, reason=_text(event, "reason"))
    if what is IncidentEvent.CLOSED:
        drills.mark_held(case)
    desk_calls.end_call(case)
    case.disarm_all()


def _close(case: Case, event: OperatorActed) -> None:
    _end(case, event, IncidentEvent.CLOSED)


def _cancel(case: Case, event: OperatorActed) -> None:
    _end(case, event, IncidentEvent.CANCELLED)


def _reopen(turn: Turn, incident: Incident, event: OperatorActed, *, ended: bool) -> Case:
    if not event.actor.is_human:
        raise NotAllowed("only a person may do that")
    advance_incident(incident.state, IncidentEvent.REOPENED)
    case = _revive(turn, incident, event) if ended else turn.case(incident.id)
    desk_calls.acted(case)  # what departments have still to do goes on; all else begins anew
    case.disarm_all(but=desk_calls.WHISTLE_CLOCKS)
    change_state(case, IncidentEvent.REOPENED, reason=_text(event, "reason"))
    check_watched(case)
    enter_step(case, 0, "reopened")
    return case


def drop_owner(turn: Turn, id: str, why: str, kind: OwnerKind = OwnerKind.USER) -> None:
    """Clear a user, client or desk that is gone from everything they own."""
    for incident in list(turn.world.incidents.values()):
        owner = incident.owner
        owns = owner is not None and owner.kind is kind and owner.id == id
        if owns and incident.state is not IncidentState.RESOLVED:
            clear_owner(turn.case(incident.id), why)


_ACTIONS: dict[str, Callable[[Case, OperatorActed], Any]] = {
    "take-over": _take_over,
    "hand-over": _hand_over,
    "assign": _assign,
    "accept": _accept,
    "escalate": _escalate,
    "contact": _contact,
    "note": _note,
    "feedback": _feedback,
    "identify": _identify,
    "close": _close,
    "cancel": _cancel,
    "whistle": whistles.call,
    "whistle-confirm": whistles.confirm,
    "whistle-return": whistles.give_back,
    "whistle-withdraw": whistles.call_off,
}
