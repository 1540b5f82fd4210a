"""The ladder: who is asked now, when the next are, and what happens when it runs out.

Rules of this file:
1. The ladder runs while more people are wanted than are on time (``Incident.ladder_runs``). It climbs only while
   nobody owns the incident; asking and replacing go on under an owner.
2. Only the current step replaces. A step with no open offer and nobody left to ask is passed at once, and says so.
3. Firing a deadline advances one step, and the next counts from now.
4. The end of a ladder is ``unanswered``: loud, repeating, open.
5. Cases that open in one batch of the hub may stand on their first step while ``gathering`` decides who is asked for
   which; should that fail, the deadline ``gathered``, due at once, makes each ask by itself.
6. People are asked while the ladder's window is open. A call-back is never entered here, and ends when one would ask.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from callhub.dispatch import call_backs, service_hours
from callhub.dispatch.asking import Asking
from callhub.dispatch.lifecycle import IncidentEvent, advance_incident
from callhub.dispatch.matching import Candidate, Search
from callhub.domain import facts as f
from callhub.domain.incident import AssignmentState, Incident, IncidentState, Offer, OfferState
from callhub.domain.policy import IncidentClass, Policy, Step

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case

BY_HAND = -1
"""The step of an offer that a human made: no step counts or replaces it."""
GATHERED = "gathered"
"""Key and stage of the deadline of a case that waits for the others of its batch."""


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


def enter_step(case: Case, number: int, why: str, *, gather: bool = False) -> None:
    """Stand on a rung: ask, and arm its end; steps with nobody to ask are passed at once, up to the end.

    ``gather``: who comes is asked later in the same batch, together with other cases (``gathering``).
    """
    steps = case.policy.steps
    call_backs.end(case, why)
    number = max(number, call_backs.first_rung(case.policy))
    if why != "escalated" and service_hours.is_closed(case.turn.world, case.policy, case.turn.now):
        service_hours.wait(case, number)
        return
    service_hours.end_wait(case)
    while number < len(steps):
        case.add(f.StepEntered(step=number, name=steps[number].name, why=why))
        case.disarm("repeat", GATHERED)
        if gather and steps[number].asks_people:
            case.arm(GATHERED, 0, GATHERED)
            return
        fill(case, number)
        if _waits_here(case):
            return
        number, why = number + 1, "nobody_left"
    exhaust(case)


def ask_alone(case: Case) -> None:
    """A gathered case asks by itself: those with whom it was to be decided are not waited for."""
    if case.incident.ladder_runs:
        fill(case, case.incident.step)
        go_on(case)


def go_on(case: Case) -> None:
    """The current step has asked: wait for its people, or pass it when there are none."""
    if not _waits_here(case):
        enter_step(case, case.incident.step + 1, "nobody_left")


def _waits_here(case: Case) -> bool:
    """Whether the current step has somebody to wait for; then its end is armed."""
    incident = case.incident
    waits = incident.owner is not None or _has_open(incident, incident.step)
    if waits:
        _arm_step(case)
    return waits


def _arm_step(case: Case) -> None:
    if case.incident.owner is None:
        case.arm("step", case.policy.steps[case.incident.step].step_timeout_s, "step")
    else:
        case.disarm("step")


def _has_open(incident: Incident, number: int) -> bool:
    return any(o.step == number for o in incident.open_offers)


def fill(case: Case, number: int, *, again: bool = False) -> None:
    """Offer until the step has asked enough people or nobody is left; records the ranking."""
    asking = Asking(search(case, case.policy.steps[number], again=again), number)
    if asking.is_enough() or not case.incident.ladder_runs:
        return
    for candidate in asking.looking.candidates():
        asking.choose(candidate)
        if asking.is_enough():
            break
    case.add(asking.looking.explain(number, asking.chosen))
    for candidate in asking.chosen:
        make_offer(case, candidate, number)


def make_offer(case: Case, candidate: Candidate, number: int, *, need: str | None = None) -> str:
    """Invite one responder, perhaps to bring what is needed; returns the offer's id."""
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
            need=need,
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
    case.disarm("step", GATHERED)
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


def check_watched(case: Case) -> None:
    """That nobody watches an open emergency is a fact."""
    incident = case.incident
    if incident.class_ is not IncidentClass.EMERGENCY or not incident.is_open:
        return
    unwatched = not case.turn.world.roster.is_watched(incident.area)
    if unwatched != incident.unwatched:
        case.add(f.WatchChanged(unwatched=unwatched))
