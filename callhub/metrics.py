"""What callhub counts about itself, in the text format of Prometheus.

Rules of this file: no global registry, so that two servers in one process do not add up. Labels are stable codes of
bounded number (kinds, states, error codes), never ids of people, devices or incidents. Seconds are engine seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The ``Content-Type`` of ``Metrics.exposition``."""

COMMIT_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)
LATENESS_BUCKETS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 60)


@dataclass(frozen=True, slots=True)
class KpiMetrics:
    """How calls are answered: gauges over the last 24 h, by ``class``, as ``docs/kpi.md`` defines them.

    NaN where there is nothing to tell yet.

    Attributes:
        incidents: Opened in the period.
        answered: Share answered in time; label ``within_s``.
        acceptance_seconds: Time to the first acceptance; label ``quantile``.
        arrival_seconds: Time to the first arrival; label ``quantile``.
        unanswered: Those whose ladder ran out, if only for a while.
        unclosed: Those still open.
        first_time_delivery: Share of offers answered on their first sending.
        rows_behind: Journal rows not counted yet, after a start.
    """

    incidents: Gauge
    answered: Gauge
    acceptance_seconds: Gauge
    arrival_seconds: Gauge
    unanswered: Gauge
    unclosed: Gauge
    first_time_delivery: Gauge
    rows_behind: Gauge


@dataclass(frozen=True, slots=True)
class Metrics:
    """The collectors of one server; made by ``create_metrics``.

    Attributes:
        registry: Holds all of them.
        alarms: Alarms taken; labels ``kind``, ``duplicate`` (``yes``, ``no``).
        receipts: Receipts given after a commit.
        refusals: Refused requests; label ``code``.
        commits: Committed batches.
        commit_seconds: From handing a batch to the store to durable.
        batch_events: Events in a committed batch.
        lateness_seconds: How long after its deadline something was done.
        open_incidents: Incidents neither closed nor cancelled; label ``state``.
        unwatched_emergencies: Open emergencies that nobody watches: an alert while over 0.
        inbox_events: Events waiting for the loop.
        links: Links that are up; label ``kind`` (``gateway``, ``responder``).
        viewers: Consoles with an open stream.
        refused_batches: Batches the store refused and the loop retried event by event.
        engine_errors: Events on which the engine failed; each alarm among them is ``unanswered``.
        auditor_missed: Open incidents without a future deadline at the last audit: an alert while over 0.
        auditor_checked: Unix time of the last finished audit: an alert when it stands still.
        kpi: How calls are answered.
    """

    registry: CollectorRegistry
    alarms: Counter
    receipts: Counter
    refusals: Counter
    commits: Counter
    commit_seconds: Histogram
    batch_events: Histogram
    lateness_seconds: Histogram
    open_incidents: Gauge
    unwatched_emergencies: Gauge
    inbox_events: Gauge
    links: Gauge
    viewers: Gauge
    refused_batches: Counter
    engine_errors: Counter
    auditor_missed: Gauge
    auditor_checked: Gauge
    kpi: KpiMetrics

    def exposition(self) -> bytes:
        """All values as ``/metrics`` answers them."""
        return generate_latest(self.registry)


def create_metrics() -> Metrics:
    """The collectors of one server, in a registry of their own, all at zero."""
    registry = CollectorRegistry(auto_describe=True)

    def counter(name: str, says: str, *labels: str) -> Counter:
        return Counter(f"callhub_{name}", says, labels, registry=registry)

    def gauge(name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"callhub_{name}", says, labels, registry=registry)

    def histogram(name: str, says: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"callhub_{name}", says, registry=registry, buckets=buckets)

    return Metrics(
        registry=registry,
        alarms=counter("alarms_total", "Alarms taken.", "kind", "duplicate"),
        receipts=counter("receipts_total", "Receipts given, each after its commit."),
        refusals=counter("refusals_total", "Requests refused, by error code.", "code"),
        commits=counter("commits_total", "Batches committed."),
        commit_seconds=histogram("commit_seconds", "From handing a batch over to durable.", COMMIT_BUCKETS_S),
        batch_events=histogram("batch_events", "Events in a committed batch.", (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        lateness_seconds=histogram("deadline_lateness_seconds", "How late deadlines were done.", LATENESS_BUCKETS_S),
        open_incidents=gauge("open_incidents", "Incidents neither closed nor cancelled.", "state"),
        unwatched_emergencies=gauge("unwatched_emergencies", "Open emergencies that nobody watches."),
        inbox_events=gauge("inbox_events", "Events waiting for the loop."),
        links=gauge("links", "Links that are up.", "kind"),
        viewers=gauge("viewers", "Consoles with an open stream."),
        refused_batches=counter("refused_batches_total", "Batches the store refused, retried event by event."),
        engine_errors=counter("engine_errors_total", "Events on which the engine failed."),
        auditor_missed=gauge("auditor_missed_deadlines", "Open incidents without a future deadline."),
        auditor_checked=gauge("auditor_checked_timestamp_seconds", "When the last audit was finished."),
        kpi=KpiMetrics(
            incidents=gauge("kpi_incidents", "Opened in the last 24 h.", "class"),
            answered=gauge("kpi_answered_share", "Share answered in time.", "class", "within_s"),
            acceptance_seconds=gauge("kpi_acceptance_seconds", "To the first acceptance.", "class", "quantile"),
            arrival_seconds=gauge("kpi_arrival_seconds", "To the first arrival.", "class", "quantile"),
            unanswered=gauge("kpi_unanswered", "Those whose ladder ran out.", "class"),
            unclosed=gauge("kpi_unclosed", "Those still open.", "class"),
            first_time_delivery=gauge("kpi_first_time_delivery_share", "Offers answered at once.", "class"),
            rows_behind=gauge("kpi_rows_behind", "Journal rows not counted yet."),
        ),
    )
