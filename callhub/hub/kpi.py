"""The figures of how calls are answered: kept live as rows are committed, and counted again from the journal alone.

Rules of this file:
1. Both fold the same rows with the same code; what a live book missed it reads from the journal, each row once.
2. The event loop never waits for a long journal: rows are read and decoded in pages by another thread, and reports are
   made there from frozen records.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from callhub.domain.kpi import CaseBook, Wanted, figures, report
from callhub.domain.policy import IncidentClass
from callhub.errors import InvalidMessage, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from callhub.clock import Clock
    from callhub.domain.facts import Row
    from callhub.domain.kpi import Case
    from callhub.metrics import KpiMetrics
    from callhub.store.base import Store

KEEP_DAYS = 31
"""How far back the live book goes. A district has a few hundred incidents a day, about 1.5 KB each."""
SHOWN_HOURS = 24
"""The period of the metrics, up to now."""
PAGE_ROWS = 100
"""Rows read at once: 2 to 5 ms of another thread's work, folded in 1 ms."""
RETRY_S = 60.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Counted:
    """A report and the journal seq it is true at."""

    seq: int
    figures: dict[str, Any]


class LiveKpi:
    """The book of incidents of the last ``KEEP_DAYS`` days, up to date with every commit.

    It begins behind a journal that is not empty; ``run`` catches up.

    Args:
        store: Asked for what was not seen.
        clock: Engine time.
        timezone: Where the hours of the day are meant.
    """

    def __init__(self, store: Store, clock: Clock, timezone: tzinfo) -> None:
        self._store = store
        self._clock = clock
        self.timezone = timezone
        self._book = CaseBook()
        self._since = clock.now() - timedelta(days=KEEP_DAYS)
        self._missed = asyncio.Event()
        self._head = 0
        self.seq = 0

    def committed(self, rows: Sequence[Row], seq: int) -> None:
        """These rows were committed, and ``seq`` is that of the last one."""
        self._head = seq
        if seq - len(rows) > self.seq:
            self._missed.set()
        elif seq > self.seq:
            self._fold(zip(range(seq - len(rows) + 1, seq + 1), rows, strict=True))

    async def run(self) -> None:
        """Catch up now and whenever rows were missed; until cancelled."""
        while True:
            self._missed.clear()
            try:
                await self._catch_up()
            except StoreError as wrong:
                _log.error("kpi_behind", seq=self.seq, why=wrong.message)
                await self._clock.sleep_until(self._clock.now() + timedelta(seconds=RETRY_S))
            else:
                await self._missed.wait()

    @property
    def rows_behind(self) -> int:
        """Journal rows that are not counted yet, as far as is known."""
        return max(self._head - self.seq, 0)

    async def report(self, wanted: Wanted) -> Counted:
        """The figures of a period, from the book.

        Raises:
            InvalidMessage: The period begins before the book.
        """
        if wanted.since < self._since:
            raise InvalidMessage("from", f"the live figures begin at {self._since.isoformat()}; leave out source")
        seq = self.seq
        made = await asyncio.to_thread(report, self._book.cases(), wanted, self._book.at, self.timezone)
        return Counted(seq, made)

    async def show(self, metrics: KpiMetrics) -> None:
        """Set the metrics to the figures of the last ``SHOWN_HOURS`` hours."""
        metrics.rows_behind.set(self.rows_behind)
        since = self._clock.now() - timedelta(hours=SHOWN_HOURS)
        made = await asyncio.to_thread(_by_class, self._book.cases(), since, self._book.at or since)
        for class_, of_class in made.items():
            _show(metrics, class_, of_class)

    async def _catch_up(self) -> None:
        self._head = max(self._head, self._store.head()[1])
        if self.seq == 0:
            first = await first_after(self._store, self._since)
            self.seq = max(self.seq, first)
        while page := await self._store.journal(self.seq, PAGE_ROWS):
            self._fold(page)
            await asyncio.sleep(0)

    def _fold(self, rows: Iterable[tuple[int, Row]]) -> None:
        for seq, row in rows:
            if seq > self.seq:  # a commit may have brought what was being read
                self._book.fold(row)
                self.seq = seq
        kept = self._clock.now() - timedelta(days=KEEP_DAYS)
        if kept > self._since:
            self._since = kept
            self._book.forget_before(kept)


async def recount(store: Store, wanted: Wanted, timezone: tzinfo) -> Counted:
    """The figures of a period from the journal alone, up to where it stands now; about 40 us a row since its begin."""
    _, head = store.head()
    seq = await first_after(store, wanted.since)
    book = CaseBook()
    while seq < head and (page := await store.journal(seq, min(PAGE_ROWS, head - seq))):
        for _, row in page:
            book.fold(row)
        seq = page[-1][0]
        await asyncio.sleep(0)
    return Counted(head, await asyncio.to_thread(report, book.cases(), wanted, book.at, timezone))


async def first_after(store: Store, at: datetime) -> int:
    """The seq before the first journal row that is not older than ``at``: no row is older than the one before it."""
    low, high = 0, store.head()[1]
    while low < high:
        middle = (low + high) // 2
        ((_, row),) = await store.journal(middle, 1)
        if row.at < at:
            low = middle + 1
        else:
            high = middle
    return low


def _by_class(cases: Iterable[Case], since: datetime, at: datetime) -> dict[str, dict[str, Any]]:
    found: dict[str, list[Case]] = {class_.value: [] for class_ in IncidentClass if class_ is not IncidentClass.DRILL}
    for case in cases:
        if case.opened_at >= since:
            found[case.class_.value].append(case)
    return {class_: figures(members, at) for class_, members in found.items()}


def _show(metrics: KpiMetrics, class_: str, made: dict[str, Any]) -> None:
    metrics.incidents.labels(class_).set(made["incidents"])
    metrics.unclosed.labels(class_).set(made["unclosed"]["count"])
    metrics.unanswered.labels(class_).set(made["unanswered"])
    metrics.first_time_delivery.labels(class_).set(_number(made["first_time_delivery"]["share"]))
    for limit_s in ("60", "180"):
        share = made["answered"][f"within_{limit_s}_s"]["share"]
        metrics.answered.labels(class_, limit_s).set(_number(share))
    for gauge, name in ((metrics.acceptance_seconds, "acceptance"), (metrics.arrival_seconds, "arrival")):
        for quantile, key in (("0.5", "p50_s"), ("0.9", "p90_s"), ("0.95", "p95_s")):
            gauge.labels(class_, quantile).set(_number(made[name][key]))


def _number(value: float | None) -> float:
    """What Prometheus shows for a figure that there is none of."""
    return math.nan if value is None else value
