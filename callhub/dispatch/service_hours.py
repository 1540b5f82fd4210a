"""A ladder outside its window: its clocks stand still, and nobody is asked until it opens.

Rules of this file:
1. What a policy times is counted while its window is open. What people time (whistles) and what concerns life (120
   asked for and not there) is counted always.
2. A ladder that would ask while the window is closed waits for the opening with a deadline. Only a human's
   ``escalate`` asks at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.domain import facts as f
from callhub.domain.windows import is_open

if TYPE_CHECKING:
    from datetime import datetime

    from callhub.dispatch.turn import Case
    from callhub.dispatch.world import World
    from callhub.domain.policy import Policy

WINDOW = "window"
"""Stage of the deadline ``window:N``: rung N is entered when it fires."""
ALWAYS = frozenset({"service", "report_in", "finish"})
"""Stages whose clocks never stand still."""


def is_closed(world: World, policy: Policy, now: datetime) -> bool:
    """Whether nobody is asked now."""
    return bool(policy.window) and not is_open(policy.window, now, world.rules.timezone)


def wait(case: Case, number: int) -> None:
    """Enter rung ``number`` when the window opens."""
    end_wait(case)
    key = f"{WINDOW}:{number}"
    case.arm(key, 0, WINDOW)
    case.disarm("step", "repeat")
    case.add(f.LadderWaits(step=number, until=case.incident.deadlines[key].at))


def end_wait(case: Case) -> None:
    """The ladder goes on, or waits for another rung."""
    case.disarm(*[key for key in case.incident.deadlines if key.startswith(f"{WINDOW}:")])
