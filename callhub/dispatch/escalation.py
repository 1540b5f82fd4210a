"""The ladder: who is asked now, when the next are, and what happens when it runs out.

Rules of this file:
1. The ladder runs while more people are wanted than are on time (``Incident.ladder_runs``). It climbs only while
   nobody owns the incident; asking and replacing go on under an owner.
2. Only the current step replaces. A step with no open offer and nobody left to ask is passed at once, and says so.
3. Firing a deadline advances one step, and the next counts from now.
4. The end of a ladder is ``unanswered``: loud, repeating, open.
5. People are asked while the ladder's window is open. A call-back is never entered here, and ends when one would ask.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from callhub.dispatch import call_backs, service_hours
from callhub.dispatch.learning import PRIOR, is_enough
from callhub.dispatch.lifecycle import IncidentEvent, advance_incident
from callhub.dispatch.matching import Candidate, Search
from callhub.domain import facts as f
from callhub.domain.incident import AssignmentState, Incident, IncidentState, Offer, OfferState, Places
from callhub.domain.people import ResponderKind
from callhub.domain.policy import IncidentClass, Policy, Step

if TYPE_CHECKING:
    from callhub.dispatch.roster import Person
    from callhub.dispatch.turn import Case, Turn

BY_HAND = -1
"""The step of an offer that a human made: no step counts or replaces it."""

DENSE_PEOPLE, DENSE_OFFERS, DENSE_M = 30, 7, 1000.0
"""Where thirty people are within a kilometre, asking seven and replacing each no is best for those who wait and for
those who are asked (phased alerting study, PLOS ONE 2026, doi 10.1371/journal.pone.0343762). Fewer people are asked in
proportion."""


def change_state(case: Case, event: IncidentEvent, *, outcome: str | None = None, reason: str | None = None) -> None:
    """Move the state word by the table; nothing is recorded when it stays the same and says nothing new."""
    state = advance_incident(case.incident.state, event)
    if state is not case.incident.state:
        case.add(f.StateChanged(event=event.value, state=state, outcome=outcome, reason=reason))


def restart(case: Case) -> None:
    """Unanswered no more: people are asked anew."""
    if case.incident.state is not IncidentState.UNANSWERED:
        return
    change_state(case, IncidentEvent.RESTARTED)
    show_who_comes(case)


def show_who_comes(case: Case) -> None:
    """Let the state word say that somebody is coming, or is there."""
    live = case.incident.live
    if live:
        change_state(case, IncidentEvent.ACCEPTED)
    if any(a.state is AssignmentState.ON_SCENE for a in live):
        change_state(case, IncidentEvent.ARRIVED)


def search(case: Case, step: Step, *, again: bool = False) -> Search:
    """A search for this case and one step."""
    world = case.turn.world
    world.roster.refresh(case.turn.now)
    return Search(world, case.incident, case.places, step, case.turn.now, again)


def first_step(incident: Incident, policy: Policy) -> int:
    """The first rung that asks somebody for this incident: a press that says test starts at the desks."""
    if incident.says_test:
        return next((n for n, step in enumerate(policy.steps) if step.asks_desk), 0)
    return call_backs.first_rung(policy)


def enter_step(case: Case, number: int, why: str) -> None:
    """Stand on a rung: ask, and arm its end; steps with nobody to ask are passed at once, up to the end."""
    steps = case.policy.steps
    call_backs.end(case, why)
    number = max(number, call_backs.first_rung(case.policy))
    if why != "escalated" and service_hours.is_closed(case.turn.world, case.policy, case.turn.now):
        service_hours.wait(case, number)
        return
    service_hours.end_wait(case)
    while number < len(steps):
        case.add(f.StepEntered(step=number, name=steps[number].name, why=why))
        case.disarm("repeat")
        fill(case, number)
        if case.incident.owner is not None or _has_open(case.incident, number):
            _arm_step(case)
            return
        number, why = number + 1, "nobody_left"
    exhaust(case)


def _arm_step(case: Case) -> None:
    if case.incident.owner is None:
        case.arm("step", case.policy.steps[case.incident.step].step_timeout_s, "step")
    else:
        case.disarm("step")


def _has_open(incident: Incident, number: int) -> bool:
    return any(o.step == number for o in incident.open_offers)


def fill(case: Case, number: int, *, again: bool = False) -> None:
    """Offer until the step has asked enough people or nobody is left; records the ranking."""
    incident = case.incident
    step = case.policy.steps[number]
    looking = search(case, step, again=again)
    chances, (enough, most) = looking.chances(number), wanted(looking)
    if is_enough(chances, enough, most) or not incident.ladder_runs:
        return
    chosen: list[Candidate] = []
    for candidate in looking.candidates():
        chosen.append(candidate)
        # Where no more than enough are asked anyhow, nobody's chance matters.
        chances.append(looking.chance(candidate.responder) if enough < most else PRIOR)
        if is_enough(chances, enough, most):
            break
    case.add(looking.explain(number, chosen))
    for candidate in chosen:
        make_offer(case, candidate, number)


def width(step: Step, around: int) -> int:
    """How many offers a step keeps open: ``fan_out``, growing to ``fan_out_max`` with the people around.

    Args:
        step: A rung.
        around: People who can be asked within ``DENSE_M``.

    ``fan_out`` 3 holds up to seventeen people, 7 are asked from thirty on.
    """
    return max(step.fan_out, min(step.fan_out_max, around * DENSE_OFFERS // DENSE_PEOPLE))


def wanted(looking: Search) -> tuple[int, int]:
    """How many offers a search's step keeps open here and now, and how many where people seldom say yes."""
    step = looking.step
    if step.fan_out_max <= step.fan_out or not step.asks_people:
        return step.fan_out, step.fan_out
    most = -(-step.fan_out_max * DENSE_PEOPLE // DENSE_OFFERS)
    return width(step, looking.around(min(step.radius_m or DENSE_M, DENSE_M), most)), step.fan_out_max


def make_offer(case: Case, candidate: Candidate, number: int) -> str:
    """Invite one responder; returns the offer's id."""
    step = case.policy.steps[case.incident.step if number == BY_HAND else number]
    offer = f"{case.id}-{len(case.incident.offers) + 1}"
    case.arm(f"offer:{offer}", step.offer_timeout_s, "offer")
    case.add(
        f.OfferMade(
            offer=offer,
            responder=candidate.responder,
            kind=candidate.kind,
            step=number,
            respond_by=case.incident.deadlines[f"offer:{offer}"].at,
            distance_m=candidate.distance_m,
            eta_s=candidate.eta_s,
            by_hand=number == BY_HAND,
        )
    )
    return offer


def after_lost_offer(case: Case, offer: Offer) -> None:
    """An open offer ended without a yes: replace it if its step is the current one, or pass the step."""
    incident = case.incident
    if not incident.ladder_runs or offer.step != incident.step or incident.exhausted:
        return
    if service_hours.is_closed(case.turn.world, case.policy, case.turn.now):
        service_hours.wait(case, incident.step)
        return
    fill(case, incident.step)
    if incident.owner is None and not _has_open(incident, incident.step):
        enter_step(case, incident.step + 1, "nobody_left")


def climb(case: Case, why: str) -> None:
    """One step up, or the end; from a call-back to where it leads."""
    call = case.incident.call_back
    enter_step(case, case.incident.step + 1 if call is None else call.step, why)


def exhaust(case: Case) -> None:
    """The ladder ran out: unanswered, all steps count as reached, ring again in ``repeat_s``."""
    incident = case.incident
    case.add(f.LadderExhausted(again=incident.exhausted))
    change_state(case, IncidentEvent.EXHAUSTED)
    case.disarm("step")
    if incident.owner is None:
        case.arm("repeat", case.policy.repeat_s, "repeat")


def repeat(case: Case) -> None:
    """Unanswered and nobody owns it: ring again, remind the silent, fill every step, ask the desks again."""
    incident = case.incident
    case.add(f.LadderExhausted(again=True))
    if incident.state is not IncidentState.UNANSWERED:
        change_state(case, IncidentEvent.EXHAUSTED)
    again_from = case.turn.now - timedelta(seconds=case.policy.repeat_s)
    for offer in incident.live_offers:
        # At most once in ``repeat_s``, also when somebody escalates by hand or an owner is lost in between.
        is_due = offer.reminded_at is None or offer.reminded_at <= again_from
        if offer.state is OfferState.SILENT and is_due:
            # By hand (-1), or made on a longer ladder that a more urgent one has replaced.
            step = case.policy.steps[min(max(0, offer.step), len(case.policy.steps) - 1)]
            respond_by = case.after(step.offer_timeout_s)
            case.add(f.OfferReminded(offer=offer.id, respond_by=respond_by))
    for number in range(call_backs.first_rung(case.policy), len(case.policy.steps)):
        fill(case, number, again=True)
    if incident.owner is None:
        case.arm("repeat", case.policy.repeat_s, "repeat")


def resume(case: Case, why: str, *, from_first: bool = False) -> None:
    """The ladder goes on, with fresh deadlines: from where it stopped, or from the first step."""
    incident = case.incident
    if not incident.ladder_runs:
        return
    number = first_step(incident, case.policy) if from_first or incident.exhausted else incident.step
    restart(case)
    enter_step(case, number, why)


def consider(turn: Turn, responder: str) -> None:
    """Somebody became able to come: ask them for whatever is still short of people, the most urgent first."""
    world = turn.world
    person = world.roster.people[responder]
    if world.roster.standing(person, turn.now) is not None:
        return
    world.roster.refresh(turn.now)
    waiting = [world.incidents[id] for id in world.seeking]
    for incident in sorted(waiting, key=lambda i: (i.urgency, i.opened_at, i.id)):
        place = _place_for(turn, incident, person)
        if place is None:
            continue
        looking, candidate, number = place
        case = turn.case(incident.id)
        case.add(looking.explain(number, [candidate]))
        make_offer(case, candidate, number)
        if world.roster.standing(person, turn.now) is not None:
            return


def _place_for(turn: Turn, incident: Incident, person: Person) -> tuple[Search, Candidate, int] | None:
    """The first step reached that is short of people and asks this one."""
    world = turn.world
    if incident.owner is not None and person.record.kind is ResponderKind.DESK:
        return None
    if incident.call_back is not None or service_hours.is_closed(world, world.policy(incident), turn.now):
        return None
    steps = world.policy(incident).steps
    last = len(steps) - 1 if incident.exhausted else incident.reached
    places = world.places.get(incident.id) or Places()
    first = 0 if incident.exhausted else first_step(incident, world.policy(incident))
    for number in range(first, last + 1):
        step = steps[number]
        looking = Search(world, incident, places, step, turn.now)
        if is_enough(looking.chances(number), *wanted(looking)):
            continue
        candidate = looking.matches(person)
        if candidate is not None:
            return looking, candidate, number
    return None


def check_watched(case: Case) -> None:
    """That nobody watches an open emergency is a fact."""
    incident = case.incident
    if incident.class_ is not IncidentClass.EMERGENCY or not incident.is_open:
        return
    unwatched = not case.turn.world.roster.is_watched(incident.area)
    if unwatched != incident.unwatched:
        case.add(f.WatchChanged(unwatched=unwatched))
