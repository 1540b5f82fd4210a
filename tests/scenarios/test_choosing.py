"""Choosing people well: the night, leave, quiet hours, rest, load, what was learned, and why somebody was not asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from callhub.dispatch.learning import PRIOR
from callhub.dispatch.rules import Rules
from callhub.domain.facts import Ranked
from callhub.domain.people import ResponderKind
from callhub.domain.policy import Policy, policy_from_table
from tests.scenarios.memory import restored
from tests.scenarios.town import LADDER, SERVICE, Person, Town, ladder, metres_north

TIANJIN = timezone(timedelta(hours=8))
NIGHT = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
"""Midnight in Tianjin."""
ALONE: dict[str, Any] = {"fan_out": 1, "fan_out_max": 1}


def one_at_a_time(**changes: Any) -> Policy:
    """The test ladder, asking one person."""
    first, *rest = LADDER["step"]
    return ladder(step=[{**first, **ALONE, **changes}, *rest])


def meals(**changes: Any) -> Policy:
    """The ladder of services, asking one person."""
    first, *rest = SERVICE["step"]
    return policy_from_table({**SERVICE, "step": [{**first, **ALONE, **changes}, *rest]}, "test")


def helps(town: Town, person: Person, incident: str) -> None:
    """From yes to the end, and the case is closed."""
    person.accepts()
    person.reports("on_scene", incident)
    person.reports("cleared", incident, outcome="helped")
    held = town.engine.incident(incident)
    assert held is not None
    town.act(incident, "close", outcome="helped", if_match=held.version)


def why_not(town: Town, incident: str, responder: str) -> str | None:
    """The newest reason that a ranking of an incident gives for somebody it passed over."""
    ranked = [fact for row in town.rows[incident] for fact in row.facts if isinstance(fact, Ranked)]
    reasons = [one["reason"] for fact in ranked for one in fact.passed_over if one["responder"] == responder]
    return str(reasons[-1]) if reasons else None


# Expected arrival


def test_at_night_people_need_longer_to_set_off() -> None:
    town = Town(rules=Rules(timezone=TIANJIN))
    town.elder()
    volunteer = town.responder("V-1", 360)
    town.press()
    assert volunteer.offer["eta_s"] == 105 + 260
    late = Town(rules=Rules(timezone=TIANJIN))
    late.now = NIGHT
    late.elder()
    sleeper = late.responder("V-1", 360)
    late.press()
    assert sleeper.offer["eta_s"] == 142 + 260


def test_whoever_is_faster_is_asked_before_whoever_is_nearer() -> None:
    speeds = {ResponderKind.VOLUNTEER: 1.0, ResponderKind.CAREGIVER: 4.0}
    town = Town(one_at_a_time(), rules=Rules(night="", speed_m_s=speeds))
    town.elder()
    near = town.responder("V-near", 400)
    fast = town.responder("C-fast", 900, kind=ResponderKind.CAREGIVER)
    town.press()
    assert (fast.was_asked(), near.was_asked()) == (True, False)


@pytest.mark.parametrize(("people", "asked"), [(5, 3), (17, 3), (24, 5), (30, 7), (60, 7)])
def test_the_more_people_are_around_the_more_are_asked_at_once_up_to_the_most(people: int, asked: int) -> None:
    town = Town(one_at_a_time(fan_out=3, fan_out_max=7))
    town.elder()
    everybody = [town.responder(f"V-{n:02d}", 20 + 15 * n) for n in range(people)]
    town.press()
    assert sum(person.was_asked() for person in everybody) == asked


def test_the_way_round_lengthens_the_arrival_and_never_the_distance() -> None:
    town = Town(rules=Rules(night="", detour=2))
    town.elder()
    near, far = town.responder("V-1", 1999), town.responder("V-2", 2001)
    town.press()
    assert (near.offer["distance_m"], near.offer["eta_s"]) == (1999, round(105 + 2 * 1999 / 1.8))
    assert not far.was_asked(), "the radius is a straight line"


# Hours, exceptions, leave


def test_an_exception_in_the_hours_takes_somebody_off_duty_for_that_day_alone() -> None:
    town = Town(rules=Rules(night="", timezone=TIANJIN))
    town.elder()
    off = town.responder("V-1", 100, on_duty=False, hours="mon-sun 08:00-18:00; 2026-11-24 off")
    on = town.responder("V-2", 200, on_duty=False, hours="mon-sun 20:00-21:00; 2026-11-24 11:00-13:00")
    incident = town.press()
    assert (off.was_asked(), on.was_asked()) == (False, True)
    assert why_not(town, incident.id, "V-1") == "off_duty"
    town.act(incident.id, "close", outcome="other")
    town.now = datetime(2026, 11, 25, 7, 59, tzinfo=TIANJIN)
    town.press()
    town.advance(59)
    assert not off.was_asked()
    town.advance(1)
    assert off.was_asked(), "whose hours begin is asked at once"


def test_whoever_is_on_leave_is_not_asked_and_takes_back_what_they_were_offered() -> None:
    town = Town(one_at_a_time(), rules=Rules(night="", timezone=TIANJIN))
    town.elder()
    traveller = town.responder("V-1", 100, hours="mon-sun 00:00-24:00; leave 2026-11-25..2026-12-01")
    town.now = NIGHT - timedelta(seconds=10)
    neighbour = town.responder("V-2", 200)
    incident = town.press()
    assert (traveller.was_asked(), neighbour.was_asked()) == (True, False)

    town.advance(10)

    assert traveller.told("stand_down")[-1]["reason"] == "off_duty"
    assert neighbour.was_asked()
    assert why_not(town, incident.id, "V-1") == "leave"
    # A presence without an end was said for another day; one with an end is meant for this.
    assert traveller.goes(on_duty=True).body["state"] == "off_duty"
    assert traveller.goes(on_duty=True, until=town.now + timedelta(hours=1)).body["state"] == "on_duty"
    town.act(incident.id, "close", outcome="other")
    town.advance(7 * 86_400)
    assert town.engine.on_duty("V-1", town.now)


# Left in peace, but for emergencies


def quiet_town() -> Town:
    """A town at midnight in which volunteers are left in peace from ten to seven."""
    rules = Rules(night="", timezone=TIANJIN, quiet_hours={ResponderKind.VOLUNTEER: "22:00-07:00"})
    town = Town(rules=rules)
    town.now = NIGHT
    town.elder()
    return town


def test_in_quiet_hours_nobody_is_asked_for_a_service_and_everybody_for_an_emergency() -> None:
    town = quiet_town()
    volunteer = town.responder("V-1", 100)
    worker = town.responder("C-1", 900, kind=ResponderKind.CAREGIVER)
    meal = town.press(kind="meal")
    assert (volunteer.was_asked(), worker.was_asked()) == (False, True)
    assert why_not(town, meal.id, "V-1") == "quiet"
    town.press()
    assert volunteer.was_asked()


def test_nobody_is_asked_for_services_more_often_than_the_limit_of_a_day() -> None:
    town = Town(meals(), rules=Rules(night="", services_per_day_max={ResponderKind.VOLUNTEER: 2}))
    for n in (1, 2, 3, 4, 5):
        town.elder(f"E-{n}")
    volunteer = town.responder("V-1", 100)
    town.press("E-1", "meal")
    town.press("E-2", "meal")
    third = town.press("E-3", "meal")
    assert volunteer.offers() == 2
    assert why_not(town, third.id, "V-1") == "cap"
    town.press("E-4", "sos")
    assert volunteer.offers() == 3, "an emergency is no service"
    town.now += timedelta(days=1)
    town.press("E-5", "meal")
    assert volunteer.offers() == 4, "tomorrow is another day"


def test_after_an_emergency_people_rest_from_services() -> None:
    town = Town()
    town.elder()
    town.elder("E-2")
    volunteer = town.responder("V-1", 100)
    helps(town, volunteer, town.press().id)
    meal = town.press("E-2", "meal")
    assert volunteer.offers() == 1
    assert why_not(town, meal.id, "V-1") == "rest"
    town.advance(900)
    assert volunteer.offers() == 2


def test_for_the_next_emergency_whoever_has_just_come_back_is_asked_after_the_others_and_never_left_out() -> None:
    town = Town(one_at_a_time(), rules=Rules(night=""))
    town.elder()
    town.elder("E-2")
    tired, fresh = town.responder("V-1", 100), town.responder("V-2", 1500)
    helps(town, tired, town.press().id)

    second = town.press("E-2")

    assert (tired.offers(), fresh.offers()) == (1, 1)
    assert why_not(town, second.id, "V-1") == "rest"
    fresh.declines()
    assert tired.offers() == 2


def test_a_paired_neighbour_who_has_just_come_back_comes_after_the_other_pair_and_before_strangers() -> None:
    town = Town(one_at_a_time(), rules=Rules(night=""))
    town.elder()
    town.elder("E-2", paired=("V-1", "V-2"))
    tired, pair = town.responder("V-1", 100), town.responder("V-2", 1500)
    helps(town, tired, town.press().id)
    stranger = town.responder("V-3", 10)
    town.press("E-2")
    assert pair.was_asked()
    pair.declines()
    assert tired.offers() == 2
    assert not stranger.was_asked()


# The load of a month


def test_between_equals_the_one_who_carried_less_in_the_last_month_is_asked() -> None:
    town = Town(one_at_a_time(), rules=Rules(night="", rest_s=0))
    for n in range(6):
        town.elder(f"E-{n}")
    one, two = town.responder("V-1", 100, capacity=6), town.responder("V-2", 100, capacity=6)
    for n in range(6):
        town.press(f"E-{n}")
        assert abs(one.offers() - two.offers()) <= 1
    assert [one.offers(), two.offers()] == [3, 3]


def test_a_service_goes_to_the_less_loaded_of_those_near_and_an_emergency_to_the_nearest() -> None:
    town = Town(one_at_a_time(), meals(), rules=Rules(night="", rest_s=0))
    for n in (1, 2, 3):
        town.elder(f"E-{n}")
    near, far = town.responder("V-1", 100, capacity=3), town.responder("V-2", 1500, capacity=3)
    helps(town, near, town.press("E-1").id)

    meal = town.press("E-2", "meal")

    assert (near.offers(), far.offers()) == (1, 1)
    assert why_not(town, meal.id, "V-1") == "load"
    town.press("E-3")
    assert (near.offers(), far.offers()) == (2, 1)


def test_the_load_of_a_month_and_what_was_learned_outlive_a_restart_to_the_last_bit() -> None:
    town = Town(rules=Rules(night=""))
    town.elder()
    helper, silent = town.responder("V-1", 100), town.responder("V-2", 200)
    first = town.press()
    town.advance(30)
    helps(town, helper, first.id)
    town.advance(86_400)
    town.press()
    silent.declines()
    before = dict(town.engine._world.habits)
    assert set(before) == {"V-1", "V-2"}
    assert (sum(before["V-1"].yes), sum(before["V-2"].no) > 1) == (before["V-1"].yes[0], True)
    assert restored(town)._world.habits == before


def test_a_refusal_teaches_nothing() -> None:
    town = Town()
    town.elder()
    volunteer = town.responder("V-1", 100)
    town.press()
    before = dict(town.engine._world.habits)
    assert volunteer.accepts("no-such-offer").code == "unknown_offer"
    assert town.engine._world.habits == before


# How many are asked


def test_people_of_whom_nothing_is_known_are_asked_exactly_as_many_as_the_step_says() -> None:
    town = Town()
    town.elder()
    people = [town.responder(f"V-{n}", 100 + n) for n in range(8)]
    incident = town.press()
    assert [p.was_asked() for p in people] == [True, True] + [False] * 6
    ranked = next(fact for row in town.rows[incident.id] for fact in row.facts if isinstance(fact, Ranked))
    assert [one["chance"] for one in ranked.chosen] == [round(PRIOR, 3)] * 2


def seldom(town: Town, ids: list[str], times: int) -> None:
    """These people were asked so often, and never came."""
    for id in ids:
        town.elder(f"E-{id}", position=metres_north(20_000), area=("X",))
    for person in [Person(town, id) for id in ids]:
        home = town.elder(f"E-{person.id}", paired=(person.id,), position=metres_north(20_000), area=("X",))
        for _ in range(times):
            incident = town.press(home.id)
            person.declines()
            town.act(incident.id, "close", outcome="other", if_match=town.incident(incident.id).version)


def test_where_people_seldom_come_more_are_asked_at_once_up_to_fan_out_max() -> None:
    first, *rest = LADDER["step"]
    town = Town(ladder(step=[{**first, "fan_out_max": 7}, *rest]))
    town.elder()
    people = [town.responder(f"V-{n}", 100 + n) for n in range(9)]
    asked = [p.offers() for p in people]
    seldom(town, [p.id for p in people[:2]], 12)
    before = [p.offers() for p in people]
    assert asked == [0] * 9
    town.press()
    more = [p.offers() - b for p, b in zip(people, before, strict=True)]
    assert more[:2] == [1, 1], "nobody is left out for what was learned"
    assert more == [1, 1, 1, 0, 0, 0, 0, 0, 0], "the third brings the chances of two newcomers, nearly"


def test_even_where_nobody_ever_comes_fan_out_max_is_the_end() -> None:
    first, *rest = LADDER["step"]
    town = Town(ladder(step=[{**first, "fan_out": 1, "fan_out_max": 3}, *rest]))
    town.elder()
    people = [town.responder(f"V-{n}", 100 + n) for n in range(6)]
    seldom(town, [p.id for p in people], 40)
    before = [p.offers() for p in people]
    town.press()
    assert [p.offers() - b for p, b in zip(people, before, strict=True)] == [1, 1, 1, 0, 0, 0]
