"""On the way, there, done, or not any more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dispatch.stage import Stage


def assigned(*more: str, kind: str = "sos") -> tuple[Stage, str]:
    stage = Stage("V-1", *more)
    id = stage.press("BTN-1", kind)
    stage.yes(id, "V-1")
    return stage, id


def test_en_route_and_on_scene_said_twice_are_said_once() -> None:
    stage, id = assigned()
    for action in ("en_route", "en_route", "on_scene", "on_scene"):
        assert stage.reports(id, "V-1", action).body == {"ok": True, "state": action}
    assert [fact.state for fact in stage.facts(id, "assignment_moved")] == ["en_route", "on_scene"]
    assert stage.reports(id, "V-1", "en_route").code == "illegal_transition"


@pytest.mark.parametrize(
    ("proof", "kept"),
    [({"card": "CARD-1"}, "card"), ({"card": "CARD-9"}, "card_mismatch"), ({"card": ""}, None), ("x", None)],
)
def test_arrival_counts_with_and_without_a_proof(proof: object, kept: str | None) -> None:
    stage, id = assigned()
    assert stage.reports(id, "V-1", "on_scene", proof=proof).code is None
    assert stage.facts(id, "assignment_moved")[-1].proof == kept


def test_arriving_starts_the_resolution_and_stands_down_who_was_asked_meanwhile() -> None:
    stage, id = assigned("V-2")
    stage.wait(1000)
    assert stage.of(id).live[0].late
    assert stage.reports(id, "V-1", "on_scene").code is None
    assert stage.of(id).state == "on_scene"
    assert not stage.of(id).live_offers
    assert {key.partition(":")[0] for key in stage.of(id).deadlines} == {"resolution"}


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [("cleared", {"outcome": "fine"}, "invalid_message"), ("need", {"need": "tea"}, "invalid_message")],
)
def test_a_wrong_word_is_refused(action: str, fields: dict[str, Any], code: str) -> None:
    stage, id = assigned()
    assert stage.reports(id, "V-1", action, **fields).code == code


def test_nobody_reports_on_what_is_not_theirs() -> None:
    stage, id = assigned("V-2")
    assert stage.reports(id, "V-2", "on_scene").code == "not_assigned"
    assert stage.reports("gone", "V-1", "on_scene").code == "not_found"
    stage.reports(id, "V-1", "on_scene")
    stage.does(id, "close", outcome="helped")
    assert stage.reports(id, "V-1", "cleared", outcome="helped").code == "not_assigned"
    assert stage.reports(id, "C-1", "cleared", outcome="helped").code == "not_found"
    stage.engine._world.ended.clear()
    assert stage.reports(id, "V-1", "cleared", outcome="helped").code == "not_assigned"


def test_cleared_resolves_and_a_follow_up_stands_alone() -> None:
    stage, id = assigned()
    stage.does(id, "take-over")
    stage.reports(id, "V-1", "need", need="key")
    stage.reports(id, "V-1", "cleared", outcome="helped", note="tea")
    assert stage.of(id).state == "resolved"
    assert list(stage.of(id).deadlines) == ["follow_up"]
    assert stage.of(id).desk_call is None


def test_no_access_resolves_nothing_calls_the_desk_and_asks_on() -> None:
    stage, id = assigned("V-2")
    stage.reports(id, "V-1", "cleared", outcome="no_access")
    held = stage.of(id)
    assert held.state == "seeking"
    assert held.desk_call is not None
    assert [o.responder for o in held.open_offers] == ["V-2"]


def test_whoever_clears_must_have_seen_the_alarm_that_joined() -> None:
    stage, id = assigned()
    stage.press()
    assert stage.reports(id, "V-1", "cleared", outcome="helped").code == "conflict"
    assert stage.reports(id, "V-1", "cleared", outcome="helped", version=1).code == "conflict"
    assert stage.reports(id, "V-1", "cleared", outcome="helped", version=stage.of(id).version).code is None


def test_a_release_lets_the_ladder_go_on() -> None:
    stage, id = assigned("V-2")
    stage.reports(id, "V-1", "release", reason="car")
    assert stage.of(id).state == "seeking"
    assert stage.told("V-2", "offer")[-1]["offer"] == stage.of(id).open_offers[0].id
    assert not stage.told("V-1", "stand_down"), "who said so themselves needs no telling"


def test_the_last_one_there_leaving_gives_way_to_those_on_the_way() -> None:
    stage, id = assigned("V-2", "C-1", kind="smoke")
    stage.yes(id, "V-2")
    stage.reports(id, "V-1", "on_scene")
    stage.reports(id, "V-1", "release")
    assert stage.of(id).state == "assigned"
    assert [o.responder for o in stage.of(id).open_offers] == ["C-1"]
    stage.reports(id, "V-2", "release")
    assert stage.of(id).state == "seeking"


def test_one_is_done_and_the_other_still_there() -> None:
    stage, id = assigned("V-2", kind="smoke")
    stage.yes(id, "V-2")
    stage.reports(id, "V-2", "on_scene")
    stage.reports(id, "V-1", "cleared", outcome="helped")
    assert stage.of(id).state == "on_scene"
    stage.reports(id, "V-2", "cleared", outcome="no_access")
    assert stage.of(id).state == "resolved"


def test_done_and_the_other_late_is_resolved_and_the_late_one_told() -> None:
    stage, id = assigned("V-2", kind="smoke")
    stage.yes(id, "V-2")
    stage.reports(id, "V-2", "cleared", outcome="helped")
    assert stage.of(id).state == "assigned"
    stage.wait(1000)
    assert stage.of(id).state == "resolved"
    assert stage.told("V-1", "stand_down")[-1]["reason"] == "resolved"


def test_enough_are_on_time_again_and_nobody_stays_asked() -> None:
    stage = Stage("V-1", "V-2", "C-1")
    id = stage.press("BTN-1", "smoke")
    stage.yes(id, "V-1")
    stage.wait(400)
    stage.yes(id, "V-2")
    assert stage.of(id).live[0].late
    assert stage.of(id).live_offers
    stage.reports(id, "V-1", "cleared", outcome="helped")
    assert stage.of(id).state == "assigned"
    assert not stage.of(id).live_offers
    assert stage.told("C-1", "stand_down")[-1]["reason"] == "filled"


def test_somebody_late_can_still_arrive_after_the_ladder_began_anew() -> None:
    stage, id = assigned()
    stage.wait(1000)
    assert stage.of(id).state == "unanswered"
    stage.ready("V-2")
    stage.press("BTN-1", "smoke")
    assert stage.of(id).state == "assigned", "the word says that somebody is on the way"
    assert stage.reports(id, "V-1", "on_scene").code is None
    assert stage.of(id).state == "on_scene"
