"""Somebody became able to come: which of the cases that still want people asks them.

Rules of this file:
1. The most urgent first; among equally urgent ones those with the fewest people asked or on their way, then the one
   that is reached soonest, then the oldest.
2. Every step reached asks, not the current one alone. Cases that are being gathered are asked for when the batch ends.
3. Very many cases may be waiting, and most want nobody: what is cheap to see is looked at first, and only a case whose
   turn it is is searched for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from callhub.dispatch import service_hours
from callhub.dispatch.asking import Asking
from callhub.dispatch.escalation import GATHERED, first_step, make_offer
from callhub.dispatch.geo import distance_m
from callhub.dispatch.matching import KINDS_ASKED, Candidate, Search, named_in
from callhub.domain.incident import Incident, OfferState
from callhub.domain.people import ResponderKind
from callhub.domain.policy import Ask, Step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from callhub.dispatch.roster import Person
    from callhub.dispatch.turn import Turn
    from callhub.dispatch.world import World
    from callhub.domain.people import Position

Place: TypeAlias = "tuple[int, int, float, datetime, str]"
"""Where a case stands in line: urgency, people it has, metres, when it opened, id."""

ASKED_BY = {kind: ask for ask, kind in KINDS_ASKED.items()} | {ResponderKind.DESK: Ask.DESK}


def consider(turn: Turn, responder: str) -> None:
    """Ask somebody who became able to come for what is short of people, as far as their capacity goes."""
    world = turn.world
    person = world.roster.people[responder]
    if world.roster.standing(person, turn.now) is not None:
        return
    world.roster.refresh(turn.now)
    for *_, id in sorted(_line(turn, person)):
        place = _place_for(turn, world.incidents[id], person)
        if place is None:
            continue
        asking, candidate = place
        case = turn.case(id)
        case.add(asking.looking.explain(asking.number, [candidate]))
        make_offer(case, candidate, asking.number)
        if world.roster.standing(person, turn.now) is not None:
            return


def _line(turn: Turn, person: Person) -> Iterator[Place]:
    """The cases that may want this person."""
    world = turn.world
    position = world.roster.position(person, turn.now)
    for id in world.seeking:
        incident = world.incidents[id]
        away_m = _away_m(world, id, position)
        offers = [offer.step for offer in incident.offers.values() if offer.state is OfferState.OPEN]
        if any(_may_ask(step, person, incident, away_m, offers.count(n)) for n, step in _reached(world, incident)):
            yield incident.urgency, len(offers) + incident.on_time, away_m or 0.0, incident.opened_at, id


def _away_m(world: World, id: str, position: Position | None) -> float | None:
    """Metres to a case in a straight line; None when nobody knows."""
    target = world.places_of(id).target
    return None if target is None or position is None else distance_m(target[0], position)


def _reached(world: World, incident: Incident) -> Iterator[tuple[int, Step]]:
    """The steps that ask, with their numbers."""
    policy = world.policy(incident)
    first = 0 if incident.exhausted else first_step(incident, policy)
    last = len(policy.steps) - 1 if incident.exhausted else incident.reached
    for number in range(first, last + 1):
        yield number, policy.steps[number]


def _may_ask(step: Step, person: Person, incident: Incident, away_m: float | None, offers: int) -> bool:
    """Whether a step with so many open offers might ask this person, as far as it is cheap to say."""
    if offers >= max(step.fan_out, step.fan_out_max):
        return False  # never more than this
    if person.record.id in named_in(incident, step):
        return True
    near = away_m is None or away_m <= (step.radius_m or math.inf)
    return near and ASKED_BY.get(person.record.kind) in step.ask


def _place_for(turn: Turn, incident: Incident, person: Person) -> tuple[Asking, Candidate] | None:
    """The first step reached that is short of people and asks this one."""
    world = turn.world
    if incident.owner is not None and person.record.kind is ResponderKind.DESK:
        return None
    if GATHERED in incident.deadlines or incident.call_back is not None:
        return None
    if service_hours.is_closed(world, world.policy(incident), turn.now):
        return None
    for number, step in _reached(world, incident):
        looking = Search(world, incident, world.places_of(incident.id), step, turn.now)
        candidate = looking.matches(person)
        if candidate is not None and not (asking := Asking(looking, number)).is_enough():
            return asking, candidate
    return None
