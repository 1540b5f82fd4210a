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
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol

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
    _seen: list[tuple[int, Candidate]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._line = self.asking.looking.candidates()

    def nearest(self, most: int, is_free: Callable[[Candidate], bool], *, named: bool) -> list[tuple[int, str]]:
        """(seconds, responder) of the ``most`` best who are free; ``named``: of the elder's own alone."""
        mine = {candidate.responder for candidate in self.asking.chosen}
        found: list[tuple[int, str]] = []
        for seconds, candidate in self._in_line():
            if named and not candidate.is_named:
                break
            if candidate.responder not in mine and is_free(candidate):
                found.append((seconds, candidate.responder))
                if len(found) == most:
                    break
        return found

    def choose(self, responder: str) -> None:
        """Give them somebody of their line."""
        self.asking.choose(next(c for _, c in self._seen if c.responder == responder))

    def _in_line(self) -> Iterator[tuple[int, Candidate]]:
        """Everybody who can be asked, best first; each is looked for once."""
        yield from self._seen
        for candidate in self._line:
            self._seen.append((self._seconds(candidate), candidate))
            yield self._seen[-1]

    def _seconds(self, candidate: Candidate) -> int:
        if candidate.eta_s is None:
            return UNKNOWN_S + len(self._seen)
        return candidate.eta_s + RESTS_S * self.asking.looking.rests(candidate.responder)


@dataclass(slots=True)
class _Lot:
    """Cases that want the same people in a round: each with its nearest, as many as there are cases."""

    cases: list[Contender]
    lines: list[list[tuple[int, str]]]


def share(cases: Sequence[Contender], room: Callable[[str], float], solve: Solve | None, *, guarded: bool) -> None:
    """Choose people for all of these cases until each has enough or nobody is left for it.

    Args:
        cases: Equally urgent, oldest first.
        room: For how many emergencies more somebody may be asked.
        solve: None: the nearest first.
        guarded: Whether rule 4 applies.
    """
    taken: Counter[str] = Counter()

    def is_free(candidate: Candidate) -> bool:
        return candidate.kind is ResponderKind.DESK or taken[candidate.responder] < room(candidate.responder)

    for named in (True, False):
        while lots := _lots(cases, is_free, named=named):
            for lot in lots:
                for case, responder in zip(lot.cases, _round(lot, solve, guarded=guarded), strict=True):
                    if responder is not None:
                        case.choose(responder)
                        taken[responder] += 1


def _lots(cases: Sequence[Contender], is_free: Callable[[Candidate], bool], *, named: bool) -> list[_Lot]:
    """The next round: the cases with the fewest people so far, apart where they do not want the same people.

    Of ``m`` cases at most ``m - 1`` are in the way of one, so that its ``m`` nearest are all that matter to it.
    """
    waiting = [c for c in cases if not c.asking.is_enough() and c.nearest(1, is_free, named=named)]
    fewest = min((len(case.asking.chosen) for case in waiting), default=0)
    lots = [[case] for case in waiting if len(case.asking.chosen) == fewest]
    while True:
        apart = [_Lot(some, [case.nearest(len(some), is_free, named=named) for case in some]) for some in lots]
        merged = _merged(apart)
        if len(merged) == len(apart):
            return apart
        lots = merged


def _merged(lots: list[_Lot]) -> list[list[Contender]]:
    """The cases of these lots, together where they want somebody in common."""
    merged: list[tuple[set[str], list[Contender]]] = []
    for lot in lots:
        people, cases = {responder for line in lot.lines for _, responder in line}, lot.cases
        for other in [other for other in merged if not other[0].isdisjoint(people)]:
            merged.remove(other)
            people, cases = people | other[0], other[1] + cases
        merged.append((people, cases))
    return [sorted(cases, key=lambda case: case.id) for _, cases in merged]


def _round(lot: _Lot, solve: Solve | None, *, guarded: bool) -> list[str | None]:
    """Who goes to which case, at most one to each."""
    greedy = _nearest_first(lot)
    people = list(dict.fromkeys(responder for line in lot.lines for _, responder in line))
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
