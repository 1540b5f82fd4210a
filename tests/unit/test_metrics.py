"""Metrics: one registry for each server, stable names, an exposition that can be read back."""

from __future__ import annotations

from dataclasses import fields

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from callhub.metrics import CONTENT_TYPE, KpiMetrics, Metrics, create_metrics

NAMES = {
    "callhub_alarms",
    "callhub_receipts",
    "callhub_refusals",
    "callhub_commits",
    "callhub_commit_seconds",
    "callhub_batch_events",
    "callhub_deadline_lateness_seconds",
    "callhub_open_incidents",
    "callhub_unwatched_emergencies",
    "callhub_inbox_events",
    "callhub_links",
    "callhub_viewers",
    "callhub_refused_batches",
    "callhub_engine_errors",
    "callhub_auditor_missed_deadlines",
    "callhub_auditor_checked_timestamp_seconds",
    "callhub_kpi_incidents",
    "callhub_kpi_answered_share",
    "callhub_kpi_acceptance_seconds",
    "callhub_kpi_arrival_seconds",
    "callhub_kpi_unanswered",
    "callhub_kpi_unclosed",
    "callhub_kpi_first_time_delivery_share",
    "callhub_kpi_rows_behind",
}


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_names_are_stable_and_in_the_registry() -> None:
    metrics = create_metrics()
    assert {family.name for family in metrics.registry.collect()} == NAMES
    beside = {"registry", "kpi"}
    assert len(fields(Metrics)) + len(fields(KpiMetrics)) == len(NAMES) + len(beside)


def test_what_is_counted_is_exposed() -> None:
    metrics = create_metrics()
    metrics.alarms.labels(kind="sos", duplicate="no").inc()
    metrics.open_incidents.labels(state="seeking").set(3)
    metrics.commit_seconds.observe(0.0015)
    text = metrics.exposition().decode()
    assert CONTENT_TYPE.startswith("text/plain")
    assert 'callhub_alarms_total{duplicate="no",kind="sos"} 1.0' in text
    assert 'callhub_open_incidents{state="seeking"} 3.0' in text
    assert value(metrics, "callhub_commit_seconds_bucket", le="0.002") == 1
    assert value(metrics, "callhub_commit_seconds_bucket", le="0.001") == 0
    exposed = {family.name for family in text_string_to_metric_families(text)}
    assert {name for name in exposed if not name.endswith("_created")} == NAMES


def test_servers_do_not_share_counts() -> None:
    one, other = create_metrics(), create_metrics()
    one.commits.inc()
    assert (value(one, "callhub_commits_total"), value(other, "callhub_commits_total")) == (1, 0)
    assert not [family for family in REGISTRY.collect() if family.name.startswith("callhub")]


def test_labels_are_named() -> None:
    with pytest.raises(ValueError, match="label"):
        create_metrics().links.labels(person="V-1")
