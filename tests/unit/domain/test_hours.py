"""Weekly hours: what can be written, what falls into them, and when that changes."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from callhub.domain.hours import DAY_MIN, WEEK_MIN, is_within, overlap, parse_hours

TIANJIN = ZoneInfo("Asia/Shanghai")


def at(day: int, clock: str) -> datetime:
    """A local time in a week that begins on Monday, day 0."""
    hour, minute = clock.split(":")
    return datetime(2026, 11, 16 + day, int(hour), int(minute), tzinfo=TIANJIN)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", ()),
        (" , ; ", ()),
        ("mon 07:00-21:00", ((420, 1260),)),
        ("Mon 7:00 - 21:00", ((420, 1260),)),
        ("tue", ((DAY_MIN, 2 * DAY_MIN),)),
        ("mon - tue", ((0, 2 * DAY_MIN),)),
        ("sat; sun", ((5 * DAY_MIN, WEEK_MIN),)),
        ("mon-sun 00:00-24:00", ((0, WEEK_MIN),)),
        ("00:00-24:00", ((0, WEEK_MIN),)),
        ("mon 22:00-06:00", ((1320, 1800),)),
        ("mon 22:00-00:00", ((1320, 1440),)),
        ("sun 22:00-06:00", ((0, 360), (WEEK_MIN - 120, WEEK_MIN))),
        ("sun-mon 08:00-09:00", ((480, 540), (6 * DAY_MIN + 480, 6 * DAY_MIN + 540))),
        ("mon 08:00-12:00, mon 11:00-13:00", ((480, 780),)),
        ("mon 08:00-12:00; mon 09:00-10:00", ((480, 720),)),
        ("mon 14:00-18:00, mon 08:00-12:00", ((480, 720), (840, 1080))),
        ("sat; mon 08:00-12:00", ((480, 720), (5 * DAY_MIN, 6 * DAY_MIN))),
    ],
)
def test_reads(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert parse_hours(text) == spans


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mo 07:00-21:00", "'mo' is no day"),
        ("mon-someday 07:00-21:00", "'someday' is no day"),
        ("mon 07:00-25:00", "'25:00' is no time of day"),
        ("mon 07:60-08:00", "'07:60' is no time of day"),
        ("mon 24:01-08:00", "'24:01' is no time of day"),
        ("mon 08:00-08:00", "begins when it ends"),
        ("mon 08:00", "cannot read 'mon 08:00'"),
        ("mon 8-12", "cannot read 'mon 8-12'"),
        ("-tue 08:00-12:00", "cannot read '-tue 08:00-12:00'"),
        ("all day", "cannot read 'all day'"),
        ("mon, wed 08:00-12:00", "give 'mon' its own times"),
    ],
)
def test_refuses_and_names_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_hours(text)


@pytest.mark.parametrize(
    ("hours", "when", "within"),
    [
        ("mon-sun 07:00-21:00", at(2, "07:00"), True),
        ("mon-sun 07:00-21:00", at(2, "06:59"), False),
        ("mon-sun 07:00-21:00", at(2, "20:59"), True),
        ("mon-sun 07:00-21:00", at(2, "21:00"), False),
        ("mon-sun 22:00-06:00", at(0, "03:00"), True),
        ("fri 22:00-06:00", at(5, "05:59"), True),
        ("fri 22:00-06:00", at(4, "05:59"), False),
        ("sun 22:00-06:00", at(0, "01:00"), True),
        ("", at(0, "12:00"), False),
    ],
)
def test_is_within(hours: str, when: datetime, within: bool) -> None:
    assert is_within(hours, when) is within


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("mon-sun 22:00-06:00", "sat 05:00-12:00", True),
        ("mon-sun 22:00-06:00", "mon-sun 06:00-22:00", False),
        ("", "mon-sun", False),
    ],
)
def test_overlap(one: str, other: str, both: bool) -> None:
    assert overlap(one, other) is both
    assert overlap(other, one) is both
