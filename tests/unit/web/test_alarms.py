"""A gateway's messages by plain HTTP."""

import pytest

from callhub.errors import StoreUnavailable
from callhub.store.base import Found, Need, Token
from callhub.web import alarms
from tests.unit.web.stage import Stage


async def test_an_alarm_gets_the_receipt_of_a_link(stage: Stage) -> None:
    frame = {"type": "alarm", "id": "a-1", "device": "BTN-1", "kind": "sos", "position": {"lat": 999, "lon": 1}}
    async with stage.bearer("gateway-GW") as gateway:
        answer = await gateway.post("/api/v1/alarms", json=frame)
    assert answer.status_code == 200
    receipt = answer.json()
    assert stage.store.incident(receipt["incident"]) is not None
    assert receipt | {"incident": ""} == {
        "type": "receipt", "id": "a-1", "incident": "", "duplicate": False, "id_reused": False, "device_known": True,
        "ignored": ["position.lat"],
    }  # fmt: skip


@pytest.mark.parametrize("token", ["api-duty", "responder-V-1"])
async def test_only_a_gateway_posts_alarms(stage: Stage, token: str) -> None:
    async with stage.bearer(token) as other:
        answer = await other.post("/api/v1/alarms", json={"type": "alarm", "id": "a", "device": "BTN-1"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


async def test_what_is_no_alarm_is_a_problem_that_names_the_field(stage: Stage) -> None:
    async with stage.bearer("gateway-GW") as gateway:
        answer = await gateway.post("/api/v1/alarms", content=b'{"type":"alarm","id":"a-9"}')
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_message", "device")
        assert answer.json()["id"] == "a-9"
        assert (await gateway.post("/api/v1/alarms", content=b"\xff")).status_code == 422


async def test_a_body_over_16_kib_is_too_large(stage: Stage) -> None:
    async with stage.bearer("gateway-GW") as gateway:
        assert (await gateway.post("/api/v1/alarms", content=b" " * 16_385)).status_code == 413


async def test_a_heartbeat_is_answered_and_marks_what_it_knows(stage: Stage) -> None:
    frame = {"type": "heartbeat", "id": "h-1", "devices": [{"device": "BTN-1", "battery": 0.5}, {"device": "X"}]}
    async with stage.bearer("gateway-GW") as gateway:
        answer = await gateway.post("/api/v1/alarms", json=frame)
        assert answer.json() == {"type": "result", "id": "h-1", "ok": True, "unknown_devices": ["X"]}
        assert (await gateway.post("/api/v1/alarms", json={"type": "received", "seq": 1})).status_code == 204


async def test_an_alarm_waits_for_a_store_that_is_away(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "AGAIN_S", 0)
    read, look_up, away = stage.store.token, stage.store.lookup, 4

    def is_away() -> bool:
        nonlocal away
        away -= 1
        return away >= 0

    def failing(digest: str) -> Token | None:
        if is_away():
            raise StoreUnavailable("the disk is busy")
        return read(digest)

    monkeypatch.setattr(stage.store, "token", failing)
    frame = {"type": "alarm", "id": "a-1", "device": "BTN-1", "kind": "sos"}
    async with stage.bearer("gateway-GW") as gateway:
        first = await gateway.post("/api/v1/alarms", json=frame)
        assert (first.status_code, first.json()["device_known"]) == (200, True)
        assert away < 0

        def failing_lookup(need: Need) -> Found:
            if is_away():
                raise StoreUnavailable("the disk is busy")
            return look_up(need)

        monkeypatch.setattr(stage.store, "token", read)
        monkeypatch.setattr(stage.store, "lookup", failing_lookup)
        away = 1
        second = await gateway.post("/api/v1/alarms", json={**frame, "id": "a-2"})
        assert (second.status_code, second.json()["device_known"]) == (200, True)
        away = 1
        beat = {"type": "heartbeat", "id": "h-1", "devices": [{"device": "BTN-1"}]}
        assert (await gateway.post("/api/v1/alarms", json=beat)).status_code == 500, "nobody waits at a button"
