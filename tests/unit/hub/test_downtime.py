"""What a start asks for after a time in which no server ran."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from callhub.domain.people import Supervised
from callhub.domain.roll_call import Cause, Gap
from callhub.hub.downtime import roll_call_after
from callhub.store.base import Snapshot
from tests.unit.hub.scripted import START

RUNS = ((START - timedelta(days=2), START - timedelta(days=1)), (START - timedelta(hours=2), START))


def after(
    away_s: float,
    after_s: float = 600,
    runs: tuple[tuple[datetime, datetime], ...] = RUNS,
    last_at: datetime | None = None,
    heard_at: datetime | None = None,
) -> Gap | None:
    supervised = (Supervised("B-1", 90), Supervised("B-2", 90, heard_at=heard_at))
    snapshot = Snapshot("e", 0, last_at, 0, {}, {}, (), (), {}, (), {}, supervised=supervised, runs=runs)
    event = roll_call_after(snapshot, START + timedelta(seconds=away_s), after_s, "id")
    assert event is None or event.cause is Cause.SERVER
    return event.gap if event is not None else None


def test_the_gap_is_from_the_last_run_to_the_start() -> None:
    assert after(600) == Gap(START, START + timedelta(seconds=600))


@pytest.mark.parametrize(("away_s", "after_s", "runs"), [(599, 600, RUNS), (9e6, 0, RUNS), (9e6, 600, ())])
def test_a_short_one_a_rule_of_never_and_a_first_start_ask_for_none(
    away_s: float, after_s: float, runs: tuple[tuple[datetime, datetime], ...]
) -> None:
    assert after(away_s, after_s, runs) is None


def test_a_device_that_was_heard_shows_that_it_ran_longer() -> None:
    later = START + timedelta(seconds=50)
    assert after(700, heard_at=later) == Gap(later, START + timedelta(seconds=700))


def test_what_a_command_wrote_meanwhile_does_not() -> None:
    assert after(700, last_at=START + timedelta(seconds=650)) == Gap(START, START + timedelta(seconds=700))
