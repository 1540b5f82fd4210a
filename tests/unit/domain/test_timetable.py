"""Timetables of people: weekly hours, dates with other hours, leave, and nights in which the clock is changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callhub.domain.timetable import Standing, parse_timetable

TIANJIN = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
HAVANA = ZoneInfo("America/Havana")  # its clock is changed at midnight


def local(text: str, zone: ZoneInfo = TIANJIN, fold: int = 0) -> datetime:
    """A time by the clock on the wall."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def standing(hours: str, when: str, zone: ZoneInfo = TIANJIN, fold: int = 0) -> str:
    return parse_timetable(hours).standing(local(when, zone, fold), zone).value


WEEK = "mon-fri 08:00-18:00, sat 22:00-06:00"
"""The 24th of November 2026 is a Tuesday."""


@pytest.mark.parametrize(
    ("hours", "when", "says"),
    [
        ("", "2026-11-24 12:00", "off"),
        (WEEK, "2026-11-24 08:00", "on"),
        (WEEK, "2026-11-24 18:00", "off"),
        (WEEK, "2026-11-29 05:59", "on"),
        # A date replaces the hours of that day alone.
        (WEEK + "; 2026-11-24 off", "2026-11-24 12:00", "off"),
        (WEEK + "; 2026-11-24 off", "2026-11-25 12:00", "on"),
        (WEEK + "; 2026-11-24 19:00-20:00", "2026-11-24 12:00", "off"),
        (WEEK + "; 2026-11-24 19:00-20:00", "2026-11-24 19:30", "on"),
        (WEEK + "; 2026-11-24 08:00-09:00, 2026-11-24 19:00-20:00", "2026-11-24 08:30", "on"),
        (WEEK + "; 2026-11-24 08:00-09:00, 2026-11-24 19:00-20:00", "2026-11-24 19:30", "on"),
        ("2026-11-24..2026-11-26 08:00-09:00", "2026-11-26 08:30", "on"),
        ("2026-11-24..2026-11-26 08:00-09:00", "2026-11-27 08:30", "off"),
        # A shift belongs to the day on which it begins.
        (WEEK + "; 2026-11-29 off", "2026-11-29 05:59", "on"),
        (WEEK + "; 2026-11-28 off", "2026-11-29 05:59", "off"),
        # Leave covers whole days, whatever else is written.
        (WEEK + "; leave 2026-11-24..2026-11-25", "2026-11-24 00:00", "leave"),
        (WEEK + "; leave 2026-11-24..2026-11-25", "2026-11-25 23:59", "leave"),
        (WEEK + "; leave 2026-11-24..2026-11-25", "2026-11-26 08:00", "on"),
        (WEEK + "; LEAVE 2026-11-29", "2026-11-29 05:00", "leave"),
        ("2026-11-24 08:00-18:00; leave 2026-11-24", "2026-11-24 12:00", "leave"),
    ],
)
def test_standing(hours: str, when: str, says: str) -> None:
    assert standing(hours, when) == says


def test_whoever_is_in_two_shifts_is_on_duty_while_any_of_them_lasts() -> None:
    table = parse_timetable("mon-sun 08:00-14:00, tue 12:00-20:00")
    assert standing("mon-sun 08:00-14:00, tue 12:00-20:00", "2026-11-24 13:00") == "on"
    assert table.next_change(local("2026-11-24 09:00"), TIANJIN) == local("2026-11-24 20:00")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-11-24", "cannot read '2026-11-24'; write it like '2026-12-25 off'"),
        ("2026-11-24 closed", "cannot read '2026-11-24 closed'"),
        ("christmas off", "cannot read 'christmas off'"),
        ("leave", "cannot read 'leave'"),
        ("leave 2026-11-24 off", "cannot read 'leave 2026-11-24 off'"),
        ("leave 2026-11-24 08:00-12:00", "cannot read"),
        ("leave 2026-11-31", "'2026-11-31' is no date"),
        ("2026-13-01 off", "'2026-13-01' is no date"),
        ("1926-11-24 off", "'1926-11-24' is no date between 2000 and 2100"),
        ("leave 2026-11-25..2026-11-24", "ends before it begins"),
        ("2026-01-01..2027-01-02 off", "more than 366 days"),
        ("2026-11-24 off, 2026-11-24 08:00-12:00", "2026-11-24 is off and has other hours too"),
        ("2026-11-24 08:00-12:00, 2026-11-24 off", "2026-11-24 is off and has other hours too"),
        ("2026-11-24 off, 2026-11-24 off", "2026-11-24 is off and has other hours too"),
        ("2026-11-24 08:00-08:00", "begins when it ends"),
        ("2026-11-24 08:00-25:00", "'25:00' is no time of day"),
        ("mon 7-9; 2026-11-24 off", "cannot read 'mon 7-9'"),
        ("mon, wed 08:00-12:00; 2026-11-24 off", "give 'mon' its own times"),
    ],
)
def test_refuses_and_names_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_timetable(text)


