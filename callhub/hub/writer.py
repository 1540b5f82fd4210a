"""Decides and commits, and gets over whatever the store says.

Rules of this file:
1. A ticket leaves with its answer only after the commit that holds it.
2. A commit that failed leaves no trace: the engine is made anew from the store before anything is tried again.
3. What is refused together is tried one by one; an alarm that is refused alone takes the minimal path.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, timedelta
from itertools import chain, repeat
from typing import TYPE_CHECKING

import structlog

from callhub.domain.decision import Answer
from callhub.domain.events import DirectoryUpdated
from callhub.domain.supervision import WATCHED, DevicesHeard
from callhub.errors import ErrorCode, InternalError, StoreUnavailable
from callhub.hub.batch import Batch, has_work
from callhub.hub.guard import Guard
from callhub.hub.ladders import Ladders
from callhub.hub.lookups import Known
from callhub.hub.pace import Pace
from callhub.store.base import Marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import tzinfo

    from callhub.clock import Clock
    from callhub.domain.decision import Announcement
    from callhub.domain.events import Event
    from callhub.hub.inbox import Ticket
    from callhub.hub.marks import MarkBook
    from callhub.hub.ports import Engine
    from callhub.hub.tally import Tally
    from callhub.store.base import Committed, Snapshot, Store

BACK_OFF_S = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Waits before attempts to reach the store; the last one repeats."""
STALL_S = 0.005
"""Deciding hands the event loop back after this, so that links stay responsive during a large batch."""

_log = structlog.get_logger(__name__)


