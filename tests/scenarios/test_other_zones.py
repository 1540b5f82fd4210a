"""The night in which the clock is changed: hours, windows, days and seconds keep their sense in every zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callhub.dispatch.rules import Rules
from callhub.domain.people import ResponderKind
from callhub.domain.policy import policy_from_table
from tests.scenarios.town import LADDER, SERVICE, Town, ladder

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
NIGHTS = [
    (BERLIN, "2026-03-28", 23), (BERLIN, "2026-10-24", 25),
    (NEW_YORK, "2026-03-07", 23), (NEW_YORK, "2026-10-31", 25),
    (LORD_HOWE, "2026-10-03", 23.5), (LORD_HOWE, "2026-04-04", 24.5),
]  # fmt: skip
"""The day before each change, and how many hours the day after it has: on Lord Howe Island half an hour is moved."""
HOUR = 3600.0


class Changed:
    """A town at 22:00 of the evening before its clock is changed; ``long_h`` are the hours of the day that begins."""

    def __init__(self, zone: str, evening: str, long_h: float, *policies: Any, **rules: Any) -> None:
        self.zone = ZoneInfo(zone)
        self.long_h = long_h
        settings: dict[str, Any] = {"night": "", **rules}
        self.town = Town(*policies, rules=Rules(timezone=self.zone, **settings))
        self.town.now = (
            datetime.fromisoformat(f"{evening} 22:00").replace(tzinfo=self.zone).astimezone(self.town.now.tzinfo)
        )
        self.town.elder()

    @property
    def wall(self) -> str:
        """The clock on the wall."""
        return self.town.now.astimezone(self.zone).strftime("%a %H:%M")

    def night_h(self, until: float) -> float:
        """Hours from 22:00 until so many hours after midnight, as they are lived in this night."""
        return 2 + until + self.long_h - 24


@pytest.fixture(params=NIGHTS, ids=[f"{zone.partition('/')[2]}-{day}" for zone, day, _ in NIGHTS])
def night(request: pytest.FixtureRequest) -> tuple[str, str, float]:
    zone, evening, long_h = request.param
    return zone, evening, long_h


def test_a_shift_over_the_change_leaves_no_hole_and_ends_by_the_clock_on_the_wall(
    night: tuple[str, str, float],
) -> None:
    changed = Changed(*night, ladder(repeat_s=86_400))
    town = changed.town
    person = town.responder("V-1", on_duty=False, hours="22:00-06:00")
    incident = town.press()
    assert person.was_asked()
    town.advance(changed.night_h(6) * HOUR - 1)
    assert town.incident(incident.id).live_offers
    assert not person.told("stand_down")
    town.advance(1)
    assert changed.wall == "Sun 06:00"
    assert [body["reason"] for body in person.told("stand_down")] == ["off_duty"]


def test_a_shift_of_the_morning_after_begins_by_the_clock_on_the_wall(night: tuple[str, str, float]) -> None:
    changed = Changed(*night)
    town = changed.town
    person = town.responder("V-1", on_duty=False, hours="07:00-09:00")
    town.press()
    town.advance(changed.night_h(7) * HOUR - 1)
    assert not person.was_asked()
    town.advance(1)
    assert (changed.wall, person.was_asked()) == ("Sun 07:00", True)


def test_a_service_waits_for_its_window_by_the_clock_on_the_wall(night: tuple[str, str, float]) -> None:
    service = policy_from_table({**SERVICE, "window": "mon-sun 07:00-19:00"}, "test")
    changed = Changed(*night, ladder(), service)
    town = changed.town
    person = town.responder("V-1")
    incident = town.press(kind="meal")
    assert town.waits_for(incident.id) == f"window in {changed.night_h(7) * HOUR:g}"
    town.advance(changed.night_h(7) * HOUR)
    assert (changed.wall, person.was_asked()) == ("Sun 07:00", True)


def test_a_deadline_in_seconds_is_not_moved_by_the_change(night: tuple[str, str, float]) -> None:
    changed = Changed(*night)
    town = changed.town
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()
    person.reports("on_scene")
    opened = town.now
    assert town.waits_for(incident.id) == "resolution in 3600"
    for hours in range(1, 9):  # somebody looks at it each time, and the clock is armed anew
        town.advance(HOUR)
        assert town.incident(incident.id).desk_call is not None, f"after {hours} h"
        town.act(incident.id, "note", text="still there")
        assert town.waits_for(incident.id) == "resolution in 3600"
    assert town.now - opened == timedelta(hours=8)


def test_quiet_hours_end_by_the_clock_on_the_wall(night: tuple[str, str, float]) -> None:
    quiet = {ResponderKind.VOLUNTEER: "22:00-07:00"}
    changed = Changed(*night, quiet_hours=quiet)
    town = changed.town
    person = town.responder("V-1")
    town.advance(changed.night_h(6.5) * HOUR)
    town.press(kind="meal")
    assert (changed.wall, person.was_asked()) == ("Sun 06:30", False)
    town.advance(HOUR)
    town.press(kind="visit")
    assert (changed.wall, person.was_asked()) == ("Sun 07:30", True)


def test_the_limit_of_a_day_holds_for_the_whole_local_day_however_long_it_is(night: tuple[str, str, float]) -> None:
    changed = Changed(*night, services_per_day_max={ResponderKind.VOLUNTEER: 1})
    town = changed.town
    person = town.responder("V-1")
    town.advance(changed.night_h(0.5) * HOUR - (changed.long_h - 24) * HOUR)  # half past midnight, before the change
    first = town.press(kind="meal")
    assert (changed.wall, person.offers()) == ("Sun 00:30", 1)
    town.act(first.id, "close", outcome="helped")
    town.advance((changed.long_h - 1) * HOUR)
    town.press(kind="visit")
    assert (changed.wall, person.offers()) == ("Sun 23:30", 1)
    town.advance(HOUR)
    town.elder("E-2")
    town.press("E-2", kind="visit")
    assert (changed.wall, person.offers()) == ("Mon 00:30", 2)


def test_the_ladder_of_the_night_is_chosen_by_the_clock_on_the_wall(night: tuple[str, str, float]) -> None:
    dark = policy_from_table({**LADDER, "id": "dark", "kinds": ["sos"], "hours": "mon-sun 22:00-06:00"}, "test")
    changed = Changed(*night, ladder(), dark)
    town = changed.town
    town.advance(changed.night_h(5.75) * HOUR)
    first = town.press()
    assert (changed.wall, first.policy.partition("@")[0]) == ("Sun 05:45", "dark")
    town.advance(0.5 * HOUR)
    town.elder("E-2")
    assert (changed.wall, town.press("E-2").policy.partition("@")[0]) == ("Sun 06:15", "emergency")
