"""What a gateway is answered, field by field, by the served product: receipts, repeats, spoiled fields, errors."""

import asyncio
import json
from typing import Any

import pytest

from tests.integration.contract_ward import Installation, Site
from tests.integration.link_stage import Client

AT = "2026-11-24T05:00:00Z"
RECEIPT = {"type", "id", "incident", "duplicate", "id_reused", "device_known", "ignored"}


def alarm(site: Site, id: str, **fields: object) -> dict[str, Any]:
    return {"type": "alarm", "id": id, "device": site.button, "kind": "sos", **fields}


async def answer(gateway: Client, frame: dict[str, Any] | str | bytes) -> dict[str, Any]:
    """The next message that is no progress."""
    await gateway.say(frame)
    while (heard := await gateway.read())["type"] == "progress":
        pass
    return heard


async def test_a_receipt_has_exactly_the_names_of_the_contract(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    assert gateway.welcome.keys() == {"type", "gateway", "seq", "time", "fallback_phone"}
    assert gateway.welcome["gateway"] == site.gateway
    assert gateway.welcome["time"].endswith("Z")
    receipt = await answer(gateway, alarm(site, "a-1", at=AT))
    assert receipt.keys() == RECEIPT
    rest = {name: receipt[name] for name in RECEIPT - {"incident"}}
    assert rest == {
        "type": "receipt",
        "id": "a-1",
        "duplicate": False,
        "id_reused": False,
        "device_known": True,
        "ignored": [],
    }
    assert isinstance(receipt["incident"], str)


async def test_a_repeat_gets_the_first_answer_whatever_its_other_fields_say(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    first = await answer(gateway, alarm(site, "a-1", at=AT, battery=7))
    assert first["ignored"] == ["battery"]
    repeats = (
        alarm(site, "a-1", at=AT, battery=7),
        alarm(site, "a-1", at="2026-11-24T13:00:00+08:00", battery=0.5, text="again"),
        alarm(site, "a-1", at="2026-11-24T05:00:00.000Z", position={"lat": 95, "lon": 1}),
    )
    for repeat in repeats:
        assert await answer(gateway, repeat) == {**first, "duplicate": True}
    assert len((await ward.incident(first["incident"]))["alarms"]) == 1


@pytest.mark.parametrize(
    "change", [{"kind": "fall"}, {"at": "2026-11-24T05:00:01Z"}, {"at": None}, {"device": "WATCH"}]
)
async def test_the_same_id_with_other_facts_is_a_new_alarm(ward: Installation, change: dict[str, Any]) -> None:
    site = ward.site()
    if "device" in change:
        change = {"device": site.mobile}
    gateway = await ward.gateway(site)
    first = await answer(gateway, alarm(site, "a-1", at=AT))
    other = await answer(gateway, alarm(site, "a-1", **{"at": AT, **change}))
    assert (other["duplicate"], other["id_reused"], other["incident"]) == (False, True, first["incident"])
    again = await answer(gateway, alarm(site, "a-1", **{"at": AT, **change}))
    assert again == {**other, "duplicate": True}
    assert len((await ward.incident(first["incident"]))["alarms"]) == 2


async def test_an_invalid_time_counts_as_absent_and_any_wrong_kind_as_unknown(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    first = await answer(gateway, alarm(site, "a-1", at="2026-11-24T05:00:00", kind="wobble"))
    assert sorted(first["ignored"]) == ["at", "kind"]
    for at, kind in (("nonsense", "other"), (None, 5), (7, "unknown"), ("2026-11-24", None)):
        assert (await answer(gateway, alarm(site, "a-1", at=at, kind=kind)))["duplicate"] is True
    bare = {"type": "alarm", "id": "a-1", "device": site.button}
    assert (await answer(gateway, bare))["duplicate"] is True
    assert (await ward.incident(first["incident"]))["kind"] == "unknown"


@pytest.mark.parametrize(
    ("fields", "ignored"),
    [
        ({"position": {"lat": 91, "lon": 117}}, ["position.lat"]),
        ({"position": {"lat": 39, "lon": 181}}, ["position.lon"]),
        ({"position": {"lat": 39, "lon": 117, "accuracy_m": -1}}, ["position.accuracy_m"]),
        ({"position": 5}, ["position"]),
        ({"position": {"lat": 0, "lon": 0}}, ["position"]),
        ({"battery": "full"}, ["battery"]),
        ({"battery": True}, ["battery"]),
        ({"text": ["x"]}, ["text"]),
        ({"test": "yes"}, ["test"]),
        ({"kind": ["sos"]}, ["kind"]),
        ({"colour": "red"}, []),
        ({"position": None, "battery": None, "text": None, "test": None}, []),
    ],
)
async def test_a_wrong_field_is_dropped_and_named(
    ward: Installation, fields: dict[str, Any], ignored: list[str]
) -> None:
    site = ward.shared
    async with ward.http("gateway", site.gateway) as gateway:
        receipt = (await gateway.post("/api/v1/alarms", json=alarm(site, ward.id(), **fields))).json()
    assert receipt["ignored"] == ignored
    assert receipt["incident"]


@pytest.mark.parametrize(
    ("spoiled", "field"),
    [
        ('"battery":NaN', "battery"),
        ('"battery":-Infinity', "battery"),
        ('"battery":1e400', "battery"),
        (f'"battery":{"9" * 5000}', "battery"),
        ('"position":{"lat":Infinity,"lon":117}', "position.lat"),
        ('"text":"\\ud800"', "text"),
        ('"kind":"\\ud800"', "kind"),
        ('"at":NaN', "at"),
    ],
)
async def test_what_strict_json_refuses_spoils_only_its_field(ward: Installation, spoiled: str, field: str) -> None:
    site = ward.shared
    frame = f'{{"type":"alarm","id":"{ward.id()}","device":"{site.button}",{spoiled}}}'
    async with ward.http("gateway", site.gateway) as gateway:
        by_http = (await gateway.post("/api/v1/alarms", content=frame.replace("x-", "h-"))).json()
    link = await ward.gateway(site)
    by_link = await answer(link, frame)
    assert (by_link["ignored"], by_http["ignored"]) == ([field], [field])
    assert by_link["incident"] == by_http["incident"]


@pytest.mark.parametrize("id", [None, "", 5, "x" * 65, "a\nb"])
async def test_an_alarm_without_a_readable_id_gets_one_made_from_the_frame(ward: Installation, id: object) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    first = await answer(gateway, alarm(site, "a") | {"id": id})
    assert first["ignored"] == ["id"]
    assert 1 <= len(first["id"]) <= 64
    assert await answer(gateway, alarm(site, "a") | {"id": id}) == {**first, "duplicate": True}


async def test_a_device_of_64_characters_is_taken_though_nobody_knows_it(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    receipt = await answer(gateway, alarm(site, "a-1", device="d" * 64))
    assert (receipt["device_known"], receipt["ignored"]) == (False, [])
    incident = await ward.incident(receipt["incident"])
    assert (incident["class"], incident["device_known"], incident["elder"], incident["area"]) == (
        "emergency",
        False,
        None,
        [],
    )


async def test_alarms_without_a_readable_device_reach_people_as_one_emergency(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    for number, device in enumerate((5, "d" * 65, "", None, ["x"], "a\u0000b")):
        heard = await answer(gateway, alarm(site, f"a-{number}", device=device))
        assert (heard["type"], heard["id"], heard["code"], heard["field"]) == (
            "error",
            f"a-{number}",
            "invalid_message",
            "device",
        )
        assert heard["message"].startswith("device: ")
    opened = [item for item in await ward.incidents() if item["gateway"] == site.gateway]
    assert [(item["class"], item["kind"], len(item["alarms"])) for item in opened] == [("emergency", "unknown", 6)]


async def test_frames_that_are_no_alarm_open_one_technical_incident(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    for frame in ("not json", "[]", "5", "{}", '{"type":5}', b"\x00\x01"):
        assert (await answer(gateway, frame))["code"] == "invalid_message"
    unknown = await answer(gateway, {"type": "wobble", "id": "u-1"})
    assert (unknown["id"], unknown["code"]) == ("u-1", "unknown_type")
    opened = [item for item in await ward.incidents() if item["gateway"] == site.gateway]
    assert [(item["class"], item["kind"]) for item in opened] == [("technical", "gateway_fault")]
    assert (await answer(gateway, alarm(site, "a-1")))["type"] == "receipt"


async def test_heartbeats_name_the_devices_that_nobody_knows(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    devices = [{"device": site.button, "battery": 0.8, "rssi": -70, "faults": ["tamper"]}, {"device": "NOPE"}]
    result = await answer(gateway, {"type": "heartbeat", "id": "h-1", "devices": devices})
    assert result == {"type": "result", "id": "h-1", "ok": True, "unknown_devices": ["NOPE"]}
    await gateway.say({"type": "heartbeat", "devices": devices})
    bare = await answer(gateway, {"type": "heartbeat", "id": "h-2", "devices": []})
    assert bare == {"type": "result", "id": "h-2", "ok": True, "unknown_devices": []}


async def test_a_cancel_is_shown_and_cancels_nothing(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    cancel = {"type": "cancel", "id": "c-1", "alarm": "a-1", "device": site.button}
    early = await answer(gateway, cancel)
    assert early.keys() == RECEIPT
    assert (early["incident"], early["duplicate"]) == (None, False)
    opened = await answer(gateway, alarm(site, "a-1"))
    incident = await ward.incident(opened["incident"])
    assert "cancel_requested" in incident["flags"]
    assert incident["state"] in ("seeking", "unanswered")
    assert await answer(gateway, cancel) == {**early, "duplicate": True}
    late = await answer(gateway, {**cancel, "id": "c-2"})
    assert late["incident"] == opened["incident"]


async def test_signals_are_shown_and_end_nothing(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    signal = {"type": "signal", "id": "s-0", "device": site.button, "signal": "arrived"}
    assert (await answer(gateway, signal))["incident"] is None
    opened = await answer(gateway, alarm(site, "a-1"))
    for number, (kind, card) in enumerate((("arrived", None), ("card", f"CARD{site.n}"), ("confirm", None)), 1):
        frame = {**signal, "id": f"s-{number}", "signal": kind} | ({"card": card} if card else {})
        first = await answer(gateway, frame)
        assert (first["type"], first["incident"], first["duplicate"]) == ("receipt", opened["incident"], False)
        assert await answer(gateway, frame) == {**first, "duplicate": True}
    incident = await ward.incident(opened["incident"])
    assert "device_says_arrived" in incident["flags"]
    assert incident["assignments"] == []
    wrong = await answer(gateway, {**signal, "id": "s-9", "signal": "wobble"})
    assert (wrong["code"], wrong["field"]) == ("invalid_message", "signal")


async def test_a_test_press_is_quiet_only_while_the_device_is_on_test(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    async with ward.http() as api:
        begun = await api.post(f"/api/v1/devices/{site.button}/test", json={"minutes": 5})
        assert begun.status_code == 200, begun.text
        quiet = await answer(gateway, alarm(site, "t-1", test=True))
        assert (quiet["incident"], quiet["duplicate"], quiet["device_known"]) == (None, False, True)
        assert await answer(gateway, alarm(site, "t-1", test=True)) == {**quiet, "duplicate": True}
        assert (await api.get(f"/api/v1/devices/{site.button}")).json()["last_tested_at"]
        for minutes in (0, 61, "x", None):
            refused = await api.post(f"/api/v1/devices/{site.button}/test", json={"minutes": minutes})
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_message")
    loud = await answer(gateway, alarm(site, "t-2", device=site.mobile, test=True))
    incident = await ward.incident(loud["incident"])
    assert "says_test" in incident["flags"]
    real = await answer(gateway, alarm(site, "t-3"))
    assert real["incident"] == loud["incident"]


async def test_progress_goes_to_every_gateway_with_its_own_alarms(ward: Installation) -> None:
    site, other = ward.site(), ward.site()
    here, there = await ward.gateway(site), await ward.gateway(other)
    volunteer = await ward.responder(site)
    opened = await answer(here, alarm(site, "a-1"))
    assert (await answer(there, alarm(site, "b-1")))["incident"] == opened["incident"]
    offer = await volunteer.until(type="offer", incident=opened["incident"])
    await volunteer.ask({"type": "accept", "id": "r1", "offer": offer["offer"]})
    mine = await here.until(type="progress", state="assigned")
    theirs = await there.until(type="progress", state="assigned")
    assert mine.keys() == {"type", "seq", "incident", "alarms", "state", "responder", "eta_s", "say"}
    assert (mine["alarms"], theirs["alarms"]) == (["a-1"], ["b-1"])
    assert mine["responder"] == {"name": f"王师傅{site.n}1", "kind": "volunteer"}
    assert isinstance(mine["eta_s"], int)
    assert mine["say"]
    for type_, state in (("en_route", "en_route"), ("on_scene", "on_scene")):
        await volunteer.ask({"type": type_, "id": type_, "incident": opened["incident"]})
        assert (await there.until(type="progress", state=state))["alarms"] == ["b-1"]


async def test_unconfirmed_progress_comes_again_in_order_and_confirmed_does_not(ward: Installation) -> None:
    site = ward.site()
    first = await ward.gateway(site)
    opened = await answer(first, alarm(site, "a-1"))
    assert (await ward.act(opened["incident"], "take-over", reason="x")).status_code == 200
    assert (await ward.act(opened["incident"], "close", outcome="helped", reason="x")).status_code == 200
    last = await first.until(type="progress", state="closed")
    again = await ward.gateway(site)
    assert again.welcome["seq"] == last["seq"]
    assert await again.until(type="progress") == last
    await again.say({"type": "received", "seq": last["seq"]})
    bare = await answer(again, {"type": "heartbeat", "id": "h", "devices": []})
    assert bare["ok"] is True
    third = await ward.gateway(site)
    await third.say({"type": "heartbeat", "id": "h", "devices": []})
    assert (await third.read())["type"] == "result"


async def test_the_same_json_by_http_gets_the_same_receipt(ward: Installation) -> None:
    site = ward.site()
    link = await ward.gateway(site)
    first = await answer(link, alarm(site, "a-1", at=AT))
    async with ward.http("gateway", site.gateway) as gateway:
        repeat = await gateway.post("/api/v1/alarms", json=alarm(site, "a-1", at=AT))
        assert (repeat.status_code, repeat.json()) == (200, {**first, "duplicate": True})
        bad = await gateway.post("/api/v1/alarms", json=alarm(site, "a-2", device=5))
        assert (bad.status_code, bad.json()["code"]) == (422, "invalid_message")
        assert bad.headers["content-type"] == "application/problem+json"
    async with ward.http("responder", site.volunteer()) as wrong:
        assert (await wrong.post("/api/v1/alarms", json=alarm(site, "a-3"))).status_code == 403


async def test_a_frame_over_16_kib_closes_its_link_and_one_of_16_does_not(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    frame = json.dumps(alarm(site, "a-1"))
    padded = frame[:-1] + " " * (16384 - len(frame)) + "}"
    assert (await answer(gateway, padded))["type"] == "receipt"
    await gateway.say(padded[:-1] + " }")
    async with asyncio.timeout(10):
        assert await gateway.closed() == 1009
