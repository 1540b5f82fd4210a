"""What people and programs read over HTTP, by the served product: lists, the stream, areas, sessions, health."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.integration.contract_ward import Installation

ITEM = {
    "id": str,
    "number": int,
    "version": int,
    "class": str,
    "kind": str,
    "urgency": int,
    "source": str,
    "state": str,
    "seeking": bool,
    "opened_at": str,
    "device": str,
    "device_known": bool,
    "elder": dict,
    "area": list,
    "go_to": dict,
    "fix": type(None),
    "flags": list,
    "owner": type(None),
    "step": int,
    "next_deadline": dict,
    "offers": list,
    "assignments": list,
    "alarms": list,
    "whistles": list,
    "follows": type(None),
}
OFFER = {"id", "responder", "state", "offered_at", "respond_by", "answered_at"}
ASSIGNMENT = {
    "id",
    "responder",
    "state",
    "assigned_at",
    "en_route_at",
    "on_scene_at",
    "cleared_at",
    "arrive_by",
    "late",
}


async def test_an_incident_has_at_least_the_fields_of_the_contract(ward: Installation) -> None:
    site = ward.site()
    incident = await ward.press(site)
    await ward.act(incident, "assign", responder=site.volunteer(), confirmed_by="telephone")
    whole = await ward.incident(incident)
    assert {name: type(whole.get(name)) for name in ITEM} == ITEM
    assert {"timeline", "contacts", "decisions"} <= whole.keys()
    assert whole["offers"][0].keys() >= OFFER
    assert whole["assignments"][0].keys() >= ASSIGNMENT
    item = next(item for item in await ward.incidents() if item["id"] == incident)
    assert item == {name: value for name, value in whole.items() if name in item}
    assert not item.keys() & {"timeline", "contacts", "decisions"}
    for name in ("opened_at",):
        assert datetime.fromisoformat(whole[name]).utcoffset() is not None
        assert whole[name].endswith("Z")


async def test_decisions_explain_who_was_asked_and_who_was_not(ward: Installation) -> None:
    site = ward.site()
    await ward.responder(site)
    incident = await ward.press(site)
    decisions = (await ward.incident(incident))["decisions"]
    assert site.volunteer() in json.dumps(decisions)
    assert site.volunteer(2) in json.dumps(decisions)


async def test_lists_go_on_by_cursor_newest_first(ward: Installation) -> None:
    for _ in range(5):
        await ward.press(ward.site())
    async with ward.http() as api:
        whole = (await api.get("/api/v1/incidents", params={"limit": 200, "wobble": "x"})).json()
        assert whole.keys() == {"items", "next", "as_of"}
        numbers = [item["number"] for item in whole["items"]]
        assert numbers == sorted(numbers, reverse=True)
        walked: list[str] = []
        cursor: str | None = ""
        while cursor is not None and len(walked) < len(numbers):
            page = (
                await api.get("/api/v1/incidents", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
            ).json()
            assert len(page["items"]) <= 2
            walked += [item["id"] for item in page["items"]]
            cursor = page["next"]
        assert walked == [item["id"] for item in whole["items"]]
        assert (await api.get("/api/v1/incidents", params={"cursor": "wobble"})).status_code == 422
        assert len((await api.get("/api/v1/elders", params={"limit": 1000})).json()["items"]) <= 200


async def test_open_is_everything_neither_closed_nor_cancelled(ward: Installation) -> None:
    kept, closed = await ward.press(ward.site()), await ward.press(ward.site())
    await ward.act(closed, "close", outcome="helped", reason="x")
    shown = [item["id"] for item in await ward.incidents()]
    assert kept in shown
    assert closed not in shown
    assert closed in [item["id"] for item in await ward.incidents(state="closed")]


@pytest.mark.parametrize("kind", ["elders", "devices", "responders", "areas"])
async def test_the_directory_is_listed_and_read_one_by_one(ward: Installation, kind: str) -> None:
    async with ward.http() as api:
        page = (await api.get(f"/api/v1/{kind}", params={"limit": 2})).json()
        assert page.keys() == {"items", "next", "as_of"}
        for item in page["items"]:
            assert isinstance(item["id"], str)
            assert (await api.get(f"/api/v1/{kind}/{item['id']}")).json()["id"] == item["id"]
        missing = await api.get(f"/api/v1/{kind}/nope")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
        by_phone = (await api.get("/api/v1/elders", params={"phone": ward.shared.phone})).json()
    assert [elder["id"] for elder in by_phone["items"]] == [ward.shared.elder]


async def test_an_area_sees_its_own_and_the_bare_facts_of_what_nobody_answers(ward: Installation) -> None:
    elsewhere = ward.site()
    incident = await ward.press(elsewhere)
    homeless = await ward.press(elsewhere, device=f"LOST-{elsewhere.n}")
    async with ward.http("api", "south") as south:
        items = (await south.get("/api/v1/incidents", params={"state": "open", "limit": 200})).json()["items"]
        bare = next(item for item in items if item["id"] == incident)
        assert bare["state"] == "unanswered"
        assert {"number", "kind", "state", "opened_at"} <= bare.keys()
        assert not bare.keys() & {"elder", "go_to", "alarms", "offers", "device", "area"}
        assert next(item for item in items if item["id"] == homeless)["device"] == f"LOST-{elsewhere.n}"
        noted = await south.post(f"/api/v1/incidents/{incident}/note", json={"text": "x"})
        assert noted.status_code in (403, 404)
        assert (await south.get(f"/api/v1/elders/{elsewhere.elder}")).status_code in (403, 404)
        taken = await south.post(f"/api/v1/incidents/{incident}/take-over", json={})
        assert taken.status_code == 200
        assert taken.json()["elder"]["id"] == elsewhere.elder
        assert (await south.get(f"/api/v1/incidents/{incident}")).json()["go_to"]["address"]


async def events(answer: httpx.Response) -> AsyncGenerator[dict[str, str], None]:
    """Server-sent events, one by one; comments under the name ``comment``."""
    event: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line:
            if event:
                yield event
            event = {}
            continue
        name, _, value = line.partition(":")
        event[name or "comment"] = value.strip()


async def heard(answer: httpx.Response, wanted: set[str]) -> list[dict[str, Any]]:
    """Events up to the last of the wanted incidents."""
    found = []
    async with asyncio.timeout(10), aclosing(events(answer)) as stream:
        async for event in stream:
            if event.get("event") != "incident":
                continue
            found.append({**json.loads(event["data"]), "_id": event["id"]})
            wanted.discard(found[-1]["id"])
            if not wanted:
                break
    return found


async def test_the_stream_begins_where_the_list_ended(ward: Installation) -> None:
    async with ward.http() as api:
        listed = (await api.get("/api/v1/incidents")).json()
        incident = await ward.press(ward.site())
        epoch, _, seq = listed["as_of"].rpartition("-")
        for where in ({"params": {"after": listed["as_of"]}}, {"headers": {"Last-Event-ID": listed["as_of"]}}):
            async with api.stream("GET", "/api/v1/stream", **where) as answer:  # type: ignore[arg-type]
                assert answer.headers["content-type"].startswith("text/event-stream")
                first = (await heard(answer, {incident}))[-1]
            assert first["_id"].rpartition("-")[0] == epoch
            assert int(first["_id"].rpartition("-")[2]) > int(seq)
            item = next(item for item in await ward.incidents() if item["id"] == incident)
            assert {name: value for name, value in first.items() if name != "_id"} == item


@pytest.mark.parametrize("after", ["wobble", "0123456789abcdef-1", "0123456789abcdef-999999999"])
async def test_a_stream_that_cannot_resume_says_so_and_goes_on_live(ward: Installation, after: str) -> None:
    async with (
        asyncio.timeout(10),
        ward.http() as api,
        api.stream("GET", "/api/v1/stream", params={"after": after}) as answer,
        aclosing(events(answer)) as stream,
    ):
        reset = await anext(event async for event in stream if "event" in event)
        assert reset["event"] == "reset"
        incident = await ward.press(ward.site())
        while json.loads((event := await anext(stream)).get("data", "{}")).get("id") != incident:
            pass
        assert event["event"] == "incident"


async def test_a_session_is_a_careful_cookie_and_its_writes_name_their_origin(ward: Installation) -> None:
    incident = await ward.press(ward.site())
    path = f"/api/v1/incidents/{incident}/note"
    async with ward.bare() as browser:
        wrong = await browser.post("/api/v1/login", json={"user": "admin", "password": "wrong"})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "unauthenticated")
        right = {"user": "admin", "password": ward.password}
        inside = await browser.post("/api/v1/login", json=right, headers={"Origin": ward.web})
        assert inside.status_code in (200, 204), inside.text
        cookie = inside.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite" in cookie
        assert "secure" not in cookie
        assert (await browser.get("/api/v1/incidents")).status_code == 200
        for origin, status in ((ward.web, 200), ("https://evil.example", 403), (None, 403)):
            headers = {"Origin": origin} if origin else {}
            assert (await browser.post(path, json={"text": "x"}, headers=headers)).status_code == status
        # A bearer token ignores the cookie beside it, and needs no origin.
        token = {"Authorization": f"Bearer {ward.token('api', 'eyes')}"}
        assert (await browser.post(path, json={"text": "x"}, headers=token)).status_code == 403
        nonsense = {"Authorization": "Bearer wobble"}
        assert (await browser.get("/api/v1/incidents", headers=nonsense)).status_code == 401


async def test_health_is_open_to_everybody(ward: Installation) -> None:
    async with ward.bare() as nobody:
        for path in ("/healthz", "/readyz"):
            assert (await nobody.get(path)).status_code == 200
        metrics = await nobody.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "# TYPE " in metrics.text
