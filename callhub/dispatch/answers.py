"""A yes or a no: what acceptance, take-over and refusal lead to.

Rules of this file:
1. A late yes is a yes: a silent offer can be accepted until the incident is filled or over.
2. The first acceptances win; once enough have said yes, everybody else who was asked is told so.
3. An acceptance that fills a person's capacity withdraws their other offers in the same turn, and those are replaced.
4. A desk's yes is a take-over: it makes an owner, not an assignment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.dispatch.escalation import after_lost_offer, change_state, enter_step, show_who_comes
from callhub.dispatch.keyholders import part_for
from callhub.dispatch.lifecycle import IncidentEvent, OfferEvent, advance_offer
from callhub.domain import facts as f
from callhub.domain.decision import Answer
from callhub.domain.incident import Incident, Offer, OfferState, Owner, OwnerKind
from callhub.domain.people import Actor, ActorKind, ResponderKind
from callhub.domain.policy import IncidentClass
from callhub.domain.roll_call import HOME_CHECK
from callhub.errors import AlreadyAssigned, OfferNotOpen, UnknownOffer

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case, Turn
    from callhub.domain.events import OfferAnswered

_UNHURRIED = frozenset({IncidentClass.SERVICE, IncidentClass.TECHNICAL})


def incident_of_offer(offer: str) -> str:
    """The incident an offer's id belongs to: offers are ``{incident}-{n}``."""
    return offer.rpartition("-")[0]


def incident_in(turn: Turn, event: OfferAnswered) -> Incident | None:
    """The incident an answer is about, open or ended."""
    id = incident_of_offer(event.offer)
    world = turn.world
    return world.incidents.get(id) or (world.ended[id][0] if id in world.ended else event.ended)


def find_offer(turn: Turn, event: OfferAnswered) -> tuple[Incident, Offer]:
    """The offer an answer names; raises ``UnknownOffer`` also for somebody else's."""
    incident = incident_in(turn, event)
    offer = incident.offers.get(event.offer) if incident is not None else None
    if incident is None or offer is None:
        raise UnknownOffer(event.offer)
    actor = event.actor
    if actor.kind is ActorKind.RESPONDER and offer.responder != actor.id:
        raise UnknownOffer(event.offer)
    return incident, offer


def answer_offer(turn: Turn, event: OfferAnswered) -> Answer:
    """A responder's answer, or somebody's for them (``via``)."""
    incident, offer = find_offer(turn, event)
    if event.accept:
        if offer.state is OfferState.ACCEPTED:
            return _result(incident, offer.responder)
        if offer.state not in (OfferState.OPEN, OfferState.SILENT) or not incident.is_open:
            if event.actor.kind is not ActorKind.RESPONDER and incident.is_open:
                refuse_full(turn, incident, offer.responder)
            raise OfferNotOpen(offer.id, offer.state)
        case = turn.case(incident.id)
        _mark_acted_for(case, event, offer.responder)
        accept(case, offer, event.via)
        owner_acted(case, event.actor, "accept")
    else:
        if offer.state is OfferState.DECLINED:
            return _result(incident, offer.responder)
        if offer.state not in (OfferState.OPEN, OfferState.SILENT):
            raise OfferNotOpen(offer.id, offer.state)
        case = turn.case(incident.id)
        _mark_acted_for(case, event, offer.responder)
        decline(case, offer, event.via, event.reason)
        owner_acted(case, event.actor, "decline")
    return _result(turn.cases[incident.id].incident, offer.responder)


def _mark_acted_for(case: Case, event: OfferAnswered, responder: str) -> None:
    if event.actor.kind is not ActorKind.RESPONDER:
        action = "accept" if event.accept else "decline"
        case.add(f.ActedFor(responder=responder, action=action, via=event.via, reason=event.reason))


def _result(incident: Incident, responder: str) -> Answer:
    return Answer({"ok": True, "state": state_for(incident, responder)}, incident=incident.id)


def state_for(incident: Incident, responder: str) -> str | None:
    """What this responder is to the incident: the last assignment's state, else the last offer's, else None."""
    mine = [a for a in incident.assignments.values() if a.responder == responder]
    offers = [o for o in incident.offers.values() if o.responder == responder]
    if offers and offers[-1].state in (OfferState.OPEN, OfferState.SILENT):
        return offers[-1].state.value
    if mine:
        return mine[-1].state.value
    return offers[-1].state.value if offers else None


def accept(case: Case, offer: Offer, via: str) -> None:
    """A yes to a live offer."""
    turn = case.turn
    advance_offer(offer.state, OfferEvent.ACCEPT)
    if offer.kind is ResponderKind.DESK:
        case.add(f.OfferAccepted(offer=offer.id, via=via))
        case.disarm(f"offer:{offer.id}")
        take_over(case, Owner(OwnerKind.DESK, offer.responder))
        return
    person = turn.world.roster.people.get(offer.responder)
    emergency = case.incident.class_ is IncidentClass.EMERGENCY
    refuse_full(turn, case.incident, offer.responder)
    case.add(f.OfferAccepted(offer=offer.id, via=via))
    case.disarm(f"offer:{offer.id}")
    _assign(case, offer)
    if person is not None:
        turn.changes.person(offer.responder)
        if emergency and person.is_full:
            withdraw_elsewhere(turn, offer.responder, case.id, "busy")


def refuse_full(turn: Turn, incident: Incident, responder: str) -> None:
    """Nobody twice: raise ``AlreadyAssigned`` when live emergencies fill this person's capacity."""
    person = turn.world.roster.people.get(responder)
    if incident.class_ is IncidentClass.EMERGENCY and person is not None and person.is_full:
        raise AlreadyAssigned(responder)


