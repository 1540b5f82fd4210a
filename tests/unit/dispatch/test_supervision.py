"""What supervision decides: one case, closed by itself, marked where somebody has it, undone when a turn fails."""

from __future__ import annotations

from unittest import mock

import pytest

from callhub.dispatch import turn as turn_module
from callhub.domain import events as e
from callhub.domain.people import SYSTEM, Supervised
from tests.scenarios.equipment import WatchedTown
from tests.scenarios.town import AREA


@pytest.fixture
def town() -> WatchedTown:
    return WatchedTown()


def silent(town: WatchedTown, *devices: str) -> None:
    for device in devices:
        town.supervise(device, 90)
    town.advance(91)


def test_a_finding_that_is_over_opens_nothing(town: WatchedTown) -> None:
    silence = town.engine._world.silence
    for key in ("supervision_lost:BTN-1", "tamper:BTN-1"):
        town.tell(e.DeadlineDue(id=town.new_id(), actor=SYSTEM, key=key))
    for about in (("supervision_lost", "X"), ("gateway_lost", "X")):
        silence.find(about, 0.0)
    town.supervise("BTN-1", 90)
    silence.find(("supervision_lost", "BTN-1"), 0.0)
    town.advance(1)
    assert not town.technical()


def test_whoever_has_a_fault_keeps_it_and_sees_it_come_and_go(town: WatchedTown) -> None:
    town.elder("E-1")
    town.beats("BTN-E-1", faults=("tamper",))
    town.advance(1)
    incident = town.the("tamper").id
    town.act(incident, "take-over")
    town.beats("BTN-E-1", faults=())
    town.beats("BTN-E-1", faults=())
    town.beats("BTN-E-1", faults=("tamper",))
    town.advance(1)
    kinds = [fact.fact for fact in town.facts(incident) if fact.fact.startswith("fault_")]
    assert kinds == ["fault_found", "fault_mended", "fault_returned"]


def test_a_fault_that_passed_before_anybody_looked_is_none(town: WatchedTown) -> None:
    town.elder("E-1")
    town.beats("BTN-E-1", faults=("tamper",))
    town.beats("BTN-E-1", faults=())
    town.advance(1)
    assert not town.technical()


def test_faults_and_battery_are_told_apart(town: WatchedTown) -> None:
    town.elder("E-1")
    town.beats("BTN-E-1", faults=("low_battery",))
    town.advance(1)
    town.beats("BTN-E-1", battery=0.25, faults=())
    town.beats("BTN-E-1", battery=0.1)
    assert town.technical("low_battery")
    town.beats("BTN-E-1", battery=0.9)
    assert not town.technical()


def test_a_case_that_nobody_has_any_more_closes_with_the_next_beat(town: WatchedTown) -> None:
    silent(town, "BTN-1")
    incident = town.the("supervision_lost").id
    town.act(incident, "take-over")
    town.beats("BTN-1")
    town.watch(watching=False)
    town.advance(61)
    town.beats("BTN-1")
    assert town.incident(incident).outcome == "recovered"


def test_a_gateway_folds_what_its_devices_opened_and_returns(town: WatchedTown) -> None:
    town.gateway("GW", up=True)
    town.supervise("BTN-1", 30, gateway="GW")
    town.supervise("BTN-2", 30, gateway="GW")
    town.gateway("GW", up=False)
    town.advance(31)
    mine = town.technical()[0].id
    town.act(mine, "take-over")
    town.advance(30)
    assert {incident.kind for incident in town.technical()} == {"supervision_lost", "gateway_lost"}
    assert town.facts(mine, "fault_folded")
    town.gateway("GW", up=True)
    assert [incident.id for incident in town.technical()] == [mine]


def outage(town: WatchedTown) -> None:
    for n in range(4):
        town.gateway(f"GW-{n}", up=True)
        town.supervise(f"BTN-{n}", 90, gateway=f"GW-{n}", area=AREA)
        town.supervise(f"BTN-{n}b", 90, gateway=f"GW-{n}", area=(*AREA[:3], "G2"))
    for n in range(4):
        town.gateway(f"GW-{n}", up=False)
    town.advance(70)


