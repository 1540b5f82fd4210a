"""Wakes the loop when the next thing is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from datetime import datetime

    from callhub.clock import Clock


class Timekeeper:
    """Calls ``wake`` at the armed time, never earlier. One sleeping task at a time, owned by ``tasks``.

    A later time does not replace an earlier one that already sleeps: the loop is woken once for nothing and arms
    anew, which costs less than a task for every batch.
    """

    def __init__(self, clock: Clock, wake: Callable[[], None], tasks: asyncio.TaskGroup) -> None:
        self._clock = clock
        self._wake = wake
        self._tasks = tasks
        self._task: asyncio.Task[None] | None = None
        self._at: datetime | None = None

    def arm(self, at: datetime | None) -> None:
        """Wake at ``at`` or, where something earlier was armed, before that as well; None: nothing is due."""
        if at is None or (self._at is not None and self._at <= at):
            return
        self.disarm()
        self._at = at
        self._task = self._tasks.create_task(self._sleep(at), name="hub deadlines")

    def disarm(self) -> None:
        """Wake no more."""
        if self._task is not None:
            self._task.cancel()
        self._task = self._at = None

    async def _sleep(self, at: datetime) -> None:
        await self._clock.sleep_until(at)
        # Cleared before the wake, so that the loop can arm the same time again.
        self._task = self._at = None
        self._wake()
