"""Goal: simulated people behave within the published figures. Method: draw many and measure them."""

import random
from statistics import mean

import pytest

from callhub.lab.behaviour import Behaviour, Reply, draw_behaviour, react

PEOPLE = [draw_behaviour(rng) for rng in [random.Random(3)] for _ in range(2000)]


def test_acceptance_lies_in_the_published_range_and_fills_it() -> None:
    shares = [person.accepts for person in PEOPLE]
    assert min(shares) == pytest.approx(0.17, abs=0.01)
    assert max(shares) == pytest.approx(0.47, abs=0.01)
    assert all(0.17 <= share <= 0.47 for share in shares)


def test_some_decline_and_some_stay_silent() -> None:
    assert all(person.declines > 0.1 for person in PEOPLE)
    assert all(1 - person.accepts - person.declines > 0.1 for person in PEOPLE)


def test_turnout_is_slower_at_night() -> None:
    assert mean(person.turnout_s for person in PEOPLE) == pytest.approx(105, rel=0.02)
    assert mean(person.turnout_night_s for person in PEOPLE) == pytest.approx(142, rel=0.02)
    assert all(person.turnout_night_s > person.turnout_s for person in PEOPLE)


def test_answers_take_seconds() -> None:
    assert all(3 <= person.answer_delay_s <= 15 for person in PEOPLE)


def test_the_way_is_longer_than_the_straight_line() -> None:
    person = Behaviour(accepts=0.3, declines=0.3, answer_delay_s=5, turnout_s=105, turnout_night_s=142)
    assert person.travel_s(0, night=False) == 105
    assert person.travel_s(180, night=False) == pytest.approx(105 + 130)  # 234 m on foot at 1.8 m/s
    assert person.travel_s(180, night=True) == pytest.approx(142 + 130)


def test_a_reaction_depends_on_the_seed_the_person_and_the_press() -> None:
    person = PEOPLE[0]
    base = react(person, 1, "V-1", "P-1")
    assert react(person, 1, "V-1", "P-1") == base
    others = [react(person, 2, "V-1", "P-1"), react(person, 1, "V-2", "P-1"), react(person, 1, "V-1", "P-2")]
    assert all(other != base for other in others)


def test_reactions_keep_to_a_person_s_shares_and_times() -> None:
    person = Behaviour(accepts=0.3, declines=0.3, answer_delay_s=8, turnout_s=105, turnout_night_s=142)
    many = [react(person, 1, "V-1", f"P-{n}") for n in range(4000)]
    assert mean(r.reply is Reply.YES for r in many) == pytest.approx(0.3, abs=0.02)
    assert mean(r.reply is Reply.NO for r in many) == pytest.approx(0.3, abs=0.02)
    assert mean(r.answer_delay_s for r in many) == pytest.approx(8, rel=0.02)
    assert all(4 <= r.answer_delay_s <= 12 and 600 <= r.visit_s <= 1800 for r in many)
    travels = [r.travel_s(person, 180, night=False) for r in many]
    assert mean(travels) == pytest.approx(105 + 130, rel=0.02)
    assert min(travels) == pytest.approx(105 / 2 + 130, abs=1)
