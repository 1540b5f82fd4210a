"""Roll-calls: after a gap, every home that may have missed a press is seen to, most at risk first.

Rules of this file:
1. A roll-call is one technical incident; each home's check is another. One open roll-call for each place: another gap
   there extends it.
2. A timer of the roll-call opens the checks one by one, no more than there are people for, so that people, memory and
   the loop stay free for emergencies. Of many roll-calls that begin in one moment each lists its homes after the one
   before: a thousand gateways may come back at once. Timers are no facts: a restart sets them anew.
3. A home is checked once its check is resolved or ended by a person, or its elder reached us since the gap. Whoever
   holds a check that nobody needs any more keeps it; it is theirs to end.
4. At 100 % the roll-call closes by itself. What departments are called to closes only once they are settled.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from callhub.dispatch.answers import withdraw_elsewhere
from callhub.dispatch.duties import close
from callhub.dispatch.escalation import enter_step
from callhub.dispatch.matching import KINDS_ASKED
from callhub.domain import facts as f
from callhub.domain.decision import Answer
from callhub.domain.family import relatives
from callhub.domain.incident import ENDED, IncidentState, Places, Source
from callhub.domain.policy import IncidentClass, policy_key
from callhub.domain.roll_call import HOME_CHECK, ROLL_CALL, Cause, Gap, RollCall
from callhub.errors import EngineFault, InvalidMessage

if TYPE_CHECKING:
    from datetime import datetime

    from callhub.dispatch.turn import Case, Turn
    from callhub.dispatch.world import World
    from callhub.domain.events import DeadlineDue, RollCallAsked
    from callhub.domain.incident import Incident
    from callhub.domain.people import Elder, ResponderKind
    from callhub.domain.policy import Policy

TIMER = "roll_call"
"""A roll-call's timer is ``roll_call:ID``: list its homes, or open the next check."""
PACE_S = 0.1
"""Between two checks that are opened: ten commits a second, so that a press never waits behind them."""
LOOK_AGAIN_S = 5.0
"""How often it is looked whether people have become free."""
RESUME_S = 30.0
"""After a start, or our own exception, a roll-call goes on after this."""
WITHOUT_PEOPLE = 10
"""So many checks look for somebody at once where no people are on duty: desks work through them by telephone."""

ALL_CHECKED = "all_checked"
NO_HOMES = "no_homes"
PRESSED = "pressed"
NOT_ACTIVE = "not_active"
NOT_NEEDED = "roll_call_ended"


def timer_of(roll_call: str) -> str:
    """The key of a roll-call's timer."""
    return f"{TIMER}:{roll_call}"


def resumes_in(roll_calls: int) -> timedelta:
    """When the last of so many open roll-calls goes on after a start: one after the other, not all in one moment."""
    return timedelta(seconds=RESUME_S + PACE_S * (roll_calls - 1))


def roll_call_of(key: str | None) -> str | None:
    """The roll-call that a timer's key is about; None when it is about something else."""
    kind, _, id = (key or "").partition(":")
    return id if kind == TIMER else None


# Beginning


def ask(turn: Turn, event: RollCallAsked) -> Answer:
    """A person, or a start after a gap, wants the homes checked; raises ``InvalidMessage`` for a gap that is none."""
    gap = event.gap
    if gap.since >= turn.now:
        raise InvalidMessage("from", "a time that has passed")
    if gap.until > turn.now:
        raise InvalidMessage("until", "not in the future: wait until the gap is over")
    if gap.since >= gap.until:
        raise InvalidMessage("from", "before until")
    gateway = turn.world.silence.gateways.get(gap.gateway or "")
    area = event.area if gateway is None else turn.world.silence.path_of(gateway)
    case = begin(turn, event.cause, gap, area, event.reason)
    return Answer({"ok": True, "state": case.incident.state.value, "incident": case.id}, incident=case.id)


