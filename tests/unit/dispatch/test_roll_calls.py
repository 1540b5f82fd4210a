"""What roll-calls decide: who is looked for now, what counts, and what a failed turn puts back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from callhub.dispatch import roll_calls
from callhub.dispatch.rules import Rules
from callhub.domain import events as e
from callhub.domain.people import SYSTEM, Actor, ActorKind, ResponderKind, Role
from callhub.domain.roll_call import Home
from callhub.errors import EngineFault
from tests.scenarios.homes import CHIEF, RollCallTown
from tests.scenarios.town import AREA, NOON

if TYPE_CHECKING:
    from tests.scenarios.town import Person

ONE = Rules(night="", home_checks_max=1)


def town_of(homes: int, people: int, rules: Rules | None = None) -> tuple[RollCallTown, list[Person]]:
    town = RollCallTown(homes, rules)
    return town, [town.responder(f"V-{n + 1}", 100 + n) for n in range(people)]


def due(town: RollCallTown, id: str, **found: Any) -> None:
    """A roll-call's timer fires without what the hub looks up, or with other things."""
    event = e.DeadlineDue(id=town.new_id(), actor=SYSTEM, key=roll_calls.timer_of(id), **found)
    super(RollCallTown, town).tell(event)


def test_a_key_names_its_roll_call() -> None:
    assert roll_calls.roll_call_of(roll_calls.timer_of("I:1")) == "I:1"
    assert roll_calls.roll_call_of("duty:V-1") is None
    assert roll_calls.roll_call_of(None) is None


def test_a_timer_without_its_homes_is_a_defect_and_stays() -> None:
    town, _ = town_of(1, 1)
    id = town.asks().incident or ""
    with pytest.raises(EngineFault, match="looked up"):
        due(town, id)
    assert roll_calls.timer_of(id) in town.engine._world.timers
    town.advance(1)
    assert town.progress_of(id) == "0 of 1, 1 open"


def test_a_next_home_that_was_not_looked_up_is_a_defect() -> None:
    town, _ = town_of(3, 1, ONE)
    id = town.roll_call()
    with pytest.raises(EngineFault, match="next home"):
        due(town, id)
    assert roll_calls.timer_of(id) in town.engine._world.timers, "put back"


def test_the_timer_of_a_roll_call_that_is_over_or_has_nothing_left_does_nothing() -> None:
    town, _ = town_of(1, 1)
    id = town.roll_call()
    town.advance(1)
    before = town.progress_of(id)
    due(town, id)
    assert town.progress_of(id) == before
    town.act(id, "close", outcome="other", reason="enough")
    due(town, id)
    assert not town.incident(id).is_open


def test_a_home_that_was_seen_to_in_the_same_moment_is_passed() -> None:
    town, _ = town_of(3, 1, ONE)
    id = town.roll_call()
    due(town, id, home=Home("E-1", town.elders["E-1"]))
    assert town.progress_of(id) == "0 of 3, 1 open"
    assert roll_calls.timer_of(id) in town.engine._world.timers


def test_an_emergency_that_nobody_could_place_counts_once_its_elder_is_known() -> None:
    town, _ = town_of(2, 1, ONE)
    id = town.roll_call()
    unknown = town.press("nobody", device="B-?").id
    town.act(unknown, "note", text="an old voice")
    town.act(unknown, "identify", elder="E-2")
    assert town.outcomes_of(id) == {"E-2": "pressed"}


def test_an_emergency_that_was_adopted_counts_when_its_home_is_next() -> None:
    town, (wang,) = town_of(2, 1, ONE)
    id = town.roll_call()
    wang.accepts()
    with mock.patch.object(roll_calls, "_after_press"):
        town.press("E-2")
    wang.reports("cleared", town.check_of("E-1").id, outcome="helped")
    town.advance(10)
    assert town.outcomes_of(id) == {"E-1": "helped", "E-2": "pressed"}


def test_people_on_duty_who_are_all_busy_are_waited_for() -> None:
    town, (wang,) = town_of(3, 1)
    id = town.roll_call()
    town.advance(1)
    wang.accepts()
    town.advance(60)
    assert town.progress_of(id) == "0 of 3, 1 open"


def test_what_is_with_the_desks_keeps_nobody_from_the_next_home() -> None:
    town, (wang,) = town_of(3, 1)
    id = town.roll_call()
    for _ in range(3):
        town.advance(10)
        wang.declines()
    assert town.progress_of(id) == "0 of 3, 3 open"


