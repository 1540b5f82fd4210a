"""Tells people when the machine's clock no longer agrees with engine time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from callhub.clock import Clock
from callhub.domain.events import CallTaken
from callhub.domain.people import SYSTEM

if TYPE_CHECKING:
    from callhub.hub.loop import Hub

DIVERGENCE_S_MAX = 2.0
PERIOD_S = 10.0
KIND = "clock"

_log = structlog.get_logger(__name__)


class DivergingClock(Clock, Protocol):
    """A clock that knows how far the wall clock is ahead of it."""

    def divergence_s(self) -> float:
        """Wall clock minus engine time in seconds."""
        ...


async def watch_clock(hub: Hub, clock: DivergingClock) -> None:
    """Open a technical incident whenever the two have come to differ by more than 2 s; once until they agree again."""
    told = False
    while True:
        await clock.sleep_until(clock.now() + timedelta(seconds=PERIOD_S))
        divergence_s = clock.divergence_s()
        differs = abs(divergence_s) > DIVERGENCE_S_MAX
        if differs and not told:
            _log.error("clock_diverged", divergence_s=round(divergence_s, 1))
            event = CallTaken(
                id=hub.new_id(), actor=SYSTEM, source="system", kind=KIND, text=f"clock {divergence_s:+.1f} s"
            )
            await hub.submit(event)
        told = differs
