"""Who is told what: messages made from the facts of a turn.

Rules of this file:
1. Bodies hold ids, codes, times and distances; names and sentences are joined when they are rendered.
2. Nothing is decided here: each message follows from facts and from the incident before and after the turn.
3. Progress goes to every gateway that sent an alarm, with its own alarm ids, when the shown state changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.domain import facts as f
from callhub.domain.incident import (
    JOINABLE,
    Assignment,
    AssignmentState,
    Incident,
    IncidentState,
    Offer,
    OfferState,
    Places,
)
from callhub.domain.messages import Addressee, AddresseeKind, Message, MessageType
from callhub.domain.people import ActorKind, ResponderKind
from callhub.domain.policy import IncidentClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from callhub.dispatch.turn import Case


def to_responder(id: str) -> Addressee:
    """The address of a responder."""
    return Addressee(AddresseeKind.RESPONDER, id)


def drill_part(incident: Incident) -> dict[str, Any]:
    """What every message of a drill carries."""
    return {"drill": True} if incident.class_ is IncidentClass.DRILL else {}


def offer_body(incident: Incident, offer: Offer, *, reminder: bool | None = None) -> dict[str, Any]:
    """What a responder is asked: no address, no telephone, no door code."""
    return {
        "offer": offer.id,
        "incident": incident.id,
        "kind": incident.kind,
        "urgency": incident.urgency,
        "elder": incident.elder,
        "area": list(incident.area),
        "distance_m": offer.distance_m,
        "eta_s": offer.eta_s,
        "respond_by": offer.respond_by,
        "reminder": offer.reminded_at is not None if reminder is None else reminder,
        **({"need": "key"} if offer.id in incident.key_offers else {}),
        **drill_part(incident),
    }


def assignment_body(incident: Incident, assignment: Assignment, places: Places) -> dict[str, Any]:
    """What somebody who said yes needs; ``go_to`` is None while nobody knows where."""
    return {
        "incident": incident.id,
        "state": assignment.state.value,
        "version": incident.version,
        "go_to": go_to(places),
        "elder": incident.elder,
        "arrive_by": assignment.arrive_by,
        "late": assignment.late,
        **_role(incident, assignment),
        **drill_part(incident),
    }


def _role(incident: Incident, assignment: Assignment) -> dict[str, Any]:
    """What somebody who has a role does: ``fetch`` is whom they fetch the key from, as a contact and a responder."""
    part = incident.roles.get(assignment.id)
    if part is None:
        return {}
    holder = next((one for one in incident.family if one.contact == part.fetch), None)
    fetch = None if part.fetch is None else {"contact": part.fetch, "responder": holder and holder.responder}
    return {"role": part.role.value, "fetch": fetch}


def go_to(places: Places) -> dict[str, Any] | None:
    """The place to go to: ``address``, ``position`` and where it comes from; None when neither is known."""
    target = places.target
    if target is None and not places.address:
        return None
    position, source = target if target is not None else (None, "home")
    return {
        "address": places.address,
        "position": None if position is None else {"lat": position.lat, "lon": position.lon},
        "accuracy_m": None if position is None else position.accuracy_m,
        "source": source,
    }


def progress_state(incident: Incident) -> tuple[str, str | None, int | None]:
    """(state as gateways see it, who comes or is there, expected seconds from the yes)."""
    state = incident.state.value
    shown = _foremost(incident)
    if incident.state is IncidentState.ASSIGNED and shown is not None and shown.state is AssignmentState.EN_ROUTE:
        state = "en_route"
    if shown is None or incident.state is IncidentState.UNANSWERED:
        return state, None, None
    return state, shown.responder, None if shown.state is AssignmentState.ON_SCENE else shown.eta_s


def _foremost(incident: Incident) -> Assignment | None:
    order = {AssignmentState.ON_SCENE: 0, AssignmentState.EN_ROUTE: 1, AssignmentState.ASSIGNED: 2}
    return min(incident.live, key=lambda a: order[a.state], default=None)


def told(case: Case) -> Iterator[Message]:
    """All messages of one case in a turn."""
    for fact in case.facts:
        builder = _BUILDERS.get(type(fact))
        if builder is not None:
            yield from builder(case, fact)
    yield from _assignments(case)
    yield from _keys_coming(case)
    yield from _over(case)
    yield from _progress(case)


def _progress(case: Case) -> Iterator[Message]:
    """To every gateway that sent an alarm of the incident; a frame that was none has nobody waiting at its button."""
    if case.incident.class_ is IncidentClass.TECHNICAL:
        return
    now = progress_state(case.incident)
    before = case.before
    same = before is not None and progress_state(before)[:2] == now[:2]
    old = {a.gateway for a in before.alarms} if before is not None else set()
    state, responder, eta_s = now
    for gateway in dict.fromkeys(a.gateway for a in case.incident.alarms if a.gateway is not None):
        if same and gateway in old:
            continue
        body = {
            "incident": case.id,
            "alarms": [a.id for a in case.incident.alarms if a.gateway == gateway],
            "state": state,
            "responder": responder,
            "eta_s": eta_s,
            "elder": case.incident.elder,
            **_manner(case.incident),
            **drill_part(case.incident),
        }
        address = Addressee(AddresseeKind.GATEWAY, gateway)
        yield Message(address, MessageType.PROGRESS, case.id, f"progress:{case.id}", body)


def _manner(incident: Incident) -> dict[str, str]:
    """What the elder is told differently: nobody is on the telephone to bring a meal, or on the way before the call."""
    if incident.class_ is IncidentClass.SERVICE:
        return {"manner": "service"}
    return {"manner": "call_back"} if incident.call_back is not None else {}


def _assignments(case: Case) -> Iterator[Message]:
    """An ``assignment`` to each whose duty, lateness or destination changed by anybody but themselves."""
    moved = go_to(case.places) != go_to(case.places_before)
    before = case.before.assignments if case.before is not None else {}
    for a in case.incident.assignments.values():
        old = before.get(a.id)
        is_new = old is None and a.is_live
        own = case.turn.event.actor.kind is ActorKind.RESPONDER and case.turn.event.actor.id == a.responder
        changed = old is not None and (old.state, old.late) != (a.state, a.late)
        told_by_others = changed and not own and a.state is not AssignmentState.RELEASED
        if is_new or told_by_others or (a.is_live and moved and old is not None):
            yield _assignment(case, a)


def _assignment(case: Case, assignment: Assignment) -> Message:
    body = assignment_body(case.incident, assignment, case.places)
    return Message(
        to_responder(assignment.responder), MessageType.ASSIGNMENT, case.id, f"assignment:{assignment.id}", body
    )


def _offer_message(case: Case, offer: Offer, *, reminder: bool) -> Message:
    body = offer_body(case.incident, offer, reminder=reminder)
    return Message(to_responder(offer.responder), MessageType.OFFER, case.id, f"offer:{offer.id}", body)


def _stand_down(case: Case, offer: Offer, reason: str) -> Message:
    body = {"offer": offer.id, "incident": case.id, "reason": reason, **drill_part(case.incident)}
    return Message(to_responder(offer.responder), MessageType.STAND_DOWN, case.id, f"offer:{offer.id}", body)


def _made(case: Case, fact: f.OfferMade) -> Iterator[Message]:
    # An offer that was answered or withdrawn within the same turn is told by what became of it.
    if case.incident.offers[fact.offer].state.value == "open":
        yield _offer_message(case, case.incident.offers[fact.offer], reminder=False)


def _reminded(case: Case, fact: f.OfferReminded) -> Iterator[Message]:
    yield _offer_message(case, case.incident.offers[fact.offer], reminder=True)


def _withdrawn(case: Case, fact: f.OfferWithdrawn) -> Iterator[Message]:
    # Whoever was asked and stood down within one turn has heard nothing yet.
    if case.before is not None and fact.offer in case.before.offers:
        yield _stand_down(case, case.incident.offers[fact.offer], fact.reason)


def _update(case: Case, what: str, *, but: str | None = None, **more: Any) -> Iterator[Message]:
    incident = case.incident
    departments = [whistle.department for whistle in incident.whistles.values() if whistle.is_taken]
    for responder in [*(assignment.responder for assignment in incident.live), *departments]:
        if responder != but:
            yield _update_to(case, responder, what, **more)


def _update_to(case: Case, responder: str, what: str, **more: Any) -> Message:
    body = {
        "incident": case.id,
        "what": what,
        "version": case.incident.version,
        "kind": more.get("kind"),
        "text": more.get("text"),
        **({"responder": more["who"]} if "who" in more else {}),
        **drill_part(case.incident),
    }
    return Message(to_responder(responder), MessageType.UPDATE, case.id, None, body)


def _joined(case: Case, fact: f.AlarmRecorded) -> Iterator[Message]:
    if fact.joined:
        yield from _update(case, "alarm_joined", kind=fact.kind, text=fact.text)


def _assigned(case: Case, fact: f.Assigned) -> Iterator[Message]:
    yield from _update(case, "responder_added", but=fact.responder)


def _keys_coming(case: Case) -> Iterator[Message]:
    """Whoever goes to the elder hears who brings the key, whichever of them said yes first."""
    incident = case.incident
    new = {fact.assignment for fact in case.facts if isinstance(fact, f.Assigned)}
    bringers = [a for a in incident.live if incident.fetches_key(a)] if new else []
    for bringer in bringers:
        for other in incident.live:
            if not incident.fetches_key(other) and new & {bringer.id, other.id}:
                yield _update_to(case, other.responder, "key_coming", who=bringer.responder)


def _moved(case: Case, fact: f.AssignmentMoved) -> Iterator[Message]:
    assignment = case.incident.assignments[fact.assignment]
    if fact.state is AssignmentState.ON_SCENE:
        yield from _update(case, "responder_on_scene", but=assignment.responder)
    elif fact.state is AssignmentState.RELEASED:
        if fact.code is not None:
            yield _stand_down(case, _offer_behind(case.incident, assignment), fact.code)
        elif case.turn.event.actor.kind is not ActorKind.RESPONDER:
            yield _update_to(case, assignment.responder, "released")
        yield from _update(case, "released", but=assignment.responder)


def _over(case: Case) -> Iterator[Message]:
    """To each desk that said yes: it was asked as well, and its yes made no assignment that could be released."""
    now, before = case.incident, case.before
    if before is None or before.state not in JOINABLE or now.state in JOINABLE:
        return
    newest = {offer.responder: offer for offer in now.offers.values() if offer.kind is ResponderKind.DESK}
    for offer in newest.values():
        # What it heard at an end before the last reopening was the end of that yes.
        is_told = now.reopened_at is not None and offer.offered_at < now.reopened_at
        if offer.state is OfferState.ACCEPTED and not is_told:
            yield _stand_down(case, offer, now.state.value)


def _offer_behind(incident: Incident, assignment: Assignment) -> Offer:
    """The yes that made it: there is no assignment without one."""
    mine = [o for o in incident.offers.values() if o.responder == assignment.responder and o.state.value == "accepted"]
    return mine[-1]


def _cancel_requested(case: Case, fact: f.CancelRequested) -> Iterator[Message]:
    yield from _update(case, "cancel_requested")


def _contact(case: Case, fact: f.ContactMade) -> Iterator[Message]:
    if fact.result == "requested":
        yield from _update(case, "service_called", kind=fact.party)


def _note(case: Case, fact: f.NoteAdded) -> Iterator[Message]:
    if fact.what == "note":
        yield from _update(case, "note", text=fact.text)


def _place_changed(case: Case, fact: f.Fact) -> Iterator[Message]:
    yield from _update(case, "go_to_changed")


_BUILDERS: dict[type, Callable[[Case, Any], Iterator[Message]]] = {
    f.OfferMade: _made,
    f.OfferReminded: _reminded,
    f.OfferWithdrawn: _withdrawn,
    f.AlarmRecorded: _joined,
    f.Assigned: _assigned,
    f.AssignmentMoved: _moved,
    f.CancelRequested: _cancel_requested,
    f.ContactMade: _contact,
    f.NoteAdded: _note,
    f.HomeMoved: _place_changed,
    f.ElderIdentified: _place_changed,
}