def after_outage(turn: Turn, cause: Cause, since: datetime, area: tuple[str, ...], gateway: str | None = None) -> None:
    """A gateway, or else an area, is back: if it was out for long enough, its homes are checked."""
    after_s = turn.world.rules.roll_call_after_s
    if not after_s or turn.now - since < timedelta(seconds=after_s):
        return
    begin(turn, cause, Gap(since, turn.now, gateway, None if gateway is not None else area[-1]), area)


def begin(turn: Turn, cause: Cause, gap: Gap, area: tuple[str, ...], reason: str | None = None) -> Case:
    """Open a roll-call, or let the open one of the same place span this gap too."""
    for id in sorted(turn.world.roll_calls):
        call = _call(turn.world.incidents[id])
        if (call.gap.gateway, call.gap.area) == (gap.gateway, gap.area):
            case = turn.case(id)
            both = Gap(min(call.gap.since, gap.since), max(call.gap.until, gap.until), gap.gateway, gap.area)
            case.add(f.RollCallExtended(cause=cause, gap=both))
            _look(case, PACE_S * (len(turn.world.roll_calls) - 1))
            return case
    case = _open(turn, ROLL_CALL, area=area, text=reason)
    case.add(f.RollCallBegan(cause=cause, gap=gap))
    enter_step(case, 0, "opened")
    _look(case, PACE_S * (len(turn.world.roll_calls) - 1))
    return case


def _open(
    turn: Turn,
    kind: str,
    *,
    area: tuple[str, ...] = (),
    elder: Elder | None = None,
    home: str | None = None,
    part_of: str | None = None,
    text: str | None = None,
) -> Case:
    world = turn.world
    policy = world.policies.choose(kind, world.rules.local(turn.now))
    world.freeze(policy)
    fact = f.IncidentOpened(
        number=world.number + 1,
        class_=IncidentClass.TECHNICAL,
        kind=kind,
        urgency=policy.urgency,
        source=Source.OPERATOR if turn.event.actor.is_human else Source.SYSTEM,
        policy=policy_key(policy),
        needed=policy.needed,
        elder=home,
        area=elder.area if elder is not None else area,
        paired=elder.paired if elder is not None else (),
        family=relatives(elder.family) if elder is not None else (),
        part_of=part_of,
        text=text,
        address=elder.address if elder is not None else None,
        home=elder.position if elder is not None else None,
    )
    places = Places() if elder is None else Places(elder.position, elder.position_source, elder.address)
    case = turn.open(fact, places, _free_id(turn))
    case.add(f.AlarmRecorded(id=case.id, kind=kind, received_at=turn.now))
    return case


def _free_id(turn: Turn) -> str:
    """The event's id; where one event ends several outages, an id of its own for each roll-call after the first."""
    id = turn.event.id
    ids = (id if n == 0 else f"{id}.{n}" for n in count())
    return next(each for each in ids if each not in turn.world.incidents)


def _look(case: Case, after_s: float) -> None:
    case.turn.changes.set_timer(timer_of(case.id), case.turn.now + timedelta(seconds=after_s))


# Going on


def go_on(turn: Turn, event: DeadlineDue) -> Answer:
    """A roll-call's timer is due: list its homes, or open the next check if somebody is free for it."""
    id = roll_call_of(event.key) or ""
    turn.changes.set_timer(timer_of(id), None)
    if id not in turn.world.roll_calls:
        return Answer()
    call = _call(turn.world.incidents[id])
    if not call.listed:
        _list(turn.case(id), event)
    elif call.waiting:
        _check_next(turn, id, call, event)
    return Answer()


def _list(case: Case, event: DeadlineDue) -> None:
    """What waits or is being checked stays; whoever of the others is not in yet is put in, in the order of risk."""
    if event.listed is None:
        raise EngineFault(f"the homes of roll-call {case.id} were not looked up")
    call = _call(case.incident)
    under_way = dict(call.open)
    waiting = [home for home in event.listed.waiting if home not in under_way]
    more = set(waiting) | set(event.listed.pressed)
    homes = (*waiting, *(home for home in call.waiting if home not in more))
    case.add(f.HomesListed(homes=homes, pressed=event.listed.pressed))
    _look(case, PACE_S)


