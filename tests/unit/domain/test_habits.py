"""What is remembered of somebody: nothing at first, and it survives being written down to the last bit."""

from __future__ import annotations

from datetime import UTC, date, datetime

from callhub.domain.habits import BANDS, Habit
from callhub.store.codec import decode, encode

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def test_of_somebody_new_nothing_is_known() -> None:
    new = Habit("V-1", NOON)
    assert (new.load, new.services, new.day, new.back_at) == (0, 0, None, None)
    assert new.yes == new.no == (0.0,) * BANDS


def test_it_is_read_back_as_it_was_written() -> None:
    habit = Habit("V-1", NOON, 0.1 + 0.2, (1 / 3, 0, 0, 5e-324), (1e300, 0, 0, 0), date(2026, 11, 24), 3, NOON)
    assert decode(Habit, encode(habit)) == habit
