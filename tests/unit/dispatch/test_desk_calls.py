"""What went wrong is shown to desks, one level up each time, until a person acts on it."""

from __future__ import annotations

from tests.unit.dispatch.called import BOSS, Called
from tests.unit.dispatch.stage import Stage


def in_need(*ready: str, device: str = "BTN-1", kind: str = "sos") -> tuple[Stage, str]:
    stage = Stage("V-1", "V-2", *ready)
    id = stage.press(device, kind)
    stage.yes(id, "V-1")
    stage.reports(id, "V-1", "need", need="key")
    return stage, id


def test_it_climbs_past_levels_without_a_desk_to_the_top_and_stays_there() -> None:
    stage, id = in_need("DESK-C", "DESK-D")
    stage.wait(45 * 3)
    shown = [(fact.area, fact.desks) for fact in stage.facts(id, "desk_called")]
    assert shown == [("C", ("DESK-C",)), ("D", ("DESK-D",)), ("D", ("DESK-D",)), ("D", ("DESK-D",))]
    assert [fact.call.called for fact in stage.facts(id, "desk_called")] == [1, 2, 3, 4]
    assert not stage.told("DESK-C", "offer"), "a desk call asks nobody to come"


def test_without_any_desk_it_is_called_at_the_top() -> None:
    stage, id = in_need()
    assert [(fact.area, fact.desks) for fact in stage.facts(id, "desk_called")] == [("D", ())]


def test_a_case_without_an_area_calls_all_top_desks() -> None:
    stage = Stage("V-1", "DESK-C", "DESK-D")
    id = stage.press("UNKNOWN")
    stage.does(id, "assign", responder="V-1", confirmed_by="telephone")
    stage.reports(id, "V-1", "need", need="key")
    stage.wait(45)
    assert [(fact.area, fact.desks) for fact in stage.facts(id, "desk_called")] == [(None, ("DESK-D",))] * 2


def test_a_person_who_acts_ends_it() -> None:
    stage, id = in_need()
    stage.does(id, "note", text="seen")
    assert stage.of(id).desk_call is None
    assert "desk_call" not in stage.of(id).deadlines


def test_acting_arms_everything_that_was_missed_and_is_still_awaited() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press("BTN-1", "smoke")
    for who in ("V-1", "V-2"):
        stage.yes(id, who)
        stage.reports(id, who, "on_scene")
    one, two = (a.id for a in stage.of(id).live)
    stage.does(id, "contact", party="120", result="requested")
    stage.wait(151)
    call = stage.of(id).desk_call
    assert call is not None
    assert set(call.rearm) == {f"resolution:{one}", f"resolution:{two}", "service:120"}
    stage.reports(id, "V-1", "cleared", outcome="helped")
    stage.does(id, "contact", party="120", result="arrived")
    assert set(stage.of(id).deadlines) == {f"resolution:{two}"}, "who left and what came are awaited no more"


def test_acting_on_a_service_still_missing_awaits_it_again() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    stage.reports(id, "V-1", "cleared", outcome="helped")
    stage.does(id, "contact", party="120", result="requested")
    stage.wait(225)
    stage.does(id, "note", text="calling them again")
    assert set(stage.of(id).deadlines) == {"service:120", "follow_up"}


def test_what_departments_owe_is_shown_again_when_the_case_is_resolved() -> None:
    stage = Called("V-1")
    stage.yes(stage.id_, "V-1")
    stage.does(stage.id_, "contact", party="120", result="requested")
    stage.whistles("FIRE", "WATER", finish_s=130)
    stage.says("WATER", yes=False, number=2)
    stage.wait(20)
    stage.says("FIRE", yes=True)
    stage.wait(110)
    one, two = stage.of(stage.id_).whistles
    call = stage.of(stage.id_).desk_call
    assert call is not None
    assert call.rearm == (f"refused:{two}", f"report_in:{one}", "service:120", f"finish:{one}")
    before = len(stage.calls())
    stage.reports(stage.id_, "V-1", "cleared", outcome="helped")
    assert stage.of(stage.id_).state == "resolved"
    assert stage.calls()[before:] == ["whistle_refused", "whistle_missed"], "not who reported in after all, not 120"
    call = stage.of(stage.id_).desk_call
    assert call is not None
    assert call.rearm == (f"refused:{two}", f"finish:{one}")


def test_what_departments_owe_no_more_is_not_shown_again() -> None:
    stage = Called("V-1")
    stage.yes(stage.id_, "V-1")
    stage.whistles("FIRE", "WATER")
    stage.says("WATER", yes=False, number=2)
    stage.wait(20)
    stage.tell(stage.record("FIRE", active=False))
    call_off = {"user": BOSS, "whistle": stage.whistle(2).id, "reason": "x"}
    stage.does(stage.id_, "whistle-withdraw", **call_off)
    stage.reports(stage.id_, "V-1", "cleared", outcome="helped")
    assert stage.of(stage.id_).desk_call is None
