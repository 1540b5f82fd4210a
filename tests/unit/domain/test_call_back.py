"""Calling back: what is bounded, and that a new call-back is neither held nor set by a person."""

from datetime import UTC, datetime

from callhub.domain.call_back import CALL_FIRST_DAYS_MAX, CALL_FIRST_S_MAX, PRESSES, CallBack, CallFirst
from callhub.domain.policy import EMERGENCY_KINDS

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_the_bounds_are_those_of_the_design() -> None:
    assert (CALL_FIRST_S_MAX, CALL_FIRST_DAYS_MAX) == (45, 90)


def test_only_a_press_by_name_is_held_back() -> None:
    assert set(EMERGENCY_KINDS) >= PRESSES == {"sos"}


def test_records_are_values() -> None:
    assert CallBack(1, NOON) == CallBack(1, NOON, call_first=False, held=False)
    assert CallFirst(30, NOON) != CallFirst(31, NOON)
