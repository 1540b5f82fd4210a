"""Windows: when the clock of a service runs, also where the clock on the wall is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callhub.domain.windows import after, is_open, read_window

TIANJIN, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
DAY = "mon-fri 08:00-18:00"
FRIDAY = datetime(2026, 11, 27, 17, 30, tzinfo=TIANJIN)


def wall(at: datetime, zone: ZoneInfo = TIANJIN) -> str:
    return at.astimezone(zone).strftime("%a %H:%M:%S")


@pytest.mark.parametrize(
    ("seconds", "ends"),
    [(0, "Fri 17:30:00"), (1799, "Fri 17:59:59"), (1800, "Mon 08:00:00"), (1860, "Mon 08:01:00")],
)
def test_the_clock_stands_still_while_the_window_is_closed(seconds: float, ends: str) -> None:
    assert wall(after(DAY, FRIDAY, seconds, TIANJIN)) == ends


def test_what_begins_outside_waits_for_the_opening() -> None:
    night = FRIDAY + timedelta(hours=8)
    assert wall(after(DAY, night, 0, TIANJIN)) == "Mon 08:00:00"
    assert wall(after(DAY, night, 20 * 3600, TIANJIN)) == "Wed 08:00:00"


def test_an_empty_window_is_always_open() -> None:
    assert after("", FRIDAY, 90, TIANJIN) == FRIDAY + timedelta(seconds=90)
    assert is_open(" ", FRIDAY, TIANJIN)


def test_a_window_that_never_closes_counts_every_second() -> None:
    assert after("mon-sun", FRIDAY, 90, TIANJIN) == FRIDAY + timedelta(seconds=90)


def test_it_is_open_by_the_clock_on_the_wall() -> None:
    assert is_open(DAY, FRIDAY, TIANJIN)
    assert not is_open(DAY, FRIDAY, ZoneInfo("Pacific/Auckland"))
    assert not is_open(DAY, FRIDAY + timedelta(minutes=30), TIANJIN)


def test_a_holiday_closes_it() -> None:
    monday_off = f"{DAY}; 2026-11-30 off"
    assert wall(after(monday_off, FRIDAY, 1800, TIANJIN)) == "Tue 08:00:00"


def test_a_change_to_winter_time_adds_the_hour_that_is_lived_twice() -> None:
    before = datetime(2026, 10, 25, 0, 0, tzinfo=BERLIN)
    ends = after("00:00-06:00", before, 4 * 3600, BERLIN)
    assert ends - before.astimezone(UTC) == timedelta(hours=4)
    assert wall(ends, BERLIN) == "Sun 03:00:00"


def test_hours_that_other_clocks_have_skipped_do_not_count() -> None:
    before = datetime(2026, 3, 29, 1, 0, tzinfo=BERLIN)
    assert wall(after("00:00-06:00", before, 2 * 3600, BERLIN), BERLIN) == "Sun 04:00:00"


@pytest.mark.parametrize("text", ["", "mon-sun 08:00-18:00; 2027-02-06 off; leave 2027-02-07..2027-02-09", "sat"])
def test_reads(text: str) -> None:
    assert read_window(text) == text


@pytest.mark.parametrize("text", ["2027-02-06 off", "2027-02-06 08:00-12:00", "mon 08:00-08:59", "noon"])
def test_refuses_what_hardly_ever_opens(text: str) -> None:
    with pytest.raises(ValueError, match=r"less than 60 minutes|cannot read|no day"):
        read_window(text)
