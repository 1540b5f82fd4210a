"""What the loop counts about itself and about what is open."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from callhub.domain.events import AlarmRaised
from callhub.domain.incident import ENDED, IncidentState
from callhub.domain.policy import IncidentClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from callhub.domain.decision import Answer
    from callhub.domain.events import Event
    from callhub.domain.incident import Incident
    from callhub.hub.kpi import LiveKpi
    from callhub.metrics import Metrics
    from callhub.store.base import Commit


class Tally:
    """Keeps ``metrics`` and ``kpi`` up to date; the gauges of open incidents follow what was committed."""

    def __init__(self, metrics: Metrics, kpi: LiveKpi) -> None:
        self._metrics = metrics
        self._kpi = kpi
        self._open: dict[str, tuple[IncidentState, bool]] = {}
        self._states: Counter[IncidentState] = Counter()
        self._unwatched = 0

    def inbox(self, events: int) -> None:
        """So many events wait."""
        self._metrics.inbox_events.set(events)

    def late(self, seconds: float) -> None:
        """A deadline was taken up this long after it was due."""
        self._metrics.lateness_seconds.observe(seconds)

    def engine_failed(self) -> None:
        """The engine raised on an event."""
        self._metrics.engine_errors.inc()

    def refused_batch(self) -> None:
        """The store refused a batch."""
        self._metrics.refused_batches.inc()

    def committed(self, commit: Commit, seq: int, events: int, seconds: float) -> None:
        """A commit took so long; ``seq`` is the journal's after it, ``events`` 0: marks alone."""
        self._kpi.committed(commit.rows, seq)
        self._metrics.commits.inc()
        self._metrics.commit_seconds.observe(seconds)
        if events:
            self._metrics.batch_events.observe(events)
        for document in commit.documents:
            self._count(document.incident)
        self._show()

    def answered(self, event: Event, answer: Answer) -> None:
        """An answer is given."""
        if answer.code is not None:
            self._metrics.refusals.labels(code=answer.code).inc()
        elif isinstance(event, AlarmRaised):
            duplicate = "yes" if answer.body.get("duplicate") else "no"
            self._metrics.alarms.labels(kind=event.kind, duplicate=duplicate).inc()
            self._metrics.receipts.inc()

    def restarted(self, incidents: Iterable[Incident]) -> None:
        """Count anew: exactly these are open."""
        self._open.clear()
        self._states.clear()
        self._unwatched = 0
        for incident in incidents:
            self._count(incident)
        self._show()

    def _count(self, incident: Incident) -> None:
        before = self._open.pop(incident.id, None)
        if before is not None:
            self._states[before[0]] -= 1
            self._unwatched -= before[1]
        if incident.is_open:
            unwatched = incident.unwatched and incident.class_ is IncidentClass.EMERGENCY
            self._open[incident.id] = (incident.state, unwatched)
            self._states[incident.state] += 1
            self._unwatched += unwatched

    def _show(self) -> None:
        for state in IncidentState:
            if state not in ENDED:
                self._metrics.open_incidents.labels(state=state.value).set(self._states[state])
        self._metrics.unwatched_emergencies.set(self._unwatched)
