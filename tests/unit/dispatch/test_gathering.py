"""The end of a batch: whose turn it is, and what becomes of cases that wait no more."""

from __future__ import annotations

from tests.unit.dispatch.stage import Stage


def asked(stage: Stage, id: str) -> list[str]:
    return [offer.responder for offer in stage.of(id).open_offers]


def together(stage: Stage, *presses: tuple[str, str]) -> list[str]:
    alarms, end = stage.together(*presses)
    ids = [stage.tell(alarm).answer.incident or "" for alarm in alarms]
    stage.tell(end)
    return ids


def test_the_most_urgent_are_asked_first_whatever_the_order_of_the_presses() -> None:
    stage = Stage("V-1", "C-2")
    sos, smoke = together(stage, ("BTN-1", "sos"), ("BTN-2", "smoke"))
    assert asked(stage, smoke) == ["V-1"]
    assert asked(stage, sos) == []


def test_the_ranking_of_each_says_how_many_were_decided_together_and_who_went_to_another() -> None:
    stage = Stage("V-1", "V-3")
    first, second = together(stage, ("BTN-1", "sos"), ("BTN-2", "sos"))
    assert (asked(stage, first), asked(stage, second)) == (["V-3"], ["V-1"])
    (ranked,) = stage.facts(second, "ranked")
    assert ranked.counts["cases"] == 2
    assert {p["responder"]: p["reason"] for p in ranked.passed_over}["V-3"] == "shared"


def test_who_comes_free_while_cases_are_gathered_is_shared_with_the_others() -> None:
    stage = Stage()
    alarms, end = stage.together(("BTN-1", "sos"), ("BTN-2", "sos"))
    ids = [stage.tell(alarm).answer.incident or "" for alarm in alarms]
    stage.ready("V-1")
    assert asked(stage, ids[0]) == asked(stage, ids[1]) == []
    stage.tell(end)
    assert asked(stage, ids[0]) + asked(stage, ids[1]) == ["V-1"]


def test_a_case_that_only_one_press_opened_is_said_to_be_shared_with_nobody() -> None:
    stage = Stage("V-1")
    first, joined = together(stage, ("BTN-1", "sos"), ("BTN-1", "sos"))
    assert first == joined
    assert asked(stage, first) == ["V-1"]
    (ranked,) = stage.facts(first, "ranked")
    assert "cases" not in ranked.counts


def test_a_desk_without_limit_and_somebody_for_two_are_asked_for_both() -> None:
    stage = Stage("V-2", "DESK-D", watched=True)
    first, second = together(stage, ("BTN-1", "sos"), ("BTN-2", "sos"))
    assert asked(stage, first) == asked(stage, second) == ["V-2"]
    stage.does(first, "escalate")
    stage.does(second, "escalate")


def test_one_that_asked_already_or_is_over_is_passed_over() -> None:
    stage = Stage("V-1")
    alarms, end = stage.together(("BTN-1", "sos"), ("BTN-2", "sos"))
    ids = [stage.tell(alarm).answer.incident or "" for alarm in alarms]
    stage.does(ids[0], "close", outcome="false_alarm", if_match=1)
    stage.wait(0)
    assert asked(stage, ids[1]) == ["V-1"]
    assert not stage.tell(end).rows


def test_a_gathered_case_that_needs_nobody_any_more_does_not_ask() -> None:
    stage = Stage("V-1", "V-2")
    alarms, _ = stage.together(("BTN-1", "sos"))
    id = stage.tell(alarms[0]).answer.incident or ""
    stage.does(id, "assign", responder="V-1", confirmed_by="telephone")
    stage.wait(0)
    assert asked(stage, id) == []
    assert "gathered" not in stage.of(id).deadlines
