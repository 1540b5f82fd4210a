"""Whatever a peer sends: reading never raises, the fast way and the lenient way agree, and a press is not lost."""

import json
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from callhub.protocol.gateway import AlarmFrame, Read, Unreadable, parse_gateway_frame
from callhub.protocol.lenient import parse_lenient
from callhub.protocol.responder import parse_responder_frame
from callhub.protocol.session import GatewaySession, ResponderSession

LONE = "\\ud800"
READABLE = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=64)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("id", "kind", "at", "position", "battery", "text", "test", "alarm", "signal", "card", "devices", "seq")
GOOD: list[object] = ["sos", "2026-11-24T05:00:00Z", 0.5, 17, True, "arrived", {"lat": 39.0, "lon": 117.0}]
NEARLY: list[object] = [{"lat": 0, "lon": 0}, {"lat": 1, "lon": 2, "accuracy_m": -1, "crs": "gcj02"}]
LISTS: list[object] = [[{"device": "x"}], [{"device": "x", "battery": 2}], [{"battery": 1}, 3]]
LIKELY = st.sampled_from([*GOOD, *NEARLY, *LISTS])
ODDITIES = st.sampled_from(
    ["NaN", "-Infinity", "1e999", "9" * 400, f'"{LONE}"', "[" * 500 + "]" * 500, "oops", "{x:1}"]
)
TYPES = st.sampled_from(
    ["alarm", "cancel", "signal", "heartbeat", "received", "presence", "accept", "cleared", "dance"]
)


FRAMES = st.builds(
    lambda type_, device, rest: json.dumps({"type": type_, "device": device} | rest),
    TYPES,
    READABLE | JSON,
    st.dictionaries(st.sampled_from(FIELDS), LIKELY | JSON, max_size=6),
)


@given(st.text())
@example('{"type":"alarm","device":"x"')
@example("{" * 16_000)
@example('{"a":"' + "\\" * 15_000)
def test_no_text_makes_a_reader_raise(text: str) -> None:
    parse_lenient(text)
    parse_gateway_frame(text)
    parse_responder_frame(text)
    GatewaySession("GW").receive(text, id="e")
    ResponderSession("V").receive(text, id="e")


@given(st.binary())
def test_no_binary_frame_makes_a_session_raise(data: bytes) -> None:
    assert GatewaySession("GW").receive(data, id="e").error is not None
    assert ResponderSession("V").receive(data, id="e").error is not None


@given(FRAMES)
def test_no_near_miss_makes_a_session_raise(text: str) -> None:
    for received in (GatewaySession("GW").receive(text, id="e"), ResponderSession("V").receive(text, id="e")):
        if received.error is not None:
            json.dumps(received.error)


@given(FRAMES)
def test_the_fast_way_and_the_lenient_way_agree(text: str) -> None:
    # A member that only the lenient reader takes, and that no message has.
    forced = text[:-1] + f',"x":"{LONE}"}}'
    assert _shown(parse_gateway_frame(text)) == _shown(parse_gateway_frame(forced))


def _shown(got: Read | Unreadable) -> object:
    """Refusals are exceptions, which are equal only to themselves; compare what they say."""
    return got if isinstance(got, Read) else (str(got.refusal), got.id, got.wants_help)


@given(READABLE, st.dictionaries(st.sampled_from(FIELDS), JSON.map(json.dumps) | ODDITIES, max_size=6), st.randoms())
def test_an_alarm_with_a_readable_device_is_always_taken(device: str, rest: dict[str, str], order: Random) -> None:
    members = [("type", '"alarm"'), ("device", json.dumps(device)), *rest.items()]
    order.shuffle(members)
    text = "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}"
    got = parse_gateway_frame(text)
    assert isinstance(got, Read)
    assert isinstance(got.frame, AlarmFrame)
    assert got.frame.device == device
    assert all(name.split(".")[0] in FIELDS for name in got.ignored)
