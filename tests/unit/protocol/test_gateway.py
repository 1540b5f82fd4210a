"""Frames of a gateway: an alarm with a readable device is always taken."""

import json
from typing import Any

import pytest

from callhub.domain.people import Position
from callhub.errors import ErrorCode
from callhub.protocol.gateway import (
    AlarmFrame,
    CancelFrame,
    DeviceStatus,
    HeartbeatFrame,
    Read,
    ReceivedFrame,
    SignalFrame,
    Unreadable,
    parse_gateway_frame,
)


def read(text: str | dict[str, Any]) -> Read:
    got = parse_gateway_frame(text if isinstance(text, str) else json.dumps(text))
    assert isinstance(got, Read), got
    return got


def alarm(text: str | dict[str, Any]) -> tuple[AlarmFrame, tuple[str, ...]]:
    got = read(text)
    assert isinstance(got.frame, AlarmFrame)
    return got.frame, got.ignored


def unreadable(text: str | dict[str, Any]) -> Unreadable:
    got = parse_gateway_frame(text if isinstance(text, str) else json.dumps(text))
    assert isinstance(got, Unreadable), got
    return got


def test_the_alarm_of_the_contract() -> None:
    frame, ignored = alarm(
        '{"type":"alarm","id":"a-1","device":"BTN-0001","kind":"sos","at":"2026-11-24T05:00:00Z",'
        '"position":{"lat":39.08,"lon":117.22,"accuracy_m":15},"battery":0.82,"text":"...","test":false}'
    )
    assert ignored == ()
    assert (frame.id, frame.device, frame.known_kind, frame.battery, frame.text, frame.test) == (
        "a-1", "BTN-0001", "sos", 0.82, "...", False,
    )  # fmt: skip
    assert frame.at is not None
    assert frame.at.isoformat() == "2026-11-24T05:00:00+00:00"
    assert frame.position is not None
    assert frame.position.position() == Position(39.08, 117.22, 15.0)


def test_a_bare_alarm_is_an_unknown_emergency() -> None:
    frame, ignored = alarm({"type": "alarm", "device": "x"})
    assert (frame.known_kind, frame.id, frame.test, ignored) == ("unknown", None, None, ())


@pytest.mark.parametrize("kind", ["SOS", "burglary", "low_battery", 17, {}, "", "x" * 5000])
def test_a_wrong_kind_is_unknown_and_named(kind: object) -> None:
    frame, ignored = alarm({"type": "alarm", "id": "a", "device": "x", "kind": kind})
    assert (frame.known_kind, ignored) == ("unknown", ("kind",))


def test_everything_wrong_but_the_device() -> None:
    frame, ignored = alarm(
        '{"type":"alarm","id":17,"device":"x","kind":null,"at":"noon","position":{"lat":NaN,"lon":117},'
        '"battery":1e999,"text":"\\ud800","test":"yes","extra":' + "[" * 5000 + "]" * 5000 + "}"
    )
    assert frame == AlarmFrame(type="alarm", device="x")
    assert ignored == ("id", "at", "position.lat", "battery", "text", "test")


@pytest.mark.parametrize("bad", ["NaN", "1e999", "9" * 5000, r'"\ud800"', "[" * 3000 + "]" * 3000, "oops"])
def test_a_bad_field_that_nobody_reads_spoils_nothing(bad: str) -> None:
    frame, ignored = alarm(f'{{"type":"alarm","id":"a","device":"x","kind":"fall","extra":{bad}}}')
    assert (frame.id, frame.device, frame.known_kind, ignored) == ("a", "x", "fall", ())


def test_the_last_of_duplicate_keys_wins_either_way() -> None:
    for extra in ("1", "1e9999", "oops"):
        frame, _ = alarm(f'{{"type":"alarm","id":"a","device":"x","device":"y","extra":{extra}}}')
        assert frame.device == "y"


def test_bytes_that_are_no_utf8_spoil_their_field_only() -> None:
    frame, ignored = alarm('{"type":"alarm","id":"a","device":"x","text":"\udcff"}')
    assert (frame.device, ignored) == ("x", ("text",))


def test_an_alarm_that_breaks_off_behind_its_device_is_taken() -> None:
    frame, ignored = alarm('{"type":"alarm","id":"a","device":"x","kind":"so')
    assert (frame.device, frame.id, frame.known_kind, ignored) == ("x", "a", "unknown", ("frame",))


@pytest.mark.parametrize("device", ["", "x" * 65, "a\nb", 17, None, [], {"id": "x"}])
def test_an_alarm_without_a_readable_device_wants_help(device: object) -> None:
    fault = unreadable({"type": "alarm", "id": "a-2", "device": device})
    assert (fault.id, fault.wants_help) == ("a-2", True)
    assert (fault.refusal.code, fault.refusal.field) == (ErrorCode.INVALID_MESSAGE, "device")


def test_the_error_of_the_contract() -> None:
    fault = unreadable('{"type":"alarm","id":"a-2"}')
    assert fault.refusal.message == "device: field required"


def test_an_alarm_that_breaks_off_before_its_device_wants_help() -> None:
    assert unreadable('{"type":"alarm","id":"a-2","dev').wants_help


