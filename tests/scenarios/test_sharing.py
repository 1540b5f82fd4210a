"""Presses in the same moment, and too few people for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from callhub.dispatch import gathering
from callhub.domain import events as e
from callhub.domain.people import SYSTEM
from callhub.domain.policy import policy_from_table
from callhub.solver import least_cost_solver
from tests.scenarios.town import AREA, LADDER, Town, ladder, metres_north

if TYPE_CHECKING:
    from callhub.dispatch.sharing import Solve
    from callhub.domain.incident import Incident

URGENT = ladder(urgency=1)
SENSOR = policy_from_table({**LADDER, "id": "sensor", "kinds": ["inactivity"], "urgency": 2}, "test")
SMOKE = policy_from_table({**LADDER, "id": "fire", "kinds": ["smoke", "gas"], "urgency": 2}, "test")
solvers = pytest.mark.parametrize("solve", [least_cost_solver(), None], ids=["scipy", "nearest first"])


def street(*homes_m: float, solve: Solve | None = None, **ladder_: Any) -> Town:
    """Elders E-1, E-2 ... at so many metres to the north of the first home, and the emergency ladder."""
    town = Town(ladder(urgency=1, **ladder_), SMOKE, SENSOR, solve=solve)
    for n, away_m in enumerate(homes_m, 1):
        town.elder(f"E-{n}", position=metres_north(away_m))
    return town


def asked(incident: Incident) -> list[str]:
    return [offer.responder for offer in incident.open_offers]


def why_not(town: Town, incident: Incident) -> dict[str, str]:
    (ranked,) = town.facts(incident.id, "ranked")
    return {passed["responder"]: passed["reason"] for passed in ranked.passed_over}


@solvers
def test_two_presses_in_the_same_moment_share_the_two_people_instead_of_one_taking_both(solve: Solve | None) -> None:
    town = street(0, 100, solve=solve)
    town.responder("V-1", 10)
    town.responder("V-2", 20)
    first, second = town.press_at_once("E-1", "E-2")
    assert sorted(asked(first) + asked(second)) == ["V-1", "V-2"]
    assert len(asked(first)) == len(asked(second)) == 1
    assert town.waits_for(first.id) == "offer in 20"
    assert first.deadlines.keys() == {"step", "offer:" + first.open_offers[0].id}


def test_one_press_after_the_other_is_first_come_first_served() -> None:
    town = street(0, 100, solve=least_cost_solver())
    town.responder("V-1", 10)
    town.responder("V-2", 20)
    first, second = town.press("E-1"), town.press("E-2")
    assert asked(first) == ["V-1", "V-2"]
    assert asked(second) == []


def test_who_is_shared_comes_at_the_least_total_cost() -> None:
    """The second home has nobody else near; the first one has, a little farther than who is between them."""
    homes = (0, 400)
    for solve, expected in ((least_cost_solver(), ["far", "between"]), (None, ["between", "far"])):
        town = street(*homes, solve=solve)
        town.responder("between", 150)
        town.responder("far", -200)
        assert [asked(incident) for incident in town.press_at_once("E-1", "E-2")] == [[who] for who in expected]


@solvers
def test_each_has_one_before_any_has_two_and_what_is_left_is_shared_on(solve: Solve | None) -> None:
    town = street(0, 1000, solve=solve)
    for n, away_m in enumerate((10, 20, 30), 1):
        town.responder(f"V-{n}", away_m)
    first, second = town.press_at_once("E-1", "E-2")
    assert len(asked(first)) == 2
    assert len(asked(second)) == 1


@solvers
def test_a_smoke_alarm_takes_nobody_from_a_press(solve: Solve | None) -> None:
    town = street(0, 5, solve=solve)
    town.responder("V-1", 10)
    town.responder("V-2", 20)
    smoke, press = town.press_at_once(("E-1", "smoke"), "E-2")
    assert asked(press) == ["V-1", "V-2"]
    assert asked(smoke) == []
    assert [fact.name for fact in town.facts(smoke.id, "step_entered")][:2] == ["neighbours", "community"]
    town.responder("V-3", 30)
    assert asked(town.incident(smoke.id)) == ["V-3"], "whoever comes later is asked for what is left"


@solvers
def test_paired_people_are_asked_for_their_own_elder_and_not_shared(solve: Solve | None) -> None:
    town = street(0, 800, solve=solve)
    town.elder("E-2", position=metres_north(800), paired=("P-1", "P-2"))
    town.responder("P-1", 5)
    town.responder("P-2", 10)
    town.responder("V-1", 700)
    first, second = town.press_at_once("E-1", "E-2")
    assert asked(second) == ["P-2", "P-1"]
    assert asked(first) == ["V-1"]


def test_the_ranking_says_that_it_was_shared_and_who_was_given_to_another() -> None:
    town = street(0, 400, solve=least_cost_solver())
    town.responder("between", 150)
    town.responder("far", -200)
    town.responder("off", 5, on_duty=False)
    first, second = town.press_at_once("E-1", "E-2")
    assert why_not(town, first) == {"off": "off_duty", "between": "shared"}
    assert why_not(town, second) == {"off": "off_duty", "far": "shared"}
    assert [town.facts(i.id, "ranked")[0].counts["cases"] for i in (first, second)] == [2, 2]


def test_skills_radius_and_an_earlier_duty_hold_as_ever() -> None:
    step = {**LADDER["step"][0], "skills": ["aed"]}
    town = street(0, 100, solve=least_cost_solver(), step=[step, *LADDER["step"][1:]])
    town.responder("unskilled", 10)
    town.responder("far", 2500, skills=("aed",))
    busy = town.responder("busy", 15, skills=("aed",))
    town.press("E-1")
    busy.accepts()
    town.elder("E-3", position=metres_north(50))
    able = town.responder("able", 40, skills=("aed",))
    second, third = town.press_at_once("E-2", "E-3")
    assert sorted(asked(second) + asked(third)) == ["able"]
    assert able.was_asked()


def test_somebody_who_can_help_two_is_asked_by_both_but_each_has_one_first() -> None:
    town = street(0, 100, solve=least_cost_solver())
    town.responder("two", 10, capacity=2)
    town.responder("one", 300)
    first, second = town.press_at_once("E-1", "E-2")
    assert asked(first) == ["two"]
    assert asked(second) == ["one", "two"]


@solvers
def test_a_house_that_nobody_can_place_gets_somebody_too(solve: Solve | None) -> None:
    town = street(0, solve=solve)
    town.elder("E-2", position=None, area=AREA)
    town.responder("V-1", 10)
    town.responder("V-2", 900)
    placed, unplaced = town.press_at_once("E-1", "E-2")
    assert asked(placed) == ["V-1"]
    assert asked(unplaced) == ["V-2"]


def test_where_nobody_can_be_asked_each_goes_on_to_its_desk_at_once() -> None:
    town = street(0, 100, solve=least_cost_solver())
    town.desk(AREA[:3], "community")
    town.watch()
    for incident in town.press_at_once("E-1", "E-2"):
        assert asked(incident) == ["DESK-C"]
        assert incident.step == 1


@solvers
def test_if_sharing_fails_each_case_asks_on_its_own_at_once(solve: Solve | None) -> None:
    town = street(0, 100, solve=solve)
    town.responder("V-1", 10)
    town.responder("V-2", 20)
    with mock.patch.object(gathering, "share", side_effect=ZeroDivisionError), pytest.raises(ZeroDivisionError):
        town.press_at_once("E-1", "E-2")
    first, second = (i.id for i in town.engine.open_incidents())
    assert town.waits_for(first) == town.waits_for(second) == "gathered in 0"
    town.advance(0)
    assert asked(town.incident(first)) == ["V-1", "V-2"]
    assert town.incident(second).step > 0, "nobody is left on this step, so the next one asks"


def test_a_restart_before_the_end_of_the_batch_asks_at_once() -> None:
    town = street(0, 100)
    town.responder("V-1", 10)
    for elder in ("E-1", "E-2"):
        town.press(elder, gathered=True)
    town.restart(after_s=5)
    town.advance(0)
    first, second = town.engine.open_incidents()
    assert asked(first) == ["V-1"]
    assert "gathered" not in second.deadlines


def test_what_a_person_does_before_the_end_of_the_batch_holds() -> None:
    town = street(0, 100, 200, 300, solve=least_cost_solver())
    for n in range(6):
        town.responder(f"V-{n}", 10 * n)
    closed, assigned, owned, joined = (town.press(f"E-{n}", gathered=True).id for n in (1, 2, 3, 4))
    town.act(closed, "close", outcome="false_alarm")
    town.act(assigned, "assign", responder="V-5", confirmed_by="telephone")
    town.act(owned, "take-over")
    town.press("E-4", gathered=True)
    ids = (closed, assigned, owned, joined, "another")
    town.tell(e.CasesGathered(id=town.new_id(), actor=SYSTEM, incidents=ids))
    assert asked(town.incident(closed)) == asked(town.incident(assigned)) == []
    assert len(asked(town.incident(owned))) == len(asked(town.incident(joined))) == 2
    assert all("gathered" not in town.incident(id).deadlines for id in ids[:4])


def test_who_comes_free_before_the_end_of_the_batch_is_shared_with_the_others() -> None:
    town = street(0, 100, solve=least_cost_solver())
    held = [town.press(elder, gathered=True).id for elder in ("E-1", "E-2")]
    town.responder("V-1", 10)
    town.responder("V-2", 20)
    assert not any(asked(town.incident(id)) for id in held)
    town.tell(e.CasesGathered(id=town.new_id(), actor=SYSTEM, incidents=tuple(held)))
    assert [len(asked(town.incident(id))) for id in held] == [1, 1]


def test_what_only_says_test_or_is_called_back_or_needs_a_service_waits_for_nobody() -> None:
    call = {"name": "call", "ask": ["call_back"], "step_timeout_s": 45}
    sensor = policy_from_table({**LADDER, "id": "sensor", "kinds": ["door"], "step": [call, *LADDER["step"]]}, "test")
    town = street(0, 100, 200)
    town = Town(URGENT, sensor)
    for n in (1, 2, 3):
        town.elder(f"E-{n}")
    tested = town.press("E-1", says_test=True, gathered=True)
    sensed = town.press("E-2", "door", gathered=True)
    meal = town.press("E-3", "meal", gathered=True)
    assert all("gathered" not in incident.deadlines for incident in (tested, sensed, meal))


def test_a_case_that_a_person_escalates_to_its_end_before_the_batch_ends_waits_for_nobody() -> None:
    everybody = {**LADDER["step"][0], "ask": ["volunteer", "desk"], "level": "community"}
    town = street(0, 100, step=[everybody])
    first, second = town.press("E-1", gathered=True), town.press("E-2", gathered=True)
    town.act(first.id, "escalate")
    town.tell(e.CasesGathered(id=town.new_id(), actor=SYSTEM, incidents=(first.id, second.id)))
    assert set(town.incident(first.id).deadlines) == {"repeat"}