def test_somebody_of_another_kind_or_gone_takes_no_place_among_the_free() -> None:
    town, (wang, _) = town_of(1, 2)
    for id in ("E-8", "E-9"):
        town.elder(id, paired=("C-1",))
    carer = town.responder("C-1", kind=ResponderKind.CAREGIVER)
    roll_call = town.roll_call()
    wang.accepts()
    town.advance(10)
    carer.accepts()
    town.advance(10)
    assert town.progress_of(roll_call) == "0 of 3, 3 open", "the other volunteer is free"


def test_who_was_asked_by_a_person_and_who_by_callhub_is_told_apart() -> None:
    town, _ = town_of(1, 0)
    asked = town.roll_call()
    assert town.incident(asked).source == "operator"
    town.advance(1)
    assert town.check_of("E-1").source == "system"


def test_an_elder_who_is_not_called_by_any_roll_call_changes_none() -> None:
    town, _ = town_of(1, 0)
    town.elder("E-9", active=False)
    id = town.roll_call()
    town.press("E-9")
    assert town.progress_of(id) == "0 of 1, 1 open"


def test_an_owned_check_is_its_owners_to_end() -> None:
    town, _ = town_of(1, 0)
    id = town.roll_call()
    town.advance(1)
    check = town.check_of("E-1").id
    town.act(check, "take-over")
    town.press("E-1")
    assert town.incident(check).is_open
    assert town.incident(id).outcome == "all_checked"
    town.act(check, "close", outcome="helped", reason="spoke to her")
    assert len(town.facts(id, "home_checked")) == 1


def test_two_roll_calls_of_one_home_end_with_one_check() -> None:
    town, (wang,) = town_of(1, 1)
    first, second = town.roll_call(), town.roll_call(gateway="GW")
    town.advance(1)
    town.checks_home(wang)
    assert [town.incident(id).outcome for id in (first, second)] == ["all_checked", "all_checked"]


def test_reopened_before_its_homes_were_known_it_lists_them() -> None:
    town, _ = town_of(1, 0)
    id = town.asks().incident or ""
    town.act(id, "close", outcome="other", reason="by mistake")
    town.act(id, "reopen", reason="no")
    town.advance(1)
    assert town.progress_of(id) == "0 of 1, 1 open"


def test_a_failed_turn_puts_people_and_timers_back() -> None:
    town, (wang,) = town_of(1, 1)
    town.roll_call()
    world = town.engine._world
    assert world.checking == {"V-1"}
    with mock.patch.object(roll_calls, "follow", side_effect=EngineFault("x")), pytest.raises(EngineFault):
        wang.declines()
    assert world.checking == {"V-1"}


def test_a_check_that_failed_to_open_leaves_nobody_busy() -> None:
    town, _ = town_of(1, 1)
    id = town.asks().incident or ""
    listed = town.listed(town.how_far(id).gap)
    due(town, id, listed=listed)
    with mock.patch.object(roll_calls, "follow", side_effect=EngineFault("x")), pytest.raises(EngineFault):
        town.advance(1)
    assert not town.engine._world.checking
    assert not town.engine._world.roster.people["V-1"].checks
    assert town.progress_of(id) == "0 of 1, 0 open"


def test_a_roll_call_that_failed_to_open_is_none() -> None:
    town, _ = town_of(1, 1)
    with mock.patch.object(roll_calls, "follow", side_effect=EngineFault("x")), pytest.raises(EngineFault):
        town.asks()
    assert not town.engine._world.roll_calls
    assert not any(key.startswith("roll_call:") for key in town.engine._world.timers)


def test_only_people_close_what_is_not_done() -> None:
    town, _ = town_of(1, 0)
    id = town.roll_call()
    town.act(id, "close", by=Actor(ActorKind.USER, "bo", Role.OPERATOR), outcome="other", reason="r")
    assert town.incident(id).outcome == "other"


def test_all_is_checked_and_a_department_still_called_to_it_keeps_it_open() -> None:
    town, (wang,) = town_of(1, 1)
    town.responder("GAS", kind=ResponderKind.DEPARTMENT, area=AREA[:1], level="district", position=None, capacity=None)
    id = town.roll_call()
    town.advance(1)
    town.act(id, "whistle", departments=["GAS"], report_in_s=600, finish_s=36_000)
    town.checks_home(wang)
    assert town.incident(id).is_open
    town.act(id, "whistle-withdraw", by=CHIEF, whistle=f"{id}-w1", reason="no gas there")
    assert town.incident(id).outcome == "all_checked"


def test_the_desk_of_its_area_is_asked() -> None:
    town, _ = town_of(0, 0)
    desk = town.desk(AREA[:3], "community")
    town.gateway("GW-1", up=True)
    town.supervise("BTN-1", 90_000, gateway="GW-1")
    town.gateway("GW-1", up=False)
    town.advance(700)
    town.gateway("GW-1", up=True)
    assert desk.offer["kind"] == "roll_call"