def _assign(case: Case, offer: Offer) -> None:
    incident, policy = case.incident, case.policy
    person = case.turn.world.roster.people.get(offer.responder)
    emergency = incident.class_ is IncidentClass.EMERGENCY
    assignment = f"{case.id}-a{len(incident.assignments) + 1}"
    arrive_s = max(policy.arrival_min_s, (offer.eta_s or 0) * policy.arrival_slack)
    part = part_for(case, offer)
    change_state(case, IncidentEvent.ACCEPTED)
    case.arm(f"arrival:{assignment}", arrive_s, "arrival")
    case.add(
        f.Assigned(
            assignment=assignment,
            responder=offer.responder,
            slot=person.free_slot() if person is not None and emergency else None,
            arrive_by=case.incident.deadlines[f"arrival:{assignment}"].at,
            eta_s=offer.eta_s,
            by_hand=offer.by_hand,
            role=None if part is None else part.role,
            fetch=None if part is None else part.fetch,
        )
    )
    show_who_comes(case)
    settle(case)
    if offer.state is OfferState.OPEN:
        after_lost_offer(case, offer)


def settle(case: Case) -> None:
    """Enough have said yes: nobody else is asked, but for a key that nobody brings yet, and the ladder rests."""
    incident = case.incident
    if incident.ladder_runs:
        return
    wanted = () if any(incident.fetches_key(a) for a in incident.live) else incident.key_offers
    for offer in incident.live_offers:
        if offer.id not in wanted:
            withdraw(case, offer, "filled")
    case.disarm("step", "repeat")


def let_fall_silent(case: Case, offer: Offer) -> None:
    """An open offer was not answered: others are asked as well."""
    case.add(f.OfferSilent(offer=offer.id))
    case.disarm(f"offer:{offer.id}")
    after_lost_offer(case, offer)


def withdraw_all(case: Case, reason: str) -> None:
    """Take every live offer back, with a stand-down."""
    for offer in case.incident.live_offers:
        withdraw(case, offer, reason)


def withdraw(case: Case, offer: Offer, reason: str) -> None:
    """Take one offer back."""
    advance_offer(offer.state, OfferEvent.WITHDRAW)
    case.add(f.OfferWithdrawn(offer=offer.id, reason=reason))
    case.disarm(f"offer:{offer.id}")


def withdraw_elsewhere(turn: Turn, responder: str, but: str | None, reason: str, *, only: str | None = None) -> None:
    """Take back a person's other offers, of one kind or all, and replace those that were open.

    ``busy`` spares services and what is technical; not drills, and not home checks.
    """
    person = turn.world.roster.people.get(responder)
    for id in sorted(person.asked) if person is not None else ():
        incident = turn.world.incidents[id]
        offer = incident.offer_of(responder)
        spared = reason == "busy" and incident.class_ in _UNHURRIED and incident.kind != HOME_CHECK
        if id == but or spared or offer is None or only not in (None, incident.kind):
            continue
        case = turn.case(id)
        withdraw(case, offer, reason)
        if offer.state is OfferState.OPEN:
            after_lost_offer(case, offer)


def decline(case: Case, offer: Offer, via: str, reason: str | None) -> None:
    """A no: replaced at once."""
    advance_offer(offer.state, OfferEvent.DECLINE)
    case.add(f.OfferDeclined(offer=offer.id, via=via, reason=reason))
    case.disarm(f"offer:{offer.id}")
    if offer.state is OfferState.OPEN:
        after_lost_offer(case, offer)


def take_over(case: Case, owner: Owner, *, handed: bool = False) -> None:
    """Somebody owns it now: quiet, no climbing, and an owner check. Desks are not asked for an owner any more."""
    case.add(f.OwnerTaken(owner=owner, handed=handed))
    for offer in case.incident.live_offers:
        if offer.kind is ResponderKind.DESK:
            withdraw(case, offer, "filled")
    case.disarm("step", "repeat")
    renew_owner_check(case)


def renew_owner_check(case: Case) -> None:
    """Each action of the owner starts the check anew; it ends with ``resolved``."""
    incident = case.incident
    if incident.owner is not None and incident.is_open and incident.state.value != "resolved":
        case.arm("owner_check", case.policy.owner_check_s, "owner_check")


def owner_acted(case: Case, actor: Actor, action: str) -> None:
    """An act of the owner renews their check; taking and handing over have armed it already."""
    owner = case.incident.owner
    if owner is None or not _acts_for(case, owner, actor) or action in {"take-over", "hand-over"}:
        return
    case.add(f.OwnerActed(action=action))
    renew_owner_check(case)


def _acts_for(case: Case, owner: Owner, actor: Actor) -> bool:
    """Whether an act is the owner's own. A desk is a place: whoever may watch it acts for it."""
    if owner.kind is OwnerKind.DESK:
        desk = case.turn.world.roster.people.get(owner.id)
        return actor.is_human and desk is not None and actor.covers(desk.record.area)
    return owner.id == actor.id and owner.kind.value == actor.kind.value


def clear_owner(case: Case, why: str) -> None:
    """The owner is gone: consoles ring, the ladder goes on where it stood."""
    incident = case.incident
    case.add(f.OwnerCleared(why=why))
    case.disarm("owner_check")
    held = incident.call_back is not None and incident.call_back.held
    if held or not incident.ladder_runs:
        return  # the elder is well: it still waits to be closed, for which desks are called
    if incident.exhausted:
        case.arm("repeat", 0, "repeat")
    else:
        enter_step(case, incident.step, "owner_gone")
