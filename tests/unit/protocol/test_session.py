"""Sessions: what a frame becomes, and what the sender is told."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from callhub.domain.decision import Answer
from callhub.domain.events import (
    AlarmRaised,
    CallTaken,
    CancelAsked,
    DutyMoved,
    FrameFaulty,
    OfferAnswered,
    PresenceSaid,
    Request,
    RequestKey,
    SignalSent,
)
from callhub.domain.people import Actor, ActorKind, Position
from callhub.errors import Conflict
from callhub.protocol.session import (
    DeviceSeen,
    GatewaySession,
    Received,
    ResponderSession,
    error_message,
    text_of,
)

GATEWAY = Actor(ActorKind.GATEWAY, "GW")
PERSON = Actor(ActorKind.RESPONDER, "V-1")


def from_gateway(frame: dict[str, Any] | str | bytes) -> Received:
    data = json.dumps(frame) if isinstance(frame, dict) else frame
    return GatewaySession("GW").receive(data, id="e-1")


def from_person(frame: dict[str, Any] | str | bytes) -> Received:
    data = json.dumps(frame) if isinstance(frame, dict) else frame
    return ResponderSession("V-1").receive(data, id="e-1")


def request(received: Received) -> Request | None:
    return received.event.request if received.event else None


def test_an_alarm_becomes_an_event_with_all_it_said() -> None:
    raw = json.dumps(
        {
            "type": "alarm", "id": "a-1", "device": "BTN-1", "kind": "sos", "at": "2026-11-24T13:00:00+08:00",
            "position": {"lat": 39.08, "lon": 117.22, "accuracy_m": 15}, "battery": 0.5, "text": "救命", "test": True,
        }
    )  # fmt: skip
    received = from_gateway(raw)
    assert received == Received(
        "alarm",
        "a-1",
        event=AlarmRaised(
            id="e-1",
            actor=GATEWAY,
            request=Request(RequestKey("gateway:GW", "a-1"), "alarm|BTN-1|sos|2026-11-24T05:00:00+00:00"),
            gateway="GW",
            alarm="a-1",
            device="BTN-1",
            kind="sos",
            at=datetime(2026, 11, 24, 5, tzinfo=UTC),
            position=Position(39.08, 117.22, 15.0),
            battery=0.5,
            text="救命",
            says_test=True,
            raw=raw,
        ),
        devices=(DeviceSeen("BTN-1", {"battery": 0.5}),),
    )


def test_the_same_instant_in_another_zone_is_the_same_alarm_and_a_wrong_one_counts_as_absent() -> None:
    base = {"type": "alarm", "id": "a-1", "device": "x", "kind": "dance"}
    prints = {
        at: made.fingerprint
        for at in ("2026-11-24T05:00:00Z", "2026-11-24T13:00:00+08:00", "noon", "2026-11-24T05:00:01Z")
        if (made := request(from_gateway(base | {"at": at})))
    }
    assert prints["2026-11-24T05:00:00Z"] == prints["2026-11-24T13:00:00+08:00"]
    assert prints["noon"] == "alarm|x|unknown|"
    assert len(set(prints.values())) == 3


def test_an_alarm_without_an_id_gets_the_same_one_for_the_same_frame() -> None:
    once, again, other = (from_gateway({"type": "alarm", "device": device}) for device in ("x", "x", "y"))
    assert once.id == again.id != other.id
    assert once.id is not None
    assert len(once.id) == 32
    assert once.ignored == ("id",)
    assert isinstance(once.event, AlarmRaised)
    assert (once.event.alarm, once.event.ignored) == (once.id, ("id",))


def test_an_unreadable_id_is_named_once() -> None:
    assert from_gateway({"type": "alarm", "id": 17, "device": "x"}).ignored == ("id",)


def test_a_bare_alarm_says_nothing_of_position_or_battery() -> None:
    received = from_gateway({"type": "alarm", "id": "a", "device": "x", "test": None})
    assert isinstance(received.event, AlarmRaised)
    assert (received.event.position, received.event.at, received.event.says_test) == (None, None, False)
    assert received.devices == (DeviceSeen("x"),)


def test_a_raw_frame_can_always_be_stored() -> None:
    received = from_gateway('{"type":"alarm","id":"a","device":"x","text":"\udcff"}')
    assert isinstance(received.event, AlarmRaised)
    assert received.event.raw.encode("utf-8") == b'{"type":"alarm","id":"a","device":"x","text":"\\udcff"}'


def test_an_alarm_without_a_device_is_a_cry_for_help_and_gets_an_error() -> None:
    raw = '{"type":"alarm","id":"a-2"}'
    error = {
        "type": "error",
        "id": "a-2",
        "code": "invalid_message",
        "field": "device",
        "message": "device: field required",
    }
    received = from_gateway(raw)
    assert received.event == FrameFaulty(
        id="e-1",
        actor=GATEWAY,
        gateway="GW",
        alarm="a-2",
        wants_help=True,
        code="invalid_message",
        field_name="device",
        message="device: field required",
        raw=raw,
    )
    assert received.error == error
    assert GatewaySession("GW").answer(received, Answer(body={"incident": "i"})) == error
    assert GatewaySession("GW").answer(received, Answer(code="internal")) == error


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("hello", "invalid_message"),
        ('{"type":"dance"}', "unknown_type"),
        (b'{"type":"alarm","device":"x"}', "invalid_message"),
        (b"\xff\x00", "invalid_message"),
    ],
)
def test_what_is_no_alarm_is_a_fault_of_the_gateway(frame: str | bytes, code: str) -> None:
    received = from_gateway(frame)
    assert isinstance(received.event, FrameFaulty)
    assert (received.event.wants_help, received.event.code) == (False, code)
    assert received.error is not None
    assert received.error["code"] == code
    received.event.raw.encode("utf-8")


def test_cancel_and_signal() -> None:
    received = from_gateway({"type": "cancel", "id": "c-1", "alarm": "a-1", "device": "x"})
    key = RequestKey("gateway:GW", "c-1")
    assert received == Received(
        "cancel",
        "c-1",
        event=CancelAsked(
            id="e-1", actor=GATEWAY, request=Request(key, "cancel|x"), gateway="GW", alarm="a-1", device="x"
        ),
        devices=(DeviceSeen("x"),),
    )
    received = from_gateway({"type": "signal", "id": "s-1", "device": "x", "signal": "card", "card": "C1"})
    assert received.event == SignalSent(
        id="e-1",
        actor=GATEWAY,
        request=Request(RequestKey("gateway:GW", "s-1"), "signal|x"),
        gateway="GW",
        device="x",
        signal="card",
        card="C1",
    )


def test_a_receipt_has_every_field_of_the_contract() -> None:
    session = GatewaySession("GW")
    received = from_gateway({"type": "alarm", "id": "a-1", "device": "x", "battery": 7})
    body = {"incident": "i-1", "duplicate": True, "id_reused": False, "device_known": True, "ignored": ["battery"]}
    assert session.answer(received, Answer(body=body)) == {"type": "receipt", "id": "a-1", **body}
    assert session.answer(received, Answer()) == {
        "type": "receipt",
        "id": "a-1",
        "incident": None,
        "duplicate": False,
        "id_reused": False,
        "device_known": False,
        "ignored": ["battery"],
    }


def test_a_refusal_says_its_code_and_what_it_knows() -> None:
    received = from_gateway({"type": "cancel", "id": "c", "device": "x"})
    assert GatewaySession("GW").answer(received, Answer(code="internal")) == {
        "type": "error",
        "id": "c",
        "code": "internal",
        "message": "internal",
    }
    received = from_person({"type": "accept", "id": "r", "offer": "o"})
    body = {"message": "offer o is withdrawn", "state": "withdrawn", "field": None, "http_status": 409}
    answer = Answer(code="offer_not_open", body=body)
    assert ResponderSession("V-1").answer(received, answer) == {
        "type": "error",
        "id": "r",
        "code": "offer_not_open",
        "message": "offer o is withdrawn",
        "state": "withdrawn",
    }


def test_a_heartbeat_names_the_devices_nobody_knows() -> None:
    session = GatewaySession("GW")
    devices = [{"device": "x", "battery": 0.5}, {"device": "y"}]
    received = from_gateway({"type": "heartbeat", "id": "h-1", "devices": devices})
    assert received.devices == (DeviceSeen("x", {"battery": 0.5}), DeviceSeen("y"))
    assert received.event is None
    assert session.result(received, {"x"}) == {"type": "result", "id": "h-1", "ok": True, "unknown_devices": ["y"]}


def test_a_heartbeat_names_what_was_wrong_in_it() -> None:
    received = from_gateway({"type": "heartbeat", "id": "h-1", "devices": [{"device": "x", "battery": 5}]})
    result = GatewaySession("GW").result(received, {"x"})
    assert result is not None
    assert result["ignored"] == ["devices.0.battery"]


def test_a_heartbeat_without_an_id_wants_no_result() -> None:
    received = from_gateway({"type": "heartbeat"})
    assert (received.devices, GatewaySession("GW").result(received, ())) == ((), None)


def test_received() -> None:
    assert from_gateway({"type": "received", "seq": 18}) == Received("received", confirmed=18)
    assert from_person({"type": "received", "seq": 18}) == Received("received", confirmed=18)


def test_presence() -> None:
    received = from_person({"type": "presence", "id": "p", "available": True, "position": {"lat": 39, "lon": 117},
                            "until": "2026-11-24T18:00:00+08:00"})  # fmt: skip
    assert received == Received(
        "presence",
        "p",
        event=PresenceSaid(
            id="e-1",
            actor=PERSON,
            request=Request(RequestKey("responder:V-1", "p"), "presence|on"),
            responder="V-1",
            available=True,
            until=datetime(2026, 11, 24, 10, tzinfo=UTC),
            position=Position(39.0, 117.0),
        ),
    )
    off = from_person({"type": "presence", "id": "p", "available": False}).event
    assert isinstance(off, PresenceSaid)
    assert (off.available, off.position, off.until) == (False, None, None)


@pytest.mark.parametrize("accept", [True, False])
def test_accept_and_decline(accept: bool) -> None:
    frame = {"type": "accept" if accept else "decline", "id": "r", "offer": "o"} | (
        {} if accept else {"reason": "busy"}
    )
    assert from_person(frame).event == OfferAnswered(
        id="e-1",
        actor=PERSON,
        request=Request(RequestKey("responder:V-1", "r"), f"{frame['type']}|o"),
        offer="o",
        accept=accept,
        reason=None if accept else "busy",
        responder="V-1",
    )


@pytest.mark.parametrize(
    ("type_", "fields"),
    [
        ("en_route", {}),
        ("on_scene", {"proof": {"card": "C1"}}),
        ("need", {"need": "key", "note": "n"}),
        ("cleared", {"outcome": "helped", "note": "n", "version": 12}),
        ("release", {"reason": "car"}),
    ],
)
def test_what_is_said_on_the_way(type_: str, fields: dict[str, Any]) -> None:
    received = from_person({"type": type_, "id": "r", "incident": "i", **fields})
    assert received == Received(
        type_,
        "r",
        event=DutyMoved(
            id="e-1",
            actor=PERSON,
            request=Request(RequestKey("responder:V-1", "r"), f"{type_}|i"),
            incident="i",
            responder="V-1",
            action=type_,
            fields=fields,
        ),
    )


def test_a_report_leaves_the_elder_to_be_looked_up() -> None:
    received = from_person({"type": "report", "id": "r", "elder": "E-1", "kind": "visit", "text": "t"})
    assert received.elder == "E-1"
    assert received.event == CallTaken(
        id="e-1",
        actor=PERSON,
        request=Request(RequestKey("responder:V-1", "r"), "report|E-1|visit"),
        source="responder",
        kind="visit",
        text="t",
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"type": "presence", "available": True}, {"type": "presence", "available": False}),
        ({"type": "report", "elder": "E-1"}, {"type": "report", "elder": "E-2"}),
        ({"type": "report", "elder": "E-1", "kind": "visit"}, {"type": "report", "elder": "E-1", "kind": "smoke"}),
    ],
)
def test_an_id_used_again_for_something_else_is_no_repeat(first: dict[str, Any], second: dict[str, Any]) -> None:
    events = [from_person({**frame, "id": "1"}).event for frame in (first, second, second)]
    a, b, c = [event.request.fingerprint for event in events if event and event.request]
    assert a != b == c


def test_a_result_names_what_was_dropped() -> None:
    session = ResponderSession("V-1")
    good = from_person({"type": "en_route", "id": "r", "incident": "i"})
    assert session.answer(good, Answer(body={"ok": True, "state": "en_route"})) == {
        "type": "result",
        "id": "r",
        "ok": True,
        "state": "en_route",
    }
    dropped = from_person({"type": "release", "id": "r", "incident": "i", "reason": 3})
    assert session.answer(dropped, Answer(body={"state": "released"})) == {
        "type": "result",
        "id": "r",
        "ok": True,
        "state": "released",
        "ignored": ["reason"],
    }


@pytest.mark.parametrize(
    ("frame", "id_", "code"),
    [
        (b"{}", None, "invalid_message"),
        ("hello", None, "invalid_message"),
        ('{"type":"dance","id":"d"}', "d", "unknown_type"),
        ('{"type":"accept","id":"d"}', "d", "invalid_message"),
    ],
)
def test_a_faulty_frame_of_an_app_gets_an_error_and_nothing_else(
    frame: str | bytes, id_: str | None, code: str
) -> None:
    received = from_person(frame)
    assert (received.event, received.id) == (None, id_)
    assert received.error is not None
    assert (received.error["code"], received.error["id"]) == (code, id_)


def test_a_body_that_is_no_utf8_spoils_one_field() -> None:
    body = b'{"type":"alarm","id":"a","device":"x","kind":"sos","text":"\xff"}'
    received = from_gateway(text_of(body))
    assert received.ignored == ("text",)
    assert isinstance(received.event, AlarmRaised)
    assert received.event.kind == "sos"


def test_an_error_about_no_field_names_none() -> None:
    assert error_message("r", Conflict("somebody was first")) == {
        "type": "error",
        "id": "r",
        "code": "conflict",
        "message": "somebody was first",
    }
