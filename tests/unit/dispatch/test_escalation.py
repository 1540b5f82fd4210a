"""The ladder: asking, replacing, climbing, and what happens at its end."""

from __future__ import annotations

import pytest

from callhub.domain.people import Position, ResponderKind
from tests.scenarios.town import Person, Town, ladder, metres_north
from tests.unit.dispatch.stage import Stage


def why(stage: Stage, id: str) -> list[tuple[int, str]]:
    return [(fact.step, fact.why) for fact in stage.facts(id, "step_entered")]


def test_a_step_with_nobody_to_ask_is_passed_at_once_and_says_so() -> None:
    stage = Stage("DESK-C", watched=True)
    id = stage.press()
    assert why(stage, id) == [(0, "opened"), (1, "nobody_left")]
    stage.wait(40)
    assert why(stage, id)[2:] == [(2, "nobody_left")]
    assert stage.of(id).state == "unanswered"


def test_only_the_current_step_replaces() -> None:
    stage = Stage("V-1", "V-2", "DESK-C", watched=True)
    id = stage.press()
    stage.does(id, "escalate")
    ranked = len(stage.facts(id, "ranked"))
    stage.no(id, "V-1")
    assert len(stage.facts(id, "ranked")) == ranked
    assert stage.of(id).step == 1


def test_under_an_owner_people_are_asked_on_and_nothing_climbs() -> None:
    stage = Stage("V-1", "V-2", "V-3")
    id = stage.press()
    stage.does(id, "take-over")
    for who in ("V-3", "V-1", "V-2"):
        stage.no(id, who)
    assert stage.of(id).step == 0
    assert list(stage.of(id).deadlines) == ["owner_check"]
    stage.yes(stage.press("BTN-2"), "V-1")


def test_unanswered_reminds_the_silent_and_fills_every_step_again() -> None:
    stage = Stage("V-1", "DESK-C", watched=True)
    id = stage.press()
    stage.wait(25)
    stage.no(id, "DESK-C")
    assert stage.of(id).state == "unanswered"
    stage.wait(61)
    assert stage.told("V-1", "offer")[-1]["reminder"] is True
    assert stage.of(id).open_offers[0].responder == "DESK-C", "a desk is asked again"
    assert [x.again for x in stage.facts(id, "ladder_exhausted")] == [False, True]


def test_an_offer_of_a_longer_ladder_can_be_reminded_on_a_shorter_one() -> None:
    stage = Stage("C-1")
    id = stage.press("BTN-2")
    assert stage.of(id).step == 2
    stage.press("BTN-2", "smoke")
    stage.wait(200)
    assert stage.of(id).state == "unanswered"
    assert any(body["reminder"] for body in stage.told("C-1", "offer"))


def test_what_was_answered_meanwhile_begins_anew_from_unanswered() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press("BTN-1", "smoke")
    stage.yes(id, "V-1")
    stage.no(id, "V-2")
    assert stage.of(id).state == "unanswered"
    stage.reports(id, "V-1", "release")
    assert (0, "released") in why(stage, id)
    assert stage.of(id).state == "unanswered"


def test_whoever_comes_later_is_asked_for_every_step_reached_and_says_why() -> None:
    stage = Stage("DESK-C", watched=True)
    id = stage.press()
    assert stage.of(id).reached == 1
    stage.ready("V-1")
    assert stage.offer(id, "V-1").step == 0
    assert stage.facts(id, "ranked")[-1].chosen[0]["responder"] == "V-1"
    stage.ready("V-2", "V-3")
    assert len([o for o in stage.of(id).open_offers if o.step == 0]) == 2, "no more than the step keeps open"


def test_somebody_for_two_is_asked_for_the_most_urgent_first() -> None:
    stage = Stage()
    calm, urgent = stage.press("BTN-2"), stage.press("BTN-1", "smoke")
    stage.ready("V-2")
    assert stage.offer(urgent, "V-2").offered_at == stage.offer(calm, "V-2").offered_at
    stage.ready("V-1")
    assert stage.offer(urgent, "V-1").state == "open"
    assert not [o for o in stage.of(calm).offers.values() if o.responder == "V-1"], "and then has enough to do"


