"""The loop: takes due deadlines and waiting events, decides, commits once, answers, announces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.hub.ids import UuidSource
from callhub.hub.ports import NoMetrics
from callhub.hub.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from callhub.clock import Clock
    from callhub.domain.decision import Answer
    from callhub.domain.events import Event
    from callhub.domain.messages import Addressee
    from callhub.hub.ports import Engine, HubMetrics
    from callhub.store.base import Store

INBOX_EVENTS_MAX = 10_000
"""Events that may wait; about 2 KB each."""


class Hub:
    """The only writer: see the package's docstring.

    Args:
        engine: Decides; only this hub calls it.
        store: Open.
        clock: Engine time.
        metrics: Observes; nothing by default.
        ids: Makes time-ordered ids.
        inbox_events_max: How many submitted events may wait before ``submit`` waits for room.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        clock: Clock,
        metrics: HubMetrics | None = None,
        ids: Callable[[datetime], str] | None = None,
        inbox_events_max: int = INBOX_EVENTS_MAX,
    ) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self._metrics: HubMetrics = metrics or NoMetrics()
        self._ids = ids or UuidSource()
        self._inbox_events_max = inbox_events_max
        self.committed = Stream()
        self.ready = False

    def now(self) -> datetime:
        """Engine time, aware UTC."""
        return self._clock.now()

    def new_id(self) -> str:
        """A new time-ordered id (UUIDv7)."""
        return self._ids(self._clock.now())

    async def submit(self, event: Event) -> Answer:
        """Decide ``event`` and return its answer once that is durable; waits for room in the inbox, refuses nothing.

        A refusal is an answer with ``code``.

        Raises:
            StoreUnavailable: The hub has stopped; nothing was recorded.
        """
        raise NotImplementedError

    def notice(self, event: Event) -> None:
        """Take what has no answer: ``LinkChanged PositionSeen WatchersChanged``. Never waits, never dropped."""
        raise NotImplementedError

    def mark_seen(self, kind: str, id: str) -> None:
        """A ``device``, ``gateway`` or ``responder`` showed a sign of life; flushed within a second."""
        raise NotImplementedError

    def mark_device(self, id: str, health: dict[str, Any]) -> None:
        """A device reported its health (battery, rssi, faults ...); flushed within a second."""
        raise NotImplementedError

    def confirm(self, addressee: Addressee, seq: int) -> None:
        """The client has everything up to ``seq``, at most what was given out; flushed within a second."""
        raise NotImplementedError

    async def recover(self) -> None:
        """Load the engine from the store; call before ``run``."""
        raise NotImplementedError

    async def run(self) -> None:
        """Run until ``stop`` was called and the inbox is drained and committed."""
        raise NotImplementedError

    def stop(self) -> None:
        """Take nothing more than what already waits, and end."""
        raise NotImplementedError
