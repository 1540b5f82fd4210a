"""Field types: bounds, times, positions, and what is dropped."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from callhub.domain.people import Position
from callhub.errors import InvalidMessage
from callhub.protocol.fields import (
    Battery,
    Fix,
    Instant,
    Kind,
    Readable,
    SignalStrength,
    Text,
    Whole,
    Wire,
    validate_dropping,
)
from callhub.protocol.lenient import SPOILED


class Everything(Wire):
    """One field of each type."""

    name: Readable
    at: Instant | None = None
    kind: Kind | None = None
    text: Text | None = None
    whole: Whole | None = None
    battery: Battery | None = None
    rssi: SignalStrength | None = None
    position: Fix | None = None


ALL = frozenset({"at", "kind", "text", "whole", "battery", "rssi", "position", "position.accuracy_m"})


def read(**values: Any) -> tuple[Everything, tuple[str, ...]]:
    return validate_dropping(Everything, {"name": "x"} | values, ALL)


@pytest.mark.parametrize("value", ["x", "x" * 64, " ", "李奶奶的按钮", "BTN-0001", "😀"])
def test_readable_ids(value: str) -> None:
    assert Everything(name=value).name == value


@pytest.mark.parametrize("value", ["", "x" * 65, "a\nb", "a\x00", "a\u2028b", "\ud800", 17, None, True, ["x"], SPOILED])
def test_unreadable_ids(value: object) -> None:
    with pytest.raises(InvalidMessage) as caught:
        validate_dropping(Everything, {"name": value}, ALL)
    assert caught.value.field == "name"


def test_a_missing_field_is_named_in_words() -> None:
    with pytest.raises(InvalidMessage, match=r"^name: field required$"):
        validate_dropping(Everything, {}, ALL)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-11-24T05:00:00Z", datetime(2026, 11, 24, 5, tzinfo=UTC)),
        ("2026-11-24t05:00:00z", datetime(2026, 11, 24, 5, tzinfo=UTC)),
        ("2026-11-24T13:00:00.250+08:00", datetime(2026, 11, 24, 5, 0, 0, 250_000, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_an_instant_is_kept_however_far_away(value: str, at: datetime) -> None:
    frame, dropped = read(at=value)
    assert (frame.at, dropped) == (at, ())
    assert frame.at is not None
    assert frame.at.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24T05:00:00",
        "yesterday",
        "",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
        "2026-02-30T00:00:00Z",
        "2026-11-24T05:00:00Z" + " " * 40,
        1_764_000_000,
        True,
        SPOILED,
    ],
)
def test_what_is_no_instant_is_dropped_and_named(value: object) -> None:
    frame, dropped = read(at=value)
    assert (frame.at, dropped) == (None, ("at",))


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("kind", ["sos", "unknown", "meal"], ["SOS", "burglary", "low_battery", "", 1, SPOILED]),
        ("text", ["", "x" * 500, "救命"], ["x" * 501, 1, SPOILED]),
        ("whole", [0, 2**53 - 1], [-1, 2**53, 1.0, "1", True, SPOILED]),
        ("battery", [0, 0.5, 1, 1.0], [-0.01, 1.01, float("nan"), float("inf"), "0.5", True, SPOILED]),
        ("rssi", [-200, -70.5, 100], [-201, 101, float("nan"), "x", SPOILED]),
    ],
)
def test_bounds(name: str, good: list[object], bad: list[object]) -> None:
    for value in good:
        frame, dropped = read(**{name: value})
        assert (getattr(frame, name), dropped) == (value, ())
    for value in bad:
        frame, dropped = read(**{name: value})
        assert (getattr(frame, name), dropped) == (None, (name,)), value


def test_null_is_absent_and_not_named() -> None:
    frame, dropped = read(**dict.fromkeys(ALL - {"position.accuracy_m"}))
    assert (frame, dropped) == (Everything(name="x"), ())


def test_a_position_in_wgs84_is_taken_as_it_is() -> None:
    for crs in ({}, {"crs": None}, {"crs": "wgs84"}):
        frame, dropped = read(position={"lat": 39.08, "lon": 117.22, "accuracy_m": 15} | crs)
        assert frame.position is not None
        assert (frame.position.position(), dropped) == (Position(39.08, 117.22, 15.0), ())


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_a_chinese_position_is_converted(crs: str) -> None:
    frame, _ = read(position={"lat": 39.08, "lon": 117.22, "crs": crs})
    assert frame.position is not None
    position = frame.position.position()
    # A few hundred metres to the west and south in Tianjin, in either system.
    assert 0.0005 < 39.08 - position.lat < 0.02
    assert 0.004 < 117.22 - position.lon < 0.02


@pytest.mark.parametrize(
    ("position", "dropped"),
    [
        ({"lat": 0, "lon": 0}, ("position",)),
        ({"lat": -0.0, "lon": 0.0, "accuracy_m": 5}, ("position",)),
        ({"lat": 91, "lon": 117}, ("position.lat",)),
        ({"lat": 39, "lon": -180.1}, ("position.lon",)),
        ({"lat": 39}, ("position.lon",)),
        ({"lat": 91, "lon": 181}, ("position.lat", "position.lon")),
        ({"lat": 39, "lon": 117, "crs": "mars"}, ("position.crs",)),
        ({"lat": SPOILED, "lon": 117, "accuracy_m": -1}, ("position.lat", "position.accuracy_m")),
        ({"lat": "39", "lon": True}, ("position.lat", "position.lon")),
        ("here", ("position",)),
        ([39, 117], ("position",)),
        (SPOILED, ("position",)),
    ],
)
def test_half_a_position_is_none(position: object, dropped: tuple[str, ...]) -> None:
    frame, named = read(position=position)
    assert (frame.position, named) == (None, dropped)


@pytest.mark.parametrize("accuracy", [-1, float("inf"), 1e8, "15", SPOILED])
def test_a_bad_accuracy_leaves_the_position(accuracy: object) -> None:
    frame, named = read(position={"lat": 39, "lon": 117, "accuracy_m": accuracy})
    assert frame.position is not None
    assert (frame.position.position(), named) == (Position(39.0, 117.0), ("position.accuracy_m",))


def test_a_position_whose_accuracy_is_wrong_too_may_still_go_as_a_whole() -> None:
    frame, named = read(position={"lat": 0, "lon": 0, "accuracy_m": -1})
    assert (frame.position, named) == (None, ("position.accuracy_m", "position"))


def test_a_model_takes_no_field_by_guess() -> None:
    with pytest.raises(ValidationError):
        Everything.model_validate({"name": 17})
