"""One ladder over people whose answers are known."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from callhub.lab.behaviour import NEWS_S, Behaviour
from callhub.lab.district import make_district
from callhub.lab.ladders import NAMES
from callhub.lab.tally import Tally
from callhub.lab.trial import Trial
from tests.unit.lab.builders import NO, SILENT, YES, named, small


def play(name: str, people: Sequence[Behaviour], presses: int = 1, seed: int = 1, gap_s: float = 7200) -> Tally:
    ladder = named(name)
    return Trial(small(people, presses, gap_s), [ladder.policy], seed, hears_no=ladder.hears_no).run()


@pytest.mark.parametrize("name", NAMES)
def test_a_yes_is_counted_from_the_press(name: str) -> None:
    tally = play(name, [YES])
    assert 5 <= tally.waits_s[0] <= 15, "ten seconds on average, half as much to half more"
    assert (tally.acceptances, tally.unanswered, tally.redundant) == (1, 0, 0)
    assert tally.alerts == {"V-001": 1}


@pytest.mark.parametrize("name", NAMES)
def test_an_incident_that_nobody_accepts_counts_at_the_end_of_its_ladder(name: str) -> None:
    tally = play(name, [SILENT] * 60)
    assert tally.unanswered == 1
    # Where everybody has been asked there is nothing to wait for, and the desks come at once.
    asking_s = 20 if name == "all_at_once" else 120
    assert tally.waits_s == [asking_s + 3 * 30], "then three desks let it ring"


def test_a_no_is_replaced_at_once_and_silence_in_its_time() -> None:
    assert play("one_at_a_time", [NO, YES]).waits_s[0] == pytest.approx(20, abs=10)
    assert play("one_at_a_time", [SILENT, YES]).waits_s[0] == pytest.approx(30, abs=5)


def test_fixed_waves_do_not_hear_a_no() -> None:
    tally = play("fixed_waves", [NO, NO, NO, YES])
    assert tally.waits_s[0] == pytest.approx(30, abs=5), "the second wave comes after twenty seconds"


@pytest.mark.parametrize(
    ("name", "asked"), [("one_at_a_time", 1), ("fixed_waves", 3), ("parallel_replace", 7), ("all_at_once", 40)]
)
def test_each_asks_as_many_at_once_as_it_says(name: str, asked: int) -> None:
    assert len(play(name, [replace(YES, answer_delay_s=8)] * 40).alerts) == asked


@pytest.mark.parametrize(("people", "asked"), [(5, 3), (40, 7)])
def test_the_default_grows_with_the_people_around(people: int, asked: int) -> None:
    assert len(play("default", [YES] * people).alerts) == asked


def test_whoever_taps_yes_before_the_stand_down_is_seen_has_set_out_for_nothing() -> None:
    same = [replace(YES, answer_delay_s=delay_s) for delay_s in (2, 2, 40)]
    tally = play("all_at_once", same)
    assert tally.redundant == 1, "two within a moment, the third hears in time"
    assert NEWS_S == 3
    assert tally.acceptances == 1


def test_whoever_is_on_a_visit_is_not_asked_for_another() -> None:
    tally = play("one_at_a_time", [YES, YES], presses=2, gap_s=0.0)
    assert tally.waits_s[0] != 0
    assert len(tally.waits_s) == 1, "the same home: the second press joins the first"


def test_people_come_and_are_free_again() -> None:
    tally = play("one_at_a_time", [YES], presses=3)
    assert tally.alerts == {"V-001": 3}
    assert tally.acceptances == 3


def test_every_ladder_meets_the_same_people() -> None:
    district = make_district(3, 40, 5)
    first = {
        name: Trial(district, [named(name).policy], 3, hears_no=named(name).hears_no).run().waits_s for name in NAMES
    }
    # Whoever is asked at once answers no later than when asked after others.
    pairs = zip(first["all_at_once"], first["one_at_a_time"], strict=True)
    assert all(at_once <= one <= 210 for at_once, one in pairs)


def test_the_same_seed_plays_the_same_and_another_does_not() -> None:
    def waits(seed: int) -> list[float]:
        return Trial(make_district(seed, 15, 5), [named("default").policy], seed).run().waits_s

    assert waits(1) == waits(1)
    assert waits(1) != waits(2)
