"""Services: asked for by the same button, at their own pace and hours, and never in the way of an emergency."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from callhub.dispatch.rules import Rules
from callhub.domain import events as e
from callhub.domain.people import SYSTEM
from callhub.domain.policy import policy_from_table
from tests.scenarios.town import LADDER, SERVICE, Person, Town, ladder

TIANJIN = ZoneInfo("Asia/Shanghai")
DAY = "mon-sun 08:00-18:00"
HOUR = 3600
NIGHT = 10 * HOUR
"""From noon, when a town begins, to 22:00."""


def meals(window: str = DAY, **changes: Any) -> Town:
    """A town in Tianjin, where meals are brought from 08:00 to 18:00; the ladder runs out after 180 s."""
    service = policy_from_table({**SERVICE, "window": window, **changes}, "test")
    town = Town(ladder(), service, only=True, rules=Rules(timezone=TIANJIN))
    town.elder()
    return town


def helped(town: Town, id: str = "V-1") -> Person:
    return town.responder(id)


def clock(town: Town) -> str:
    return town.now.astimezone(TIANJIN).strftime("%a %H:%M:%S")


def opens_in(town: Town, incident: str) -> str:
    """When the next thing happens, by the clock on the wall, and what."""
    deadline = town.incident(incident).next_deadline
    assert deadline is not None
    return f"{deadline.why} {deadline.at.astimezone(TIANJIN).strftime('%a %H:%M:%S')}"


def test_within_its_window_a_service_runs_like_any_ladder() -> None:
    town = meals()
    person = helped(town)
    incident = town.press(kind="meal")
    assert person.was_asked()
    assert (incident.class_, incident.rings) == ("service", False)
    assert town.waits_for(incident.id) == "offer in 20"


def test_outside_nobody_is_asked_and_it_waits_for_the_window_with_a_deadline() -> None:
    town = meals()
    person = helped(town)
    town.advance(NIGHT)
    incident = town.press(kind="meal")
    assert not person.was_asked()
    assert (incident.state, opens_in(town, incident.id)) == ("seeking", "window Wed 08:00:00")
    assert [(fact.step, fact.until) for fact in town.facts(incident.id, "ladder_waits")] == [
        (0, town.incident(incident.id).deadlines["window:0"].at)
    ]

    town.advance(10 * HOUR)

    assert clock(town) == "Wed 08:00:00"
    assert person.was_asked()
    assert town.facts(incident.id, "step_entered")[0].why == "window"


def test_the_clock_stands_still_while_the_window_is_closed() -> None:
    town = meals()
    person = helped(town)
    town.advance(6 * HOUR - 10)
    incident = town.press(kind="meal")
    body = person.offer
    assert opens_in(town, incident.id) == "offer Wed 08:00:10"
    assert body["respond_by"] == town.incident(incident.id).next_deadline.at  # type: ignore[union-attr]  # it is open
    town.advance(14 * HOUR + 19)
    assert clock(town) == "Wed 08:00:09"
    assert town.incident(incident.id).offers[body["offer"]].state == "open"
    town.advance(1)
    assert town.incident(incident.id).offers[body["offer"]].state == "silent"


def test_a_no_at_night_is_not_passed_on_before_the_morning() -> None:
    town = meals()
    first = helped(town)
    town.advance(6 * HOUR - 10)
    incident = town.press(kind="meal")
    other = helped(town, "V-2")
    other_was_asked = other.offers()
    third = town.responder("V-3")
    town.advance(HOUR)
    first.declines()
    assert not third.was_asked()
    assert other.offers() == other_was_asked
    town.advance(13 * HOUR + 20)
    assert third.was_asked()
    assert town.incident(incident.id).step == 0


def test_a_yes_at_night_is_a_yes_and_is_expected_in_the_window() -> None:
    town = meals(arrival_min_s=1800)
    person = helped(town)
    town.advance(6 * HOUR - 10)
    incident = town.press(kind="meal")
    town.advance(4 * HOUR)
    person.accepts()
    assert opens_in(town, incident.id) == "arrival Wed 08:30:00"
    assert (
        person.told("assignment")[-1]["arrive_by"]
        == town.incident(incident.id).deadlines[f"arrival:{incident.id}-a1"].at
    )


def test_whoever_comes_on_duty_at_night_is_asked_in_the_morning() -> None:
    town = meals()
    town.advance(NIGHT)
    town.press(kind="meal")
    person = town.responder("V-1")
    assert not person.was_asked()
    town.advance(10 * HOUR)
    assert person.was_asked()


def test_a_human_who_escalates_asks_at_once_also_at_night() -> None:
    town = meals()
    person = helped(town)
    town.advance(NIGHT)
    incident = town.press(kind="meal")
    town.desk(("D", "S", "C"), "community")
    town.watch("anna")
    town.act(incident.id, "escalate")
    assert town.incident(incident.id).step == 1
    assert "window:0" not in town.incident(incident.id).deadlines
    assert not person.was_asked()


def test_a_service_nobody_takes_is_unanswered_and_repeats_only_in_its_window() -> None:
    town = meals(repeat_s=7 * HOUR)
    incident = town.press(kind="meal")
    assert incident.state == "unanswered"
    assert opens_in(town, incident.id) == "repeat Wed 09:00:00"
    town.advance(21 * HOUR)
    assert len(town.facts(incident.id, "ladder_exhausted")) == 2


def test_a_start_that_comes_late_waits_for_the_window_again() -> None:
    town = meals(repeat_s=5 * HOUR)
    incident = town.press(kind="meal")
    assert opens_in(town, incident.id) == "repeat Tue 17:00:00"
    town.restart(8 * HOUR)
    fire(town)
    assert opens_in(town, incident.id) == "repeat Wed 08:00:00"
    assert len(town.facts(incident.id, "ladder_exhausted")) == 1


def test_what_was_overdue_when_a_start_came_at_night_goes_on_in_the_morning_where_it_stood() -> None:
    town = meals()
    person = helped(town)
    town.advance(5 * HOUR)
    incident = town.press(kind="meal")
    town.restart(8 * HOUR)
    fire(town)
    assert set(town.incident(incident.id).deadlines) == {"window:0"}
    assert town.incident(incident.id).offers[person.offer["offer"]].state == "silent"
    late = town.responder("V-2")
    assert not late.was_asked()
    town.advance(8 * HOUR)
    assert late.was_asked()


def fire(town: Town) -> None:
    """What is due now."""
    for ref in town.engine.due(town.now):
        town.tell(e.DeadlineDue(id=town.new_id(), actor=SYSTEM, incident=ref.incident or None, key=ref.key or None))


def test_an_owner_who_does_nothing_is_missed_in_the_window() -> None:
    town = meals(owner_check_s=HOUR)
    incident = town.press(kind="meal")
    town.advance(NIGHT)
    town.act(incident.id, "take-over")
    assert opens_in(town, incident.id) == "owner_check Wed 09:00:00"
    town.advance(11 * HOUR)
    assert town.incident(incident.id).owner is None
    assert town.incident(incident.id).next_deadline is not None


def test_somebody_sent_by_hand_at_night_is_enough_in_the_morning() -> None:
    town = meals(arrival_min_s=7200)
    person = helped(town)
    other = helped(town, "V-2")
    town.advance(NIGHT)
    incident = town.press(kind="meal")
    town.act(incident.id, "assign", responder="V-1", confirmed_by="telephone")
    town.advance(10 * HOUR)
    assert not other.was_asked()
    assert town.incident(incident.id).state == "assigned"
    person.reports("release", incident.id)
    assert other.was_asked()


def test_leaving_at_night_leaves_it_to_the_morning() -> None:
    town = meals()
    person = helped(town)
    other = town.responder("V-2", 3000)
    incident = town.press(kind="meal")
    person.accepts()
    town.advance(NIGHT)
    town.responder("V-3")
    person.reports("release", incident.id)
    assert opens_in(town, incident.id) == "window Wed 08:00:00"
    assert not other.was_asked()


def test_an_emergency_never_waits_for_a_window_and_is_not_blocked_by_a_service() -> None:
    town = meals()
    person = helped(town)
    town.press(kind="meal")
    person.accepts()
    town.advance(NIGHT)
    town.press(kind="sos")
    assert person.accepts().code is None
    assert town.incident(person.told("assignment")[-1]["incident"]).class_ == "emergency"


def test_an_emergency_does_not_use_up_anybody_for_a_service_either() -> None:
    town = meals()
    person = helped(town)
    town.press(kind="sos")
    person.accepts()
    meal = town.press(kind="meal")
    assert person.offer["incident"] == meal.id, "a service uses no capacity, and may wait on the list"


def test_a_responder_s_report_opens_a_service_too() -> None:
    town = meals()
    answer = town.call("meal", "E-1", source="responder", text="her fridge is empty")
    incident = town.incident(answer.body["incident"])
    assert (incident.class_, incident.source, incident.kind) == ("service", "responder", "meal")
    assert incident.next_deadline is not None


def test_a_ladder_without_a_window_counts_every_second() -> None:
    town = meals(window="")
    helped(town)
    town.advance(NIGHT)
    incident = town.press(kind="meal")
    assert town.waits_for(incident.id) == "offer in 20"


def test_120_asked_for_in_a_service_is_awaited_by_real_seconds() -> None:
    town = meals()
    town.advance(NIGHT)
    incident = town.press(kind="meal")
    town.act(incident.id, "contact", party="120", result="requested")
    assert town.incident(incident.id).deadlines["service:120"].at == town.now + timedelta(seconds=600)


def test_other_ladders_in_force_are_for_new_incidents_and_never_touch_open_ones() -> None:
    town = Town(ladder(repeat_s=60))
    town.elder()
    town.elder("E-2")
    old = town.press()
    assert old.state == "unanswered"
    slow = ladder(repeat_s=300, owner_check_s=600, step=[*LADDER["step"][1:]])

    town.changes("policies", policies=(slow, *(p for p in town.policies.by_id.values() if p.id != "emergency")))
    new = town.press("E-2")

    assert (town.waits_for(old.id), town.waits_for(new.id)) == ("repeat in 60", "repeat in 300")
    town.advance(60)
    assert town.waits_for(old.id) == "repeat in 60"
    town.act(old.id, "take-over")
    assert town.waits_for(old.id) == "owner_check in 120"
    assert town.incident(old.id).policy != town.incident(new.id).policy
    town.restart()
    assert len(town.engine._world.policy(town.incident(old.id)).steps) == 3
    assert len(town.engine._world.policy(town.incident(new.id)).steps) == 2
