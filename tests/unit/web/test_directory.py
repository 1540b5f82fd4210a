"""The directory over REST: areas, roles, telephone look-up, devices on test."""

from datetime import timedelta

import pytest

from callhub.domain import events
from callhub.domain.family import FamilyContact, News
from callhub.store.base import Commit, DirectoryChange
from tests.unit.web.stage import START, Stage


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("areas", ["D1", "S1", "S2"]),
        ("elders", ["E-1", "E-2"]),
        ("devices", ["BTN-1", "BTN-2", "BTN-3"]),
        ("responders", ["DESK-1", "V-1"]),
    ],
)
async def test_each_kind_is_listed_in_order_and_one_by_one(stage: Stage, kind: str, ids: list[str]) -> None:
    async with await stage.signed_in("olga") as olga:
        listed, query = [], ""
        while True:
            page = (await olga.get(f"/api/v1/{kind}?limit=1{query}")).json()
            listed += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            query = f"&cursor={page['next']}"
        assert listed == ids
        for id in ids:
            assert (await olga.get(f"/api/v1/{kind}/{id}")).json()["id"] == id
        answer = await olga.get(f"/api/v1/{kind}/none-such")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_user_sees_the_subtree_of_their_area(stage: Stage) -> None:
    async with await stage.signed_in("southern") as southern:
        seen = {}
        for kind in ("areas", "elders", "devices", "responders"):
            seen[kind] = [item["id"] for item in (await southern.get(f"/api/v1/{kind}")).json()["items"]]
        assert seen == {"areas": ["S2"], "elders": ["E-2"], "devices": ["BTN-2", "BTN-3"], "responders": []}
        for path in ("areas/S1", "elders/E-1", "devices/BTN-1", "responders/V-1"):
            assert (await southern.get(f"/api/v1/{path}")).status_code == 404, path


async def test_elders_are_found_by_telephone(stage: Stage) -> None:
    async with await stage.signed_in("olga") as olga:
        assert [e["id"] for e in (await olga.get("/api/v1/elders?phone=13800000002")).json()["items"]] == ["E-2"]
        assert (await olga.get("/api/v1/elders?phone=0")).json()["items"] == []


async def test_telephones_and_door_codes_are_for_operators(stage: Stage) -> None:
    async with await stage.signed_in("olga") as olga, await stage.signed_in("vera") as vera:
        told = (await olga.get("/api/v1/elders/E-1")).json()
        assert (told["phone"], told["access"]) == ("13800000001", "钥匙")
        assert not {"phone", "access", "notes", "card"} & set((await vera.get("/api/v1/elders/E-1")).json())
        assert "phone" not in (await vera.get("/api/v1/responders/V-1")).json()


async def test_the_people_around_an_elder_are_for_operators(stage: Stage) -> None:
    son = FamilyContact("C-1", "E-1", "李明", "son", "13800000009", ("sms",), (News.CLOSED,), "V-1")
    await stage.store.commit(Commit(changes=(DirectoryChange(contacts=(son,)),)))
    async with await stage.signed_in("olga") as olga, await stage.signed_in("vera") as vera:
        assert (await olga.get("/api/v1/elders/E-1")).json()["contacts"] == [
            {
                "id": "C-1",
                "name": "李明",
                "relation": "son",
                "phone": "13800000009",
                "channels": ["sms"],
                "inform": ["closed"],
                "responder": "V-1",
                "language": "zh",
            }
        ]
        assert (await olga.get("/api/v1/elders/E-2")).json()["contacts"] == []
        assert "contacts" not in (await vera.get("/api/v1/elders/E-1")).json()


async def test_a_responder_is_shown_with_duty_and_open_incidents(stage: Stage) -> None:
    id = await stage.press()
    async with await stage.signed_in("olga") as olga:
        shown = {
            r["id"]: (r["on_duty"], r["incidents"]) for r in (await olga.get("/api/v1/responders")).json()["items"]
        }
    assert shown == {"V-1": (True, [id]), "DESK-1": (False, [])}


async def test_an_area_tells_its_path(stage: Stage) -> None:
    async with await stage.signed_in("olga") as olga:
        assert (await olga.get("/api/v1/areas/S1")).json()["path"] == ["D1", "S1"]


async def test_a_device_goes_on_test_for_at_most_an_hour(stage: Stage) -> None:
    async with await stage.signed_in("olga") as olga, await stage.signed_in("southern") as southern:
        assert (await olga.post("/api/v1/devices/BTN-1/test", json={"minutes": 30})).status_code == 200
        event = stage.engine.seen[-1]
        assert isinstance(event, events.TestAsked)
        assert (event.device, event.until) == ("BTN-1", START + timedelta(minutes=30))
        for minutes in (0, 61, "soon", None):
            answer = await olga.post("/api/v1/devices/BTN-1/test", json={"minutes": minutes})
            assert (answer.status_code, answer.json()["field"]) == (422, "minutes")
        assert (await southern.post("/api/v1/devices/BTN-1/test", json={"minutes": 1})).status_code == 404


async def test_a_device_s_telephone_is_for_operators_too(stage: Stage) -> None:
    async with await stage.signed_in("olga") as olga, await stage.signed_in("vera") as vera:
        assert "phone" in (await olga.get("/api/v1/devices/BTN-1")).json()
        assert "phone" not in (await vera.get("/api/v1/devices/BTN-1")).json()
        listed = (await vera.get("/api/v1/devices")).json()["items"]
        assert [device["id"] for device in listed if "phone" in device] == []
