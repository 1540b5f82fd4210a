"""What is overdue for its test or its drill, over HTTP and as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from callhub.domain.drills import DRILLED_AREA, DRILLED_ELDER
from callhub.domain.people import Area, Device
from callhub.domain.policy import Level
from callhub.store.base import Commit, DirectoryChange, Marks
from callhub.web import overdue
from tests.unit.web.stage import DEVICES, ELDERS, START, Stage

URL = "/api/v1/reports/overdue"


async def read(stage: Stage, token: str = "api-duty", **query: str) -> dict[str, Any]:
    async with stage.bearer(token) as client:
        answer = await client.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def was_tested(stage: Stage, device: str, days_ago: float) -> None:
    at = (START - timedelta(days=days_ago)).isoformat()
    await stage.store.commit(Commit(marks=Marks(device_health={device: {"last_tested_at": at}})))


async def drilled(stage: Stage, kind: str, id: str, days_ago: float) -> None:
    await stage.store.commit(Commit(marks=Marks(seen={(kind, id): START - timedelta(days=days_ago)})))


async def test_devices_are_overdue_after_seven_days_or_when_never_tested(stage: Stage) -> None:
    await was_tested(stage, "BTN-1", 7.1)
    await was_tested(stage, "BTN-2", 6.9)
    body = await read(stage, what="tests")
    assert body["next"] is None
    assert body["items"] == [
        {
            "device": "BTN-1",
            "kind": "button",
            "elder": {"id": "E-1", "name": "李奶奶"},
            "area": ["D1", "S1"],
            "last_tested_at": "2026-11-17T02:36:00Z",
            "due_at": "2026-11-24T02:36:00Z",
            "overdue": True,
        },
        {
            "device": "BTN-3",
            "kind": "button",
            "elder": None,
            "area": [],
            "last_tested_at": None,
            "due_at": None,
            "overdue": True,
        },
    ]


async def test_all_shows_what_is_in_time_as_well(stage: Stage) -> None:
    await was_tested(stage, "BTN-2", 1)
    items = (await read(stage, what="tests", all="true"))["items"]
    assert [(item["device"], item["overdue"]) for item in items] == [("BTN-1", True), ("BTN-2", False), ("BTN-3", True)]


async def test_what_is_switched_off_is_not_overdue(stage: Stage) -> None:
    change = DirectoryChange(
        devices=tuple(replace(device, active=False) for device in DEVICES), elders=(replace(ELDERS[0], active=False),)
    )
    await stage.store.commit(Commit(changes=(change,)))
    assert (await read(stage, what="tests"))["items"] == []
    assert [i["elder"]["id"] for i in (await read(stage, what="drills", of="elders"))["items"]] == ["E-2"]


async def test_areas_and_elders_are_overdue_for_a_drill_after_half_a_year(stage: Stage) -> None:
    for kind, id, days_ago in ((DRILLED_AREA, "D1", 1.0), (DRILLED_AREA, "S2", 184), (DRILLED_ELDER, "E-2", 182)):
        await drilled(stage, kind, id, days_ago)
    areas = (await read(stage, what="drills"))["items"]
    assert [(a["area"], a["name"], a["level"], a["last_drill_at"] is None) for a in areas] == [
        ("S1", "友谊路街", "street", True),
        ("S2", "桃园街", "street", False),
    ]
    elders = (await read(stage, what="drills", of="elders"))["items"]
    assert [(e["elder"], e["area"], e["due_at"]) for e in elders] == [
        ({"id": "E-1", "name": "李奶奶"}, ["D1", "S1"], None)
    ]


async def test_a_caller_with_an_area_sees_that_area_alone(stage: Stage) -> None:
    tests = await read(stage, "api-wall", what="tests")
    assert [item["device"] for item in tests["items"]] == ["BTN-1", "BTN-3"]
    assert [item["area"] for item in (await read(stage, "api-wall", what="drills"))["items"]] == ["S1"]
    elders = await read(stage, "api-wall", what="drills", of="elders")
    assert [item["elder"]["id"] for item in elders["items"]] == ["E-1"]


async def test_a_page_goes_on_where_the_last_one_ended(stage: Stage) -> None:
    await was_tested(stage, "BTN-2", 1)
    first = await read(stage, what="tests", limit="1")
    second = await read(stage, what="tests", limit="1", cursor=first["next"])
    assert [page["items"][0]["device"] for page in (first, second)] == ["BTN-1", "BTN-3"]
    assert second["next"] is None


async def test_a_page_that_finds_little_ends_early(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overdue, "READS_MAX", 1)
    await was_tested(stage, "BTN-1", 1)
    page = await read(stage, what="tests", limit="1")
    assert page["items"] == []
    assert page["next"] is not None


@pytest.mark.parametrize("asked", ["query", "header"])
async def test_the_whole_list_comes_as_csv(stage: Stage, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setattr(overdue, "LIMIT_MAX", 1)
    await stage.store.commit(Commit(changes=(DirectoryChange(devices=(Device("BTN-4", "E-9", kind="=1+1"),)),)))
    await was_tested(stage, "BTN-2", 1)
    query = {"what": "tests", "all": "1", "limit": "1"} | ({"format": "csv"} if asked == "query" else {})
    headers = {"accept": "text/csv"} if asked == "header" else {}
    async with stage.bearer("api-duty") as duty:
        answer = await duty.get(URL, params=query, headers=headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="tests-20261124-1300.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(line["device"], line["overdue"]) for line in lines] == [
        ("BTN-1", "1"),
        ("BTN-2", "0"),
        ("BTN-3", "1"),
        ("BTN-4", "1"),
    ]
    assert lines[1]["elder"] == "E-2"
    assert lines[1]["area"] == "D1;S2"
    assert lines[3]["kind"] == "'=1+1"
    assert lines[2]["last_tested_at"] == ""


async def test_json_is_given_to_whoever_asks_for_it(stage: Stage) -> None:
    async with stage.bearer("api-duty") as duty:
        answer = await duty.get(URL, params={"what": "drills", "format": "json"}, headers={"accept": "text/csv"})
    assert answer.json()["as_of"]


async def test_an_area_of_its_own_root_is_listed(stage: Stage) -> None:
    await stage.store.commit(Commit(changes=(DirectoryChange(areas=(Area("D2", None, Level.DISTRICT, "N", None),)),)))
    assert [i["path"] for i in (await read(stage, what="drills"))["items"] if i["area"] == "D2"] == [["D2"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [({}, "what"), ({"what": "teas"}, "what"), ({"what": "drills", "of": "cats"}, "of")],
)
async def test_what_cannot_be_asked_names_the_field(stage: Stage, query: dict[str, str], field: str) -> None:
    async with stage.bearer("api-duty") as duty:
        answer = await duty.get(URL, params=query)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_gateways_and_responders_may_not_read_it(stage: Stage) -> None:
    for token in ("gateway-GW", "responder-V-1"):
        async with stage.bearer(token) as client:
            assert (await client.get(URL, params={"what": "tests"})).status_code == 403
