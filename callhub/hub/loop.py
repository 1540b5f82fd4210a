"""The loop: takes due deadlines and waiting events, and has them decided and committed, one batch at a time.

A batch is handed over at the end of a pass of the event loop: everything that arrived in that pass is in it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from callhub.domain.events import PositionSeen, PresenceSaid
from callhub.domain.people import SYSTEM
from callhub.domain.supervision import DevicesHeard
from callhub.errors import StoreUnavailable
from callhub.hub.deadlines import Deadlines
from callhub.hub.gathering import gather
from callhub.hub.hearing import HEARD_S, Hearing
from callhub.hub.ids import UuidSource
from callhub.hub.inbox import Inbox, Ticket
from callhub.hub.kpi import LiveKpi
from callhub.hub.marks import MarkBook
from callhub.hub.presence import Presence, duty_moved_by
from callhub.hub.stream import Stream
from callhub.hub.tally import Tally
from callhub.hub.timekeeper import Timekeeper
from callhub.hub.writer import Writer
from callhub.metrics import create_metrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from callhub.clock import Clock
    from callhub.domain.decision import Answer
    from callhub.domain.events import Event
    from callhub.domain.messages import Addressee
    from callhub.hub.ports import Engine
    from callhub.metrics import Metrics
    from callhub.store.base import Snapshot, Store

INBOX_EVENTS_MAX = 10_000
"""Events that may wait; about 2 KB each."""
BATCH_EVENTS_MAX = 512
"""Events in one commit; beyond that a commit gets longer, and hardly cheaper per event."""
DEADLINES_MAX = 256
"""Deadlines in one commit, so that a restart with thousands overdue leaves room for presses."""
FLUSH_S = 1.0
"""Marks are written at the latest after this."""


class Hub:
    """The only writer: see the package's docstring.

    Args:
        engine: Decides; only this hub calls it.
        store: Open.
        clock: Engine time.
        metrics: Observes; a set of its own by default.
        ids: Makes time-ordered ids.
        inbox_events_max: How many submitted events may wait before ``submit`` waits for room.
        batch_events_max: How many events are decided and committed together.
        timezone: Zone of ``hours`` in ladders.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        clock: Clock,
        metrics: Metrics | None = None,
        ids: Callable[[datetime], str] | None = None,
        inbox_events_max: int = INBOX_EVENTS_MAX,
        batch_events_max: int = BATCH_EVENTS_MAX,
        timezone: tzinfo = UTC,
    ) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self.kpi = LiveKpi(store, clock, timezone)
        self._tally = Tally(metrics or create_metrics(), self.kpi)
        self._ids = ids or UuidSource()
        self._batch_events_max = batch_events_max
        self._work = asyncio.Event()
        self._inbox = Inbox(inbox_events_max, self._work.set)
        self._marks = MarkBook()
        self._hearing = Hearing()
        self._presence = Presence()
        self._duty_before: dict[str, bool] = {}
        self._deadlines = Deadlines(engine)
        self._stopping = self._ended = False
        self.committed = Stream()
        self._writer = Writer(
            engine, store, clock, self._marks, self._tally, self.committed.publish, self._tell_presence, timezone
        )

    @property
    def ready(self) -> bool:
        """Whether recovery is complete and the store can be reached."""
        return self._writer.ready and not self._stopping

    def now(self) -> datetime:
        """Engine time, aware UTC."""
        return self._clock.now()

    def new_id(self) -> str:
        """A new time-ordered id (UUIDv7)."""
        return self._ids(self._clock.now())

    def on_duty(self, responder: str) -> bool:
        """Whether a responder is on duty now, by presence or by hours; what is not durable yet does not count."""
        before = self._duty_before.get(responder)
        return self._engine.on_duty(responder, self._clock.now()) if before is None else before

    async def submit(self, event: Event) -> Answer:
        """Decide ``event`` and return its answer once that is durable; waits for room in the inbox, refuses nothing.

        A refusal is an answer with ``code``.

        Raises:
            StoreUnavailable: The hub has stopped; nothing was recorded.
        """
        if self._ended:
            raise StoreUnavailable("the server is stopping")
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        ticket = Ticket(event, done)
        self._note_position(event)
        await self._inbox.put(ticket)
        if self._ended:  # while it waited for room
            raise StoreUnavailable("the server is stopping")
        return await done

    def notice(self, event: Event) -> None:
        """Take what nobody waits to hear of, such as a link or a watcher that came. Never waits, never dropped."""
        self._presence.note(event)
        self._inbox.put_notice(event)
        self._note_position(event)

    def mark_seen(self, kind: str, id: str) -> None:
        """A ``device``, ``gateway`` or ``responder`` showed a sign of life; flushed within a second."""
        self._note_mark()
        now = self._clock.now()
        self._marks.seen(kind, id, now)
        if kind == "device":
            self._hearing.seen(id, now)

    def mark_device(self, id: str, health: dict[str, Any]) -> None:
        """A device reported its health (battery, rssi, faults ...); flushed within a second."""
        self._note_mark()
        now = self._clock.now()
        self._marks.device(id, health, now)
        self._hearing.health(id, health, now)

    def confirm(self, addressee: Addressee, seq: int) -> None:
        """The client has everything up to ``seq``, at most what was given out; flushed within a second."""
        # Clamped now: by the time of the flush more may have been given out, which the client has not seen.
        _, given_out = self._store.outbox_head(addressee)
        self._note_mark()
        self._marks.confirmed(addressee, min(seq, given_out), self._clock.now())

    def confirmed(self, addressee: Addressee) -> int:
        """Up to where the client confirmed what the store does not know yet; 0: the store knows all of it."""
        return self._marks.confirmed_up_to(addressee)

    async def recover(self, snapshot: Snapshot | None = None) -> None:
        """Load the engine from the store; call before ``run``. Waits for a store that cannot be reached.

        Args:
            snapshot: What the store holds, where the caller has just loaded it.
        """
        if snapshot is None:
            await self._writer.load()
        else:
            self._writer.start_from(snapshot)

    async def run(self) -> None:
        """Run until ``stop`` was called and the inbox is drained and committed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                keeper = Timekeeper(self._clock, self._work.set, tasks)
                while not self._stopping or len(self._inbox):
                    await self._cycle()
                    await self._rest(keeper)
                keeper.disarm()
                await self._writer.settle((), flush=True)
        finally:
            self._end()

    def stop(self) -> None:
        """Take nothing more than what already waits, and end."""
        self._stopping = True
        self._work.set()

    async def _cycle(self) -> None:
        """One batch: due deadlines first, then what waits in the inbox."""
        now = self._clock.now()
        tickets = self._heard(now) + self._due(now)
        tickets += gather(self._inbox.take(self._writer.pace.at_most(self._batch_events_max)), self.new_id)
        self._tally.inbox(len(self._inbox))
        flush = self._marks.since is not None and now >= self._flush_at(self._marks.since)
        if not tickets and not flush:
            return
        moved = dict.fromkeys(id_ for ticket in tickets for id_ in duty_moved_by(ticket.event))
        self._duty_before = {id_: self._engine.on_duty(id_, now) for id_ in moved}
        try:
            await self._writer.settle(tickets, flush=flush)
        except BaseException:
            # Nobody will answer these any more, and nobody may wait for ever. Those that have an answer keep it.
            for ticket in tickets:
                ticket.fail(StoreUnavailable("the server ended before it could say whether this was recorded"))
            raise
        finally:
            self._duty_before = {}

    def _heard(self, now: datetime) -> list[Ticket]:
        """Who was heard, before it is decided who is silent."""
        since, due_at = self._hearing.since, self._engine.next_due()
        if since is None or (now < _heard_by(since) and (due_at is None or due_at > now)):
            return []
        return [Ticket(DevicesHeard(id=self._ids(now), actor=SYSTEM, devices=self._hearing.take()))]

    def _due(self, now: datetime) -> list[Ticket]:
        tickets = []
        for event, ref in self._deadlines.take(now, self._ids, self._writer.pace.at_most(DEADLINES_MAX)):
            stuck = self._deadlines.is_stuck(ref)
            if stuck:
                self._deadlines.postpone(ref, now)
            else:
                self._tally.late((now - ref.at).total_seconds())
            tickets.append(Ticket(event, minimal=stuck))
        return tickets

    async def _rest(self, keeper: Timekeeper) -> None:
        """Wait until there is something to do."""
        wakes = [self._deadlines.wake_at(self._clock.now())]
        if self._marks.since is not None:
            wakes.append(self._flush_at(self._marks.since))
        if self._hearing.since is not None:
            wakes.append(_heard_by(self._hearing.since))
        wake_at = min((at for at in wakes if at is not None), default=None)
        if len(self._inbox) or self._stopping or (wake_at is not None and wake_at <= self._clock.now()):
            await asyncio.sleep(0)  # everybody else gets their turn, also when no batch waited for the disk
            return
        keeper.arm(wake_at)
        self._work.clear()
        await self._work.wait()

    @staticmethod
    def _flush_at(since: datetime) -> datetime:
        return since + timedelta(seconds=FLUSH_S)

    def _note_mark(self) -> None:
        if self._marks.since is None or self._hearing.since is None:
            self._work.set()

    def _note_position(self, event: Event) -> None:
        if isinstance(event, PositionSeen | PresenceSaid) and event.position is not None:
            self._marks.position(event.responder, event.position, self._clock.now())

    def _tell_presence(self) -> None:
        for event in self._presence.events():
            self._inbox.put_notice(event)

    def _end(self) -> None:
        self._ended = True
        for ticket in self._inbox.take(len(self._inbox)):
            ticket.fail(StoreUnavailable("the server is stopping"))
        self.committed.close()


def _heard_by(since: datetime) -> datetime:
    return since + timedelta(seconds=HEARD_S)
