"""Silence, faults and restarts through the real loop and store, and the measurements as commands."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from callhub.bench import beats, silences
from callhub.bench.supervision import main
from callhub.dispatch.rules import Rules
from callhub.domain.events import DirectoryUpdated
from callhub.domain.people import SYSTEM, Device, Supervised
from callhub.domain.policy import Ask, IncidentClass, Level, Policy, Step
from callhub.domain.supervision import GatewayLinkChanged
from callhub.store.base import Commit, DirectoryChange, Filter
from tests.integration.test_hub import START, Town, passes

if TYPE_CHECKING:
    from callhub.domain.incident import Incident

DESKS = Policy(
    id="equipment",
    class_=IncidentClass.TECHNICAL,
    kinds=("supervision_lost", "gateway_lost", "tamper"),
    steps=(Step("desk", (Ask.DESK,), level=Level.COMMUNITY, offer_timeout_s=30, step_timeout_s=60),),
)
DEVICE = Device("B-1", elder="E-1", gateway="GW", heartbeat_s=90)


@pytest.fixture
async def town() -> Town:
    """One of the devices is supervised; it was imported while no server ran."""
    town = Town()
    await town.settle_in()
    policies = ((await town.store.load()).policies[0], DESKS)
    await town.store.commit(Commit(changes=(DirectoryChange(devices=(DEVICE,), policies=policies),)))
    return town


def cases(town: Town) -> list[Incident]:
    page = town.store.incidents(Filter(class_="technical"), 50, None)
    return [document.incident for document in page.items]


async def wait(town: Town, seconds: float) -> None:
    await town.until(town.clock.now() + timedelta(seconds=seconds))


async def test_a_silence_is_stored_as_a_case_and_a_beat_ends_it(town: Town) -> None:
    async with town.open() as hub:
        await wait(town, 80)
        hub.mark_seen("device", "B-1")
        await wait(town, 89)
        assert not cases(town)
        await wait(town, 2)
        (incident,) = cases(town)
        assert (incident.device, incident.gateway, incident.elder, incident.area) == (
            "B-1",
            "GW",
            "E-1",
            ("D", "S", "C"),
        )
        hub.mark_seen("device", "B-1")
        await wait(town, 1)
        assert [case.outcome for case in cases(town)] == ["recovered"]


async def test_a_beat_that_waits_is_heard_before_the_silence_is_decided(town: Town) -> None:
    async with town.open() as hub:
        await wait(town, 89.95)
        hub.mark_seen("device", "B-1")
        await wait(town, 60)
        assert not cases(town)


async def test_a_restart_knows_what_was_told_and_when_counting_began(town: Town) -> None:
    async with town.open():
        await wait(town, 20)
    town.clock.advance(10_000)
    kept = await town.store.load()
    assert kept.supervised[0].watched_at == START
    async with town.open():
        await wait(town, 95)
        assert len(cases(town)) == 1
    async with town.open() as hub:
        await wait(town, 1000)
        assert len(cases(town)) == 1
        hub.mark_device("B-1", {"battery": 0.9, "faults": ["tamper"]})
        await wait(town, 1)
        assert {case.kind: case.outcome for case in cases(town)} == {"supervision_lost": "recovered", "tamper": None}


async def test_a_gateways_links_are_kept_and_told_again_when_the_engine_is_made_anew(town: Town) -> None:
    async with town.open() as hub:
        hub.notice(GatewayLinkChanged(id=hub.new_id(), actor=SYSTEM, gateway="GW", up=True))
        await passes()
        assert ("linked", "GW") in (await town.store.load()).marks
        await hub.recover()
        for _ in range(20):
            hub.mark_seen("device", "B-1")
            await wait(town, 30)
        assert not cases(town)
        hub.notice(GatewayLinkChanged(id=hub.new_id(), actor=SYSTEM, gateway="GW", up=False))
        await passes()
        await wait(town, 61)
        assert [case.kind for case in cases(town)] == ["gateway_lost"]


async def test_an_import_beside_the_server_supervises_at_once(town: Town) -> None:
    async with town.open() as hub:
        change = DirectoryChange(devices=(replace(DEVICE, id="B-2", elder="E-2"), replace(DEVICE, active=False)))
        now_supervised = (Supervised("B-2", 90, "GW", "E-2", ("D", "S", "C")), Supervised("B-1", 0, "GW", "E-1"))
        imported = DirectoryUpdated(
            id=hub.new_id(), actor=SYSTEM, what="devices", change=change, supervised=now_supervised
        )
        await hub.submit(imported)
        await wait(town, 95)
        assert [(case.device, case.area) for case in cases(town)] == [("B-2", ("D", "S", "C"))]


async def test_the_measurement_of_silences_finds_each_in_time() -> None:
    found = await silences.measure(4000, (90, 180), seed=3)
    assert not found.flaws
    assert len(found.errors_s) > 3
    assert found.restarts == 3


async def test_the_measurement_of_silences_sees_what_is_wrong() -> None:
    patient = Rules(start_grace_s=60, gateway_lost_s=75)
    with mock.patch.object(silences, "RULES", patient), mock.patch.object(silences.Quiet, "due_at", _at_once):
        found = await silences.measure(2000, (90, 180), seed=3)
    assert found.flaws


def _at_once(quiet: silences.Quiet, began_at: object) -> object:
    return quiet.since


def test_the_measurement_of_beats_runs_a_real_server(capsys: pytest.CaptureFixture[str]) -> None:
    few = ["beats", "--devices", "60", "--gateways", "3", "--every-s", "2", "--seconds", "3"]
    assert main(few) == 0
    assert "core=0." in capsys.readouterr().out


def test_a_server_that_costs_too_much_fails_its_measurement(capsys: pytest.CaptureFixture[str]) -> None:
    async def costs(load: beats.Load) -> beats.Cost:
        await asyncio.sleep(0)
        return beats.Cost(load.seconds, load.seconds, beats=10**9, frames=1, answers=1)

    with mock.patch.object(beats, "measure", costs):
        assert main(["beats"]) == 1
    assert "core=1.00" in capsys.readouterr().out
