"""Frames of a responder's app: what changes the meaning must be right, what only tells more may be dropped."""

import json
from typing import Any

import pytest

from callhub.errors import ErrorCode
from callhub.protocol.gateway import ReceivedFrame
from callhub.protocol.responder import (
    ClearedFrame,
    EnRouteFrame,
    Heard,
    NeedFrame,
    OnSceneFrame,
    PresenceFrame,
    Refused,
    ReleaseFrame,
    ReportFrame,
    parse_responder_frame,
    spoken_fields,
)

CONTRACT: list[dict[str, Any]] = [
    {
        "type": "presence",
        "id": "p1",
        "available": True,
        "position": {"lat": 39.08, "lon": 117.22},
        "until": "2026-11-24T18:00:00+08:00",
    },
    {"type": "accept", "id": "r1", "offer": "o"},
    {"type": "decline", "id": "r2", "offer": "o", "reason": "busy"},
    {"type": "en_route", "id": "r3", "incident": "i"},
    {"type": "on_scene", "id": "r4", "incident": "i", "proof": {"card": "CARD1"}},
    {"type": "need", "id": "r5", "incident": "i", "need": "key", "note": "..."},
    {"type": "cleared", "id": "r6", "incident": "i", "outcome": "helped", "note": "...", "version": 12},
    {"type": "release", "id": "r7", "incident": "i", "reason": "car broke down"},
    {"type": "report", "id": "r8", "elder": "E-1", "kind": "visit", "text": "..."},
    {"type": "received", "seq": 18},
]


def heard(values: dict[str, Any]) -> Heard:
    got = parse_responder_frame(json.dumps(values))
    assert isinstance(got, Heard), got
    return got


@pytest.mark.parametrize("frame", CONTRACT, ids=lambda frame: frame["type"])
def test_every_frame_of_the_contract_is_read_whole(frame: dict[str, Any]) -> None:
    strict, lenient = heard(frame), parse_responder_frame(json.dumps(frame)[:-1] + ',"extra":oops}')
    assert strict == lenient
    assert strict.ignored == ()
    said = strict.frame.model_dump(exclude_none=True)
    assert said.keys() == frame.keys()


@pytest.mark.parametrize(
    ("frame", "field", "id_"),
    [
        ({"type": "presence", "id": "p"}, "available", "p"),
        ({"type": "presence", "id": "p", "available": "yes"}, "available", "p"),
        ({"type": "presence", "id": "p", "available": True, "until": "2026-11-24T18:00:00"}, "until", "p"),
        ({"type": "accept", "id": "r"}, "offer", "r"),
        ({"type": "accept", "id": "r", "offer": 3}, "offer", "r"),
        ({"type": "accept", "offer": "o"}, "id", None),
        ({"type": "accept", "id": 3, "offer": "o"}, "id", None),
        ({"type": "accept", "id": "x" * 65, "offer": "o"}, "id", None),
        ({"type": "need", "id": "r", "incident": "i", "need": "beer"}, "need", "r"),
        ({"type": "cleared", "id": "r", "incident": "i"}, "outcome", "r"),
        ({"type": "cleared", "id": "r", "incident": "i", "outcome": "fine"}, "outcome", "r"),
        ({"type": "cleared", "id": "r", "incident": "i", "outcome": "helped", "version": "12"}, "version", "r"),
        ({"type": "report", "id": "r", "text": "x" * 501}, "text", "r"),
        ({"id": "r"}, "type", "r"),
        ({"type": None, "id": "r"}, "type", "r"),
    ],
)
def test_what_changes_the_meaning_must_be_right(frame: dict[str, Any], field: str, id_: str | None) -> None:
    got = parse_responder_frame(json.dumps(frame))
    assert isinstance(got, Refused)
    assert (got.refusal.code, got.refusal.field, got.id) == (ErrorCode.INVALID_MESSAGE, field, id_)


@pytest.mark.parametrize(
    ("frame", "ignored"),
    [
        ({"type": "presence", "available": True, "position": {"lat": 0, "lon": 0}}, ("position",)),
        ({"type": "presence", "available": True, "position": {"lat": 39, "lon": 117, "accuracy_m": -1}},
         ("position.accuracy_m",)),
        ({"type": "decline", "offer": "o", "reason": 3}, ("reason",)),
        ({"type": "on_scene", "incident": "i", "proof": {"card": 17}}, ("proof.card",)),
        ({"type": "need", "incident": "i", "need": "key", "note": "x" * 501}, ("note",)),
        ({"type": "cleared", "incident": "i", "outcome": "helped", "note": []}, ("note",)),
        ({"type": "release", "incident": "i", "reason": {}}, ("reason",)),
        ({"type": "report", "elder": 3, "kind": "burglary"}, ("elder", "kind")),
    ],
)  # fmt: skip
def test_what_only_tells_more_is_dropped_and_named(frame: dict[str, Any], ignored: tuple[str, ...]) -> None:
    assert heard({"id": "r", **frame}).ignored == ignored


@pytest.mark.parametrize("text", ["hello", "[]", "", '{"type":"accept","id":"r","offer":"o"', '{"type":"accept"} x'])
def test_no_json(text: str) -> None:
    got = parse_responder_frame(text)
    assert isinstance(got, Refused)
    assert (got.refusal.code, got.refusal.field) == (ErrorCode.INVALID_MESSAGE, "frame")


def test_an_unknown_type() -> None:
    got = parse_responder_frame('{"type":"dance","id":"d"}')
    assert isinstance(got, Refused)
    assert (got.refusal.code, got.id) == (ErrorCode.UNKNOWN_TYPE, "d")


def test_a_report_without_a_kind_is_an_unknown_emergency() -> None:
    frame = heard({"type": "report", "id": "r", "text": "smoke at number 3"}).frame
    assert isinstance(frame, ReportFrame)
    assert (frame.known_kind, frame.elder) == ("unknown", None)


def test_presence_needs_only_available() -> None:
    assert heard({"type": "presence", "id": "p", "available": False}).frame == PresenceFrame(
        type="presence", id="p", available=False
    )


def test_received_needs_no_id() -> None:
    assert heard({"type": "received", "seq": 0}).frame == ReceivedFrame(type="received", seq=0)


def test_spoken_fields_are_what_was_said() -> None:
    i = {"id": "r", "incident": "i"}
    assert spoken_fields(EnRouteFrame(type="en_route", **i)) == {}
    assert spoken_fields(ReleaseFrame(type="release", reason="car", **i)) == {"reason": "car"}
    assert spoken_fields(NeedFrame(type="need", need="key", **i)) == {"need": "key"}
    cleared = ClearedFrame(type="cleared", outcome="helped", version=3, **i)
    assert spoken_fields(cleared) == {"outcome": "helped", "version": 3}
    scene = OnSceneFrame.model_validate({"type": "on_scene", "proof": {"card": "C1"}, **i})
    assert spoken_fields(scene) == {"proof": {"card": "C1"}}
