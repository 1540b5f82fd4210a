"""Heartbeats collected for a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from callhub.domain.supervision import DeviceSaid
from callhub.hub.hearing import Hearing

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)


def test_the_newest_word_of_each_device_counts_and_what_was_left_out_stays() -> None:
    hearing = Hearing()
    hearing.health("B-1", {"battery": 0.5, "faults": ["tamper"]}, NOON)
    hearing.health("B-1", {"rssi": -70}, LATER)
    hearing.seen("B-2", LATER)
    hearing.seen("B-1", LATER)
    since = hearing.since
    assert since == NOON
    assert hearing.take() == (DeviceSaid("B-1", LATER, 0.5, ("tamper",)), DeviceSaid("B-2", LATER))
    assert (hearing.since, hearing.take()) == (None, ())


def test_no_faults_is_a_word_too() -> None:
    hearing = Hearing()
    hearing.health("B-1", {"faults": []}, NOON)
    assert hearing.take()[0].faults == ()
