"""Roll-call: after a gap, every home that could have missed a press is checked, tracked to 100 %, resumable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from callhub.dispatch.roll_calls import RESUME_S
from callhub.dispatch.rules import Rules
from callhub.domain.incident import IncidentState
from callhub.domain.people import ResponderKind
from callhub.domain.roll_call import Cause
from tests.scenarios.homes import CHIEF, RollCallTown
from tests.scenarios.town import AREA, Person

if TYPE_CHECKING:
    from collections.abc import Callable

LONG_S = 700
"""An outage of so many seconds is one after which homes are checked."""


def volunteers(town: RollCallTown, count: int) -> list[Person]:
    return [town.responder(f"V-{n + 1}", 100 + 10 * n) for n in range(count)]


def works(town: RollCallTown, people: list[Person], roll_call: str, rounds: int = 50) -> None:
    """Everybody says yes and has seen to it a minute later, until it is done."""
    for _ in range(rounds):
        town.advance(5)
        for person in people:
            live = [o for i in town.engine.open_incidents() for o in i.live_offers if o.responder == person.id]
            if live:
                person.accepts(live[-1].id)
        town.advance(60)
        for person in people:
            for incident in list(town.engine.open_incidents()):
                if incident.assignment_of(person.id) is not None:
                    person.reports("cleared", incident.id, outcome="helped")
        if not town.incident(roll_call).is_open:
            return


def test_every_home_is_checked_and_then_the_roll_call_closes_by_itself() -> None:
    town = RollCallTown(homes=7)
    people = volunteers(town, 3)
    id = town.roll_call()
    assert town.how_far(id).homes == 7
    works(town, people, id)
    assert town.incident(id).state is IncidentState.CLOSED
    assert town.incident(id).outcome == "all_checked"
    assert town.outcomes_of(id) == {f"E-{n}": "helped" for n in range(1, 8)}
    assert len(town.facts(id, "home_checked")) == 7, "nobody twice"


def test_a_check_is_a_task_of_its_own_that_names_its_roll_call_and_closes_once_it_is_done() -> None:
    town = RollCallTown(homes=1)
    (wang,) = volunteers(town, 1)
    id = town.roll_call()
    town.advance(1)
    check = town.check_of("E-1")
    assert (check.class_, check.part_of, check.elder, check.area) == ("technical", id, "E-1", AREA)
    assert not check.rings
    assert wang.offer["kind"] == "home_check"
    town.checks_home(wang)
    assert town.incident(check.id).state is IncidentState.CLOSED
    assert town.incident(check.id).outcome == "helped"


def test_paired_people_are_asked_first_then_grid_workers_and_volunteers_then_the_desks() -> None:
    town = RollCallTown()
    town.elder("E-1", paired=("V-9",))
    paired, volunteer = town.responder("V-9", 3000), town.responder("V-1", 50)
    grid_worker = town.responder("G-1", 500, kind=ResponderKind.GRID_WORKER)
    desk = town.desk(AREA[:3], "community")
    town.roll_call()
    town.advance(1)
    asked = (paired, volunteer, grid_worker, desk)
    for turn, person in enumerate(asked[:3]):
        assert [one.was_asked() for one in asked] == [n <= turn for n in range(4)]
        person.declines()
    assert desk.offer["kind"] == "home_check"


def test_nobody_has_two_homes_at_a_time() -> None:
    town = RollCallTown(homes=5)
    (wang,) = volunteers(town, 1)
    town.roll_call()
    town.advance(30)
    assert wang.offers() == 1
    wang.accepts()
    town.advance(200)
    assert wang.offers() == 1
    wang.reports("cleared", outcome="helped")
    town.advance(10)
    assert wang.offers() == 2


def test_whoever_sees_to_one_home_is_not_asked_for_another_that_somebody_else_refused() -> None:
    town = RollCallTown(homes=2)
    wang, zhao = volunteers(town, 2)
    town.roll_call()
    wang.accepts()
    town.advance(10)
    assert (wang.offers(), zhao.offers()) == (1, 1)
    zhao.declines()
    town.advance(200)
    assert wang.offers() == 1


def test_a_late_yes_counts_and_gives_every_other_home_back() -> None:
    town = RollCallTown(homes=2)
    (wang,) = volunteers(town, 1)
    town.roll_call()
    town.advance(1)
    first = wang.offer["offer"]
    town.advance(120)
    assert wang.offers() == 2, "silent: asked for another home"
    wang.accepts(first)
    assert "stand_down busy" in wang.hears()


def test_a_home_check_uses_no_capacity_and_never_blocks_an_emergency() -> None:
    town = RollCallTown(homes=1)
    (wang,) = volunteers(town, 1)
    town.roll_call()
    town.advance(1)
    wang.accepts()
    town.elder("E-9")
    town.press("E-9")
    assert wang.offer["kind"] == "sos"
    wang.accepts()
    assert town.incident(wang.told("assignment")[-1]["incident"]).kind == "sos"


def test_whoever_takes_an_emergency_gives_the_offer_of_a_home_back() -> None:
    town = RollCallTown(homes=1)
    (wang,) = volunteers(town, 1)
    town.roll_call()
    town.advance(1)
    town.elder("E-9")
    emergency = town.press("E-9")
    wang.accepts(town.incident(emergency.id).live_offers[0].id)
    assert "stand_down busy" in wang.hears()
    assert not town.check_of("E-1").live_offers or town.check_of("E-1").live_offers[0].responder != "V-1"


def test_quiet_hours_and_the_cap_of_a_day_are_for_services_not_for_a_roll_call() -> None:
    rules = Rules(
        night="",
        quiet_hours={ResponderKind.VOLUNTEER: "mon-sun 00:00-23:59"},
        services_per_day_max={ResponderKind.VOLUNTEER: 1},
    )
    town = RollCallTown(homes=2, rules=rules)
    (wang,) = volunteers(town, 1)
    town.roll_call()
    town.advance(1)
    town.checks_home(wang)
    town.advance(10)
    assert wang.offers() == 2


def test_no_access_resolves_nothing_the_ladder_goes_on_and_desks_are_called() -> None:
    town = RollCallTown(homes=1)
    wang, li = volunteers(town, 2)
    id = town.roll_call()
    town.advance(1)
    town.checks_home(wang, "no_access")
    check = town.check_of("E-1")
    assert check.is_open
    assert check.desk_call is not None
    assert li.was_asked()
    assert town.progress_of(id) == "0 of 1, 1 open"
    town.checks_home(li)
    assert town.incident(id).outcome == "all_checked"


def test_an_elder_who_pressed_since_the_gap_counts_as_checked() -> None:
    town = RollCallTown(homes=3, rules=Rules(night="", home_checks_max=1))
    id = town.roll_call()
    town.press("E-2")
    town.advance(1)
    assert town.outcomes_of(id) == {"E-2": "pressed"}
    assert town.progress_of(id) == "1 of 3, 1 open"


def test_an_elder_who_pressed_between_the_gap_and_its_roll_call_is_stated_in_the_list() -> None:
    town = RollCallTown(homes=2)
    town.advance(60)
    town.press("E-1")
    town.advance(60)
    id = town.roll_call_over(-2)
    (listed,) = town.facts(id, "homes_listed")
    assert (listed.homes, listed.pressed) == (("E-2",), ("E-1",))
    assert town.progress_of(id).startswith("1 of 2")


def test_a_press_goes_first_and_whoever_was_only_asked_about_that_home_is_let_go() -> None:
    town = RollCallTown(homes=1)
    wang, _ = volunteers(town, 2)
    id = town.roll_call()
    town.advance(1)
    check = town.check_of("E-1").id
    town.press("E-1")
    assert town.incident(check).outcome == "pressed"
    assert town.incident(id).outcome == "all_checked"
    assert "stand_down closed" in wang.hears()
    assert wang.offer["kind"] == "sos"


def test_whoever_sees_to_a_home_already_keeps_it_when_its_elder_presses() -> None:
    town = RollCallTown(homes=1)
    (wang,) = volunteers(town, 1)
    id = town.roll_call()
    town.advance(1)
    wang.accepts()
    check = town.check_of("E-1").id
    town.press("E-1")
    assert town.outcomes_of(id) == {"E-1": "pressed"}
    assert town.incident(id).outcome == "all_checked"
    assert town.incident(check).is_open
    wang.reports("cleared", check, outcome="helped")
    assert town.incident(check).outcome == "helped"
    assert len(town.facts(id, "home_checked")) == 1


def test_homes_most_at_risk_come_first() -> None:
    town = RollCallTown(homes=5)
    town.elder("E-3", paired=("V-1",))
    town.advance(60)
    town.press("E-4")
    town.act(town.press("E-4").id, "close", outcome="helped", if_match=2)
    town.advance(3600)
    town.beats("BTN-E-1", "BTN-E-5")
    id = town.roll_call_over(-1)
    (listed,) = town.facts(id, "homes_listed")
    assert listed.homes == ("E-4", "E-2", "E-3", "E-1", "E-5")


def test_no_more_checks_are_open_than_there_are_people_and_a_few_for_the_desks() -> None:
    town = RollCallTown(homes=100)
    volunteers(town, 40)
    id = town.roll_call()
    town.advance(20)
    call = town.how_far(id)
    assert 15 <= len(call.open) <= 25, "one for each who is asked, and somebody free for each that looks for somebody"
    few = RollCallTown(homes=100)
    few.desk(AREA[:3], "community")
    id = few.roll_call()
    few.advance(3600)
    assert len(few.how_far(id).open) == 10


def test_the_limit_of_open_checks_is_kept() -> None:
    town = RollCallTown(homes=20, rules=Rules(night="", home_checks_max=3))
    volunteers(town, 30)
    id = town.roll_call()
    town.advance(60)
    assert len(town.how_far(id).open) == 3


def test_a_roll_call_over_no_homes_is_closed_at_once_and_says_so() -> None:
    town = RollCallTown()
    id = town.roll_call()
    assert (town.incident(id).state, town.incident(id).outcome) == (IncidentState.CLOSED, "no_homes")


@pytest.mark.parametrize("gone", ["forgotten", "inactive"])
def test_a_home_that_is_served_no_more_is_not_visited(gone: str) -> None:
    town = RollCallTown(homes=2)
    id = town.roll_call()
    if gone == "forgotten":
        town.forgotten.add("E-2")
    else:
        town.elder("E-2", active=False)
    town.advance(1)
    assert town.outcomes_of(id) == {"E-2": "not_active"}
    assert town.progress_of(id) == "1 of 2, 1 open"


def test_a_home_whose_record_cannot_be_read_still_reaches_a_human() -> None:
    town = RollCallTown(homes=1)
    town.spoilt.add("E-1")
    desk = town.desk(AREA[:3], "community")
    town.roll_call()
    town.advance(1)
    town.advance(3600)
    assert town.check_of("E-1").is_open
    assert desk.was_asked() or town.check_of("E-1").offers


def test_a_person_who_says_no_goes_silent_or_leaves_is_replaced() -> None:
    town = RollCallTown(homes=1)
    first, second, third, fourth = volunteers(town, 4)
    town.roll_call()
    town.advance(1)
    first.declines()
    assert second.was_asked()
    town.advance(46)
    assert third.was_asked()
    third.goes(on_duty=False)
    assert fourth.was_asked()


def test_a_restart_in_the_middle_goes_on_no_home_twice_none_forgotten() -> None:
    town = RollCallTown(homes=9)
    people = volunteers(town, 2)
    id = town.roll_call()
    works(town, people, id, rounds=2)
    assert 0 < town.how_far(id).checked < 9
    town.restart(after_s=30)
    for person in people:
        town.link(person.id, up=True)
    town.watch()
    works(town, people, id)
    assert town.incident(id).outcome == "all_checked"
    assert len(town.facts(id, "home_checked")) == 9
    assert len(town.outcomes_of(id)) == 9


def test_an_operator_may_end_it_earlier_and_whoever_was_only_asked_is_asked_no_more() -> None:
    town = RollCallTown(homes=9)
    wang, li, *_ = volunteers(town, 4)
    id = town.roll_call()
    town.advance(5)
    wang.accepts()
    town.act(id, "close", outcome="other", reason="the log shows that nothing was lost")
    checks = [incident for home in ("E-1", "E-2") if (incident := town.check_of(home)).is_open]
    assert [incident.assignment_of("V-1") is not None for incident in checks] == [True], "his own to end"
    assert "stand_down closed" in li.hears()
    town.advance(3600)
    assert town.how_far(id).waiting, "nothing more is opened"


def hears_nothing(town: RollCallTown, _person: Person, check: str) -> None:
    town.act(check, "contact", party="elder", result="no_answer")


def finds_the_door_shut(_town: RollCallTown, person: Person, _check: str) -> None:
    person.accepts()
    person.reports("cleared", outcome="no_access")


@pytest.mark.parametrize("looks_wrong", [hears_nothing, finds_the_door_shut])
def test_a_home_where_something_looks_wrong_is_left_to_people_when_its_roll_call_is_ended(
    looks_wrong: Callable[[RollCallTown, Person, str], None],
) -> None:
    town = RollCallTown(homes=1)
    (wang,) = volunteers(town, 1)
    id = town.roll_call()
    town.advance(1)
    check = town.check_of("E-1").id
    looks_wrong(town, wang, check)
    town.act(id, "close", outcome="other", reason="enough")
    assert town.incident(check).is_open


def test_a_home_where_the_elder_answered_after_all_is_let_go_with_the_roll_call() -> None:
    town = RollCallTown(homes=1)
    (wang,) = volunteers(town, 1)
    id = town.roll_call()
    town.advance(1)
    check = town.check_of("E-1").id
    hears_nothing(town, wang, check)
    town.act(check, "contact", party="elder", result="spoke_ok")
    town.act(id, "close", outcome="other", reason="enough")
    assert town.incident(check).outcome == "roll_call_ended"


def test_a_check_that_a_person_opens_again_stays_open_whatever_is_noted_of_its_ended_roll_call() -> None:
    town = RollCallTown(homes=1)
    volunteers(town, 1)
    id = town.roll_call()
    town.advance(1)
    check = town.check_of("E-1").id
    town.act(id, "close", outcome="other", reason="enough")
    town.act(check, "reopen", reason="her lights were on all night")
    town.act(id, "note", text="filed")
    assert town.incident(check).is_open


def ten_gateways() -> tuple[RollCallTown, list[str]]:
    """Roll-calls of ten gateways that came back in one moment. There are no homes: each is over once it is listed."""
    town = RollCallTown()
    return town, [town.asks(gateway=f"GW-{n}").incident or "" for n in range(10)]


def test_of_many_gateways_that_come_back_at_once_the_homes_are_listed_one_gateway_after_the_other() -> None:
    town, calls = ten_gateways()
    town.advance(0)
    assert sum(town.incident(id).is_open for id in calls) == 9
    town.advance(0.45)
    assert sum(town.incident(id).is_open for id in calls) == 5


def test_after_a_restart_too_many_roll_calls_go_on_one_after_the_other() -> None:
    town, calls = ten_gateways()
    town.restart()
    town.advance(RESUME_S + 0.45)
    assert sum(town.incident(id).is_open for id in calls) == 5


def test_a_roll_call_that_is_opened_again_goes_on() -> None:
    town = RollCallTown(homes=3)
    people = volunteers(town, 1)
    id = town.roll_call()
    town.act(id, "close", outcome="other", reason="by mistake")
    town.advance(60)
    town.act(id, "reopen", reason="not by mistake")
    works(town, people, id)
    assert town.incident(id).outcome == "all_checked"


def whistled() -> tuple[RollCallTown, Person, str, str]:
    """A roll-call of one home, and a department called to both of its incidents."""
    town = RollCallTown(homes=1)
    (wang,) = volunteers(town, 1)
    town.responder("GAS", kind=ResponderKind.DEPARTMENT, area=AREA[:1], level="district", position=None, capacity=None)
    id = town.roll_call()
    town.advance(1)
    check = town.check_of("E-1").id
    for incident in (id, check):
        town.act(incident, "whistle", departments=["GAS"], report_in_s=600, finish_s=36_000)
    return town, wang, id, check


def withdraw(town: RollCallTown, incident: str) -> None:
    town.act(incident, "whistle-withdraw", by=CHIEF, whistle=f"{incident}-w1", reason="no gas there")


def test_what_a_department_is_called_to_closes_only_once_it_is_settled() -> None:
    town, wang, id, check = whistled()
    town.checks_home(wang)
    assert town.incident(check).state is IncidentState.RESOLVED
    withdraw(town, check)
    assert town.incident(check).outcome == "helped"
    assert town.incident(id).is_open
    withdraw(town, id)
    assert town.incident(id).outcome == "all_checked"


def test_a_press_does_not_end_a_check_that_a_department_is_called_to() -> None:
    town, _, id, check = whistled()
    town.press("E-1")
    assert town.outcomes_of(id) == {"E-1": "pressed"}
    assert town.incident(check).is_open


def test_a_check_that_a_person_closes_or_cancels_counts() -> None:
    town = RollCallTown(homes=2)
    id = town.roll_call()
    town.advance(5)
    town.act(town.check_of("E-1").id, "close", outcome="hospital", reason="her son telephoned")
    town.act(town.check_of("E-2").id, "cancel", reason="moved away")
    assert town.outcomes_of(id) == {"E-1": "hospital", "E-2": "cancelled"}
    assert town.incident(id).outcome == "all_checked"


# How it starts


def test_a_gateway_that_was_out_for_long_enough_has_its_homes_checked() -> None:
    town = RollCallTown(homes=1)
    town.gateway("GW-1", up=True)
    town.supervise("BTN-1", 3600, gateway="GW-1")
    town.gateway("GW-1", up=False)
    town.advance(LONG_S)
    town.gateway("GW-1", up=True)
    (incident,) = town.roll_calls()
    call = town.how_far(incident.id)
    assert (call.cause, call.gap.gateway, incident.area) == (Cause.GATEWAY, "GW-1", AREA)
    assert (call.gap.until - call.gap.since).total_seconds() == LONG_S
    town.advance(0)
    assert town.facts(incident.id, "homes_listed")[0].homes == ("E-BTN-1",)


@pytest.mark.parametrize(("after_s", "out_s"), [(600, 599), (0, 90_000)])
def test_a_short_gap_or_a_rule_of_never_starts_none(after_s: float, out_s: float) -> None:
    town = RollCallTown(rules=Rules(night="", roll_call_after_s=after_s))
    town.gateway("GW-1", up=True)
    town.supervise("BTN-1", 90_000, gateway="GW-1")
    town.gateway("GW-1", up=False)
    town.advance(out_s)
    town.gateway("GW-1", up=True)
    assert not town.roll_calls()


def test_another_gap_of_the_same_gateway_extends_the_open_roll_call() -> None:
    town = RollCallTown()
    town.gateway("GW-1", up=True)
    town.supervise("BTN-1", 90_000, gateway="GW-1")
    for _ in range(2):
        town.gateway("GW-1", up=False)
        town.advance(LONG_S)
        town.gateway("GW-1", up=True)
        town.advance(10)
    (incident,) = town.roll_calls()
    assert len(town.facts(incident.id, "roll_call_extended")) == 1
    assert (town.how_far(incident.id).gap.until - town.how_far(incident.id).gap.since).total_seconds() > 2 * LONG_S
    assert town.progress_of(incident.id) == "0 of 1, 1 open"


def test_a_home_checked_before_the_second_gap_is_checked_again() -> None:
    town = RollCallTown(homes=2)
    (wang,) = volunteers(town, 1)
    id = town.roll_call()
    town.advance(1)
    town.checks_home(wang)
    assert town.asks(minutes=1).incident == id
    town.advance(0)
    assert town.how_far(id).homes == 3
    assert town.how_far(id).checked == 1


def test_an_area_that_was_out_has_its_homes_checked_when_it_is_back() -> None:
    town = RollCallTown()
    for n in range(6):
        town.supervise(f"D-{n}", 90, area=(*AREA[:3], "G-X"))
    town.advance(91)
    assert len(town.technical("area_lost")) == 1
    town.advance(LONG_S)
    town.beats(*(f"D-{n}" for n in range(6)))
    (incident,) = town.roll_calls()
    call = town.how_far(incident.id)
    assert (call.cause, call.gap.area) == (Cause.AREA, incident.area[-1])
    town.advance(0)
    assert len(town.facts(incident.id, "homes_listed")[0].homes) == 6


def test_two_areas_that_come_back_in_one_moment_have_a_roll_call_each() -> None:
    town = RollCallTown()
    for area in ("C-X", "C-Y"):
        for n in range(12):
            town.supervise(f"{area}-{n}", 90 if n < 8 else 90_000, area=(*AREA[:2], area))
    for n in range(40):
        town.supervise(f"OTHER-{n}", 90_000, area=(*AREA[:2], "C-Z"))
    town.advance(91)
    assert len(town.technical("area_lost")) == 2
    town.advance(LONG_S)
    town.beats(*(f"{area}-{n}" for area in ("C-X", "C-Y") for n in range(12)))
    assert {town.how_far(incident.id).gap.area for incident in town.roll_calls()} == {"C-X", "C-Y"}


def test_a_home_in_two_gaps_is_checked_once_at_a_time() -> None:
    town = RollCallTown(homes=1)
    (wang,) = volunteers(town, 1)
    first, second = town.roll_call(), town.roll_call(gateway="GW")
    assert first != second
    town.advance(1)
    assert wang.offers() == 1
    assert town.how_far(first).open == town.how_far(second).open
    town.act(second, "close", outcome="other", reason="one is enough")
    assert town.check_of("E-1").is_open, "the other one waits for it"
    town.checks_home(wang)
    assert town.outcomes_of(first) == {"E-1": "helped"}
    assert town.incident(first).outcome == "all_checked"


def test_a_home_that_somebody_sees_to_counts_for_another_gap_too_and_nobody_else_is_sent() -> None:
    town = RollCallTown(homes=1)
    wang, li = volunteers(town, 2)
    first = town.roll_call()
    town.advance(1)
    wang.accepts()
    second = town.roll_call(gateway="GW")
    town.advance(60)
    assert not li.was_asked()
    wang.reports("cleared", outcome="helped")
    assert {town.incident(id).outcome for id in (first, second)} == {"all_checked"}


@pytest.mark.parametrize(
    ("since_min", "until_min", "field"), [(-60, 10, "until"), (10, 20, "from"), (-10, -60, "from"), (-5, -5, "from")]
)
def test_a_gap_that_is_none_is_refused_and_names_the_field(since_min: int, until_min: int, field: str) -> None:
    town = RollCallTown(homes=1)
    answer = town.asks_from(since_min, until_min)
    assert (answer.code, answer.body["field"]) == ("invalid_message", field)
    assert not town.roll_calls()


def test_a_desk_is_asked_to_see_that_it_gets_on_and_nothing_rings() -> None:
    town = RollCallTown(homes=1)
    desk = town.desk(AREA[:1], "district")
    id = town.roll_call()
    assert desk.told("offer")[0]["kind"] == "roll_call"
    town.advance(4000)
    assert not town.incident(id).rings
