"""Calling departments: who may, whom, and what the clocks do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callhub.domain import events as e
from callhub.domain.people import SYSTEM, Actor, ActorKind, ResponderKind, Role
from tests.unit.dispatch.called import BOSS, Called, at_work

VIEWER = Actor(ActorKind.API, "eyes", Role.VIEWER)


def test_each_department_has_a_whistle_with_both_clocks() -> None:
    stage = Called()
    assert stage.whistles("FIRE", "WATER", "FIRE").code is None
    first, second = stage.of(stage.id_).whistles.values()
    assert (first.department, second.department) == ("FIRE", "WATER"), "each once"
    assert (first.report_in_by - stage.now).total_seconds() == 20
    assert (first.finish_by - stage.now).total_seconds() == 50
    assert {f"report_in:{first.id}", f"finish:{second.id}"} <= set(stage.of(stage.id_).deadlines)
    assert stage.engine.places(stage.id_).words == {f"{w.id}:text": "pipe burst" for w in (first, second)}


@pytest.mark.parametrize(
    ("fields", "code", "about"),
    [
        ({"departments": []}, "invalid_message", "departments"),
        ({"departments": "FIRE"}, "invalid_message", "departments"),
        ({"departments": ["FIRE", "GHOST"]}, "not_found", "GHOST"),
        ({"departments": [7]}, "not_found", "7"),
        ({"departments": ["FIRE", "V-1"]}, "invalid_message", "departments.1: V-1 is a volunteer"),
        ({"departments": ["GONE"]}, "invalid_message", "departments.0: GONE is not active"),
        ({"report_in_s": 0}, "invalid_message", "report_in_s"),
        ({"report_in_s": True}, "invalid_message", "report_in_s"),
        ({"finish_s": "60"}, "invalid_message", "finish_s"),
        ({"finish_s": 10**9}, "invalid_message", "finish_s"),
        ({"report_in_s": 60, "finish_s": 59}, "invalid_message", "finish_s"),
    ],
)
def test_what_cannot_be_called_is_named_and_nobody_is(fields: dict[str, Any], code: str, about: str) -> None:
    stage = Called("V-1")
    stage.people["GONE"] = replace(stage.people["FIRE"], id="GONE", active=False)
    stage.tell(stage.record("GONE"))
    said = {"departments": ["FIRE"], "report_in_s": 20, "finish_s": 50, **fields}
    answer = stage.does(stage.id_, "whistle", **said)
    assert answer.code == code
    assert about in answer.body["message"]
    assert not stage.of(stage.id_).whistles


def test_a_machine_calls_nobody() -> None:
    stage = at_work()
    w = stage.whistle().id
    for action in ("whistle", "whistle-confirm", "whistle-return", "whistle-withdraw"):
        said = {"departments": ["WATER"], "report_in_s": 1, "finish_s": 1, "whistle": w, "reason": "x"}
        assert stage.does(stage.id_, action, user=VIEWER, **said).code == "not_allowed"


def test_a_department_that_still_has_one_is_not_called_twice() -> None:
    stage = at_work()
    assert stage.whistles("FIRE").code == "conflict"
    stage.reports(stage.id_, "FIRE", "cleared", outcome="helped")
    assert stage.whistles("FIRE").code == "conflict", "finished is not confirmed"
    stage.does(stage.id_, "whistle-confirm", whistle=stage.whistle().id)
    assert stage.whistles("FIRE").code is None


def test_a_refusal_can_be_followed_by_another_call() -> None:
    stage = Called()
    stage.whistles("FIRE", text=" ")
    stage.says("FIRE", yes=False)
    assert stage.whistles("FIRE").code is None
    assert (stage.whistle(1).state, stage.whistle(2).state) == ("refused", "called")


def test_each_clock_that_runs_out_calls_a_desk_and_acting_arms_it_again() -> None:
    stage = Called()
    stage.whistles("FIRE")
    stage.wait(20)
    assert (stage.whistle().state, stage.whistle().reason, stage.calls()) == (
        "missed",
        "not_reported",
        ["whistle_missed"],
    )
    stage.does(stage.id_, "note", text="phoned them")
    key = f"report_in:{stage.whistle().id}"
    assert (stage.of(stage.id_).deadlines[key].at - stage.now).total_seconds() == 20
    stage.says("FIRE", yes=True)
    assert key not in stage.of(stage.id_).deadlines
    stage.wait(30)
    assert (stage.whistle().state, stage.whistle().late) == ("missed", True)
    stage.does(stage.id_, "note", text="phoned them")
    assert (stage.of(stage.id_).deadlines[f"finish:{stage.whistle().id}"].at - stage.now).total_seconds() == 50


def test_acting_arms_nothing_that_is_awaited_no_more() -> None:
    stage = Called()
    stage.whistles("FIRE", "WATER")
    stage.wait(20)
    stage.says("FIRE", yes=True)
    stage.says("WATER", yes=False, number=2)
    stage.does(stage.id_, "note", text="so")
    armed = {key for key in stage.of(stage.id_).deadlines if ":" in key and "-w" in key}
    assert armed == {f"finish:{stage.whistle(1).id}"}


@pytest.mark.parametrize("state", ["called", "missed", "reported", "refused", "confirmed", "withdrawn"])
def test_only_what_is_finished_is_confirmed(state: str) -> None:
    stage = in_state(state)
    answer = stage.does(stage.id_, "whistle-confirm", whistle=stage.whistle().id)
    assert (answer.code, stage.whistle().state) == ("illegal_transition", state)


def in_state(state: str) -> Called:
    stage = Called()
    stage.whistles("FIRE")
    if state == "missed":
        stage.wait(20)
    elif state == "refused":
        stage.says("FIRE", yes=False)
    elif state in {"reported", "finished", "confirmed"}:
        stage.says("FIRE", yes=True)
    if state in {"finished", "confirmed"}:
        stage.reports(stage.id_, "FIRE", "cleared", outcome="helped")
    if state == "confirmed":
        stage.does(stage.id_, "whistle-confirm", whistle=stage.whistle().id)
    elif state == "withdrawn":
        stage.does(stage.id_, "whistle-withdraw", user=BOSS, whistle=stage.whistle().id, reason="not needed")
    assert stage.whistle().state == state
    return stage


def test_returning_gives_a_new_clock() -> None:
    stage = in_state("finished")
    stage.does(stage.id_, "whistle-return", whistle=stage.whistle().id, finish_s=90)
    whistle = stage.whistle()
    assert (whistle.state, whistle.finish_s, whistle.finished_at) == ("reported", 90, None)
    assert stage.of(stage.id_).deadlines[f"finish:{whistle.id}"].at == whistle.finish_by
    assert (whistle.finish_by - stage.now).total_seconds() == 90


def test_who_is_late_gets_a_new_clock_once_they_have_reported_in() -> None:
    stage = in_state("missed")
    said: dict[str, Any] = {"whistle": stage.whistle().id, "finish_s": 90}
    assert stage.does(stage.id_, "whistle-return", **said).code == "illegal_transition"
    stage.says("FIRE", yes=True)
    assert stage.does(stage.id_, "whistle-return", **said).code == "illegal_transition", "at work and on time"
    stage.wait(30)
    assert stage.does(stage.id_, "whistle-return", **said).code is None
    assert (stage.whistle().state, stage.whistle().late) == ("reported", False)


@pytest.mark.parametrize("state", ["called", "missed", "reported", "refused", "finished"])
def test_a_supervisor_withdraws_with_a_reason(state: str) -> None:
    stage = in_state(state)
    w = stage.whistle().id
    assert stage.does(stage.id_, "whistle-withdraw", whistle=w, reason="x").code == "not_allowed", "an operator"
    assert stage.does(stage.id_, "whistle-withdraw", user=BOSS, whistle=w).body["field"] == "reason"
    assert stage.does(stage.id_, "whistle-withdraw", user=BOSS, whistle=w, reason="a mistake").code is None
    assert (stage.whistle().state, stage.whistle().reason) == ("withdrawn", None)
    assert stage.engine.places(stage.id_).words[f"{w}:reason"] == "a mistake"
    assert not [key for key in stage.of(stage.id_).deadlines if w in key]


@pytest.mark.parametrize(("whistle", "code"), [(None, "invalid_message"), ("x-w9", "not_found")])
def test_an_unknown_whistle_is_named(whistle: str | None, code: str) -> None:
    stage = Called()
    assert stage.does(stage.id_, "whistle-confirm", whistle=whistle).code == code


def test_an_incident_with_a_whistle_out_is_not_closed_and_names_it() -> None:
    stage = in_state("finished")
    answer = stage.does(stage.id_, "close", outcome="helped")
    assert answer.code == "conflict"
    assert f"{stage.id_}-w1 (FIRE, finished)" in answer.body["message"]
    stage.does(stage.id_, "whistle-confirm", whistle=stage.whistle().id)
    assert stage.does(stage.id_, "close", outcome="helped").code is None


def test_cancelling_withdraws_what_is_out_and_leaves_what_is_confirmed() -> None:
    stage = in_state("confirmed")
    stage.whistles("WATER")
    stage.does(stage.id_, "cancel")
    assert [(w.state, w.reason) for w in stage.of(stage.id_).whistles.values()] == [
        ("confirmed", None),
        ("withdrawn", "cancelled"),
    ]


@pytest.mark.parametrize(
    ("state", "kept"), [("called", False), ("reported", False), ("refused", True), ("finished", True)]
)
@pytest.mark.parametrize("change", [{"active": False}, {"kind": ResponderKind.VOLUNTEER}])
def test_what_is_out_to_a_department_that_is_gone_is_withdrawn(state: str, kept: bool, change: dict[str, Any]) -> None:
    stage = in_state(state)
    before = stage.calls()
    stage.tell(stage.record("FIRE", **change))
    assert stage.whistle().state == (state if kept else "withdrawn")
    assert stage.calls() == (before if kept else [*before, "whistle_withdrawn"])


def test_an_import_of_others_withdraws_nothing() -> None:
    stage = in_state("called")
    for responders in ((), (stage.people["WATER"], stage.people["V-1"])):
        stage.tell(e.DirectoryUpdated(id=stage.id(), actor=SYSTEM, what="responders", responders=responders))
    assert stage.whistle().state == "called"
