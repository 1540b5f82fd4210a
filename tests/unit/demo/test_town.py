"""Goal: a town can be imported as it is and is the same for the same seed. Method: look at one whole town."""

import csv
import math
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from callhub.demo.town import AreaRow, DeviceRow, ElderRow, ResponderRow, Town, make_town, read_areas, write_csv

AREAS = read_areas(Path(__file__).resolve().parents[3] / "config" / "hexi" / "areas.csv")
BY_ID = {area.id: area for area in AREAS}
GRIDS = [area for area in AREAS if area.level == "grid"]

# Written out, not taken from the rows: these are the names that the import knows.
COLUMNS = {
    "areas.csv": "id,parent,level,name,lat,lon",
    "elders.csv": "id,name,area,address,lat,lon,phone,card,language,paired,access,notes,active",
    "devices.csv": "id,elder,gateway,kind,phone,heartbeat_s,mobile,active",
    "contacts.csv": "id,elder,name,relation,phone,responder",
    "responders.csv": "id,name,kind,area,lat,lon,phone,skills,capacity,hours,channels,language,active",
}


@pytest.fixture(scope="module")
def town() -> Town:
    return make_town(AREAS, random.Random(7))


def _street(area_id: str) -> str:
    area = BY_ID[area_id]
    return area.id if area.level == "street" else _street(area.parent)


def _squared(a_lat: float, a_lon: float, b_lat: float, b_lon: float) -> float:
    return (a_lat - b_lat) ** 2 + ((a_lon - b_lon) * math.cos(math.radians(39.08))) ** 2


def test_the_town_has_as_many_people_as_asked_for(town: Town) -> None:
    assert (len(town.elders), len(town.devices)) == (3000, 3000)
    kinds = Counter(person.kind for person in town.responders)
    assert kinds == {"volunteer": 180, "caregiver": 60, "grid_worker": 60, "desk": 164, "department": 5}
    small = make_town(AREAS, random.Random(7), elders=11, responders=7)
    assert len(small.elders) == 11
    assert sum(person.kind not in {"desk", "department"} for person in small.responders) == 7


def test_the_same_seed_gives_the_same_town(town: Town) -> None:
    assert make_town(AREAS, random.Random(7)) == town
    assert make_town(AREAS, random.Random(8)) != town


def test_no_id_card_phone_or_address_is_given_twice(town: Town) -> None:
    everyone: list[ElderRow | DeviceRow | ResponderRow] = [*town.elders, *town.devices, *town.responders]
    assert len({row.id for row in everyone}) == len(everyone)
    assert len({row.phone for row in everyone}) == len(everyone)
    assert len({elder.card for elder in town.elders}) == len(town.elders)
    assert len({elder.address for elder in town.elders}) == len(town.elders)


def test_every_elder_lives_nearest_to_their_own_grid(town: Town) -> None:
    for elder in town.elders[::10]:
        _, nearest = min((_squared(grid.lat, grid.lon, elder.lat, elder.lon), grid.id) for grid in GRIDS)
        assert elder.area == nearest


def test_every_address_names_the_estate_of_its_community(town: Town) -> None:
    for elder in town.elders:
        community = BY_ID[BY_ID[elder.area].parent]
        assert re.fullmatch(r"\S+ \d{1,2} 号楼 [1-4] 门 [1-6]0[12]", elder.address)
        assert f"{elder.address.split()[0]}社区" == community.name


def test_every_position_lies_in_the_district(town: Town) -> None:
    rows: list[ElderRow | ResponderRow] = [*town.elders, *town.responders]
    for row in rows:
        if row.lat is not None and row.lon is not None:
            assert 39.04 < row.lat < 39.125
            assert 117.20 < row.lon < 117.272


def test_about_a_third_of_the_elders_is_paired_with_volunteers_of_their_street(town: Town) -> None:
    volunteers = {person.id: person for person in town.responders if person.kind == "volunteer"}
    paired = [elder for elder in town.elders if elder.paired]
    assert 900 < len(paired) < 1100
    assert {len(elder.paired) for elder in paired} == {1, 2}
    for elder in paired:
        assert {_street(volunteers[who].area) for who in elder.paired} == {_street(elder.area)}


def test_the_first_of_a_pair_is_the_nearest_volunteer_of_the_street(town: Town) -> None:
    volunteers = [person for person in town.responders if person.kind == "volunteer"]
    for elder in [elder for elder in town.elders if elder.paired][:50]:
        distances = {
            person.id: _squared(person.lat, person.lon, elder.lat, elder.lon)
            for person in volunteers
            if person.lat is not None and person.lon is not None and _street(person.area) == _street(elder.area)
        }
        assert distances[elder.paired[0]] == min(distances.values())


