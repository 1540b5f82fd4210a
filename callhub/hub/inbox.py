"""What waits for the loop.

Rules of this file: events keep their order. Submitted events are bounded and wait for room in the order they came;
notices have no answer, are few per link, and always fit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from callhub.domain.decision import Answer
    from callhub.domain.events import Event


@dataclass(slots=True, eq=False)
class Ticket:
    """One event on its way through the loop.

    ``done`` gets its answer; None: nobody waits for one. ``minimal``: it is decided without the engine.
    """

    event: Event
    done: asyncio.Future[Answer] | None = None
    minimal: bool = False

    def resolve(self, answer: Answer) -> None:
        """Give the answer to whoever still waits for it."""
        if self.done is not None and not self.done.done():
            self.done.set_result(answer)

    def fail(self, error: Exception) -> None:
        """Tell whoever still waits that nothing was recorded."""
        if self.done is not None and not self.done.done():
            self.done.set_exception(error)


class Inbox:
    """A queue of tickets. ``on_work`` is called whenever something was put."""

    def __init__(self, events_max: int, on_work: Callable[[], None]) -> None:
        self._room = asyncio.Semaphore(events_max)
        self._tickets: deque[Ticket] = deque()
        self._on_work = on_work
        self._outside = 0

    def __len__(self) -> int:
        """How many are in it or wait for room."""
        return len(self._tickets) + self._outside

    async def put(self, ticket: Ticket) -> None:
        """Add a submitted event; waits for room, first come first served."""
        self._outside += 1
        try:
            await self._room.acquire()
        finally:
            self._outside -= 1
        self._tickets.append(ticket)
        self._on_work()

    def put_notice(self, event: Event) -> None:
        """Add an event without an answer."""
        self._tickets.append(Ticket(event))
        self._on_work()

    def take(self, tickets_max: int) -> list[Ticket]:
        """Remove and return the oldest, at most ``tickets_max``."""
        taken = [self._tickets.popleft() for _ in range(min(tickets_max, len(self._tickets)))]
        for ticket in taken:
            if ticket.done is not None:
                self._room.release()
        return taken