@pytest.mark.parametrize(
    ("text", "code", "field", "id_"),
    [
        ('{"type":"dance","id":"d"}', ErrorCode.UNKNOWN_TYPE, "type", "d"),
        ('{"type":"dance","id":17}', ErrorCode.UNKNOWN_TYPE, "type", None),
        ('{"type":"ALARM","device":"x"}', ErrorCode.UNKNOWN_TYPE, "type", None),
        ('{"id":"d","device":"x"}', ErrorCode.INVALID_MESSAGE, "type", "d"),
        ('{"type":null}', ErrorCode.INVALID_MESSAGE, "type", None),
        ('{"type":17}', ErrorCode.INVALID_MESSAGE, "type", None),
        ("hello", ErrorCode.INVALID_MESSAGE, "frame", None),
        ("", ErrorCode.INVALID_MESSAGE, "frame", None),
        ("[]", ErrorCode.INVALID_MESSAGE, "frame", None),
        ('"alarm"', ErrorCode.INVALID_MESSAGE, "frame", None),
        ("{}", ErrorCode.INVALID_MESSAGE, "type", None),
        ('{"type":"received","seq":3', ErrorCode.INVALID_MESSAGE, "frame", None),
        ('{"type":"received","seq":-1}', ErrorCode.INVALID_MESSAGE, "seq", None),
        ('{"type":"received"}', ErrorCode.INVALID_MESSAGE, "seq", None),
        ('{"type":"cancel","id":"c"}', ErrorCode.INVALID_MESSAGE, "device", "c"),
        ('{"type":"signal","id":"s","device":"x"}', ErrorCode.INVALID_MESSAGE, "signal", "s"),
        ('{"type":"signal","id":"s","device":"x","signal":"dance"}', ErrorCode.INVALID_MESSAGE, "signal", "s"),
    ],
)
def test_what_is_no_alarm_is_a_fault_of_the_gateway(text: str, code: ErrorCode, field: str, id_: str | None) -> None:
    fault = unreadable(text)
    assert (fault.refusal.code, fault.refusal.field, fault.id, fault.wants_help) == (code, field, id_, False)


def test_a_very_long_type_is_not_repeated_whole() -> None:
    assert len(unreadable({"type": "x" * 10_000}).refusal.message) < 200


def test_cancel_and_signal() -> None:
    assert read({"type": "cancel", "id": "c", "alarm": "a", "device": "x"}).frame == CancelFrame(
        type="cancel", id="c", alarm="a", device="x"
    )
    assert read({"type": "signal", "id": "s", "device": "x", "signal": "card", "card": "C1"}).frame == SignalFrame(
        type="signal", id="s", device="x", signal="card", card="C1"
    )


def test_cancel_and_signal_drop_what_only_tells_more() -> None:
    assert read({"type": "cancel", "id": 1, "alarm": 2, "device": "x"}).ignored == ("id", "alarm")
    assert read({"type": "signal", "device": "x", "signal": "card", "card": 3}).ignored == ("card",)


def test_received() -> None:
    assert read({"type": "received", "seq": 18}).frame == ReceivedFrame(type="received", seq=18)


def test_a_heartbeat() -> None:
    devices = [{"device": "x", "battery": 0.8, "rssi": -70, "faults": ["tamper"]}, {"device": "y"}]
    got = read({"type": "heartbeat", "id": "h", "devices": devices})
    assert isinstance(got.frame, HeartbeatFrame)
    assert got.frame.devices is not None
    assert [status.health() for status in got.frame.devices] == [
        {"battery": 0.8, "rssi": -70.0, "faults": ["tamper"]},
        {},
    ]


def test_a_bad_device_hides_no_other() -> None:
    devices = [{"device": "x", "battery": 7}, {"battery": 1}, "y", {"device": "z", "faults": ["ok", 3]}]
    got = read({"type": "heartbeat", "id": 3, "devices": devices})
    assert got.frame == HeartbeatFrame(type="heartbeat", devices=[DeviceStatus(device="x"), DeviceStatus(device="z")])
    assert got.ignored == ("id", "devices.0.battery", "devices.1.device", "devices.2", "devices.3.faults.1")


@pytest.mark.parametrize("devices", ["x", 17, {"device": "x"}])
def test_devices_that_are_no_list_are_named(devices: object) -> None:
    got = read({"type": "heartbeat", "id": "h", "devices": devices})
    assert (got.frame, got.ignored) == (HeartbeatFrame(type="heartbeat", id="h"), ("devices",))


def test_a_heartbeat_without_devices_is_the_gateways_own() -> None:
    assert read({"type": "heartbeat"}) == Read(HeartbeatFrame(type="heartbeat"))
    assert read({"type": "heartbeat", "id": 3, "devices": None}).ignored == ("id",)


def test_a_frame_without_a_type_is_what_its_door_says_it_is() -> None:
    got = parse_gateway_frame('{"id":"a-1","device":"BTN-1","kind":"sos"}', "alarm")
    assert isinstance(got, Read)
    assert isinstance(got.frame, AlarmFrame)

    other = parse_gateway_frame('{"type":"cancel","id":"c-1","device":"BTN-1"}', "alarm")
    assert isinstance(other, Read)
    assert isinstance(other.frame, CancelFrame)

    helpless = parse_gateway_frame('{"id":"a-1"}', "alarm")
    assert isinstance(helpless, Unreadable)
    assert helpless.wants_help