def test_a_desk_that_comes_back_leaves_an_owned_case_alone() -> None:
    stage = Stage("DESK-C", "V-1")
    id = stage.press()
    stage.does(id, "take-over")
    stage.tell(stage.watch("bo", watching=True))
    assert not [o for o in stage.of(id).offers.values() if o.responder == "DESK-C"]


def test_escalating_by_hand_reminds_nobody_twice_within_a_repeat() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.wait(25)
    for _ in range(2):
        stage.does(id, "escalate")
    assert [body["reminder"] for body in stage.told("V-1", "offer")] == [False, True]


def test_a_step_that_is_full_asks_nobody_else_when_it_is_entered_again() -> None:
    stage = Stage("V-1", "V-2", "V-3", watched=True)
    id = stage.press()
    stage.does(id, "take-over")
    stage.tell(stage.remove("anna"))
    assert why(stage, id) == [(0, "opened"), (0, "owner_gone")]
    assert len(stage.of(id).offers) == 2


def test_one_yes_of_two_needed_and_nobody_else_rings_again() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press("BTN-1", "smoke")
    stage.wait(25)
    assert stage.of(id).state == "unanswered"
    stage.yes(id, "V-1")
    assert stage.of(id).state == "assigned"
    stage.wait(61)
    assert stage.of(id).state == "unanswered"


def crowd(people: int, away_m: float = 300, **step: object) -> tuple[Town, list[Person]]:
    """That many volunteers, ten metres apart, under a ladder that asks two of few and up to four of many."""
    asks = {"name": "near", "ask": ["volunteer"], "fan_out": 2, "fan_out_max": 4, "offer_timeout_s": 20, **step}
    desk = {"name": "desk", "ask": ["desk"], "level": "district"}
    town = Town(ladder(step=[asks, desk]))
    town.elder()
    return town, [town.responder(f"V-{n:02d}", away_m + 10 * n) for n in range(people)]


def asked(people: list[Person]) -> int:
    return sum(person.was_asked() for person in people)


@pytest.mark.parametrize(("people", "offers"), [(12, 2), (13, 3), (18, 4), (25, 4)])
def test_more_are_asked_where_many_are_around(people: int, offers: int) -> None:
    town, them = crowd(people)
    town.press()
    assert asked(them) == offers


def test_a_no_is_replaced_although_the_crowd_was_asked() -> None:
    town, them = crowd(18)
    id = town.press().id
    for person in them[:4]:
        person.declines()
    assert len(town.incident(id).open_offers) == 4, "those who are being asked are still around"


def test_people_far_off_do_not_make_a_place_dense() -> None:
    town, them = crowd(25, away_m=1500)
    town.press()
    assert asked(them) == 2


def test_people_beyond_the_step_do_not_count() -> None:
    town, them = crowd(25, radius_m=400)
    town.press()
    assert asked(them) == 2, "eleven live within the step's own radius"


def test_without_a_position_nobody_knows_how_many_are_around() -> None:
    town, them = crowd(25)
    town.elder("E-1", position=None)
    town.press()
    assert asked(them) == 2


def test_kinds_that_the_step_does_not_ask_are_no_crowd() -> None:
    town, them = crowd(5)
    for n in range(30):
        town.responder(f"G-{n}", kind=ResponderKind.GRID_WORKER)
    town.press()
    assert asked(them) == 2


def test_who_comes_later_is_asked_while_the_wider_step_has_room() -> None:
    town, them = crowd(18)
    for person in them[2:]:
        person.goes(on_duty=False)
    town.press()
    assert asked(them) == 2
    for person in them[2:]:
        person.goes(on_duty=True)
    assert asked(them) == 4


def test_two_kinds_are_one_crowd() -> None:
    town, them = crowd(12, ask=["volunteer", "caregiver"])
    for n in range(6):
        town.responder(f"C-{n}", kind=ResponderKind.CAREGIVER, position=metres_north(900, Position(39.08, 117.22)))
    town.press()
    assert asked(them) == 4
