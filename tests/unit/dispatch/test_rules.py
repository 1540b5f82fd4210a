"""Expected arrival: turnout and the way, by kind and by hour; and when people are left in peace."""

from datetime import UTC, datetime, timedelta, timezone

from callhub.dispatch.rules import Rules
from callhub.domain.people import ResponderKind


def test_expected_arrival_is_turnout_and_the_way_in_whole_seconds() -> None:
    assert Rules().eta_s(ResponderKind.VOLUNTEER, 0) == 105
    assert Rules(detour=1).eta_s(ResponderKind.VOLUNTEER, 900) == 605
    assert Rules().eta_s(ResponderKind.VOLUNTEER, 900) == 755, "the way is longer than the straight line"


def test_a_kind_may_be_faster() -> None:
    rules = Rules(turnout_s=60, detour=1, speed_m_s={ResponderKind.CAREGIVER: 5.0})
    assert rules.eta_s(ResponderKind.CAREGIVER, 900) == 240
    assert rules.eta_s(ResponderKind.VOLUNTEER, 900) == 560


def test_at_night_people_take_longer_to_set_off_by_the_clock_where_they_live() -> None:
    rules = Rules(timezone=timezone(timedelta(hours=8)))
    late = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    assert rules.local(late).hour == 22
    assert rules.is_night(late)
    assert not rules.is_night(late - timedelta(seconds=1))
    assert rules.eta_s(ResponderKind.VOLUNTEER, 0, night=True) == 142


def test_quiet_hours_are_by_kind_and_none_unless_given() -> None:
    now = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    rules = Rules(quiet_hours={ResponderKind.VOLUNTEER: "12:00-15:00"})
    assert rules.is_quiet(ResponderKind.VOLUNTEER, now)
    assert not rules.is_quiet(ResponderKind.CAREGIVER, now)
    assert not rules.is_quiet(ResponderKind.VOLUNTEER, now + timedelta(hours=1))
