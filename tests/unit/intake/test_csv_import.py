"""Importing the four kinds of files: all rows or none, every fault named, a second run changes nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from callhub.domain.people import Device, Elder, Position, Responder, ResponderKind, Supervised
from callhub.intake.cells import Convert
from callhub.intake.csv_import import SLICE_IDS, Crs
from callhub.intake.directory import SHOWN_MAX
from callhub.protocol.coordinates import bd09_to_wgs84, gcj02_to_wgs84
from callhub.store.base import Commit, DirectoryChange, Found, Need
from tests.unit.intake.directory_of import AREAS, DEVICES, ELDERS, NOW, RESPONDERS, Town

FILES = {"areas": AREAS, "elders": ELDERS, "devices": DEVICES, "responders": RESPONDERS}
PATH = ("D1", "S1", "C1", "G1")


def elder(town: Town, id: str = "E-1") -> Elder:
    found = town.store.person("elders", id)
    assert isinstance(found, Elder)
    return found


def responder(town: Town, id: str) -> Responder:
    found = town.store.person("responders", id)
    assert isinstance(found, Responder)
    return found


async def rejected(town: Town, kind: str, text: str) -> list[str]:
    """The faults of a file, as printed; nothing of it was committed."""
    before = town.store.head()
    reply = await town.take(kind, text)
    assert not reply.ok
    assert reply.status == 2
    assert town.store.head() == before
    first, *faults = reply.message.splitlines()
    cells = "1 cell needs" if len(faults) == 1 else f"{len(faults)} cells need"
    assert first == f"{kind}.csv: nothing was imported, {cells} a correction"
    return [fault.strip() for fault in faults]


async def test_a_ward_is_imported_with_paths_and_positions(town: Town) -> None:
    await town.settle()
    assert elder(town) == Elder(
        id="E-1",
        name="李奶奶",
        area=PATH,
        address="富源里 3 号楼 201",
        position=Position(39.08, 117.22),
        phone="13800000001",
        card="CARD1",
        paired=("V-1",),
        access="钥匙在邻居王家",
        notes="听力不好",
    )
    assert town.store.person("devices", "BTN-0001") == Device("BTN-0001", "E-1", "GW-1")
    assert responder(town, "V-1").area == PATH
    assert responder(town, "V-1").level == "grid"


@pytest.mark.parametrize("kind", list(FILES))
async def test_columns_that_a_file_lacks_stay_as_they_were(town: Town, kind: str) -> None:
    await town.settle()
    needed = {"areas": 4, "elders": 2, "devices": 1, "responders": 3}[kind]
    header, *rows = FILES[kind].splitlines()
    names = header.split(",")
    for columns in range(needed, len(names)):
        if names[columns - 1] == "lat":  # there is no half of a position
            continue
        short = [",".join(row.split(",")[:columns]) for row in rows]
        for head in (header, ",".join(names[:columns])):  # rows may be shorter than their header, too
            reply = await town.take(kind, "\n".join((head, *short)) + "\n")
            assert reply.ok, reply.message
            assert "nothing to change" in reply.lines[0]
    assert town.events == []


async def test_an_empty_cell_empties_and_a_missing_one_does_not(town: Town) -> None:
    await town.settle()
    before = elder(town)
    reply = await town.take("elders", "id,name,phone,card\nE-1,李奶奶,\n", dry_run=True)
    assert reply.lines == (
        "elders: 0 added, 1 updated, 0 as they were",
        "  E-1: phone",
        "dry run: nothing was changed",
    )
    assert elder(town) == before
    await town.take("elders", "id,name,phone,card\nE-1,李奶奶,\n")
    assert elder(town) == replace(before, phone="")
    await town.take("elders", "id,name,lat,lon\nE-1,李奶奶,,\n")
    assert elder(town) == replace(before, phone="", position=Position(39.081, 117.22), position_source="grid")


async def test_a_home_stays_where_it_is_and_an_assumed_place_follows_a_new_area(town: Town) -> None:
    await town.settle()
    await town.take("elders", "id,name,area\nE-2,Zhao,G1\n")
    text = "id,name,area\nE-1,李奶奶,S1\nE-2,Zhao,S1\n"
    reply = await town.take("elders", text)
    assert reply.lines[1] == (
        "in another area at the same position, as the file has no lat and lon: E-1; see that it holds"
    )
    home, assumed = elder(town), elder(town, "E-2")
    assert (home.area, home.position, home.position_source) == (("D1", "S1"), Position(39.08, 117.22), "home")
    assert (assumed.position, assumed.position_source) == (Position(39.085, 117.22), "grid")
    assert "nothing to change" in (await town.take("elders", text)).lines[0]


async def test_a_responder_of_another_kind_keeps_what_is_theirs(town: Town) -> None:
    await town.settle()
    await town.take("responders", "id,name,kind,area,capacity\nV-1,王师傅,volunteer,C1,2\nV-2,Li,volunteer,C1\n")
    assert responder(town, "V-1").level == "community"
    await town.take("responders", "id,name,kind\nV-1,王师傅,caregiver\nV-2,Li,desk\n")
    worker, desk = responder(town, "V-1"), responder(town, "V-2")
    assert (worker.capacity, worker.phone, worker.position) == (2, "13900000001", Position(39.0815, 117.221))
    assert (desk.capacity, desk.position, desk.level) == (None, None, "community")


async def test_a_dry_run_names_the_first_of_many(town: Town) -> None:
    await town.settle()
    many = "id,name,area\n" + "".join(f"E-{n:02},Li,G1\n" for n in range(10, 10 + SHOWN_MAX + 2))
    await town.take("elders", many)
    reply = await town.take("elders", many.replace("Li,G1", "Wu,C1"), dry_run=True)
    assert reply.lines[1] == "  E-10: name, area"
    assert reply.lines[-2:] == ("  and 2 more", "dry run: nothing was changed")
    assert len(reply.lines) == SHOWN_MAX + 3


@pytest.mark.parametrize("kind", list(FILES))
async def test_a_second_run_changes_nothing_and_says_so(town: Town, kind: str) -> None:
    await town.settle()
    before = town.store.head()
    reply = await town.take(kind, FILES[kind])
    assert reply.ok
    assert "nothing to change" in reply.lines[0]
    assert town.store.head() == before
    assert town.events == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
async def test_what_spreadsheets_write_is_read(town: Town, encoding: str) -> None:
    await town.settle()
    reply = await town.take("elders", ELDERS.encode(encoding))
    assert "nothing to change" in reply.lines[0]


async def test_a_dry_run_says_what_would_change_and_changes_nothing(town: Town) -> None:
    before = town.store.head()
    reply = await town.take("areas", AREAS, dry_run=True)
    assert reply.lines == ("areas: 4 added, 0 updated, 0 as they were", "dry run: nothing was changed")
    assert town.store.head() == before


async def test_trailing_columns_may_be_missing(town: Town) -> None:
    await town.settle()
    reply = await town.take("responders", "id,name,kind\nV-2,Li,volunteer\nV-3,Wu,desk\n")
    assert reply.ok, reply.message
    assert responder(town, "V-2") == Responder("V-2", "Li", ResponderKind.VOLUNTEER, position_source="grid")
    assert responder(town, "V-3").capacity is None


async def test_without_a_position_the_nearest_area_that_has_one_is_taken(town: Town) -> None:
    await town.settle()
    reply = await town.take("elders", "id,name,area\nE-2,Zhao,G1\nE-3,Qian,\n")
    assert reply.ok, reply.message
    assert elder(town, "E-2").position == Position(39.081, 117.22)
    assert elder(town, "E-2").position_source == "grid"
    assert elder(town, "E-3").position is None


async def test_a_desk_stands_nowhere(town: Town) -> None:
    await town.settle()
    await town.take("responders", "id,name,kind,area\nK-1,Desk,desk,C1\nK-2,Dept,department,C1\n")
    assert responder(town, "K-1").position is None
    assert responder(town, "K-2").position == Position(39.081, 117.22)


@pytest.mark.parametrize(("crs", "convert"), [(Crs.GCJ02, gcj02_to_wgs84), (Crs.BD09, bd09_to_wgs84)])
async def test_positions_of_chinese_maps_are_converted(town: Town, crs: Crs, convert: Convert) -> None:
    await town.settle()
    await town.take("elders", ELDERS, crs)
    assert elder(town).position == Position(*convert(39.08, 117.22))
    again = await town.take("elders", ELDERS, crs)
    assert "nothing to change" in again.lines[0]


async def test_every_bad_cell_of_every_row_is_named(town: Town) -> None:
    await town.settle()
    text = (
        "id,name,area,address,lat,lon,phone,card,language,paired,access,notes,active\n"
        ",,G9,,91,117,1.38E+10,1.2e+15,Chinese!,,,,maybe\n"
        "E-2,Li,G1,,39,,12,,,,,,\n"
        "E-2,Li,G1,,0,0,,,,,,,\n"
        "E-3,Li,G1,,117.2,39,,,,,,,\n"
        "E-4,Li,G1,,nan,inf,,,,,,,\n"
    )
    faults = await rejected(town, "elders", text)
    places = [fault.split(":")[0] for fault in faults]
    assert places == [
        "line 2, area", "line 2, lat", "line 2, id", "line 2, name", "line 2, phone", "line 2, card",
        "line 2, language", "line 2, active",
        "line 3, lon", "line 3, phone",
        "line 4, id", "line 4, lat",
        "line 5, lat",
        "line 6, lat", "line 6, lon",
    ]  # fmt: skip
    assert "'E-2' is on line 3 already" in faults[10]
    assert "swapped" in faults[12]


async def test_an_unknown_kind_or_channel_is_named_with_what_there_is_and_hides_nothing(town: Town) -> None:
    text = (
        "id,name,kind,area,lat,lon,phone,skills,capacity,hours,channels\n"
        "V-1,,friend,G9,91,117,1.38E+10,,0,9-17,app;pigeon;fax\n"
        "V-2,Li,volunteer,,,,,,,,App;sms;VOICE\n"
    )
    faults = await rejected(town, "responders", text)
    assert {fault.split(":")[0] for fault in faults} == {
        f"line 2, {column}"
        for column in ("name", "kind", "area", "lat", "phone", "capacity", "hours", "channels")
    }  # fmt: skip
    assert [fault for fault in faults if "channels" in fault] == [
        "line 2, channels: there is no channel 'pigeon'; write some of app, phone, sms, voice, joined by ';'",
        "line 2, channels: there is no channel 'fax'; write some of app, phone, sms, voice, joined by ';'",
    ]
    await town.take("responders", "id,name,kind,channels\nV-2,Li,volunteer,App;sms;VOICE\n")
    assert responder(town, "V-2").channels == ("app", "sms", "voice")


@pytest.mark.parametrize("column", ["phone", "card"])
async def test_scientific_notation_is_no_number(town: Town, column: str) -> None:
    (fault,) = await rejected(town, "elders", f"id,name,{column}\nE-1,Li,1.38E+10\n")
    assert fault == (
        f"line 2, {column}: is in scientific notation, digits are lost; format the column as text and enter it again"
    )


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        ("devices", "id,elder\nB-1,E-9\n", "line 2, elder: there is no elder 'E-9'"),
        ("devices", "id,heartbeat_s\nB-1,-5\n", "line 2, heartbeat_s: write a whole number"),
        ("devices", "id,heartbeat_s\nB-1,1e3\n", "line 2, heartbeat_s: write a whole number"),
        ("responders", "id,name,kind\nV-1,Li,friend\n", "line 2, kind: write one of volunteer, caregiver"),
        ("responders", "id,name,kind,capacity\nV-1,Li,volunteer,0\n", "line 2, capacity: write a whole number from 1"),
        ("responders", "id,name,kind,hours\nV-1,Li,volunteer,9-17\n", "line 2, hours: cannot read '9-17'"),
        ("responders", "id,name,kind,area\nV-1,Li,volunteer,G9\n", "line 2, area: there is no area 'G9'"),
        ("areas", "id,parent,level,name\nA,Z,street,a\n", "line 2, parent: there is no area 'Z'"),
        ("areas", "id,parent,level,name\nA,,city,a\n", "line 2, level: write one of district, street"),
    ],
)
async def test_what_is_wrong_is_named(town: Town, kind: str, text: str, fault: str) -> None:
    (found,) = await rejected(town, kind, text)
    assert found.startswith(fault)


async def test_a_circle_of_areas_is_named_on_each_of_its_lines(town: Town) -> None:
    text = "id,parent,level,name\nA,C,district,a\nB,A,street,b\nC,B,community,c\nX,X,grid,x\n"
    assert await rejected(town, "areas", text) == [
        "line 2, parent: goes round in a circle: A > C > B > A",
        "line 3, parent: goes round in a circle: B > A > C > B",
        "line 4, parent: goes round in a circle: C > B > A > C",
        "line 5, parent: goes round in a circle: X > X",
    ]


async def test_an_area_cannot_lie_in_a_lower_one(town: Town) -> None:
    (fault,) = await rejected(town, "areas", "id,parent,level,name\nA,,grid,a\nB,A,street,b\n")
    assert fault.startswith("line 3, level: a street cannot lie in a grid")


async def test_an_area_keeps_room_for_those_imported_before(town: Town) -> None:
    await town.settle()
    (fault,) = await rejected(town, "areas", "id,parent,level,name\nC1,,grid,a\n")
    assert fault.startswith("line 2, level: area 'G1' lies in it")


async def test_parents_may_stand_below_their_children(town: Town) -> None:
    header, *rows = AREAS.splitlines()
    reply = await town.take("areas", "\n".join([header, *reversed(rows)]))
    assert reply.ok, reply.message


async def test_people_follow_their_area(town: Town) -> None:
    await town.settle()
    await town.take("elders", "id,name,area\nE-2,Zhao,G1\n")
    town.events.clear()
    moved = "id,parent,level,name,lat,lon\nC2,S1,community,new,39.1,117.1\nG1,C2,grid,g,39.2,117.2\n"
    reply = await town.take("areas", moved)
    assert reply.lines == (
        "areas: 1 added, 1 updated, 0 as they were",
        "3 elders and responders follow their changed areas",
    )
    assert elder(town).area == ("D1", "S1", "C2", "G1")
    assert elder(town).position == Position(39.08, 117.22)  # a home does not move with its grid
    assert elder(town, "E-2").position == Position(39.2, 117.2)
    (event,) = town.events
    assert {person.id for person in event.elders} == {"E-1", "E-2"}
    assert [person.id for person in event.responders] == ["V-1"]


async def test_open_incidents_can_hear_of_moved_elders_and_devices(town: Town) -> None:
    await town.settle()
    await town.take("elders", ELDERS.replace("201", "305") + "E-2,Zhao,G1\n")
    await town.take("devices", DEVICES.replace("E-1", "E-2") + "BTN-2,E-1\nBTN-3\n")
    elders, devices = town.events
    assert [(person.id, person.address) for person in elders.elders] == [("E-1", "富源里 3 号楼 305")]
    assert [(device.id, device.elder) for device in devices.moved_devices] == [("BTN-2", "E-1"), ("BTN-0001", "E-2")]


async def test_devices_are_supervised_where_their_elders_live_and_each_elder_is_looked_up_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.settle()
    needs: list[Need] = []
    look_up = town.store.lookup

    def noted(need: Need) -> Found:
        needs.append(need)
        return look_up(need)

    monkeypatch.setattr(town.store, "lookup", noted)
    rows = "".join(f"BTN-{n},E-1,GW-1,sensor,,90\n" for n in range(400)) + "BTN-X,,GW-1,sensor,,90,,0\n"
    await town.take("devices", DEVICES + rows)
    await town.take("devices", "id,heartbeat_s\nBTN-0001,180\n")  # whose it is stays as it was
    many, one = town.events
    assert len(many.supervised) == 401
    assert many.supervised[0] == Supervised("BTN-0", 90, "GW-1", "E-1", ("D1", "S1", "C1", "G1"))
    assert many.supervised[-1] == Supervised("BTN-X", 0, "GW-1", None, ())
    assert one.supervised == (Supervised("BTN-0001", 180, "GW-1", "E-1", ("D1", "S1", "C1", "G1")),)
    assert [need.elders for need in needs if need.elders] == [{"E-1"}, {"E-1"}]


async def test_new_and_changed_responders_are_told_to_the_engine(town: Town) -> None:
    await town.settle()
    await town.take("responders", RESPONDERS.replace(",1\n", ",0\n") + "V-2,Li,volunteer\n")
    (event,) = town.events
    assert [(person.id, person.active) for person in event.responders] == [("V-2", True), ("V-1", False)]


async def test_an_import_never_removes(town: Town) -> None:
    await town.settle()
    await town.take("responders", "id,name,kind\nV-2,Li,volunteer\n")
    assert responder(town, "V-1").active


async def test_a_test_under_way_outlives_an_import(town: Town) -> None:
    await town.settle()
    until = NOW + timedelta(minutes=5)
    on_test = Device("BTN-0001", "E-1", "GW-1", test_until=until)
    await town.store.commit(Commit(changes=(DirectoryChange(devices=(on_test,)),)))
    await town.take("devices", DEVICES.replace("button", "pendant"))
    found = town.store.person("devices", "BTN-0001")
    assert isinstance(found, Device)
    assert (found.kind, found.test_until) == ("pendant", until)


async def test_paired_responders_may_come_later_and_are_named_until_then(town: Town) -> None:
    await town.take("areas", AREAS)
    reply = await town.take("elders", ELDERS)
    assert reply.lines[1].startswith("paired responders not imported yet: V-1;")
    await town.take("responders", RESPONDERS)
    again = await town.take("elders", ELDERS)
    assert again.lines == ("elders: nothing to change, the one row is as it was",)


async def test_a_large_file_is_compared_in_slices(town: Town) -> None:
    await town.settle()
    many = "id,name,area\n" + "".join(f"E-{n},Li,G1\n" for n in range(2, 2 * SLICE_IDS + 7))
    assert (await town.take("elders", many)).ok
    again = await town.take("elders", many.replace("E-2,Li", "E-2,Wu"))
    assert again.lines == (f"elders: 0 added, 1 updated, {2 * SLICE_IDS + 4} as they were",)