def test_a_bare_day_beside_a_date_is_a_whole_day() -> None:
    assert standing("sat, 2026-11-24 08:00-12:00", "2026-11-28 23:00") == "on"


@pytest.mark.parametrize(
    ("hours", "when", "change"),
    [
        ("", "2026-11-24 12:00", None),
        ("mon-sun", "2026-11-24 12:00", None),
        (WEEK, "2026-11-24 12:00", "2026-11-24 18:00"),
        (WEEK + "; 2026-11-25 off", "2026-11-24 18:00", "2026-11-26 08:00"),
        ("mon-sun; 2027-02-01 off", "2026-11-24 12:00", "2027-02-01 00:00"),
        ("mon-sun; 2027-02-01 off", "2027-02-01 12:00", "2027-02-02 00:00"),
        ("tue 08:00-12:00; 2026-12-01 off", "2026-11-24 12:00", "2026-12-08 08:00"),
        ("mon-sun; leave 2027-02-01..2027-02-28", "2026-11-24 12:00", "2027-02-01 00:00"),
        ("mon-sun; leave 2027-02-01..2027-02-28", "2027-02-03 12:00", "2027-03-01 00:00"),
        ("leave 2027-02-01..2027-02-28", "2027-02-03 12:00", "2027-03-01 00:00"),
        ("leave 2026-02-01..2026-02-28; 2026-02-03 off", "2026-11-24 12:00", None),
        ("mon 08:00-12:00; leave 2026-11-24..2026-12-24", "2026-11-25 12:00", "2026-12-25 00:00"),
    ],
)
def test_next_change(hours: str, when: str, change: str | None) -> None:
    found = parse_timetable(hours).next_change(local(when), TIANJIN)
    assert found == (None if change is None else local(change))
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("hours", "zone", "first"),
    [
        ("mon-sun 02:30-04:00", BERLIN, date(2026, 3, 28)),
        ("mon-sun 02:30-04:00", BERLIN, date(2026, 10, 24)),
        ("mon-sun 01:00-02:30", BERLIN, date(2026, 10, 24)),
        ("mon-sun 22:00-06:00; 2026-10-25 off", BERLIN, date(2026, 10, 24)),
        ("mon-sun 00:00-24:00; 2026-03-08 off", HAVANA, date(2026, 3, 7)),
        ("mon-sun 12:00-13:00; leave 2026-11-01", HAVANA, date(2026, 10, 31)),
        (WEEK + "; 2026-11-25 off; leave 2026-11-27..2026-11-28", TIANJIN, date(2026, 11, 24)),
    ],
)
def test_next_change_agrees_with_every_minute_also_when_the_clock_is_changed(
    hours: str, zone: ZoneInfo, first: date
) -> None:
    table = parse_timetable(hours)
    now = datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(UTC)
    change = table.next_change(now, zone)
    for _ in range(5 * 24 * 60):
        later = now + timedelta(minutes=1)
        changed = table.standing(later, zone) is not table.standing(now, zone)
        assert changed is (change == later), later.astimezone(zone)
        if changed:
            change = table.next_change(later, zone)
        now = later


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_two_shifts_that_meet_leave_no_hole_in_the_night_of_a_change(day: str) -> None:
    early, late = parse_timetable("mon-sun 18:00-02:30"), parse_timetable("mon-sun 02:30-12:00")
    now = local(f"{day} 00:00", BERLIN).astimezone(UTC)
    for _ in range(6 * 60):
        now += timedelta(minutes=1)
        assert Standing.ON in (early.standing(now, BERLIN), late.standing(now, BERLIN))
