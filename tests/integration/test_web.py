"""The web over real sockets, with the real engine and a real disk."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from callhub.app import listen
from callhub.web.stream import COMMENT_S
from tests.integration.web_house import PASSWORD, House, serving


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path) as house:
        yield house


@asynccontextmanager
async def _stream(house: House, after: str | None = None) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Events of an open stream, each as its fields with ``data`` decoded."""
    headers = {} if after is None else {"last-event-id": after}
    async with house.api.stream("GET", "/api/v1/stream", headers=headers) as answer:
        assert answer.status_code == 200
        yield _events(answer)


async def _events(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    fields: dict[str, Any] = {}
    async for line in answer.aiter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = json.loads(value) if name == "data" else value
        elif not line and "event" in fields:
            yield fields
            fields = {}


async def _next(events: AsyncIterator[dict[str, Any]], within_s: float = 5) -> dict[str, Any]:
    async with asyncio.timeout(within_s):
        return await anext(events)


async def test_an_alarm_by_http_gets_the_same_receipt_twice(house: House) -> None:
    frame = {"type": "alarm", "id": "a-1", "device": "BTN-1", "kind": "sos"}
    first = (await house.gateway.post("/api/v1/alarms", json=frame)).json()
    again = (await house.gateway.post("/api/v1/alarms", json=frame)).json()
    assert (first["type"], first["duplicate"], first["device_known"]) == ("receipt", False, True)
    assert again == {**first, "duplicate": True}


async def test_a_change_is_on_the_stream_within_a_second(house: House) -> None:
    async with _stream(house) as events:
        id = await house.press()
        event = await _next(events, within_s=1)
        assert (event["event"], event["data"]["id"], event["data"]["state"]) == ("incident", id, "unanswered")
        assert event["data"]["ringing"] is True
        await house.act(id, "take-over")
        assert (await _next(events, within_s=1))["data"]["ringing"] is False


async def test_a_stream_resumes_across_a_restart_without_a_gap(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        as_of = (await house.api.get("/api/v1/incidents")).json()["as_of"]
        first = await house.press("BTN-1", "a-1")
    async with serving(tmp_path) as house:
        second = await house.press("BTN-2", "a-2")
        async with _stream(house, as_of) as events:
            seen: dict[str, str] = {}
            while set(seen) != {first, second}:
                event = await _next(events)
                seen[event["data"]["id"]] = event["id"]
        assert {id.rpartition("-")[0] for id in seen.values()} == {as_of.rpartition("-")[0]}
        async with _stream(house, "another-1") as events:
            assert (await _next(events))["event"] == "reset"


async def test_the_later_of_two_is_told_who_was_first(house: House) -> None:
    id = await house.press()
    one = (await house.api.get(f"/api/v1/incidents/{id}")).json()
    path, headers = f"/api/v1/incidents/{id}/take-over", {"if-match": f'"{one["version"]}"'}
    assert (await house.api.post(path, headers=headers)).status_code == 200
    answer = await house.api.post(path, headers=headers)
    assert answer.status_code == 412
    assert (answer.json()["code"], answer.json()["by"]) == ("conflict", "duty")
    assert answer.json()["version"] > one["version"]


async def test_closing_needs_the_version_once_an_alarm_has_joined(house: House) -> None:
    id = await house.press("BTN-1", "a-1")
    assert await house.press("BTN-1", "a-2", "fall") == id
    path, body = f"/api/v1/incidents/{id}/close", {"outcome": "helped"}
    answer = await house.api.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (428, "conflict")
    headers = {"if-match": str(answer.json()["version"])}
    closed = await house.api.post(path, json=body, headers=headers)
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    again = await house.api.post(path, json=body, headers={"if-match": str(closed.json()["version"])})
    assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")


async def test_a_whole_case_by_telephone(house: House) -> None:
    call = {"phone": "13800000002", "kind": "fall", "reason": "fell in the kitchen"}
    opened = await house.api.post("/api/v1/incidents", json=call)
    assert opened.status_code == 201
    id = opened.json()["id"]
    assert opened.json()["elder"]["id"] == "E-2"
    await house.act(id, "assign", responder="V-1")
    (offer,) = (await house.api.get(f"/api/v1/incidents/{id}")).json()["offers"]
    accepted = await house.api.post(f"/api/v1/offers/{offer['id']}/answer", json={"answer": "accept"})
    assert accepted.json()["state"] == "assigned"
    await house.act(id, "en-route", responder="V-1")
    await house.act(id, "on-scene", responder="V-1")
    await house.act(id, "cleared", responder="V-1", outcome="helped")
    one = (await house.api.get(f"/api/v1/incidents/{id}")).json()
    assert one["state"] == "resolved"
    assert [a["state"] for a in one["assignments"]] == ["cleared"]
    await house.act(id, "close", outcome="helped")
    await house.act(id, "feedback", rating=5, text="thank you")
    facts = [entry["fact"] for entry in (await house.api.get(f"/api/v1/incidents/{id}")).json()["timeline"]]
    assert facts[0] == "incident_opened"
    assert facts[-1] == "note_added"
    assert not (await house.api.get("/api/v1/incidents?state=open")).json()["items"]


@pytest.mark.parametrize("refused", [False, True])
async def test_a_repeated_write_gets_the_first_answer(house: House, refused: bool) -> None:
    id = await house.press()
    action, body = ("assign", {"responder": "nobody"}) if refused else ("note", {"text": "once"})
    headers = {"idempotency-key": "k-1"}
    answers = [await house.api.post(f"/api/v1/incidents/{id}/{action}", json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == ([404, 404] if refused else [200, 200])
    if refused:
        assert answers[0].json() == answers[1].json()
    else:
        assert [entry["fact"] for entry in answers[1].json()["timeline"]].count("note_added") == 1


async def test_a_session_survives_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        credentials = {"user": "olga", "password": PASSWORD}
        token = (await house.api.post("/api/v1/login", json=credentials)).json()["token"]
    async with serving(tmp_path) as house:
        headers = {"authorization": f"Bearer {token}"}
        assert (await house.api.get("/api/v1/session", headers=headers)).json()["user"] == "olga"
        await house.api.post("/api/v1/logout", headers=headers)
    async with serving(tmp_path) as house:
        assert (await house.api.get("/api/v1/session", headers=headers)).status_code == 401


async def test_health_readiness_and_metrics_need_no_sign_in(house: House) -> None:
    async with httpx.AsyncClient(base_url=house.url, trust_env=False) as anybody:
        assert (await anybody.get("/healthz")).status_code == 200
        ready = await anybody.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        async with _stream(house):
            figures = await anybody.get("/metrics")
            assert figures.headers["content-type"].startswith("text/plain")
            assert "callhub_viewers 1.0" in figures.text


async def test_an_open_stream_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        stream = house.api.stream("GET", "/api/v1/stream")
        answer = await stream.__aenter__()
        house.server.stop()
        async with asyncio.timeout(5):
            async for _ in answer.aiter_bytes():
                pass
        await stream.__aexit__(None, None, None)


async def test_a_stream_whose_browser_is_gone_is_closed(house: House) -> None:
    """A killed browser resets its connection; the server notices at once, not at the next change."""
    token = house.api.headers["authorization"]
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.web_port)
    writer.write(f"GET /api/v1/stream HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\r\n".encode())
    async with asyncio.timeout(5):
        assert b"200" in await reader.readline()
        assert await _viewers(house) == 1
        writer.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        writer.transport.abort()
        while await _viewers(house):  # each look is a round trip
            pass


async def _viewers(house: House) -> int:
    figures = (await house.api.get("/metrics")).text
    return int(float(figures.partition("\ncallhub_viewers ")[2].split("\n")[0]))


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no TCP_USER_TIMEOUT")
def test_a_browser_that_vanishes_without_a_word_is_noticed_within_30_s() -> None:
    """Comment every 15 s plus 12 s without an acknowledgement; connections inherit it from their listener."""
    with listen("web", "127.0.0.1", 0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()):
            listening.setblocking(True)
            connection, _ = listening.accept()
            with connection:
                limit_ms = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert 0 < limit_ms / 1000 + COMMENT_S < 30


async def test_a_strange_id_is_not_found(house: House) -> None:
    for kind in ("incidents", "elders", "devices", "responders", "areas"):
        for id in ("%00", "%ed%a0%80", "x" * 5000, "%F0%9F%98%80"):
            answer = await house.api.get(f"/api/v1/{kind}/{id}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (kind, id)


async def test_a_strange_body_is_refused_and_harms_nothing(house: House) -> None:
    id = await house.press()
    path = f"/api/v1/incidents/{id}/note"
    for body in (b"\xff", b'{"text":"\\ud800"}', b"[" * 60_000, b'{"text":' + b"9" * 5000 + b"}", b"null", b"\x00"):
        answer = await house.api.post(path, content=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_message"), body[:20]
    await house.act(id, "note", text="still here\x00 \U0001f600")


@pytest.mark.parametrize("frame", [b'{"type":"alarm","id":"a","device":"BTN-1","text":"\xff\xfe"}', b"\xff\xfe\x00{"])
async def test_an_alarm_of_bad_bytes_reaches_a_human(house: House, frame: bytes) -> None:
    answer = await house.gateway.post("/api/v1/alarms", content=frame)
    assert answer.status_code in (200, 422)
    (item,) = (await house.api.get("/api/v1/incidents?state=open")).json()["items"]
    one = await house.api.get(f"/api/v1/incidents/{item['id']}")
    assert one.status_code == 200
    assert item["state"] == "unanswered"