def test_a_desk_that_took_it_is_told_when_every_home_is_checked() -> None:
    town, (wang,) = town_of(1, 1)
    desk = town.desk(AREA[:1], "district")
    id = town.roll_call()
    desk.accepts()
    assert town.incident(id).owner is not None
    town.advance(1)
    town.checks_home(wang)
    assert town.incident(id).outcome == "all_checked"
    assert desk.told("stand_down")[-1]["reason"] == "closed"


@pytest.mark.parametrize(("since_min", "until_min"), [(-60, 1), (1, 2), (-1, -2)])
def test_a_gap_that_is_none_is_refused(since_min: int, until_min: int) -> None:
    town, _ = town_of(1, 0)
    assert town.asks_from(since_min, until_min).code == "invalid_message"


def test_the_same_place_is_one_roll_call_that_spans_both_gaps() -> None:
    town, _ = town_of(2, 0)
    id = town.roll_call()
    other = town.roll_call(gateway="GW")
    town.advance(60)
    later = town.now
    town.roll_call()
    gap = town.how_far(id).gap
    assert len(town.roll_calls()) == 2
    assert (gap.since, gap.until) == (NOON - timedelta(hours=1), later)
    assert not town.facts(other, "roll_call_extended")


def test_nobody_is_asked_for_a_second_home_when_they_come_back_on_duty() -> None:
    town, (wang,) = town_of(2, 1)
    town.responder("V-2", on_duty=False)
    town.roll_call()
    wang.accepts()
    town.advance(10)
    wang.goes(on_duty=True)
    wang.goes(on_duty=False)
    wang.goes(on_duty=True)
    assert wang.offers() == 1


def test_a_check_of_another_roll_call_ends_for_that_one_alone() -> None:
    town, (wang,) = town_of(2, 1, Rules(night="", home_checks_max=2))
    first = town.roll_call()
    wang.declines()
    second = town.roll_call(gateway="GW")
    town.advance(20)
    town.act(first, "close", outcome="other", reason="one is enough")
    assert town.how_far(second).open
    assert all(town.incident(check).is_open for _, check in town.how_far(second).open)


def test_a_restart_and_an_early_end_keep_what_is_under_way() -> None:
    town, (wang,) = town_of(3, 1, ONE)
    id = town.roll_call()
    wang.accepts()
    town.restart()
    town.advance(10)
    town.act(id, "close", outcome="other", reason="enough")
    assert town.check_of("E-1").is_open
    town.act(id, "reopen", reason="not yet")
    assert town.progress_of(id) == "0 of 3, 1 open"
    town.act(id, "close", outcome="other", reason="enough")
    wang.reports("cleared", town.check_of("E-1").id, outcome="helped")
    town.act(id, "reopen", reason="not yet")
    assert town.how_far(id).waiting == ("E-1", "E-2", "E-3"), "nobody counted it meanwhile"


def test_no_more_are_open_than_the_limit_also_where_people_are_free() -> None:
    town, _ = town_of(3, 5, ONE)
    id = town.roll_call()
    town.advance(60)
    assert town.progress_of(id) == "0 of 3, 1 open"
    assert roll_calls.timer_of(id) in town.engine._world.timers


def test_a_roll_call_that_is_done_waits_for_the_department_it_called() -> None:
    town, (wang,) = town_of(1, 1)
    water = town.responder("WATER", kind=ResponderKind.DEPARTMENT, capacity=None)
    id = town.roll_call()
    town.act(id, "whistle", departments=["WATER"], report_in_s=600, finish_s=3600)
    town.checks_home(wang)
    assert town.incident(id).is_open
    assert town.progress_of(id) == "1 of 1, 0 open"
    whistle = next(iter(town.incident(id).whistles))
    water.accepts()
    water.reports("cleared", id, outcome="helped")
    town.act(id, "whistle-confirm", whistle=whistle)
    assert town.incident(id).outcome == "all_checked"


def test_where_policies_are_older_than_roll_calls_desks_see_to_the_homes_and_no_district_is_called_out() -> None:
    town = RollCallTown(30, laddered=False)
    people = [town.responder(f"V-{n + 1}", 100 + n) for n in range(6)]
    desk = town.desk(AREA[:1], "district")
    id = town.roll_call()
    town.advance(60)
    assert town.progress_of(id) == f"0 of 30, {roll_calls.WITHOUT_PEOPLE} open"
    assert not any(person.told("offer") for person in people)
    assert {offer["kind"] for offer in desk.told("offer")} == {"roll_call", "home_check"}