class Writer:
    """The part of the hub between the inbox and the store.

    Args:
        engine: Decides.
        store: Open.
        clock: Engine time.
        marks: Flushed along with each commit.
        tally: Observes.
        publish: Called with the news of each commit.
        reloaded: Called whenever the engine was made anew.
        timezone: Zone of ``hours`` in ladders.
    """

    def __init__(
        self,
        engine: Engine,
        store: Store,
        clock: Clock,
        marks: MarkBook,
        tally: Tally,
        publish: Callable[[Announcement], None],
        reloaded: Callable[[], None],
        timezone: tzinfo = UTC,
    ) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self._marks = marks
        self._tally = tally
        self._publish = publish
        self._reloaded = reloaded
        self._timezone = timezone
        self._guard: Guard | None = None
        self._failures = 0
        self.pace = Pace()
        self.ready = False

    async def load(self, *, after_failure: bool = False) -> None:
        """Make the engine anew from the store; waits for the store as long as it takes.

        ``after_failure``: it just could not be reached, so wait before the first attempt too.
        """
        self.start_from(await self._snapshot(self._waits(after_failure)))

    def start_from(self, snapshot: Snapshot) -> None:
        """Make the engine anew from what the store holds."""
        for id_ in self._engine.restore(snapshot, self._clock.now()):
            self._hold(id_)
        ladders = Ladders(snapshot.policies, snapshot.policies_known, self._timezone)
        self._guard = Guard(self._engine, ladders, snapshot.last_number, self._tally)
        self._tally.restarted(i for id_ in snapshot.rows if (i := self._engine.incident(id_)) is not None)
        for device in snapshot.supervised:
            if device.watched_at is None:  # imported while no server ran: its silence counts from this start
                self._marks.seen(WATCHED, device.device, self._clock.now())
        self._reloaded()
        self.ready = True

    def _hold(self, id_: str) -> None:
        """Go on with the committed state of an incident that cannot be replayed; failing that, without it, loudly.

        Then the auditor finds it overdue, and the server says that it is not ready.
        """
        _log.critical("incident_not_replayed", incident_id=id_)
        try:
            document = self._store.incident(id_)
            if document is not None:
                self._engine.hold(document.incident, document.places)
        except Exception:
            _log.exception("incident_not_held", incident_id=id_)

    async def settle(self, tickets: Sequence[Ticket], *, flush: bool = False) -> None:
        """Decide and commit all of them in one transaction; on return each has its answer.

        The marks go along if there is anything to write, and with ``flush`` in any case.
        """
        if await self._try(tickets, flush=flush):
            return
        for ticket in tickets:
            await self._settle_alone(ticket)

    async def _settle_alone(self, ticket: Ticket) -> None:
        if await self._try([ticket], alone=True) or await self._try([ticket], alone=True, minimal=True):
            return
        _log.critical("event_not_recorded", event_id=ticket.event.id, event_type=type(ticket.event).__name__)
        error = InternalError(ticket.event.id)
        body = {"message": error.message, "field": None}
        ticket.resolve(Answer(body=body, code=ErrorCode.INTERNAL))

    async def _try(
        self, tickets: Sequence[Ticket], *, flush: bool = False, alone: bool = False, minimal: bool = False
    ) -> bool:
        """Commit once; False when the store refused it, with the engine made anew. ``alone``: without marks."""
        while True:
            marks = Marks()
            try:
                batch = await self._decide(tickets, minimal=minimal)
                commit = batch.commit(self._engine)
                if flush or (has_work(commit) and not alone):
                    marks = self._marks.take()
                    # What the decisions left is in no book: a commit that failed must leave none of it.
                    commit = replace(commit, marks=replace(marks, seen=marks.seen | commit.marks.seen))
                started_s = self._clock.elapsed_s()
                committed = await self._store.commit(commit) if has_work(commit) else None
            except StoreUnavailable as gone:
                self.ready = False
                _log.error("store_unavailable", why=gone.message, events=len(tickets))
                self._marks.put_back(marks, self._clock.now())
                await self.load(after_failure=True)
            except Exception:
                # A constraint, or bytes that cannot be stored: whatever it is, nothing was written.
                _log.exception("batch_refused", events=len(tickets), minimal=minimal)
                self._tally.refused_batch()
                if any(not isinstance(ticket.event, DevicesHeard) for ticket in tickets):
                    # Marks that are refused by themselves as well are dropped: they are not facts.
                    self._marks.put_back(marks, self._clock.now())
                await self.load()
                return False
            else:
                self._failures = 0
                if committed is not None:
                    took_s = self._clock.elapsed_s() - started_s
                    self._tally.committed(commit, committed.seq, len(tickets), took_s)
                await self._speak(batch, committed)
                return True

    async def _speak(self, batch: Batch, committed: Committed | None) -> None:
        """Answer and announce. The batch is durable now: nothing here may lead to a second attempt."""
        for ticket, answer in batch.answers:
            self._tally.answered(ticket.event, answer)
            ticket.resolve(answer)
        if committed is not None and (news := batch.announcement(committed)) is not None:
            self._publish(news)
        if batch.engine_is_behind:
            await self.load()

    async def _decide(self, tickets: Sequence[Ticket], *, minimal: bool) -> Batch:
        if self._guard is None:
            raise RuntimeError("recover() comes before run()")
        batch = Batch(self._clock.now())
        known = None if minimal else self._known([ticket.event for ticket in tickets])
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        pause_at_s = began_s + STALL_S
        for ticket in tickets:
            if loop.time() > pause_at_s:
                await asyncio.sleep(0)
                pause_at_s = loop.time() + STALL_S
            event = self._completed_alone(ticket.event) if known is None else known.complete(ticket.event)
            decide = self._guard.minimal if minimal or ticket.minimal else self._guard.decide
            outcome = decide(event, batch.now)
            for kept in batch.add(ticket, event, outcome):
                if known is not None:
                    known.answered(kept)
            if isinstance(event, DirectoryUpdated) and outcome.decision.answer.code is None:
                self._guard.ladders.replace(event.policies)
                if known is not None and event.change is not None:
                    known.changed(event.change)
        self.pace.took(len(tickets), loop.time() - began_s)
        return batch

    def _known(self, events: Sequence[Event]) -> Known:
        return Known(self._store, events, self._engine.incident, self._engine.open_incidents)

    def _completed_alone(self, event: Event) -> Event:
        """On the minimal path nothing may fail, not even a lookup."""
        try:
            return self._known([event]).complete(event)
        except Exception:
            _log.exception("lookup_failed", event_id=event.id)
            return event

    async def _snapshot(self, waits_s: Iterator[float]) -> Snapshot:
        for wait_s in waits_s:
            if wait_s:
                await self._clock.sleep_until(self._clock.now() + timedelta(seconds=wait_s))
            try:
                snapshot = await self._store.load()
            except StoreUnavailable as gone:
                self.ready = False
                _log.warning("store_unavailable", why=gone.message)
            else:
                return snapshot
        raise AssertionError("the waits never end")

    def _waits(self, after_failure: bool) -> Iterator[float]:
        """Seconds before each attempt: growing, and growing on while commits keep failing right after a load."""
        self._failures = self._failures + 1 if after_failure else 0
        waits = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1) :]
        return chain(waits, repeat(BACK_OFF_S[-1]))
