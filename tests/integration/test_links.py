"""Links as clients meet them: welcome, receipts, offers, answers, and what is kept for the next link."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from websockets.exceptions import ConnectionClosed

from callhub.domain.incident import IncidentState
from callhub.domain.messages import Addressee, AddresseeKind, Message, MessageType
from callhub.errors import StoreUnavailable
from callhub.links.limits import Limits
from callhub.store.base import Commit, Found, Need
from tests.integration.link_stage import PRESS, WAIT_S, Client, Stage
from tests.integration.log_book import log_book


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage().open() as running:
        yield running


async def test_a_gateway_is_welcomed_first(stage: Stage) -> None:
    gateway = await stage.connect("gateway", "GW")
    assert gateway.welcome.keys() == {"type", "gateway", "seq", "time", "fallback_phone"}
    assert (gateway.welcome["gateway"], gateway.welcome["seq"]) == ("GW", 0)
    assert gateway.welcome["fallback_phone"] == "022-8910"
    assert gateway.socket.subprotocol == "callhub.v1"


async def test_a_press_gets_its_receipt_and_its_progress(stage: Stage) -> None:
    gateway = await stage.connect("gateway", "GW")
    await stage.on_duty("V-1")
    receipt = await gateway.ask(PRESS)
    (document,) = stage.incidents()
    assert receipt == {
        "type": "receipt",
        "id": "a-1",
        "incident": document.incident.id,
        "duplicate": False,
        "id_reused": False,
        "device_known": True,
        "ignored": [],
    }
    progress = await gateway.until(type="progress")
    assert (progress["alarms"], progress["state"], progress["say"]) == (
        ["a-1"], "seeking", "已收到呼叫，正在联系附近的人。",
    )  # fmt: skip
    assert (await gateway.ask(PRESS)) == receipt | {"duplicate": True}


async def test_the_whole_way_from_press_to_resolved(stage: Stage) -> None:
    gateway = await stage.connect("gateway", "GW")
    people = [await stage.on_duty(f"V-{n}") for n in (1, 2, 3)]
    incident = (await gateway.ask(PRESS))["incident"]
    offers = [await person.until(type="offer") for person in people]
    assert offers[0]["elder"] == {"name": "李奶奶"}
    assert offers[0]["place"] == "富源里"
    assert offers[0]["respond_by"].endswith("Z")
    assert all("022-1" not in str(offer) for offer in offers)

    said = await people[0].ask({"type": "accept", "id": "r1", "offer": offers[0]["offer"]})
    assert said == {"type": "result", "id": "r1", "ok": True, "state": "assigned"}
    assignment = await people[0].until(type="assignment")
    assert assignment["elder"]["phone"] == "022-1"
    assert assignment["go_to"]["address"] == "富源里 3 号楼 101"
    for person in people[1:]:
        assert (await person.until(type="stand_down"))["reason"] == "filled"
    assert (await gateway.until(type="progress", state="assigned"))["responder"]["name"] == "王师傅1"

    for step, extra in (("en_route", {}), ("on_scene", {}), ("cleared", {"outcome": "helped"})):
        frame = {"type": step, "id": step, "incident": incident, **extra}
        assert (await people[0].ask(frame))["state"] == step
        state = "resolved" if step == "cleared" else step
        assert (await gateway.until(type="progress", state=state))["incident"] == incident
    assert stage.incidents()[0].incident.state is IncidentState.RESOLVED


async def test_a_yes_that_comes_too_late_is_told_why(stage: Stage) -> None:
    gateway = await stage.connect("gateway", "GW")
    first, second = await stage.on_duty("V-1"), await stage.on_duty("V-2")
    await gateway.ask(PRESS)
    offers = [await person.until(type="offer") for person in (first, second)]
    await first.ask({"type": "accept", "id": "r", "offer": offers[0]["offer"]})
    refused = await second.ask({"type": "accept", "id": "r", "offer": offers[1]["offer"]})
    assert (refused["type"], refused["code"]) == ("error", "offer_not_open")
    assert (await second.ask({"type": "accept", "id": "x", "offer": "nonsense"}))["code"] == "unknown_offer"


async def test_a_heartbeat_marks_devices_and_names_the_unknown() -> None:
    async with Stage().open() as stage:
        gateway = await stage.connect("gateway", "GW")
        devices = [{"device": "B-1", "battery": 0.5}, {"device": "B-9", "battery": 0.5}]
        result = await gateway.ask({"type": "heartbeat", "id": "h", "devices": devices})
        assert result == {"type": "result", "id": "h", "ok": True, "unknown_devices": ["B-9"]}
    assert stage.store.device_health("B-1")["battery"] == 0.5
    assert stage.store.seen_at("device", "B-1") is not None
    assert stage.store.seen_at("gateway", "GW") is not None
    assert stage.store.seen_at("device", "B-9") is None


@pytest.mark.parametrize(
    ("frame", "code"),
    [("hello", "invalid_message"), (b"\x00\xff", "invalid_message"), ('{"type":"dance","id":"d"}', "unknown_type")],
)
@pytest.mark.parametrize(("kind", "id_"), [("gateway", "GW"), ("responder", "V-1")])
async def test_a_faulty_frame_gets_an_error_and_the_link_stays(
    stage: Stage, kind: str, id_: str, frame: str | bytes, code: str
) -> None:
    client = await stage.connect(kind, id_)
    await client.say(frame)
    assert (await client.until(type="error"))["code"] == code
    kinds = [document.incident.kind for document in stage.incidents()]
    assert kinds == (["gateway_fault"] if kind == "gateway" else [])
    await client.say(frame)
    assert (await client.until(type="error"))["code"] == code
    assert len(stage.incidents()) == len(kinds)


async def test_an_alarm_without_a_device_is_an_error_and_an_emergency(stage: Stage) -> None:
    gateway = await stage.connect("gateway", "GW")
    error = await gateway.ask({"type": "alarm", "id": "a-2"})
    assert (error["code"], error["field"], error["message"]) == (
        "invalid_message", "device", "device: field required",
    )  # fmt: skip
    (document,) = stage.incidents()
    assert (document.incident.kind, document.incident.class_) == ("unknown", "emergency")


async def test_an_error_comes_after_its_incident_is_durable(stage: Stage) -> None:
    gateway = await stage.connect("gateway", "GW")
    stage.hub.gates["*"] = asyncio.Event()
    await gateway.say({"type": "alarm", "id": "a-2"})
    await stage.hub.has_under_way(1)
    await gateway.say({"type": "heartbeat", "id": "h"})
    assert (await gateway.read())["id"] == "h"
    assert stage.incidents() == []
    stage.hub.gates["*"].set()
    assert (await gateway.until(id="a-2"))["type"] == "error"
    assert len(stage.incidents()) == 1


async def test_answers_overtake_each_other_but_never_their_commit(stage: Stage) -> None:
    gateway = await stage.connect("gateway", "GW")
    stage.hub.gates["a-1"] = asyncio.Event()
    await gateway.say(PRESS)
    assert (await gateway.ask(PRESS | {"id": "a-2"}))["type"] == "receipt"
    assert all(message.get("id") != "a-1" for message in gateway.heard)
    stage.hub.gates["a-1"].set()
    assert (await gateway.until(id="a-1"))["type"] == "receipt"


async def test_at_most_so_many_frames_are_under_way() -> None:
    async with Stage(limits=Limits(frames_under_way_max=4)).open() as stage:
        gateway = await stage.connect("gateway", "GW")
        stage.hub.gates["*"] = asyncio.Event()
        for number in range(10):
            await gateway.say(PRESS | {"id": f"a-{number}"})
        await stage.hub.has_under_way(4)
        other = await stage.connect("gateway", "GW-2")
        await other.say({"type": "heartbeat", "id": "h"})
        await other.until(id="h")
        assert stage.hub.under_way == 4
        stage.hub.gates["*"].set()
        for number in range(10):
            assert (await gateway.until(id=f"a-{number}"))["type"] == "receipt"


async def test_a_frame_that_was_read_counts_although_its_sender_is_gone(stage: Stage) -> None:
    gateway = await stage.connect("gateway", "GW")
    stage.hub.gates["*"] = asyncio.Event()
    await gateway.say(PRESS)
    await stage.hub.has_under_way(1)
    gateway.socket.transport.abort()
    await gateway.closed()
    stage.hub.gates["*"].set()
    await stage.hub.has_under_way(0)
    (document,) = stage.incidents()
    assert document.incident.elder == "E-1"


async def test_a_new_link_gets_what_is_not_confirmed_in_order(stage: Stage) -> None:
    gateway, person = await stage.connect("gateway", "GW"), await stage.on_duty("V-1")
    await gateway.ask(PRESS)
    offer = await person.until(type="offer")
    await person.ask({"type": "accept", "id": "r", "offer": offer["offer"]})
    assignment = await person.until(type="assignment")

    again = await stage.connect("responder", "V-1")
    assert again.welcome["on_duty"] is True
    assert again.welcome["seq"] == assignment["seq"]
    assert again.welcome["offers"] == []
    assert again.welcome["assignments"] == [{k: v for k, v in assignment.items() if k != "seq"}]
    kept = [await again.read() for _ in range(len({offer["seq"], assignment["seq"]}))]
    assert [message["seq"] for message in kept] == [offer["seq"], assignment["seq"]]

    await again.say({"type": "received", "seq": offer["seq"]})
    await again.ask({"type": "en_route", "id": "e", "incident": offer["incident"]})
    third = await stage.connect("responder", "V-1")
    assert (await third.read())["type"] == "assignment"


async def test_a_welcome_holds_the_open_offers(stage: Stage) -> None:
    gateway, person = await stage.connect("gateway", "GW"), await stage.on_duty("V-1")
    await gateway.ask(PRESS)
    offer = await person.until(type="offer")
    again = await stage.connect("responder", "V-1")
    assert again.welcome["offers"] == [{k: v for k, v in offer.items() if k != "seq"}]


async def test_progress_goes_to_every_link_of_a_gateway_and_to_no_other(stage: Stage) -> None:
    one, two = await stage.connect("gateway", "GW"), await stage.connect("gateway", "GW")
    other = await stage.connect("gateway", "GW-2")
    await one.ask(PRESS)
    assert await one.until(type="progress") == await two.until(type="progress")
    await other.ask({"type": "heartbeat", "id": "h"})
    assert other.heard == []


async def test_the_newest_link_of_a_responder_replaces_the_older(stage: Stage) -> None:
    first = await stage.connect("responder", "V-1")
    second = await stage.connect("responder", "V-1")
    assert await first.closed() == 4101
    assert (await second.ask({"type": "presence", "id": "p", "available": True}))["ok"] is True
    assert stage.hub.links == [("V-1", True)]
    await second.socket.close()
    third = await stage.connect("responder", "V-2")
    assert stage.hub.links == [("V-1", True), ("V-1", False), ("V-2", True)]
    assert len(stage.registry) == 1
    await third.socket.close()


async def test_a_report_opens_an_incident_for_its_elder(stage: Stage) -> None:
    person = await stage.connect("responder", "V-1")
    result = await person.ask({"type": "report", "id": "r", "elder": "E-1", "kind": "fall", "text": "on the stairs"})
    assert result["ok"] is True
    (document,) = stage.incidents()
    assert (document.incident.elder, document.incident.source) == ("E-1", "responder")


async def test_a_stop_closes_every_link_with_restarting() -> None:
    clients: list[Client] = []
    async with Stage().open() as stage:
        clients += [await stage.connect("gateway", "GW"), await stage.connect("responder", "V-1")]
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(b"GET /v1/gateway HTTP/1.1\r\n")
        await writer.drain()
    assert [await client.closed() for client in clients] == [4000, 4000]
    async with asyncio.timeout(WAIT_S):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", stage.port)


async def test_a_hub_that_stopped_gives_no_receipt() -> None:
    async with Stage().open() as stage:
        gateway = await stage.connect("gateway", "GW")
        stage.hub.stop()
        try:
            while True:
                await gateway.say(PRESS)
                await gateway.read()
        except ConnectionClosed:
            assert gateway.socket.close_code == 4000


async def test_a_dead_peer_is_noticed_and_a_living_silent_one_is_not() -> None:
    limits = Limits(ping_interval_s=0.2, silence_s_max=0.6, close_timeout_s=0.2)
    async with Stage(limits=limits).open() as stage:
        living = await stage.connect("responder", "V-1")
        dead = await stage.connect("responder", "V-2")
        dead.socket.transport.pause_reading()  # it answers no ping any more
        await stage.hub.was_told("V-2", up=False)
        assert ("V-1", False) not in stage.hub.links
        assert (await living.ask({"type": "presence", "id": "p", "available": True}))["ok"] is True
        dead.socket.transport.abort()


SLOW = Limits(slow_s_max=0.2, silence_s_max=60.0, write_bytes_max=2048, close_timeout_s=0.3)
NARROW_BYTES = 4096


async def _tell(stage: Stage, addressee: Addressee, version: int) -> None:
    """300 messages of 400 bytes, more than narrow buffers hold; a newer version of each replaces the older."""
    body = {"alarms": [], "state": "seeking", "what": "note", "version": version, "text": "x" * 400}
    type_ = MessageType.PROGRESS if addressee.kind is AddresseeKind.GATEWAY else MessageType.UPDATE
    messages = [
        Message(addressee, type_, f"i-{n}", f"progress:i-{n}", body | {"incident": f"i-{n}", "eta_s": version})
        for n in range(300)
    ]
    await stage.store.commit(Commit(messages=messages))
    stage.registry.wake(addressee)


async def test_a_slow_responder_is_closed_and_its_place_is_free() -> None:
    async with Stage(limits=SLOW, send_buffer_bytes=NARROW_BYTES).open() as stage:
        slow = await stage.connect("responder", "V-1", NARROW_BYTES)
        slow.socket.transport.pause_reading()
        await _tell(stage, Addressee(AddresseeKind.RESPONDER, "V-1"), 1)
        await stage.hub.was_told("V-1", up=False)
        again = await stage.connect("responder", "V-1")
        assert (await again.read())["type"] == "update"


async def test_a_slow_gateway_loses_old_progress_and_never_its_link() -> None:
    address = Addressee(AddresseeKind.GATEWAY, "GW")
    async with Stage(limits=SLOW, send_buffer_bytes=NARROW_BYTES).open() as stage:
        slow = await stage.connect("gateway", "GW", NARROW_BYTES)
        person = await stage.connect("responder", "V-1", NARROW_BYTES)
        for client in (slow, person):
            client.socket.transport.pause_reading()
        await _tell(stage, address, 1)
        await _tell(stage, Addressee(AddresseeKind.RESPONDER, "V-1"), 1)
        await stage.hub.was_told("V-1", up=False)  # as long as that takes, the gateway did not read either
        await _tell(stage, address, 2)
        slow.socket.transport.resume_reading()
        assert (await slow.ask(PRESS))["type"] == "receipt"
        await slow.until(incident="i-299", eta_s=2)
        told = [message["eta_s"] for message in slow.heard if str(message.get("incident")).startswith("i-")]
        assert told.count(2) == 299
        assert 0 < told.count(1) < 300


async def test_a_slow_responder_that_wakes_up_learns_why() -> None:
    limits = replace(SLOW, close_timeout_s=30.0)
    with log_book() as book:
        async with Stage(limits=limits, send_buffer_bytes=NARROW_BYTES).open() as stage:
            slow = await stage.connect("responder", "V-1", NARROW_BYTES)
            slow.socket.transport.pause_reading()
            await _tell(stage, Addressee(AddresseeKind.RESPONDER, "V-1"), 1)
            await book.has("link_given_up", id="V-1", why="too slow")
            slow.socket.transport.resume_reading()
            assert await slow.closed() == 4002
    assert book.tracebacks == []


async def test_a_press_outlives_a_store_that_is_away_for_a_moment(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = await stage.connect("gateway", "GW")
    look_up, away = stage.store.lookup, 3

    def failing(need: Need) -> Found:
        nonlocal away
        away -= 1
        if away >= 0:
            raise StoreUnavailable("the disk is busy")
        return look_up(need)

    monkeypatch.setattr(stage.store, "lookup", failing)
    await gateway.say({"type": "heartbeat", "id": "h-1", "devices": [{"device": "B-1"}]})  # not known: no answer
    receipt = await gateway.ask(PRESS)
    assert (receipt["type"], receipt["device_known"]) == ("receipt", True)
    assert away < 0
    assert (await gateway.ask({"type": "heartbeat", "id": "h-2", "devices": [{"device": "B-1"}]}))["ok"]
