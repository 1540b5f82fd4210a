"""Home and area are those at opening; a change while the case is open is told."""

from __future__ import annotations

from dataclasses import replace

from tests.scenarios.town import HOME, Person, Town, metres_north


def coming() -> tuple[Town, Person, str]:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()
    return town, person, incident.id


def test_an_import_that_moves_the_elder_is_a_fact_and_everyone_assigned_is_told() -> None:
    town, person, incident = coming()
    moved = replace(town.elders["E-1"], address="New Road 1", position=metres_north(900))

    town.changes("elders", elders=(moved,))

    assert person.hears() == ["update go_to_changed"]
    assert [f.what for f in town.facts(incident, "home_moved")] == ["home"]
    places = town.engine.places(incident)
    assert (places.home, places.address) == (HOME, "Fuyuanli 3")
    assert (places.new_home, places.new_address) == (moved.position, "New Road 1")


def test_the_same_import_twice_tells_once() -> None:
    town, person, incident = coming()
    moved = replace(town.elders["E-1"], address="New Road 1")
    town.changes("elders", elders=(moved,))
    town.changes("elders", elders=(moved,))
    assert person.hears() == []
    assert len(town.facts(incident, "home_moved")) == 1


def test_a_change_of_something_else_tells_nobody() -> None:
    town, person, incident = coming()
    town.changes("elders", elders=(replace(town.elders["E-1"], phone="123"),))
    assert person.hears() == []
    assert town.facts(incident, "home_moved") == []


def test_a_device_given_to_somebody_else_is_told_too() -> None:
    town, person, incident = coming()
    town.elder("E-2")
    town.devices["BTN-E-1"] = replace(town.devices["BTN-E-1"], elder="E-2")

    town.changes("devices", moved_devices=(town.devices["BTN-E-1"],))

    assert [f.what for f in town.facts(incident, "home_moved")] == ["device"]
    assert person.hears() == ["update go_to_changed"]
    assert town.incident(incident).elder == "E-1"


def test_a_device_that_only_joined_counts_as_well() -> None:
    town, _, incident = coming()
    town.elder("E-2")
    town.devices["PENDANT"] = replace(town.devices["BTN-E-1"], id="PENDANT")
    town.press(device="PENDANT", alarm="p-1")
    town.changes("devices", moved_devices=(replace(town.devices["PENDANT"], elder="E-2"),))
    assert [f.what for f in town.facts(incident, "home_moved")] == ["device"]


def test_the_next_press_of_a_device_given_away_is_the_new_elder_s() -> None:
    town, _, incident = coming()
    town.elder("E-2")
    town.devices["BTN-E-1"] = replace(town.devices["BTN-E-1"], elder="E-2")
    town.changes("devices", moved_devices=(town.devices["BTN-E-1"],))

    new = town.press(device="BTN-E-1", alarm="a-2")

    assert new.id != incident
    assert new.elder == "E-2"


def test_a_device_s_cancel_and_signal_go_to_the_case_it_opened_though_it_was_given_away() -> None:
    town, _, incident = coming()
    town.elder("E-2")
    alarm = town.incident(incident).alarms[0].id
    town.devices["BTN-E-1"] = replace(town.devices["BTN-E-1"], elder="E-2")
    assert town.cancels(alarm).body["incident"] == incident
    assert town.signals("arrived").body["incident"] == incident


def test_identify_gives_a_case_its_elder_and_asks_the_neighbours() -> None:
    town = Town()
    person = town.responder("V-1")
    incident = town.press(device="X-1")
    assert not person.was_asked()
    town.elder(paired=())

    assert town.act(incident.id, "identify", elder="E-1").code is None

    held = town.incident(incident.id)
    assert (held.elder, held.area) == ("E-1", ("D", "S", "C", "G"))
    assert held.state == "seeking"
    assert person.offer["distance_m"] == 100
    assert person.offer["elder"] == "E-1"


def test_identify_is_once_and_needs_somebody_known() -> None:
    town, _, incident = coming()
    assert town.act(incident, "identify", elder="E-1").code == "conflict"
    unknown = town.press(device="X-1")
    assert town.act(unknown.id, "identify", elder="E-9").code == "not_found"


def test_identify_under_an_owner_asks_and_does_not_climb() -> None:
    town = Town()
    person = town.responder("V-1")
    incident = town.press(device="X-1")
    town.act(incident.id, "take-over")
    town.elder()
    town.act(incident.id, "identify", elder="E-1")
    assert person.was_asked()
    assert "step" not in town.incident(incident.id).deadlines
