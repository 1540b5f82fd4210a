"""Where help goes: home, the device's own fix, or an area."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from callhub.domain.people import Device, Position
from tests.scenarios.town import AREA, HOME, Person, Town, metres_north

ACCURATE = replace(metres_north(400), accuracy_m=15.0)


def mobile(town: Town) -> None:
    """The elder's button can be carried along."""
    town.elder()
    town.devices["BTN-E-1"] = Device("BTN-E-1", elder="E-1", gateway="GW", mobile=True)


def go_to(person: Person) -> dict[str, Any]:
    found = person.told("assignment")[-1]["go_to"]
    assert isinstance(found, dict)
    return found


def test_help_goes_to_the_elder_s_home_though_the_device_says_otherwise() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")

    town.press(position=ACCURATE)
    person.accepts()

    assert go_to(person) == {
        "address": "Fuyuanli 3",
        "position": {"lat": HOME.lat, "lon": HOME.lon},
        "accuracy_m": None,
        "source": "home",
    }
    places = town.engine.places(person.offer["incident"])
    assert places.fix == ACCURATE, "both are shown"
    assert not places.fix_wins


def test_a_mobile_device_s_fresh_and_accurate_fix_wins() -> None:
    town = Town()
    mobile(town)
    person = town.responder("V-1", 500)

    town.press(position=ACCURATE, at=town.now - timedelta(seconds=5))

    assert person.offer["distance_m"] == 100
    person.accepts()
    assert go_to(person)["source"] == "device"
    assert go_to(person)["accuracy_m"] == 15.0
    assert go_to(person)["position"]["lat"] == ACCURATE.lat


def test_an_old_or_inaccurate_fix_does_not_win() -> None:
    for position, age_s in ((ACCURATE, 121), (replace(ACCURATE, accuracy_m=101.0), 0), (metres_north(400), 0)):
        town = Town()
        mobile(town)
        person = town.responder("V-1")
        town.press(position=position, at=town.now - timedelta(seconds=age_s))
        person.accepts()
        assert go_to(person)["source"] == "home", (position, age_s)


def test_a_stale_fix_never_takes_the_place_of_a_fresh_one() -> None:
    town = Town()
    mobile(town)
    person = town.responder("V-1")
    town.press(position=ACCURATE, at=town.now)
    person.accepts()

    stale = replace(metres_north(1500), accuracy_m=15.0)
    town.press(alarm="a-2", position=stale, at=town.now - timedelta(hours=2))

    assert go_to(person)["position"]["lat"] == ACCURATE.lat


def test_a_second_press_from_elsewhere_sends_everyone_assigned_there() -> None:
    town = Town()
    mobile(town)
    person = town.responder("V-1")
    town.press()
    person.accepts()

    town.press(alarm="a-2", position=ACCURATE)

    assert person.hears() == ["update alarm_joined", "assignment assigned"]
    assert go_to(person)["source"] == "device"


def test_without_a_home_any_fix_is_better_than_none() -> None:
    town = Town()
    person = town.responder("V-1", 500)
    incident = town.press(device="UNKNOWN-1", position=metres_north(400))

    assert person.offer["distance_m"] == 100
    person.accepts()
    assert go_to(person)["source"] == "device"
    assert incident.elder is None


def test_without_any_position_people_are_found_by_area_nearest_first() -> None:
    town = Town()
    town.elder(position=None)
    district = town.responder("V-a", area=("D", "S2", "C2", "G2"))
    community = town.responder("V-b", area=("D", "S", "C", "G9"))
    grid = town.responder("V-c", area=AREA)
    other = town.responder("V-d", area=("D2", "S9", "C9", "G9"))

    town.press()

    assert grid.was_asked()
    assert community.was_asked()
    assert (grid.offer["distance_m"], grid.offer["eta_s"]) == (None, None)
    grid.declines()
    assert district.was_asked()
    community.declines()
    assert not other.was_asked()


def test_without_position_and_area_only_desks_are_asked_those_of_all_top_areas() -> None:
    town = Town()
    person = town.responder("V-1")
    desks = [town.desk(("D",), "district"), town.desk(("D2",), "district")]
    below = town.desk(("D", "S", "C"), "community")
    town.watch()

    incident = town.press(device="UNKNOWN-1")

    assert all(desk.was_asked() for desk in desks)
    assert not person.was_asked()
    assert not below.was_asked()
    assert incident.state == "seeking"


def test_an_elder_in_no_area_whose_home_is_known_gets_the_nearest_people_and_the_desks_of_all_top_areas() -> None:
    town = Town()
    town.elder(area=())
    near, far = town.responder("V-near", 100), town.responder("V-far", 5000)
    desks = [town.desk(("D",), "district"), town.desk(("D2",), "district")]
    town.watch()
    town.press()
    assert near.was_asked()
    assert not far.was_asked(), "beyond the radius of the step"
    town.advance(60)
    assert all(desk.was_asked() for desk in desks)


def test_whoever_has_no_position_is_asked_as_paired_for_a_house_without_one_or_once_their_app_tells_it() -> None:
    town = Town()
    town.elder("E-1", paired=("V-paired",))
    town.elder("E-2", position=None)
    paired, nowhere = (town.responder(id, position=None) for id in ("V-paired", "V-nowhere"))
    incident = town.press("E-1")
    assert (paired.was_asked(), nowhere.was_asked()) == (True, False)
    assert (paired.offer["distance_m"], paired.offer["eta_s"]) == (None, None)
    nowhere.goes(on_duty=True, at=metres_north(300))
    assert nowhere.offer["incident"] == incident.id
    other = town.responder("V-third", position=None)
    town.press("E-2")
    assert other.was_asked()


def test_go_to_is_null_while_nobody_knows_where() -> None:
    town = Town()
    person = town.responder("V-1")
    incident = town.press(device="UNKNOWN-1")
    town.act(incident.id, "assign", responder="V-1", confirmed_by="telephone")

    assert person.told("assignment")[-1]["go_to"] is None

    town.elder()
    town.act(incident.id, "identify", elder="E-1")
    assert go_to(person)["address"] == "Fuyuanli 3"
    assert person.told("update")[-1]["what"] == "go_to_changed"


def test_a_home_known_only_as_the_centre_of_its_grid_says_so() -> None:
    town = Town()
    town.elder(position_source="grid")
    person = town.responder("V-1")
    town.press()
    person.accepts()
    assert go_to(person)["source"] == "grid"


def test_a_call_by_telephone_goes_to_the_address_that_was_said() -> None:
    town = Town()
    person = town.responder("V-1")
    answer = town.call(address="Anywhere 5", phone="123")
    incident = answer.incident
    assert incident is not None
    town.act(incident, "assign", responder="V-1", confirmed_by="telephone")
    assert go_to(person)["address"] == "Anywhere 5"
    assert go_to(person)["position"] is None


def test_a_position_far_from_anybody_still_finds_them_without_a_radius() -> None:
    town = Town()
    town.elder(position=Position(39.5, 117.22))
    person = town.responder("V-1")
    town.watch()
    town.desk(("D", "S", "C"), "community")
    town.press()
    assert not person.was_asked(), "the only step that asks people ends at two kilometres"