def test_an_area_is_one_case_and_what_stays_out_speaks_for_itself_after_it(town: WatchedTown) -> None:
    outage(town)
    assert town.the("area_lost").area == AREA[:1]
    for n in range(3):
        town.gateway(f"GW-{n}", up=True)
    assert not town.technical()
    town.advance(61)
    assert town.the("gateway_lost").gateway == "GW-3"


def test_a_wider_outage_takes_the_narrower_one_in(town: WatchedTown) -> None:
    for n in range(6):
        town.supervise(f"A-{n}", 90, area=("D", "S1"))
        town.supervise(f"B-{n}", 180, area=("D", "S2"))
    town.supervise("B-6", 180, area=("D", "S2"))
    town.supervise("B-7", 90_000, area=("D", "S2"))
    town.advance(91)
    assert town.the("area_lost").area == ("D", "S1")
    town.advance(100)
    assert town.the("area_lost").area == ("D",)
    assert ("mended.area_lost", "S1") in town.marks


def test_a_gateway_that_serves_two_areas_is_decided_for_each(town: WatchedTown) -> None:
    silence = town.engine._world.silence
    for n in range(6):
        town.supervise(f"A-{n}", 9000, area=("X",))
        town.supervise(f"B-{n}", 9000, area=("Y",))
    town.gateway("GW", up=True)
    town.supervise("A-6", 9000, gateway="GW", area=("X",))
    town.supervise("B-6", 9000, gateway="GW", area=("Y",))
    for id in ("A-0", "A-1", "A-2", "A-3", "B-0", "B-1", "B-2", "B-3"):
        silence.outages.fell_silent(silence.devices[id], town.now.timestamp() + 50)
    town.gateway("GW", up=False)
    town.advance(61)
    assert sorted(i.area for i in town.technical("area_lost")) == [("X",), ("Y",)]
    assert not town.technical("gateway_lost")


def test_an_import_begins_changes_moves_and_ends_supervision(town: WatchedTown) -> None:
    town.gateway("GW", up=True)
    silent(town, "BTN-1", "BTN-2")
    taken = next(i.id for i in town.technical() if i.device == "BTN-2")
    town.act(taken, "take-over")
    town.supervise("BTN-3", 90, gateway="GW")
    assert town.marks["linked", "GW"] == town.now
    town.changes("devices", supervised=(Supervised("BTN-1", 0), Supervised("BTN-2", 0)))
    assert [incident.id for incident in town.technical()] == [taken]
    town.supervise("BTN-3", 30, gateway="GW")
    town.supervise("BTN-4", 30, gateway="GW")
    town.changes("elders", homes=(("E-BTN-3", ("X",)), ("E-BTN-4", AREA)))
    assert town.engine._world.silence.devices["BTN-3"].area == ("X",)


@pytest.mark.parametrize("kind", ["supervision_lost", "gateway_lost", "area_lost", "tamper"])
def test_a_turn_that_fails_leaves_the_finding_for_another_try(town: WatchedTown, kind: str) -> None:
    if kind == "gateway_lost":
        town.gateway("GW", up=True)
        town.supervise("BTN-1", 900, gateway="GW")
        town.gateway("GW", up=False)
    for n in range(6 if kind == "area_lost" else kind == "supervision_lost"):
        town.supervise(f"D-{n}", 60)
    if kind == "tamper":
        town.beats("BTN-1", faults=("tamper",))
    with mock.patch.object(turn_module.Turn, "finish", side_effect=ZeroDivisionError):
        with pytest.raises(ZeroDivisionError):
            town.advance(61)
        assert not town.engine._world.silence.outages.out
    town.advance(62)
    assert [incident.kind for incident in town.technical()] == [kind]


def test_a_mending_that_fails_is_made_up_for_by_the_next_beat(town: WatchedTown) -> None:
    for n in range(6):
        town.supervise(f"D-{n}", 60)
    town.advance(61)
    town.beats("BTN-1", faults=("tamper",))
    town.advance(1)
    with (
        mock.patch.object(turn_module.Turn, "finish", side_effect=ZeroDivisionError),
        pytest.raises(ZeroDivisionError),
    ):
        town.beats("BTN-1", *[f"D-{n}" for n in range(6)], faults=())
    assert len(town.technical()) == 2
    town.beats("BTN-1", *[f"D-{n}" for n in range(6)], faults=())
    assert not town.technical()