def _check_next(turn: Turn, id: str, call: RollCall, event: DeadlineDue) -> None:
    world, home = turn.world, event.home
    if home is None:
        raise EngineFault(f"the next home of roll-call {id} was not looked up")
    if home.id not in call.waiting:  # seen to in the same moment
        turn.changes.set_timer(timer_of(id), turn.now + timedelta(seconds=PACE_S))
        return
    pressed = _reached_since(world, home.id, call.gap.until)
    gone = home.readable and (home.elder is None or not home.elder.active)
    check = _check_at(world, home.id)
    if pressed or gone:
        turn.case(id).add(f.HomeChecked(home=home.id, outcome=PRESSED if pressed else NOT_ACTIVE))
    elif check is not None:  # another roll-call has it
        turn.case(id).add(f.HomeCheckBegan(home=home.id, check=check))
    elif not _has_room(world, turn, len(call.open)):
        turn.changes.set_timer(timer_of(id), turn.now + timedelta(seconds=LOOK_AGAIN_S))
        return
    else:
        _check(turn, id, home.id, home.elder)
    _look(turn.case(id), PACE_S)


def _check(turn: Turn, id: str, home: str, elder: Elder | None) -> None:
    case = _open(turn, HOME_CHECK, area=turn.world.incidents[id].area, elder=elder, home=home, part_of=id)
    turn.case(id).add(f.HomeCheckBegan(home=home, check=case.id))
    enter_step(case, 0, "opened")


def _reached_since(world: World, home: str, since: datetime) -> bool:
    mine = world.open_of_elder(home)
    return any(i.class_ is IncidentClass.EMERGENCY and i.alarms[-1].received_at >= since for i in mine)


def _check_at(world: World, home: str) -> str | None:
    """The check of this home that somebody is asked for or sees to: who gets there now sees what any gap left."""
    mine = (i for i in world.open_of_elder(home) if i.kind == HOME_CHECK)
    return next((i.id for i in mine if i.ladder_runs or i.live), None)


def _has_room(world: World, turn: Turn, under_way: int) -> bool:
    """Whether one more check may open: somebody is free for it, and for each that looks for somebody already."""
    if under_way >= world.rules.home_checks_max:
        return False
    kinds = _kinds(world.policies.choose(HOME_CHECK, world.rules.local(turn.now)))
    able = sum(world.roster.count(kind)[0] for kind in kinds)
    looking = [world.incidents[id] for id in world.seeking if world.incidents[id].kind == HOME_CHECK]
    if not able:
        return len(looking) < WITHOUT_PEOPLE
    people = (world.roster.people[id] for id in world.checking)
    busy = sum(1 for person in people if person.able and person.record.kind in kinds)
    return sum(1 for check in looking if _asks_people(world, check)) < able - busy


def _kinds(policy: Policy) -> set[ResponderKind]:
    """Whom a ladder asks to come."""
    return {KINDS_ASKED[ask] for step in policy.steps for ask in step.ask if ask in KINDS_ASKED}


def _asks_people(world: World, check: Incident) -> bool:
    """Whether a check still replaces whoever says no; else it is with the desks."""
    return not check.exhausted and world.policy(check).steps[check.step].asks_people


# What follows from a turn


def follow(turn: Turn) -> None:
    """See what this turn means for roll-calls; about 1 us when there are none."""
    world = turn.world
    for case in list(turn.cases.values()):
        if case.incident.kind == HOME_CHECK:
            _after_check(case)
        elif world.roll_calls and case.incident.class_ is IncidentClass.EMERGENCY:
            _after_press(case)
    for case in list(turn.cases.values()):
        if case.incident.kind == ROLL_CALL:
            _after_roll_call(case)


