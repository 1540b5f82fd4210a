"""A yes, a no, and what follows from them."""

from __future__ import annotations

from dataclasses import replace

from callhub.dispatch.answers import state_for
from tests.simulation.driver import OPERATOR
from tests.unit.dispatch.stage import Stage


def test_the_first_yes_wins_and_the_rest_are_stood_down() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press()
    answer = stage.yes(id, "V-2")
    assert (answer.body["state"], answer.incident) == ("assigned", id)
    assert stage.told("V-1", "stand_down")[-1]["reason"] == "filled"
    assert stage.yes(id, "V-1").code == "offer_not_open"
    assert stage.no(id, "V-1").code == "offer_not_open"
    assert stage.yes(id, "V-2").body["state"] == "assigned", "accepting one's own again is a result"


def test_a_no_is_replaced_at_once_and_said_twice_is_said_once() -> None:
    stage = Stage("V-1", "V-2", "V-3")
    id = stage.press("BTN-2")
    assert [o.responder for o in stage.of(id).open_offers] == ["V-2", "V-1"]
    stage.no(id, "V-1")
    assert [o.responder for o in stage.of(id).open_offers] == ["V-2", "V-3"]
    assert stage.no(id, "V-1").body["state"] == "declined"


def test_a_late_yes_is_a_yes_also_when_the_ladder_ran_out() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.wait(25)
    assert (stage.of(id).state, stage.offer(id, "V-1").state) == ("unanswered", "silent")
    assert stage.yes(id, "V-1").body["state"] == "assigned"
    assert stage.of(id).state == "assigned"


def test_a_late_no_asks_nobody_new() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.wait(25)
    rows = len(stage.facts(id, "ranked"))
    assert stage.no(id, "V-1").body["state"] == "declined"
    assert len(stage.facts(id, "ranked")) == rows


def test_only_the_person_asked_may_answer_and_only_what_is_there() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press()
    offer = stage.offer(id, "V-1").id
    assert stage.tell(stage.answer(offer, accept=True, responder="V-2")).answer.code == "unknown_offer"
    assert stage.tell(stage.answer("nothing-9", accept=True, responder="V-2")).answer.code == "unknown_offer"
    assert stage.tell(stage.answer(f"{id}-99", accept=True, responder="V-2")).answer.code == "unknown_offer"


def test_an_answer_after_the_end_names_what_became_of_the_offer() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.does(id, "close", outcome="helped")
    assert stage.yes(id, "V-1").code == "offer_not_open"
    stage.engine._world.ended.clear()
    assert stage.yes(id, "V-1").code == "offer_not_open"


def test_a_yes_that_fills_somebody_takes_back_their_other_offers_and_asks_others() -> None:
    stage = Stage("V-1", "V-2")
    first, second = stage.press(), stage.press("BTN-2")
    assert {o.responder for o in stage.of(second).open_offers} == {"V-2"}
    stage.yes(second, "V-2")
    assert stage.offer(first, "V-2").state == "open", "V-2 can do two at once"
    stage.yes(first, "V-2")
    assert sorted(a.slot or 0 for i in (first, second) for a in stage.of(i).live) == [1, 2]


def test_a_person_who_is_full_is_withdrawn_elsewhere_and_cannot_say_yes_again() -> None:
    stage = Stage("V-1")
    first = stage.press()
    stage.wait(25)
    second = stage.press("BTN-2")
    meal = stage.press("BTN-2", "meal")
    stage.does(meal, "assign", responder="V-1")
    stage.yes(second, "V-1")
    assert stage.offer(first, "V-1").stand_down == "busy"
    assert stage.offer(meal, "V-1").state == "open", "service work never blocks an emergency, nor the other way round"
    late = stage.tell(replace(stage.answer(stage.offer(first, "V-1").id, accept=True, responder="V-1"), actor=OPERATOR))
    assert late.answer.code == "already_assigned"


def test_a_desks_yes_makes_it_the_owner() -> None:
    stage = Stage("DESK-C", watched=True)
    id = stage.press()
    assert stage.yes(id, "DESK-C").body["state"] == "accepted"
    owner = stage.of(id).owner
    assert owner is not None
    assert (owner.kind, owner.id) == ("desk", "DESK-C")
    assert not stage.of(id).assignments


def test_an_operator_answers_for_somebody() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press()
    offer = stage.offer(id, "V-1").id
    no = replace(stage.answer(offer, accept=False, responder="V-1"), actor=OPERATOR, via="telephone")
    assert stage.tell(no).answer.body["state"] == "declined"
    assert stage.facts(id, "acted_for")[-1].action == "decline"
    yes = replace(stage.answer(stage.offer(id, "V-2").id, accept=True, responder="V-2"), actor=OPERATOR)
    assert stage.tell(yes).answer.body["state"] == "assigned"


def test_what_somebody_is_to_a_case_is_the_newest_of_it() -> None:
    stage = Stage("V-1")
    id = stage.press()
    assert state_for(stage.of(id), "V-1") == "open"
    assert state_for(stage.of(id), "V-2") is None
    stage.yes(id, "V-1")
    assert state_for(stage.of(id), "V-1") == "assigned"


def test_an_owner_gone_lets_the_ladder_go_on_where_it_stood() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.does(id, "take-over")
    stage.wait(91)
    assert stage.of(id).owner is None
    assert stage.of(id).owner_lapsed
    assert stage.facts(id, "step_entered")[1].why == "owner_gone"


def test_an_owner_gone_while_nobody_is_wanted_changes_nothing_else() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.does(id, "take-over")
    stage.yes(id, "V-1")
    stage.wait(91)
    assert stage.facts(id, "owner_cleared")
    assert len(stage.facts(id, "step_entered")) == 1


def test_an_owner_gone_after_the_ladder_ran_out_rings_again_at_once() -> None:
    stage = Stage()
    id = stage.press()
    stage.does(id, "take-over")
    stage.wait(91)
    assert [x.again for x in stage.facts(id, "ladder_exhausted")] == [False, True]


def test_somebody_who_is_there_stays_in_the_word_when_another_says_yes() -> None:
    stage = Stage("V-1", "V-2", "C-1")
    id = stage.press("BTN-1", "smoke")
    stage.yes(id, "V-1")
    stage.reports(id, "V-1", "on_scene")
    for who in ("V-2", "C-1"):
        stage.no(id, who)
    assert stage.of(id).state == "unanswered"
    stage.does(id, "assign", responder="C-1", confirmed_by="telephone")
    assert stage.of(id).state == "on_scene"


def test_the_owner_of_a_resolved_case_is_not_checked() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    stage.reports(id, "V-1", "cleared", outcome="helped")
    stage.does(id, "take-over")
    assert list(stage.of(id).deadlines) == ["follow_up"]
