"""Duty desks: places that take a case over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.town import AREA, Town


def test_a_desk_s_yes_makes_an_owner_and_no_assignment() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()

    answer = desk.accepts()

    assert answer.body == {"ok": True, "state": "accepted"}
    held = town.incident(incident.id)
    assert held.owner is not None
    assert (held.owner.kind, held.owner.id) == ("desk", "DESK-C")
    assert held.assignments == {}
    assert held.ladder_runs, "nobody is on the way yet"
    assert not held.rings
    assert held.answered_at == town.now


def test_a_desk_has_no_capacity_limit() -> None:
    town = Town()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    for n in range(5):
        town.elder(f"E-{n}")
        town.press(f"E-{n}")
    assert desk.offers() == 5


def test_a_desk_is_on_duty_while_somebody_watches_whose_area_covers_it() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.advance(61)

    town.watch("other", "S-other")
    incident = town.press()
    assert not desk.was_asked()
    assert incident.state == "unanswered"

    town.watch("street", "S")
    assert desk.hears() == ["offer"]


def test_why_a_desk_was_not_asked_can_be_read_like_why_a_person_was_not() -> None:
    town = Town()
    town.elder()
    town.desk(AREA[:3], "community")
    town.advance(61)  # nobody watches, and the patience of the start is over
    incident = town.press()
    reasons = {p["responder"]: p["reason"] for r in town.facts(incident.id, "ranked") for p in r.passed_over}
    assert reasons == {"DESK-C": "off_duty"}


def test_a_desk_stays_on_duty_for_a_minute_after_the_last_console_closed() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    desk = town.desk(("D", "S", "C"), "community")
    town.advance(61)
    town.watch()
    town.watch(watching=False)

    town.advance(59)
    town.press("E-1")
    assert desk.offers() == 1
    town.advance(1)
    town.press("E-2")
    assert desk.offers() == 1


def test_a_desk_with_a_telephone_is_on_duty_in_its_hours() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.advance(61)
    town.changes_responder(desk.id, hours="04:00-08:00")
    town.press()
    assert not desk.was_asked(), "hours alone do not ring anywhere"

    town.changes_responder(desk.id, channels=("phone",))
    assert desk.hears() == ["offer"]


def test_a_desk_whose_hours_begin_is_asked_at_that_moment() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.changes_responder(desk.id, hours="04:30-08:00", channels=("phone",))
    town.advance(61)
    town.press()
    town.advance(1738)
    assert not desk.was_asked()
    town.advance(1)
    assert desk.was_asked()


def test_a_silent_desk_is_followed_by_the_next_one_up() -> None:
    town = Town()
    town.elder()
    community = town.desk(("D", "S", "C"), "community")
    district = town.desk(("D",), "district")
    town.watch()
    town.press()

    town.advance(30)

    assert community.offers() == 1
    assert district.was_asked(), "a step without an open offer is passed at once"


def test_a_desk_that_declined_is_asked_again_when_the_case_is_unanswered() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    desk.declines()
    assert town.incident(incident.id).state == "unanswered"

    town.advance(60)

    assert desk.hears() == ["offer"]
    assert desk.offers() == 2


def test_desks_of_other_areas_are_not_asked() -> None:
    town = Town()
    town.elder()
    other = town.desk(("D", "S", "C2"), "community")
    town.watch()
    town.press()
    assert not other.was_asked()


def test_an_owned_case_is_not_offered_to_a_desk_that_comes_on_duty() -> None:
    town = Town()
    town.elder()
    town.advance(61)
    desk = town.desk(("D", "S", "C"), "community")
    incident = town.press()
    town.act(incident.id, "take-over", user="anna")

    town.watch("bob")

    assert not desk.was_asked()


def test_a_desk_is_stood_down_when_a_person_takes_over_and_not_asked_again() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()

    town.act(incident.id, "take-over", user="anna")
    assert desk.hears() == ["stand_down filled"]
    town.watch("bob")
    assert desk.offers() == 1


def test_a_desk_is_stood_down_when_somebody_comes() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    town.press()
    town.advance(60)
    assert desk.was_asked()

    person.accepts()

    assert "stand_down filled" in desk.hears()


def test_whoever_watches_a_desk_renews_its_check_by_acting() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch("anna", "C")
    incident = town.press()
    desk.accepts()

    town.advance(100)
    town.act(incident.id, "note", user="anna", text="on the phone with the daughter")
    town.advance(100)

    assert town.incident(incident.id).owner is not None
    town.advance(20)
    assert town.incident(incident.id).owner is None


@pytest.mark.parametrize(("action", "fields"), [("close", {"outcome": "other"}), ("cancel", {})])
def test_a_desk_that_took_a_case_over_is_told_when_it_is_over(action: str, fields: dict[str, Any]) -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    desk.accepts()
    assert desk.hears() == []
    town.act(incident.id, action, user="anna", **fields)
    assert desk.hears() == [f"stand_down {town.incident(incident.id).state.value}"]


def test_a_desk_that_lost_a_case_to_somebody_else_is_told_of_its_end_as_well() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    desk.accepts()
    town.act(incident.id, "take-over", user="anna")
    town.act(incident.id, "close", user="anna", outcome="other")
    assert desk.hears() == ["stand_down closed"]


def test_a_desk_is_told_once_of_each_end_that_it_had_a_part_in() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    desk.accepts()
    helper = town.responder("V-1")
    helper.accepts()
    town.advance(1)
    helper.reports("cleared", outcome="helped")
    assert desk.hears() == ["stand_down resolved"]

    town.act(incident.id, "close", user="anna", outcome="helped")
    assert desk.hears() == []

    town.advance(1)
    town.act(incident.id, "reopen", user="anna")
    town.act(incident.id, "close", user="anna", outcome="helped")
    assert desk.hears() == []
