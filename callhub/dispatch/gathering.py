"""Cases that opened in one batch of the hub and wait for each other: who is asked is decided for all of them at once.

Rules of this file:
1. The most urgent are decided first, alone among themselves; the others share who is left.
2. Whatever goes wrong here, each case still has its deadline ``gathered``, and asks by itself at once.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from callhub.dispatch.asking import Asking
from callhub.dispatch.escalation import GATHERED, go_on, make_offer, search
from callhub.dispatch.matching import Shared
from callhub.dispatch.sharing import Contender, share
from callhub.domain.decision import Answer

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case, Turn
    from callhub.domain.events import CasesGathered

LIFE_THREAT = 1
"""The urgency whose arrivals sharing may never make worse."""


def ask_together(turn: Turn, event: CasesGathered) -> Answer:
    """The end of a batch: ask people for every case of it that still waits for this."""
    held = [turn.world.incidents[id] for id in event.incidents if id in turn.world.incidents]
    waiting = sorted((i.urgency, i.id) for i in held if GATHERED in i.deadlines)
    for urgency, ids in groupby(waiting, key=lambda found: found[0]):
        cases = [turn.case(id) for _, id in ids]
        for case in cases:
            case.disarm(GATHERED)
        short = [case for case in cases if case.incident.ladder_runs]
        _share(turn, short, guarded=urgency == LIFE_THREAT)
        for case in short:
            go_on(case)
    return Answer()


def _share(turn: Turn, cases: list[Case], *, guarded: bool) -> None:
    askings = decide(turn, cases, guarded=guarded)
    everybody = {candidate.responder for asking in askings for candidate in asking.chosen}
    for case, asking in zip(cases, askings, strict=True):
        elsewhere = frozenset(everybody.difference(candidate.responder for candidate in asking.chosen))
        case.add(asking.looking.explain(asking.number, asking.chosen, Shared(len(cases), elsewhere)))
    # Only now, so that each ranking shows people as they were when it was made.
    for case, asking in zip(cases, askings, strict=True):
        for candidate in asking.chosen:
            make_offer(case, candidate, asking.number)


def decide(turn: Turn, cases: list[Case], *, guarded: bool) -> list[Asking]:
    """Who is to be asked for each of these cases on the step where it stands."""
    people = turn.world.roster.people
    askings = [Asking(search(case, case.policy.steps[case.incident.step]), case.incident.step) for case in cases]
    contenders = [
        Contender(case.id, asking, case.policy.arrival_min_s) for case, asking in zip(cases, askings, strict=True)
    ]

    def room(responder: str) -> float:
        person = people[responder]
        return math.inf if person.record.capacity is None else person.record.capacity - person.used

    share(contenders, room, turn.world.solve, guarded=guarded)
    return askings
