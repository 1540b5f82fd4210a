"""Roll-calls over HTTP, with the real engine and a real disk; and the start after which one is asked for by itself."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from callhub.domain.supervision import RUN
from callhub.store.base import Commit, Marks
from callhub.store.sqlite import SqliteStore
from tests.integration.web_house import PASSWORD, House, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

URL = "/api/v1/roll-calls"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path) as house:
        yield house


async def by(house: House, user: str, method: str, path: str = "", **more: Any) -> httpx.Response:
    """What a user asks for."""
    signed = await house.api.post("/api/v1/login", json={"user": user, "password": PASSWORD})
    headers = {"authorization": f"Bearer {signed.json()['token']}", **more.pop("headers", {})}
    return await house.api.request(method, URL + path, headers=headers, **more)


def gap(minutes: float = 60, **where: str) -> dict[str, str]:
    now = datetime.now(UTC)
    since, until = now - timedelta(minutes=minutes), now - timedelta(minutes=1)
    return {"from": since.isoformat(), "until": until.isoformat(), "reason": "the mast fell", **where}


async def opened(house: House, homes: int = 2, **where: str) -> dict[str, Any]:
    """A roll-call whose homes are known."""
    answer = await by(house, "boss", "POST", json={**gap(), **where})
    assert answer.status_code == 201, answer.text
    id = answer.json()["id"]
    call: dict[str, Any] = {}
    for _ in range(200):
        one: dict[str, Any] = (await by(house, "boss", "GET", f"/{id}")).json()
        call = one["roll_call"]
        if call["listed"] and call["homes"] == homes and not call["waiting"]:
            return one
    raise AssertionError(f"still {call}")


async def test_a_supervisor_has_homes_checked_and_sees_how_far_it_is(house: House) -> None:
    one = await opened(house)
    assert (one["class"], one["kind"], one["source"], one["part_of"]) == ("technical", "roll_call", "operator", None)
    call = one["roll_call"]
    counts = [call[name] for name in ("cause", "gateway", "area", "homes", "checked", "open", "waiting")]
    assert counts == ["asked", None, None, 2, 0, 2, 0]
    assert [(home["home"], home["name"]) for home in one["unreached"]] == [("E-1", "李奶奶"), ("E-2", "张爷爷")]
    check = (await house.api.get(f"/api/v1/incidents/{one['unreached'][0]['check']}")).json()
    assert (check["kind"], check["part_of"], check["elder"]["id"]) == ("home_check", one["id"], "E-1")


async def test_what_is_not_reached_comes_in_pages_and_the_whole_as_csv(house: House) -> None:
    one = await opened(house)
    first = (await by(house, "vera", "GET", f"/{one['id']}?limit=1")).json()
    assert ([home["home"] for home in first["unreached"]], first["next"]) == (["E-1"], 1)
    second = (await by(house, "vera", "GET", f"/{one['id']}?limit=1&after=1")).json()
    assert ([home["home"] for home in second["unreached"]], second["next"]) == (["E-2"], None)
    await house.press("BTN-2")
    answer = await by(house, "vera", "GET", f"/{one['id']}", headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(answer.text.removeprefix("\ufeff").splitlines()))
    assert [(row["home"], row["state"], row["outcome"]) for row in rows] == [
        ("E-2", "checked", "pressed"),
        ("E-1", "open", ""),
    ]
    assert all(row["check"] and row["began_at"] for row in rows)


async def test_all_of_it_is_in_the_list_newest_first(house: House) -> None:
    one = await opened(house)
    other = await opened(house, gateway="GW")
    await house.press("BTN-1")
    listed = (await by(house, "vera", "GET")).json()
    assert [item["id"] for item in listed["items"]] == [other["id"], one["id"]]
    await house.act(one["id"], "close", outcome="other", reason="enough")
    still = (await by(house, "vera", "GET", "?state=open")).json()
    assert [item["id"] for item in still["items"]] == [other["id"]]
    timeline = (await house.api.get(f"/api/v1/incidents/{one['id']}")).json()["timeline"]
    facts = [entry["fact"] for entry in timeline]
    assert "roll_call_began" in facts
    assert not {"homes_listed", "home_check_began", "home_checked"} & set(facts), "they are thousands"
    assert (await house.api.get("/api/v1/reports/kpi")).json()["incidents"] == 1, "roll-calls are in no figure"


async def test_the_same_place_is_extended_and_the_same_request_is_answered_again(house: House) -> None:
    said = gap(area="C1")
    key = {"idempotency-key": "k-1"}
    first = await by(house, "boss", "POST", json=said, headers=key)
    again = await by(house, "boss", "POST", json=said, headers=key)
    longer = await by(house, "boss", "POST", json=gap(minutes=90, area="C1"))
    assert [answer.status_code for answer in (first, again, longer)] == [201, 201, 200]
    assert {answer.json()["id"] for answer in (first, again, longer)} == {first.json()["id"]}
    assert first.json()["area"] == ["D1", "S1", "C1"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"area": "nowhere"}, "area"),
        ({"gateway": "nobody's"}, "gateway"),
        ({"area": "S1", "gateway": "GW"}, "gateway"),
        ({"reason": " "}, "reason"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2020-01-01T00:00:00"}, "from"),
        ({"from": "2999-01-01T00:00:00Z"}, "from"),
        ({"until": "2999-01-01T00:00:00Z"}, "until"),
        ({"until": "2020-01-01T00:00:00Z"}, "from"),
    ],
)
async def test_what_is_wrong_is_named(house: House, wrong: dict[str, str], field: str) -> None:
    answer = await by(house, "boss", "POST", json={**gap(), **wrong})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_message", field)


async def test_who_sees_one_area_sees_no_home_of_another_in_a_roll_call_of_everywhere(house: House) -> None:
    one = await opened(house)
    seen = (await by(house, "southern", "GET", f"/{one['id']}")).json()
    assert (seen["area"], seen["roll_call"]["homes"], seen["unreached"], seen["next"]) == ([], 2, [], None)
    table = (await by(house, "southern", "GET", f"/{one['id']}?format=csv")).text.removeprefix("\ufeff")
    assert list(csv.DictReader(table.splitlines())) == []
    mine = (await by(house, "friend", "GET", f"/{one['id']}")).json()
    assert [home["home"] for home in mine["unreached"]] == ["E-1", "E-2"]


async def test_an_operator_asks_for_none_and_nobody_sees_those_of_others(house: House) -> None:
    assert (await by(house, "olga", "POST", json=gap())).status_code == 403
    one = await opened(house, area="S1")
    assert (await by(house, "southern", "GET", f"/{one['id']}")).status_code == 404
    assert (await by(house, "southern", "GET")).json()["items"] == []
    press = await house.press()
    assert (await by(house, "boss", "GET", f"/{press}")).status_code == 404


@pytest.mark.parametrize(("away_s", "asked"), [(700, True), (300, False)])
async def test_a_start_after_a_long_gap_asks_for_a_roll_call_by_itself(
    tmp_path: Path, away_s: float, asked: bool
) -> None:
    async with serving(tmp_path):
        pass
    store = SqliteStore(tmp_path / "callhub.db")
    await store.open()
    ended_at = datetime.now(UTC) - timedelta(seconds=away_s)
    await store._writing.run(lambda db: db.execute("DELETE FROM seen WHERE kind = 'run'").fetchall())
    run = (RUN, (ended_at - timedelta(hours=1)).isoformat())
    await store.commit(Commit(marks=Marks(seen={run: ended_at})))
    await store.close()
    async with serving(tmp_path) as house:
        listed = (await by(house, "vera", "GET")).json()["items"]
        assert [item["roll_call"]["cause"] for item in listed] == (["server"] if asked else [])
    async with serving(tmp_path) as house:
        again = (await by(house, "vera", "GET")).json()["items"]
        assert len(again) == len(listed), "a quick restart is no gap"