def _after_check(case: Case) -> None:
    """Resolved is done: the check is closed, and counts. Whoever takes one gives back all others."""
    turn, incident = case.turn, case.incident
    for fact in [fact for fact in case.facts if isinstance(fact, f.OfferAccepted)]:
        withdraw_elsewhere(turn, incident.offers[fact.offer].responder, case.id, "busy", only=HOME_CHECK)
    if incident.state is IncidentState.RESOLVED and not incident.has_whistle_out:
        done = [a.outcome for a in incident.assignments.values() if incident.has_done(a)]
        close(case, done[-1] or "other")
    if incident.state not in ENDED:
        return
    outcome = incident.outcome or incident.state.value
    for id in sorted(turn.world.roll_calls):
        mine = [home for home, check in _call(turn.world.incidents[id]).open if check == case.id]
        for home in mine:
            turn.case(id).add(f.HomeChecked(home=home, outcome=outcome, check=case.id))


def _after_press(case: Case) -> None:
    """An elder who reaches us has missed nothing: their home counts, and people who were only asked are let go."""
    turn, home = case.turn, case.incident.elder
    if home is None or not any(isinstance(fact, f.AlarmRecorded | f.ElderIdentified) for fact in case.facts):
        return
    for id in sorted(turn.world.roll_calls):
        call = _call(turn.world.incidents[id])
        check = call.check_of(home)
        if check is None and home not in call.waiting:
            continue
        turn.case(id).add(f.HomeChecked(home=home, outcome=PRESSED, check=check))
        if check is not None:
            _let_go(turn, check, PRESSED)


def _let_go(turn: Turn, check: str, outcome: str) -> None:
    """End a check that nobody needs any more, unless somebody has it or something there looks wrong."""
    incident = turn.world.incidents.get(check)
    if incident is not None and incident.owner is None and not incident.live and not _looks_wrong(incident):
        close(turn.case(check), outcome)


def _looks_wrong(check: Incident) -> bool:
    """A silent call, a door that nobody opens, a desk or a department that is called: a person has to end it."""
    silent = check.heard_silence and not check.heard_well
    shut = any(assignment.outcome == "no_access" for assignment in check.assignments.values())
    return silent or shut or check.desk_call is not None or check.has_whistle_out


def _is_shared(world: World, check: str) -> bool:
    """Whether another roll-call waits for this check."""
    return any(check in dict(_call(world.incidents[id]).open).values() for id in world.roll_calls)


def _after_roll_call(case: Case) -> None:
    """Done is closed; ended by a person: what was only asked is asked no more; opened again: it goes on."""
    incident, call = case.incident, _call(case.incident)
    if incident.state in ENDED:
        case.turn.changes.set_timer(timer_of(case.id), None)
        ends_now = any(isinstance(fact, f.StateChanged) for fact in case.facts)  # and is not only written about
        for _, check in call.open if ends_now else ():
            if not _is_shared(case.turn.world, check):
                _let_go(case.turn, check, NOT_NEEDED)
    elif call.is_done:
        if not incident.has_whistle_out:
            close(case, ALL_CHECKED if call.homes else NO_HOMES)
        case.turn.changes.set_timer(timer_of(case.id), None)
    elif timer_of(case.id) not in case.turn.world.timers:
        _resume(case, call)


def _resume(case: Case, call: RollCall) -> None:
    """Opened again: homes whose check was given up meanwhile wait anew, before the others."""
    if call.listed:
        given_up = tuple(home for home, check in call.open if check not in case.turn.world.incidents)
        case.add(f.HomesListed(homes=given_up + call.waiting))
    _look(case, PACE_S)


def _call(incident: Incident) -> RollCall:
    assert incident.roll_call is not None, "a roll-call is opened with its gap"
    return incident.roll_call
