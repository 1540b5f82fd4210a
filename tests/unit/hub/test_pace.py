"""Batches get smaller when events get expensive, and larger again."""

from callhub.hub.pace import DECIDE_S, EVENTS_MIN, Pace


def test_cheap_events_are_bounded_by_the_maximum_alone() -> None:
    pace = Pace()
    for _ in range(20):
        pace.took(100, 100 * 0.00002)
    assert pace.at_most(512) == 512


def test_expensive_events_make_short_batches_and_never_none() -> None:
    pace = Pace()
    for _ in range(30):
        pace.took(10, 10 * 0.002)
    assert abs(pace.at_most(512) - DECIDE_S / 0.002) <= 1
    for _ in range(30):
        pace.took(10, 10.0)
    assert pace.at_most(512) == EVENTS_MIN
    assert pace.at_most(3) == 3


def test_it_recovers_and_an_empty_batch_teaches_nothing() -> None:
    pace = Pace()
    pace.took(1, 1.0)
    slow = pace.at_most(512)
    pace.took(0, 5.0)
    assert pace.at_most(512) == slow
    for _ in range(40):
        pace.took(10, 0.0002)
    assert pace.at_most(512) == 512
