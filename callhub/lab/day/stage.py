"""The core of a server on a clock that jumps from one thing to the next, and what is seen of it from outside.

Rules of this file: store, engine and hub are built as the server builds them. Only the clock, the ids and the salt come
from here, so that the same seed gives the same bytes. One thing happens at a time: the next one waits until the hub has
nothing more to do at this instant.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from callhub.clock import ManualClock
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.domain.people import SYSTEM
from callhub.domain.policy import PolicySet
from callhub.domain.supervision import RUN, DevicesHeard
from callhub.errors import ConfigError, EngineFault
from callhub.hub import Hub
from callhub.hub.ids import UuidSource
from callhub.store.base import Commit
from callhub.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from callhub.domain.decision import Announcement, Answer
    from callhub.domain.events import Event
    from callhub.domain.incident import Incident
    from callhub.hub.stream import Subscription
    from callhub.store.base import DirectoryChange

    Happening = Callable[[], Awaitable[object]]

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 24, tzinfo=ZONE).astimezone(UTC)
"""Midnight before an ordinary Tuesday."""
RULES = Rules(timezone=ZONE)
ALIVE_S = 300.0
"""How often the server notes that it runs."""
PASSES = 8
"""Turns of the event loop in which a hub that has nothing to do goes to rest."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One announcement of the hub: when it came, and up to which journal row the file held everything by then."""

    at: datetime
    news: Announcement
    stored: int


class Stage:
    """One installation, its server and its clock.

    Args:
        path: The database; made when it is not there.
        seed: Of ids and salts.
    """

    def __init__(self, path: Path, seed: int) -> None:
        self.clock = ManualClock(START)
        self.heard: list[Heard] = []
        self.runs: list[tuple[datetime, datetime]] = []
        self.listeners: list[Callable[[Announcement], None]] = []
        self._path = path
        self._salt = random.Random(f"{seed}|salt").randbytes
        self._ids = UuidSource(random.Random(f"{seed}|ids").randbytes)
        self._queue: list[tuple[datetime, int, Happening]] = []
        self._count = 0
        self._news: deque[Heard] = deque()

    # The server

    async def set_up(self, change: DirectoryChange) -> None:
        """Fill the directory of a new installation; the server does not run yet.

        Raises:
            ConfigError: The file holds a journal or people already.
        """
        store = self._open_store()
        await store.open()
        try:
            if store.head()[1] or store.all_areas():
                raise ConfigError("--store", "", f"{self._path} is in use; the day needs a file of its own")
            await store.commit(Commit(changes=(change,)))
        finally:
            await store.close()

    async def start(self) -> None:
        """Start the server: open the file, read back what is open, run."""
        self.store = self._open_store()
        await self.store.open()
        snapshot = await self.store.load()
        self.began = self.clock.now()
        self.engine = DispatchEngine(RULES, PolicySet(snapshot.policies), self.began)
        self.hub = Hub(self.engine, self.store, self.clock, ids=self._ids, timezone=ZONE)
        await self.hub.recover(snapshot)
        self._serving = asyncio.gather(self.hub.run(), self._follow(self.hub.committed.subscribe()))
        self._counting = asyncio.create_task(self.hub.kpi.run())

    async def stop(self) -> None:
        """Stop it in order: everything that waits is committed, then the file is closed."""
        self.mark_alive()
        self.hub.stop()
        await self._serving
        self._counting.cancel()
        await asyncio.wait([self._counting])
        await self.store.close()
        self.runs.append((self.began, self.clock.now()))

    def mark_alive(self) -> None:
        """Note that this run of the server is alive."""
        self.hub.mark_seen(RUN, self.began.isoformat())

    def _open_store(self) -> SqliteStore:
        return SqliteStore(self._path, salt=self._salt)

    async def _follow(self, followed: Subscription) -> None:
        async for news in followed:
            if news is None:
                raise EngineFault("the day fell behind its own server")
            self._news.append(Heard(self.clock.now(), news, self.store.head()[1]))

    # Time

    def now(self) -> datetime:
        """Engine time, aware UTC."""
        return self.clock.now()

    def at(self, at: datetime, happens: Happening) -> None:
        """Let something happen then, or as soon as the server runs again."""
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, happens))

    def after(self, seconds: float, happens: Happening) -> None:
        """Let something happen in so many seconds."""
        self.at(self.now() + timedelta(seconds=seconds), happens)

    async def play(self, until: datetime) -> None:
        """Let everything happen in its order up to then: at each instant deadlines first, as in the server."""
        while (at := self._next_at()) is not None and at <= until:
            self.clock.advance_to(max(at, self.now()))
            await self._settle()
            while self._queue and self._queue[0][0] <= self.now():
                _, _, happens = heapq.heappop(self._queue)
                await happens()
                await self._settle()
        self.clock.advance_to(until)
        await self._settle()

    def _next_at(self) -> datetime | None:
        times = [self._queue[0][0]] if self._queue else []
        wake = self.clock.next_wake()
        return min([*times, wake] if wake is not None else times, default=None)

    async def _settle(self) -> None:
        """Wait until nothing is left to do at this instant, and hear what came of it."""
        while True:
            # No sign of life of nobody: it is answered after everything that was due.
            await self.hub.submit(DevicesHeard(id="nobody", actor=SYSTEM, devices=()))
            if (due_at := self.engine.next_due()) is None or due_at > self.now():
                break
        for _ in range(PASSES):
            await asyncio.sleep(0)
        while self._news:
            heard = self._news.popleft()
            self.heard.append(heard)
            for listener in self.listeners:
                listener(heard.news)

    # Speaking with it

    def new_id(self) -> str:
        """The id of a new event."""
        return self.hub.new_id()

    async def tell(self, event: Event) -> Answer:
        """Submit an event; the answer is that of the server."""
        return await self.hub.submit(event)

    def incident(self, id: str) -> Incident | None:
        """An incident as REST shows it."""
        document = self.store.incident(id)
        return document.incident if document is not None else None
