"""Cases that want people, as a table of ways in seconds: what sharing sees of the engine, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, cast

from callhub.dispatch.matching import Candidate
from callhub.dispatch.sharing import Contender, Solve, share
from callhub.domain.people import ResponderKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from callhub.dispatch.asking import Asking

Worth = tuple[int, int, int, int]
NOBODY_S = 10**8
UNKNOWN = 99_999
"""A way that nobody knows."""


@dataclass
class Wish:
    """A case by what it wants: who could come and in how many seconds, and how many people are enough."""

    ways_s: dict[str, int]
    enough: int = 1
    paired: frozenset[str] = frozenset()
    resting: frozenset[str] = frozenset()
    chosen: list[Candidate] = field(default_factory=list)

    @property
    def looking(self) -> Wish:
        return self

    def is_enough(self) -> bool:
        return len(self.chosen) >= self.enough

    def choose(self, candidate: Candidate) -> None:
        self.chosen.append(candidate)

    def rests(self, responder: str) -> bool:
        return responder in self.resting

    def candidates(self) -> Iterator[Candidate]:
        """In the order of ``Search.candidates``."""
        for who, way_s in sorted(self.ways_s.items(), key=self._place):
            kind = ResponderKind.DESK if who.startswith("DESK") else ResponderKind.VOLUNTEER
            eta_s = None if way_s == UNKNOWN else way_s
            yield Candidate(who, kind, eta_s, eta_s, who in self.paired)

    def _place(self, way: tuple[str, int]) -> tuple[bool, bool, int, str]:
        return way[0] not in self.paired, way[0] in self.resting, way[1], way[0]

    @property
    def arrivals_s(self) -> list[int]:
        return [candidate.eta_s or 0 for candidate in self.chosen]


@dataclass(frozen=True)
class Moment:
    """Several cases at once; ``rooms`` is how many each person can take."""

    wishes: tuple[tuple[dict[str, int], int, frozenset[str]], ...]
    late_after_s: tuple[int, ...]
    rooms: dict[str, int]

    def shared(self, solve: Solve | None, *, guarded: bool) -> list[Wish]:
        wishes = [Wish(dict(ways), enough, paired) for ways, enough, paired in self.wishes]
        cases = [
            Contender(f"{n}", cast("Asking", wish), late)
            for n, (wish, late) in enumerate(zip(wishes, self.late_after_s, strict=True))
        ]
        share(cases, lambda who: self.rooms[who], solve, guarded=guarded)
        return wishes

    def worth(self, arrivals_s: Sequence[int | None]) -> Worth:
        """Without anybody, late, sum, last."""
        known = [NOBODY_S if arrival is None else arrival for arrival in arrivals_s]
        late = sum(arrival > late for arrival, late in zip(known, self.late_after_s, strict=True))
        return known.count(NOBODY_S), late, sum(known), max(known)

    def first(self, wishes: list[Wish]) -> list[int | None]:
        return [wish.arrivals_s[0] if wish.chosen else None for wish in wishes]

    def every_first_round(self) -> Iterator[list[int | None]]:
        """All ways of giving each case one person or nobody."""
        for given_ in product(*([None, *ways] for ways, _, _ in self.wishes)):
            busy = [who for who in given_ if who is not None]
            if len(busy) == len(set(busy)):
                yield [
                    None if who is None else ways[who] for who, (ways, _, _) in zip(given_, self.wishes, strict=True)
                ]
