"""The independent check of two laws: no open incident is without a deadline, and none is overdue for long.

Rules of this file: it reads committed documents alone and knows nothing of how deadlines are made, so that a defect
in the engine or the loop cannot hide from it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from callhub.errors import StoreError
from callhub.store.base import Filter

if TYPE_CHECKING:
    from datetime import datetime

    from callhub.clock import Clock
    from callhub.domain.incident import Incident
    from callhub.metrics import Metrics
    from callhub.store.base import Store

PERIOD_S = 1.0
OVERDUE_S_MAX = 5.0
"""A deadline later than this was missed; the law is one cycle of the loop, and a busy disk takes its time."""
SHARE = 20
"""Between audits pass at least this many times what the last one took: a twentieth of a core with anything open."""
PAGE = 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Breach:
    """An open incident that waits for nothing (``overdue_s`` None), or for something that did not happen."""

    incident: str
    overdue_s: float | None


class Auditor:
    """Looks at every open incident, again and again.

    Args:
        store: Open.
        clock: Engine time.
        metrics: Shows the number of breaches.
        period_s: Engine seconds between audits, at least.
        overdue_s_max: How late a deadline may be.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        period_s: float = PERIOD_S,
        overdue_s_max: float = OVERDUE_S_MAX,
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._period_s = period_s
        self._overdue_s_max = overdue_s_max
        self._told: set[str] = set()
        self._ok = True

    @property
    def ok(self) -> bool:
        """Whether the last audit found nothing; true before the first."""
        return self._ok

    async def run(self) -> None:
        """Audit until cancelled."""
        pause_s = self._period_s
        while True:
            await self._clock.sleep_until(self._clock.now() + timedelta(seconds=pause_s))
            began_s = self._clock.elapsed_s()
            try:
                await self.audit()
                pause_s = max(self._period_s, SHARE * (self._clock.elapsed_s() - began_s))
            except StoreError as gone:
                # The loop says loudly that the store is away; not to know is not to be well.
                self._ok = False
                _log.error("audit_failed", why=gone.message)

    async def audit(self) -> list[Breach]:
        """Check every open incident now; gives way to others between pages."""
        breaches: list[Breach] = []
        cursor: str | None = None
        while True:
            page = self._store.incidents(Filter(state="open"), PAGE, cursor)
            now = self._clock.now()
            breaches += [found for item in page.items if (found := self._breach(item.incident, now)) is not None]
            if (cursor := page.next) is None:
                break
            await asyncio.sleep(0)
        self._report(breaches)
        return breaches

    def _breach(self, incident: Incident, now: datetime) -> Breach | None:
        deadline = incident.next_deadline
        if deadline is None:
            return Breach(incident.id, None)
        overdue_s = (now - deadline.at).total_seconds()
        return Breach(incident.id, overdue_s) if overdue_s > self._overdue_s_max else None

    def _report(self, breaches: list[Breach]) -> None:
        self._ok = not breaches
        self._metrics.auditor_missed.set(len(breaches))
        self._metrics.auditor_checked.set(self._clock.now().timestamp())
        for breach in breaches:
            if breach.incident not in self._told:
                _log.critical("deadline_missed", incident_id=breach.incident, overdue_s=breach.overdue_s)
        self._told = {breach.incident for breach in breaches}