def test_each_home_has_one_button_on_the_gateway_of_its_street(town: Town) -> None:
    streets = [area.id for area in AREAS if area.level == "street"]
    homes = {elder.id: elder for elder in town.elders}
    assert {device.elder for device in town.devices} == set(homes)
    for device in town.devices:
        number = streets.index(_street(homes[device.elder].area)) + 1
        assert (device.gateway, device.kind, device.heartbeat_s) == (f"GW-{number:02d}", "button", None)
    assert len({device.gateway for device in town.devices}) == 14


def test_every_area_above_the_grids_has_a_desk_and_a_desk_has_no_position(town: Town) -> None:
    desks = {desk.id: desk for desk in town.responders if desk.kind == "desk"}
    assert set(desks) == {f"DESK-{area.id}" for area in AREAS if area.level != "grid"}
    for desk in desks.values():
        assert desk.id == f"DESK-{desk.area}"
        assert (desk.lat, desk.lon, desk.capacity) == (None, None, None)


def test_caregivers_are_based_at_thirty_centres_and_some_work_at_night(town: Town) -> None:
    caregivers = [person for person in town.responders if person.kind == "caregiver"]
    bases = Counter(person.area for person in caregivers)
    assert len(bases) == 30
    assert {BY_ID[base].level for base in bases} == {"community"}
    assert Counter(person.hours for person in caregivers) == {"mon-sun 08:00-20:00": 30, "mon-sun 20:00-08:00": 30}
    at_night = [person.skills for person in caregivers if person.hours == "mon-sun 20:00-08:00"]
    assert any("nursing" in skills for skills in at_night)


def test_people_who_go_out_have_a_position_a_limit_and_a_behaviour(town: Town) -> None:
    people = [person for person in town.responders if person.kind not in {"desk", "department"}]
    assert set(town.behaviours) == {person.id for person in people}
    for person in people:
        assert (person.lat is not None, person.lon is not None, person.capacity) == (True, True, 1)
        assert person.area in BY_ID


def test_more_elders_than_homes_are_refused() -> None:
    district, street, community, grid = AREAS[:4]
    assert len(make_town((district, street, community, grid), random.Random(1), 96, 3).elders) == 96
    with pytest.raises(ValueError, match="larger than population"):
        make_town((district, street, community, grid), random.Random(1), 97, 3)


def test_the_files_have_the_columns_of_the_import(town: Town, tmp_path: Path) -> None:
    write_csv(town, tmp_path)
    assert {path.name: path.read_text(encoding="utf-8").split("\n", 1)[0] for path in tmp_path.iterdir()} == COLUMNS


def test_some_elders_have_a_child_and_whoever_is_paired_with_one_first_holds_a_key(town: Town) -> None:
    elders = {elder.id: elder for elder in town.elders}
    children = [contact for contact in town.contacts if not contact.responder]
    assert len(children) == 1000
    holders = [contact for contact in town.contacts if contact.responder]
    assert {contact.elder for contact in holders} == {elder.id for elder in town.elders if elder.paired}
    assert all(contact.responder == elders[contact.elder].paired[0] for contact in holders)
    assert len({contact.id for contact in town.contacts}) == len(town.contacts)


def test_the_files_say_what_the_town_says(town: Town, tmp_path: Path) -> None:
    write_csv(town, tmp_path)
    assert read_areas(tmp_path / "areas.csv") == town.areas
    elders, devices, responders = (_read(tmp_path / f"{name}.csv") for name in ("elders", "devices", "responders"))
    assert (len(elders), len(devices), len(responders)) == (3000, 3000, len(town.responders))
    pair = next(elder for elder in town.elders if len(elder.paired) == 2)
    (cells,) = (row for row in elders if row["id"] == pair.id)
    assert (cells["paired"], cells["active"]) == (";".join(pair.paired), "1")
    assert (float(cells["lat"]), float(cells["lon"])) == (pair.lat, pair.lon)
    assert (devices[0]["heartbeat_s"], devices[0]["mobile"]) == ("", "0")
    (desk,) = (row for row in responders if row["id"] == "DESK-HX")
    assert (desk["lat"], desk["lon"], desk["capacity"], desk["area"]) == ("", "", "", "HX")
    assert responders[0]["capacity"] == "1"


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_town_needs_no_particular_district() -> None:
    areas = (
        AreaRow("X", "", "district", "X区", 39.08, 117.23),
        AreaRow("X1", "X", "street", "X街道", 39.08, 117.23),
        AreaRow("X2", "X1", "community", "X里社区", 39.08, 117.23),
        AreaRow("X3", "X2", "grid", "第1网格", 39.08, 117.23),
    )
    town = make_town(areas, random.Random(1), elders=5, responders=5)
    assert {elder.area for elder in town.elders} == {"X3"}
    assert {"DESK-X", "DESK-X1", "DESK-X2"} <= {person.id for person in town.responders}
