"""The ladders that are compared: four well-known ways of asking, and the one that is shipped.

Rules of this file: every ladder asks people of the same ring for as long as the shipped one does, and ends with the
same desks, so that they differ in how they ask and in nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from callhub.domain.policy import IncidentClass, Policy, Step, policy_from_table
from callhub.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callhub.domain.policy import Ask

RING_M = 1000.0
"""Nobody farther away is asked: the ring of the phased alerting study (PLOS ONE 2026)."""
WAVE = 3
"""People in a fixed wave; GoodSAM asks the three nearest (London, New South Wales)."""
WAVE_S = 20.0
"""Between fixed waves, seconds: as long as the shipped ladder waits for an answer."""
PARALLEL = 7
"""Asked at once, each no replaced: best in the phased alerting study at thirty people in the ring."""
EVERYBODY = 1_000_000

DEFAULT = "default"
NAMES = ("one_at_a_time", "all_at_once", "fixed_waves", "parallel_replace", DEFAULT)


@dataclass(frozen=True, slots=True)
class Ladder:
    """A named way of asking.

    ``hears_no`` False: a refusal changes nothing, the next wave comes at its time. ``beside``: other policies in force,
    for kinds that this one does not take.
    """

    name: str
    policy: Policy
    hears_no: bool = True
    beside: tuple[Policy, ...] = ()


def read_ladder(name: str, table: Mapping[str, object], source: str) -> Ladder:
    """A ladder from a parsed policy file.

    Raises:
        ConfigError: The policy is wrong, or not for emergencies; names the file and the key.
    """
    policy = policy_from_table(table, source)
    if policy.class_ is not IncidentClass.EMERGENCY:
        raise ConfigError(source, "class", f"is {policy.class_}; the lab compares ladders for emergencies")
    if not any(step.asks_people for step in policy.steps):
        raise ConfigError(source, "step", "no step asks people; there is nothing to compare")
    # In force at every hour: what is compared is how it asks.
    return Ladder(name, replace(policy, hours=""))


def in_ring(ladder: Ladder) -> Ladder:
    """The same ladder, asking nobody beyond ``RING_M``."""
    steps = tuple(
        replace(step, radius_m=min(step.radius_m or RING_M, RING_M)) if step.asks_people else step
        for step in ladder.policy.steps
    )
    return replace(ladder, policy=replace(ladder.policy, steps=steps))


def compared(default: Ladder) -> tuple[Ladder, ...]:
    """The five ladders of the table, all of them asking within the ring.

    Args:
        default: The shipped ladder; its asking time, answer time, kinds of people and desks hold for the others.
    """
    shipped = in_ring(default)
    people = [step for step in shipped.policy.steps if step.asks_people]
    desks = tuple(step for step in shipped.policy.steps if not step.asks_people)
    asks_s = sum(step.step_timeout_s for step in people)
    ring = replace(people[0], name="ring", ask=_kinds(people), step_timeout_s=asks_s)

    def ladder(name: str, *steps: Step, hears_no: bool = True) -> Ladder:
        policy = replace(shipped.policy, id=name, steps=(*steps, *desks))
        return Ladder(name, policy, hears_no)

    waves = (
        # Nobody is replaced within a wave, so their time to answer ends with the ladder.
        replace(ring, name=f"wave {n}", fan_out=WAVE, fan_out_max=WAVE, offer_timeout_s=asks_s, step_timeout_s=WAVE_S)
        for n in range(1, max(1, round(asks_s / WAVE_S)) + 1)
    )
    return (
        ladder("one_at_a_time", replace(ring, fan_out=1, fan_out_max=1)),
        ladder("all_at_once", replace(ring, fan_out=EVERYBODY, fan_out_max=EVERYBODY)),
        ladder("fixed_waves", *waves, hears_no=False),
        # Rung by rung the shipped ladder, so that where that has grown to seven the two are the same.
        ladder("parallel_replace", *(replace(step, fan_out=PARALLEL, fan_out_max=PARALLEL) for step in people)),
        replace(shipped, name=DEFAULT),
    )


def _kinds(people: list[Step]) -> tuple[Ask, ...]:
    return tuple(dict.fromkeys(ask for step in people for ask in step.ask))
