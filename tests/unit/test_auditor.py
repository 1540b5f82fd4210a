"""The auditor sees what no other part may let happen."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from callhub.auditor import Auditor, Breach
from callhub.domain.incident import IncidentState
from callhub.errors import StoreUnavailable
from callhub.metrics import create_metrics
from callhub.store.base import Commit, Document, Filter, Page
from tests.unit.hub.scripted import START, STEP_S, Bench, passes


class Audited:
    """A store with three open incidents that nothing moves on, and its auditor."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.metrics = create_metrics()
        self.ids: list[str] = []

    async def fill(self) -> None:
        hub = await self.bench.start()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(hub.run())
            for _ in range(3):
                self.ids.append((await hub.submit(self.bench.alarm())).incident or "")
            hub.stop()
            await running
        self.auditor = Auditor(self.bench.store, self.bench.clock, self.metrics)

    def missed(self) -> float | None:
        return self.metrics.registry.get_sample_value("callhub_auditor_missed_deadlines")

    async def rewrite(self, id_: str, state: IncidentState | None = None) -> None:
        """Take the deadlines of an incident away, as a defect would."""
        document = self.bench.store.incident(id_)
        assert document is not None
        incident = document.incident.copy()
        incident.deadlines.clear()
        if state is not None:
            incident.state, incident.ended_at = state, START
        await self.bench.store.commit(Commit(documents=(Document(incident, document.places),)))


@pytest.fixture
async def audited() -> AsyncIterator[Audited]:
    """Three open incidents with their deadlines ahead."""
    audited = Audited()
    async with asyncio.timeout(10):
        await audited.fill()
        yield audited


async def test_all_is_well_while_every_deadline_lies_ahead_or_is_only_just_due(audited: Audited) -> None:
    audited.bench.clock.advance(STEP_S + 5)
    assert await audited.auditor.audit() == []
    assert audited.auditor.ok
    assert audited.missed() == 0


async def test_an_overdue_deadline_is_found_counted_and_told_once(audited: Audited) -> None:
    audited.bench.clock.advance(STEP_S + 5.5)
    with capture_logs() as logs:
        found = await audited.auditor.audit()
        await audited.auditor.audit()
    assert sorted(found, key=lambda breach: breach.incident) == [Breach(id_, 5.5) for id_ in sorted(audited.ids)]
    assert not audited.auditor.ok
    assert audited.missed() == 3
    assert [entry["event"] for entry in logs if entry["log_level"] == "critical"] == ["deadline_missed"] * 3


async def test_an_open_incident_without_a_deadline_is_found_and_an_ended_one_needs_none(audited: Audited) -> None:
    await audited.rewrite(audited.ids[0])
    await audited.rewrite(audited.ids[1], IncidentState.CLOSED)
    assert await audited.auditor.audit() == [Breach(audited.ids[0], None)]
    assert not audited.auditor.ok


async def test_it_audits_every_period_and_recovers_its_good_opinion(audited: Audited) -> None:
    clock = audited.bench.clock
    audited.bench.clock.advance(STEP_S + 6)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(audited.auditor.run())
        await asyncio.sleep(0)
        assert clock.next_wake() == clock.now() + timedelta(seconds=1)
        clock.advance(1)
        await passes()
        assert audited.missed() == 3
        for id_ in audited.ids:
            await audited.rewrite(id_, IncidentState.CLOSED)
        clock.advance(1)
        await passes()
        assert audited.missed() == 0
        running.cancel()


async def test_a_store_that_cannot_be_read_is_not_well(audited: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(wanted: Filter, limit: int, cursor: str | None) -> Page:
        raise StoreUnavailable("disk")

    monkeypatch.setattr(audited.bench.store, "incidents", away)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(audited.auditor.run())
        await asyncio.sleep(0)
        audited.bench.clock.advance(1)
        await passes()
        assert not audited.auditor.ok
        running.cancel()


async def test_many_open_incidents_are_all_looked_at(audited: Audited) -> None:
    document = audited.bench.store.incident(audited.ids[0])
    assert document is not None
    copies = [replace(document.incident, id=f"copy-{n:03}", number=10 + n, deadlines={}) for n in range(45)]
    await audited.bench.store.commit(Commit(documents=[Document(copy, document.places) for copy in copies]))
    assert len(await audited.auditor.audit()) == 45
