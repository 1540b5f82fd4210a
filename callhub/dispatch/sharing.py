"""Who is asked for which of several cases that open in the same moment, so that all of them together wait least.

Rules of this file:
1. In rounds: each case gets one more person before any gets two more. So no case is left with nobody because another
   one took three.
2. A round costs the sum of expected arrivals, in whole seconds. Cases without anybody count first, then arrivals later
   than the ladder allows (``arrival_min_s``), then the sum; where all is equal, the order of cases and of people.
   Whoever has just come back counts a day more, and whose way nobody knows two: they come after all others, as ever.
3. Paired people and keyholders are asked for their own elder before anybody is shared.
4. Life threats are shared among themselves by the caller, before the rest. For them (``guarded``) a round is taken from
   the solver only if, against the nearest first on the same cases and people, no more cases are left without anybody,
   no more arrive late, the sum is no greater and the last one comes no later; else the round is the nearest first's.

Nearest first, in rounds and in the order in which the cases opened, is never worse *for any single case* than first
come first served: before its first person is chosen, fewer have been taken. But to be better for one, a round must then
be worse for another (whoever comes first has their nearest already), so of the solver only the sums can be promised.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeAlias

from callhub.domain.people import ResponderKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from callhub.dispatch.asking import Asking
    from callhub.dispatch.matching import Candidate

CASES_MAX, PEOPLE_MAX = 50, 2000
"""More than these contend: the nearest first, so that a decision has an upper bound."""

RESTS_S, UNKNOWN_S, NOBODY_S = 86_400, 172_800, 10**8
LATE, NOBODY = 10**9, 10**11
"""Weights in a solver's costs: fifty ways round the earth are less than one late arrival, fifty of those less than one
case without anybody. Their sums stay below 2 ** 53, so that they are exact as floating point too."""


IsFree: TypeAlias = "Callable[[Candidate], bool]"


class Solve(Protocol):
    """The best assignment of people to cases."""

    def __call__(self, costs: Sequence[Sequence[int]], /) -> Sequence[int]:
        """The column of each row, so that the total is least: no column twice, -1 for a row that is left without."""


@dataclass(slots=True)
class Contender:
    """A case that wants people: ``late_after_s`` is the arrival its ladder allows at least."""

    id: str
    asking: Asking
    late_after_s: float
    _line: Iterator[Candidate] = field(init=False)
    _ahead: list[tuple[int, Candidate]] = field(default_factory=list)
    _passed: int = 0

    def __post_init__(self) -> None:
        self._line = self.asking.looking.candidates()

    def nearest(self, most: int, is_free: IsFree, *, named: bool) -> list[tuple[int, str]]:
        """(seconds, responder) of the ``most`` best who are free; ``named``: of the elder's own alone.

        Whoever was not free once is never looked at again.
        """
        self._ahead = [place for place in self._ahead if is_free(place[1])]
        while len(self._ahead) < most and (candidate := next(self._line, None)) is not None:
            if is_free(candidate):
                self._ahead.append((self._seconds(candidate), candidate))
            self._passed += 1
        return [(s, who.responder) for s, who in self._ahead[:most] if who.is_named or not named]

    def choose(self, responder: str) -> None:
        """Give them somebody of their line."""
        n = next(n for n, (_, candidate) in enumerate(self._ahead) if candidate.responder == responder)
        self.asking.choose(self._ahead.pop(n)[1])

    def _seconds(self, candidate: Candidate) -> int:
        if candidate.eta_s is None:
            return UNKNOWN_S + self._passed
        return candidate.eta_s + RESTS_S * self.asking.looking.rests(candidate.responder)


@dataclass(slots=True)
class _Lot:
    """Cases that want the same people in a round: each with its nearest, as many as there are cases."""

    cases: list[Contender]
    lines: list[list[tuple[int, str]]]
    people: dict[str, None] = field(init=False)

    def __post_init__(self) -> None:
        self.people = dict.fromkeys(responder for line in self.lines for _, responder in line)


def share(cases: Sequence[Contender], room: Callable[[str], float], solve: Solve | None, *, guarded: bool) -> None:
    """Choose people for all of these cases until each has enough or nobody is left for it.

    Args:
        cases: Equally urgent; their ids say which is older.
        room: For how many emergencies more somebody may be asked, who can be asked at all.
        solve: None: the nearest first.
        guarded: Whether rule 4 applies.
    """
    taken: Counter[str] = Counter()

    def is_free(candidate: Candidate) -> bool:
        who = candidate.responder
        return who not in taken or candidate.kind is ResponderKind.DESK or taken[who] < room(who)

    for named in (True, False):
        while lots := _lots(cases, is_free, named=named):
            for lot in lots:
                for case, responder in zip(lot.cases, _round(lot, solve, guarded=guarded), strict=True):
                    if responder is not None:
                        case.choose(responder)
                        taken[responder] += 1


def _lots(cases: Sequence[Contender], is_free: IsFree, *, named: bool) -> list[_Lot]:
    """The next round: the cases with the fewest people so far, apart where they do not want the same people.

    Of ``m`` cases at most ``m - 1`` are in the way of one, so that its ``m`` nearest are all that matter to it.
    """
    waiting = [c for c in cases if not c.asking.is_enough() and c.nearest(1, is_free, named=named)]
    fewest = min((len(case.asking.chosen) for case in waiting), default=0)
    left = deque([case] for case in waiting if len(case.asking.chosen) == fewest)
    wanted_by: dict[str, _Lot] = {}
    while left:
        some = sorted(left.popleft(), key=lambda case: case.id)
        lot = _Lot(some, [case.nearest(len(some), is_free, named=named) for case in some])
        others = {wanted_by[who].cases[0].id: wanted_by[who] for who in lot.people if who in wanted_by}
        if others:
            for other in others.values():
                some += other.cases
                for who in other.people:
                    del wanted_by[who]
            left.append(some)
        else:
            wanted_by.update(dict.fromkeys(lot.people, lot))
    return list({lot.cases[0].id: lot for lot in wanted_by.values()}.values())


def _round(lot: _Lot, solve: Solve | None, *, guarded: bool) -> list[str | None]:
    """Who goes to which case, at most one to each."""
    greedy = _nearest_first(lot)
    people = list(lot.people)
    if solve is None or len(lot.cases) == 1 or len(lot.cases) > CASES_MAX or len(people) > PEOPLE_MAX:
        return greedy
    # A guarded round may not make the last one later, so that longer ways are out of the question.
    longest = max(_seconds_of(lot, greedy)) if guarded else math.inf
    for late in (LATE, 0):
        plan = _solved(lot, people, longest, late, solve)
        if _is_no_worse(lot, plan, greedy, guarded=guarded):
            return plan
    return greedy


def _nearest_first(lot: _Lot) -> list[str | None]:
    """The oldest case takes its nearest, the next one its nearest of those who are left."""
    plan: list[str | None] = []
    for line in lot.lines:
        plan.append(next((responder for _, responder in line if responder not in plan), None))
    return plan


def _solved(lot: _Lot, people: list[str], longest: float, late: int, solve: Solve) -> list[str | None]:
    column = {responder: n for n, responder in enumerate(people)}
    costs = [[NOBODY] * len(people) for _ in lot.cases]
    for row, case, line in zip(costs, lot.cases, lot.lines, strict=True):
        for seconds, responder in line:
            if seconds <= longest:
                row[column[responder]] = seconds + late * (seconds > case.late_after_s)
    found = zip(costs, solve(costs), strict=True)
    return [people[n] if n >= 0 and row[n] < NOBODY else None for row, n in found]


def _seconds_of(lot: _Lot, plan: list[str | None]) -> list[int]:
    found = zip(lot.lines, plan, strict=True)
    return [next((s for s, responder in line if responder == who), NOBODY_S) for line, who in found]


def _is_no_worse(lot: _Lot, plan: list[str | None], greedy: list[str | None], *, guarded: bool) -> bool:
    """By rule 4; nobody's round may leave more cases without anybody."""
    judged = zip(_worth(lot, plan), _worth(lot, greedy), strict=True)
    return all(ours <= theirs for ours, theirs in islice(judged, None if guarded else 1))


def _worth(lot: _Lot, plan: list[str | None]) -> tuple[int, int, int, int]:
    """Cases without anybody, late arrivals, sum and last arrival in seconds: less is better."""
    seconds = _seconds_of(lot, plan)
    late = sum(s > case.late_after_s for s, case in zip(seconds, lot.cases, strict=True))
    return plan.count(None), late, sum(seconds), max(seconds)
