"""How many people a step wants: few where few live, more where nobody is known to say yes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from callhub.dispatch.learning import PRIOR, is_enough

if TYPE_CHECKING:
    from callhub.dispatch.matching import Candidate, Search
    from callhub.domain.policy import Step

DENSE_PEOPLE, DENSE_OFFERS, DENSE_M = 30, 7, 1000.0
"""Where thirty people are within a kilometre, asking seven and replacing each no is best for those who wait and for
those who are asked (phased alerting study, PLOS ONE 2026, doi 10.1371/journal.pone.0343762). Fewer people are asked in
proportion."""


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


@dataclass(slots=True)
class Asking:
    """One step of one case while people are chosen for it, in the order they are to be asked in."""

    looking: Search
    number: int
    chosen: list[Candidate] = field(default_factory=list)
    _chances: list[float] = field(init=False)
    _wanted: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self._chances, self._wanted = self.looking.chances(self.number), wanted(self.looking)

    def is_enough(self) -> bool:
        """Whether the open offers and those chosen suffice."""
        return is_enough(self._chances, *self._wanted)

    def choose(self, candidate: Candidate) -> None:
        """Ask this one too."""
        enough, most = self._wanted
        self.chosen.append(candidate)
        # Where no more than enough are asked anyhow, nobody's chance matters.
        self._chances.append(self.looking.chance(candidate.responder) if enough < most else PRIOR)
