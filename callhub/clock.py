"""The one place where callhub reads clocks.

Rules of this file: engine time is aware UTC and never goes backwards. ``SystemClock`` reads the wall once, when it
starts; after that only the boot clock moves it, so that a step of the wall clock neither fires a deadline early nor
keeps one silent. Everything else takes a ``Clock``.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

NAP_S_MAX = 1.0
"""Longest single wait: asyncio's own clock stands still while a machine is suspended, ours does not, so that after a
resume a deadline is late by at most this."""


class Clock(Protocol):
    """Engine time, and waiting for it."""

    def now(self) -> datetime:
        """Engine time, aware UTC; never smaller than any earlier answer."""
        ...

    def elapsed_s(self) -> float:
        """Engine seconds since the clock started; for measuring durations."""
        ...

    async def sleep_until(self, at: datetime) -> None:
        """Return when ``now() >= at``, never earlier; at once if that is so already. ``at`` is aware."""
        ...


def read_wall() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


def read_boot_s() -> float:
    """Seconds since the machine booted, suspension included where the system has such a clock (Linux)."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class SystemClock:
    """Engine time of a running server.

    Args:
        not_before: Time of the last journal entry, aware, or None. Engine time starts at the wall clock, but never
            before this.
        speed: Engine seconds per real second, over 0; the demo runs scaled.
        wall: Reads the wall clock; replaced in tests.
        boot_s: Reads the boot clock; replaced in tests.

    Raises:
        ValueError: ``speed`` is not over 0.
    """

    def __init__(
        self,
        not_before: datetime | None = None,
        speed: float = 1.0,
        *,
        wall: Callable[[], datetime] = read_wall,
        boot_s: Callable[[], float] = read_boot_s,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be over 0, not {speed}")
        self.speed = speed
        self._wall = wall
        self._boot_s = boot_s
        self._boot_at_start_s = boot_s()
        started = wall()
        self._start = started if not_before is None else max(started, not_before.astimezone(UTC))

    def now(self) -> datetime:
        """Engine time, aware UTC."""
        return self._start + timedelta(seconds=self.elapsed_s())

    def elapsed_s(self) -> float:
        """Engine seconds since the start: real seconds on the boot clock times ``speed``."""
        return (self._boot_s() - self._boot_at_start_s) * self.speed

    async def sleep_until(self, at: datetime) -> None:
        """Return when ``now() >= at``, never earlier."""
        while (rest_s := (at - self.now()).total_seconds()) > 0:  # noqa: ASYNC110  # time is the event waited for
            await asyncio.sleep(min(rest_s / self.speed, NAP_S_MAX))

    def divergence_s(self) -> float:
        """Wall clock minus engine time in seconds: positive when the wall is ahead; 0 for a scaled clock.

        More than 2 s either way is a technical incident of kind ``clock``.
        """
        if self.speed != 1.0:
            return 0.0
        return (self._wall() - self.now()).total_seconds()


class ManualClock:
    """Engine time that moves only when told; for tests and simulation. Starts at ``start``, which is aware."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("start must be aware")
        self._start = self._now = start.astimezone(UTC)
        self._order = itertools.count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Engine time, aware UTC."""
        return self._now

    def elapsed_s(self) -> float:
        """Engine seconds since the start."""
        return (self._now - self._start).total_seconds()

    async def sleep_until(self, at: datetime) -> None:
        """Return once the clock was moved to ``at`` or past it."""
        if at <= self._now:
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (at, next(self._order), woken))
        await woken

    def next_wake(self) -> datetime | None:
        """The earliest time anybody sleeps for, or None; a simulation jumps there."""
        while self._sleepers and self._sleepers[0][2].done():  # cancelled meanwhile
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds`` (0 or more) and wake whoever is due, earliest first.

        They run when the event loop does next, and see the time moved to.
        """
        self.advance_to(self._now + timedelta(seconds=seconds))

    def advance_to(self, at: datetime) -> None:
        """Move on to ``at`` and wake whoever is due, earliest first.

        Raises:
            ValueError: ``at`` lies in the past.
        """
        if at < self._now:
            raise ValueError("time never goes backwards")
        self._now = at.astimezone(UTC)
        while (due := self.next_wake()) is not None and due <= self._now:
            heapq.heappop(self._sleepers)[2].set_result(None)
