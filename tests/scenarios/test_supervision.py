"""Equipment that should be heard: one technical incident for each thing that is wrong, closed when it is well again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callhub.dispatch.rules import Rules
from callhub.domain.incident import IncidentState
from callhub.domain.people import Actor, ActorKind, ResponderKind, Role, Supervised
from tests.scenarios.equipment import WatchedTown
from tests.scenarios.town import AREA

GRID_2 = (*AREA[:3], "G2")
GRID_3 = (*AREA[:2], "C2", "G3")


@pytest.fixture
def town() -> WatchedTown:
    return WatchedTown()


def test_silence_opens_exactly_one_incident_at_its_time(town: WatchedTown) -> None:
    town.supervise("BTN-1", 90)
    town.beats("BTN-1")
    town.advance(89.9)
    assert not town.technical()
    town.advance(0.6)
    incident = town.the("supervision_lost")
    assert timedelta(0) <= incident.opened_at - town.now + timedelta(seconds=0.5) <= timedelta(seconds=0.5)
    town.advance(86_400)
    assert town.the("supervision_lost").id == incident.id


def test_the_incident_names_device_gateway_and_elder_and_asks_a_desk_without_ringing(town: WatchedTown) -> None:
    town.gateway("GW", up=True)
    town.supervise("BTN-1", 90, gateway="GW")
    town.advance(91)
    incident = town.the("supervision_lost")
    assert (incident.device, incident.gateway, incident.elder) == ("BTN-1", "GW", "E-BTN-1")
    assert incident.area == AREA
    assert [offer.responder for offer in incident.offers.values()] == ["DESK-D"]
    town.advance(100_000)
    assert town.the("supervision_lost").state is IncidentState.UNANSWERED
    assert not town.the("supervision_lost").rings
    assert not town.progress()


def test_a_beat_closes_it_by_itself_and_a_new_silence_is_a_new_one(town: WatchedTown) -> None:
    town.supervise("BTN-1", 90)
    town.advance(91)
    town.beats("BTN-1")
    assert town.outcomes("supervision_lost") == ["recovered"]
    town.advance(89)
    assert not town.technical()
    town.advance(2)
    assert town.outcomes("supervision_lost") == ["recovered", None]


def test_any_class_of_silence_is_found_within_a_second(town: WatchedTown) -> None:
    for heartbeat_s in (90, 180, 5 * 3600, 25 * 3600):
        town.supervise(f"D-{heartbeat_s}", heartbeat_s, area=("D", "S", f"C-{heartbeat_s}"))
    start = town.now
    town.advance(26 * 3600)
    late = {i.device: (i.opened_at - start).total_seconds() for i in town.technical("supervision_lost")}
    assert len(late) == 4
    assert all(0 <= at - int((device or "").removeprefix("D-")) <= 1 for device, at in late.items())


def test_whoever_has_the_case_keeps_it_and_sees_that_the_device_is_back(town: WatchedTown) -> None:
    town.supervise("BTN-1", 90)
    town.advance(91)
    incident = town.the("supervision_lost").id
    town.act(incident, "take-over")
    town.beats("BTN-1")
    town.beats("BTN-1")
    assert town.incident(incident).is_open
    assert len(town.facts(incident, "fault_mended")) == 1
    town.advance(91)
    assert town.the("supervision_lost").id == incident, "silent again: the open case says so"
    assert len(town.facts(incident, "fault_returned")) == 1


def test_a_case_that_its_owner_lets_go_of_closes_with_the_next_beat(town: WatchedTown) -> None:
    town.supervise("BTN-1", 90)
    town.advance(91)
    town.act(town.the("supervision_lost").id, "take-over")
    town.keeps_beating("BTN-1", for_s=60)
    town.watch(watching=False)
    town.keeps_beating("BTN-1", for_s=120)
    assert town.outcomes("supervision_lost") == ["recovered"]


def test_a_case_that_a_department_is_called_to_is_marked_and_closes_once_it_is_settled(town: WatchedTown) -> None:
    town.supervise("BTN-1", 90)
    town.responder(
        "POWER", kind=ResponderKind.DEPARTMENT, area=AREA[:1], level="district", position=None, capacity=None
    )
    town.advance(91)
    incident = town.the("supervision_lost").id
    town.act(incident, "whistle", departments=["POWER"], report_in_s=600, finish_s=3600)
    town.beats("BTN-1")
    assert town.incident(incident).is_open
    assert len(town.facts(incident, "fault_mended")) == 1
    chief = Actor(ActorKind.USER, "su", Role.SUPERVISOR)
    town.act(incident, "whistle-withdraw", by=chief, whistle=f"{incident}-w1", reason="the mains are back")
    town.beats("BTN-1")
    assert town.outcomes("supervision_lost") == ["recovered"]


def test_what_a_person_closed_is_not_told_again_before_the_device_was_heard(town: WatchedTown) -> None:
    town.supervise("BTN-1", 90)
    town.advance(91)
    town.act(town.the("supervision_lost").id, "close", outcome="other")
    town.advance(1000)
    town.restart()
    town.advance(1000)
    assert not town.technical()
    town.beats("BTN-1")
    town.advance(91)
    assert town.technical("supervision_lost")


@pytest.mark.parametrize(("kind", "said"), [("tamper", "tamper"), ("mains_lost", "mains_lost")])
def test_a_fault_is_one_incident_until_the_device_says_it_is_well(town: WatchedTown, kind: str, said: str) -> None:
    town.supervise("BTN-1")
    for _ in range(3):
        town.beats("BTN-1", faults=(said,))
        town.advance(30)
    incident = town.the(kind).id
    town.beats("BTN-1")
    assert town.the(kind).id == incident, "it said nothing of it"
    town.beats("BTN-1", faults=())
    assert town.outcomes(kind) == ["recovered"]
    town.beats("BTN-1", faults=(said,))
    town.advance(1)
    assert town.outcomes(kind) == ["recovered", None]


def test_a_low_battery_is_one_incident_until_it_is_clearly_charged(town: WatchedTown) -> None:
    town.supervise("BTN-1")
    for battery in (0.25, 0.19, 0.21, 0.19, 0.29):
        town.beats("BTN-1", battery=battery)
        town.advance(1)
    assert town.the("low_battery").device == "BTN-1"
    town.beats("BTN-1", battery=0.3)
    assert town.outcomes("low_battery") == ["recovered"]


def test_a_fault_that_a_person_closed_stays_closed_while_it_lasts_also_after_a_restart(town: WatchedTown) -> None:
    town.supervise("BTN-1")
    town.beats("BTN-1", faults=("tamper",))
    town.advance(1)
    town.act(town.the("tamper").id, "close", outcome="other")
    town.beats("BTN-1", faults=("tamper",))
    town.advance(1)
    town.restart(30)
    town.beats("BTN-1", faults=("tamper",))
    town.advance(1)
    assert not town.technical("tamper")
    town.beats("BTN-1", faults=())
    town.restart(30)
    town.beats("BTN-1", faults=("tamper",))
    town.advance(1)
    assert town.technical("tamper")


def test_a_device_that_is_not_supervised_still_says_what_is_wrong(town: WatchedTown) -> None:
    town.elder("E-1")
    town.beats("BTN-E-1", faults=("tamper", "mains_lost"))
    town.advance(1)
    assert {i.kind for i in town.technical()} == {"tamper", "mains_lost"}
    town.advance(1_000_000)
    assert not town.technical("supervision_lost")


# Gateways


def test_a_gateway_without_a_link_is_one_incident_and_its_devices_open_none(town: WatchedTown) -> None:
    devices = [town.supervise(f"BTN-{n}", 90, gateway="GW") for n in range(4)]
    town.gateway("GW", up=True)
    town.beats(*devices)
    town.gateway("GW", up=False)
    town.advance(59.9)
    assert not town.technical()
    town.advance(0.2)
    incident = town.the("gateway_lost")
    assert (incident.gateway, incident.device, incident.area) == ("GW", None, AREA)
    town.advance(10_000)
    assert [i.kind for i in town.technical()] == ["gateway_lost"]
    town.gateway("GW", up=True)
    assert town.outcomes("gateway_lost") == ["recovered"]
    town.advance(89)
    assert not town.technical(), "its devices count from its return"
    town.advance(2)
    assert len(town.technical("supervision_lost")) == 4


def test_a_short_loss_of_the_link_is_nothing(town: WatchedTown) -> None:
    town.supervise("BTN-1", 900, gateway="GW")
    for _ in range(10):
        town.gateway("GW", up=True)
        town.gateway("GW", up=True)
        town.advance(20)
        town.gateway("GW", up=False)
        town.advance(40)
    assert not town.rows


def test_what_its_devices_opened_before_folds_into_the_gateways_case(town: WatchedTown) -> None:
    town.gateway("GW", up=True)
    for device in ("BTN-1", "BTN-2"):
        town.supervise(device, 90, gateway="GW")
    town.advance(45)
    town.gateway("GW", up=False)
    town.advance(50)
    mine = next(i.id for i in town.technical("supervision_lost") if i.device == "BTN-1")
    town.act(mine, "take-over")
    town.advance(20)
    gateway = town.the("gateway_lost").id
    assert town.the("supervision_lost").id == mine, "somebody has it: it is marked and left to them"
    assert town.facts(mine, "fault_folded")[0].into == gateway
    assert sorted(filter(None, town.outcomes("supervision_lost"))) == ["folded"]


def test_equipment_that_never_had_a_link_is_no_lost_gateway(town: WatchedTown) -> None:
    town.supervise("BTN-1", 90, gateway="HTTP-ONLY")
    town.keeps_beating("BTN-1", for_s=600)
    assert not town.technical()
    town.advance(91)
    assert [i.kind for i in town.technical()] == ["supervision_lost"]


def test_a_gateway_without_supervised_devices_is_nobodys_concern(town: WatchedTown) -> None:
    town.elder("E-1")
    town.gateway("GW", up=True)
    town.gateway("GW", up=False)
    town.advance(10_000)
    assert not town.rows


# Areas


def district(town: WatchedTown, gateways: int = 4, each: int = 3, area: tuple[str, ...] = AREA) -> list[str]:
    """Gateways with devices in one grid, all linked."""
    ids = [f"{area[-1]}-GW-{n}" for n in range(gateways)]
    for id in ids:
        town.gateway(id, up=True)
        for n in range(each):
            town.supervise(f"{id}-{n}", 90, gateway=id, area=area)
    return ids


def fall(town: WatchedTown, gateways: list[str], apart_s: float = 1) -> None:
    """Their links go, one after the other."""
    for id in gateways:
        town.gateway(id, up=False)
        town.advance(apart_s)


def test_an_areas_outage_is_one_case_and_the_gateways_fold_into_it(town: WatchedTown) -> None:
    gateways = district(town, 4, area=AREA)
    district(town, 40, 1, GRID_3)
    healthy = [f"G3-GW-{n}-0" for n in range(40)]
    fall(town, gateways)
    town.keeps_beating(*healthy, for_s=70)
    assert [i.kind for i in town.technical()] == ["area_lost"]
    assert town.the("area_lost").area == AREA[:3], "the topmost area of which half is silent"
    assert set(filter(None, town.outcomes("gateway_lost"))) <= {"folded"}
    town.keeps_beating(*healthy, for_s=10_000)
    assert [i.kind for i in town.technical()] == ["area_lost"]


def test_an_area_is_back_when_three_in_four_are_and_the_rest_count_from_then(town: WatchedTown) -> None:
    gateways = district(town, 4)
    fall(town, gateways)
    town.advance(70)
    area = town.the("area_lost").id
    for id in gateways[:2]:
        town.gateway(id, up=True)
    assert town.the("area_lost").id == area
    town.gateway(gateways[2], up=True)
    assert not town.technical()
    assert town.incident(area).outcome == "recovered"
    back = [f"{id}-{n}" for id in gateways[:3] for n in range(3)]
    town.keeps_beating(*back, for_s=59)
    assert not town.technical()
    town.keeps_beating(*back, for_s=10)
    assert town.the("gateway_lost").gateway == gateways[3], "what is still silent says so itself"


def test_one_gateway_is_no_area_however_many_devices_it_has(town: WatchedTown) -> None:
    town.gateway("GW", up=True)
    for n in range(20):
        town.supervise(f"BTN-{n}", 90, gateway="GW")
    town.gateway("GW", up=False)
    town.advance(300)
    assert [i.kind for i in town.technical()] == ["gateway_lost"]


def test_devices_without_a_gateway_make_an_outage_too(town: WatchedTown) -> None:
    for n in range(10):
        town.supervise(f"BTN-{n}", 90)
    town.advance(95)
    assert [i.kind for i in town.technical()] == ["area_lost"]
    town.beats(*[f"BTN-{n}" for n in range(8)])
    assert not town.technical()
    town.keeps_beating(*[f"BTN-{n}" for n in range(8)], for_s=95)
    assert {i.device for i in town.technical("supervision_lost")} == {"BTN-8", "BTN-9"}


def test_devices_that_fail_one_by_one_are_no_outage(town: WatchedTown) -> None:
    living = [town.supervise(f"BTN-{n}", 90) for n in range(10)]
    for _ in range(6):
        living.pop()
        town.keeps_beating(*living, for_s=700)
    assert [i.kind for i in town.technical()] == ["supervision_lost"] * 6


def test_an_outage_that_grows_is_one_case_in_the_end(town: WatchedTown) -> None:
    first, second = district(town, 3, 3), district(town, 3, 3, GRID_2)
    other = district(town, 30, 1, GRID_3)
    healthy = [f"{id}-0" for id in other] + [f"{id}-{n}" for id in second for n in range(3)]
    fall(town, first)
    town.keeps_beating(*healthy, for_s=70)
    assert [i.kind for i in town.technical()] == ["area_lost"]
    fall(town, second)
    town.keeps_beating(*[f"{id}-0" for id in other], for_s=70)
    assert [i.kind for i in town.technical()] == ["area_lost"]
    assert town.the("area_lost").area == AREA[:3]


# Restarts


def test_downtime_does_not_count(town: WatchedTown) -> None:
    town.supervise("BTN-1", 600)
    town.beats("BTN-1")
    town.advance(300)
    town.restart(after_s=100_000)
    town.advance(299)
    assert not town.technical()
    town.advance(2)
    assert town.technical("supervision_lost")


def test_several_restarts_hide_nothing(town: WatchedTown) -> None:
    town.supervise("BTN-1", 600)
    town.beats("BTN-1")
    for _ in range(5):
        town.advance(100)
        town.restart(after_s=5000)
    town.advance(99)
    assert not town.technical()
    town.advance(2)
    assert town.technical("supervision_lost")


@pytest.mark.parametrize(("heartbeat_s", "grace_s"), [(600, 60), (30, 30)])
def test_nothing_is_lost_sooner_than_its_grace_after_a_start(town: WatchedTown, heartbeat_s: int, grace_s: int) -> None:
    town.supervise("BTN-1", heartbeat_s)
    town.beats("BTN-1")
    town.advance(heartbeat_s - 1)
    town.restart(after_s=10)
    town.advance(grace_s - 0.1)
    assert not town.technical()
    town.advance(1)
    assert town.technical("supervision_lost")


def test_a_device_never_heard_counts_from_the_first_start_after_its_import(town: WatchedTown) -> None:
    town.supervise("BTN-1", 3600)
    town.marks.clear()  # imported while no server ran
    town.restart(after_s=50_000)
    assert not town.technical()
    town.marks["watched", "BTN-1"] = town.now  # as the hub keeps it at the start
    town.advance(3000)
    town.restart(after_s=50_000)
    town.advance(599)
    assert not town.technical()
    town.advance(2)
    assert town.technical("supervision_lost")


def test_a_restart_keeps_what_is_open_and_a_beat_after_it_closes_it(town: WatchedTown) -> None:
    town.supervise("BTN-1", 90)
    town.advance(91)
    incident = town.the("supervision_lost").id
    town.restart(after_s=1000)
    town.advance(500)
    assert town.the("supervision_lost").id == incident
    town.beats("BTN-1")
    assert town.incident(incident).outcome == "recovered"


def test_a_gateway_that_is_out_stays_one_case_over_a_restart(town: WatchedTown) -> None:
    town.gateway("GW", up=True)
    town.supervise("BTN-1", 90, gateway="GW")
    town.gateway("GW", up=False)
    town.advance(61)
    incident = town.the("gateway_lost").id
    town.restart(after_s=1000)
    town.advance(1000)
    assert [i.id for i in town.technical()] == [incident]
    town.gateway("GW", up=True)
    assert not town.technical()


def test_a_gateway_that_does_not_come_back_after_a_start_is_found(town: WatchedTown) -> None:
    town.gateway("GW", up=True)
    town.supervise("BTN-1", 900, gateway="GW")
    town.marks["linked", "GW"] = town.now
    town.restart(after_s=5)
    town.advance(59)
    assert not town.technical()
    town.advance(2)
    assert [i.kind for i in town.technical()] == ["gateway_lost"]


def test_a_longer_patience_with_gateways_goes_on_over_a_restart() -> None:
    town = WatchedTown(rules=Rules(gateway_lost_s=600))
    town.supervise("BTN-1", 9000, gateway="GW")
    town.gateway("GW", up=True)
    town.gateway("GW", up=False)
    town.advance(300)
    town.restart(after_s=5000)
    town.advance(299)
    assert not town.technical()
    town.advance(2)
    assert town.technical("gateway_lost")


def test_an_outage_of_an_area_outlives_a_restart(town: WatchedTown) -> None:
    gateways = district(town)
    fall(town, gateways)
    town.advance(70)
    area = town.the("area_lost").id
    town.restart(after_s=100)
    town.advance(500)
    assert [i.id for i in town.technical()] == [area]
    for id in gateways:
        town.gateway(id, up=True)
        town.beats(*[f"{id}-{n}" for n in range(3)])
    assert not town.technical()


# Imports


def test_a_device_that_is_supervised_no_more_closes_its_case(town: WatchedTown) -> None:
    town.supervise("BTN-1", 90)
    town.supervise("BTN-2", 90)
    town.advance(91)
    mine = next(i.id for i in town.technical() if i.device == "BTN-2")
    town.act(mine, "take-over")
    town.changes("devices", supervised=(Supervised("BTN-1", 0), Supervised("BTN-2", 0), Supervised("BTN-9", 0)))
    assert [i.id for i in town.technical()] == [mine]
    assert "not_supervised" in town.outcomes("supervision_lost")


def test_an_import_changes_how_long_a_device_may_be_silent_at_once(town: WatchedTown) -> None:
    town.supervise("BTN-1", 90_000)
    town.advance(100)
    town.supervise("BTN-1", 180)
    town.advance(79)
    assert not town.technical()
    town.advance(2)
    assert town.technical()


def test_devices_move_with_their_elders(town: WatchedTown) -> None:
    devices = [town.supervise(f"BTN-{n}", 90) for n in range(10)]
    town.changes("elders", homes=tuple((f"E-{device}", GRID_3) for device in devices))
    town.advance(95)
    assert town.the("area_lost").area[0] == "D"
    assert town.engine._world.silence.outages.devices("G") == 0
