"""Whistles: an area calls departments to an incident, each on its own clock, beside the ladder."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from callhub.domain.people import Actor, ActorKind, ResponderKind, Role
from tests.scenarios.town import Person, Town

if TYPE_CHECKING:
    from callhub.domain.decision import Answer
    from callhub.domain.whistle import Whistle

BOSS = Actor(ActorKind.USER, "boss", Role.SUPERVISOR)
CLOCKS: dict[str, Any] = {"report_in_s": 600, "finish_s": 3600, "text": "the main has burst"}


def street() -> tuple[Town, Person, Person, str]:
    """A street that can call the fire brigade and the water works, and an elder there who has pressed."""
    town = Town()
    town.elder()
    for area, level in ((("D", "S", "C"), "community"), (("D",), "district")):
        town.desk(area, level)
    town.watch()
    fire, water = (department(town, id) for id in ("FIRE", "WATER"))
    return town, fire, water, town.press().id


def department(town: Town, id: str) -> Person:
    more: dict[str, Any] = {"position": None, "capacity": None, "on_duty": False}
    return town.responder(id, kind=ResponderKind.DEPARTMENT, area=("D",), level="district", **more)


def called(*departments: str, answered: bool = False, **clocks: Any) -> tuple[Town, Person, Person, str]:
    town, fire, water, incident = street()
    assert town.act(incident, "whistle", departments=list(departments or ("FIRE",)), **(CLOCKS | clocks)).code is None
    if answered:
        fire.accepts()
    return town, fire, water, incident


def whistle(town: Town, incident: str, number: int = 1) -> Whistle:
    return town.incident(incident).whistles[f"{incident}-w{number}"]


def finished() -> tuple[Town, Person, str]:
    town, fire, _, incident = called(answered=True)
    assert fire.reports("cleared", incident, outcome="helped").code is None
    return town, fire, incident


def calls(town: Town, incident: str) -> list[str]:
    return [fact.call.reason for fact in town.facts(incident, "desk_called")]


@pytest.mark.parametrize(
    "caller",
    [
        Actor(ActorKind.USER, "desk", Role.OPERATOR),
        BOSS,
        Actor(ActorKind.API, "duty", Role.OPERATOR),
    ],
)
def test_any_desk_supervisor_or_api_client_calls_departments(caller: Actor) -> None:
    town, fire, water, incident = street()
    town.act(incident, "whistle", by=caller, departments=["FIRE", "WATER"], **CLOCKS)
    assert fire.hears() == water.hears() == ["offer"]
    assert [w.department for w in town.incident(incident).whistles.values()] == ["FIRE", "WATER"]


def test_a_department_is_asked_whether_on_duty_or_not_and_going_off_duty_changes_nothing() -> None:
    town, fire, _, incident = called()
    assert fire.was_asked()
    assert not town.engine.on_duty("FIRE", town.now)
    fire.goes(on_duty=True)
    fire.goes(on_duty=False)
    assert "stand_down" not in [message.type.value for message in fire.inbox]
    assert whistle(town, incident).state == "called"


def test_the_offer_carries_the_whistle_instead_of_an_eta_and_no_address() -> None:
    town, fire, _, incident = called()
    w = whistle(town, incident)
    assert fire.offer["whistle"] == {
        "id": w.id,
        "report_in_by": w.report_in_by,
        "finish_by": w.finish_by,
        "text": "the main has burst",
    }
    assert "eta_s" not in fire.offer
    assert "go_to" not in fire.offer


def test_accept_reports_in_and_an_assignment_with_the_whistle_follows() -> None:
    town, fire, _, incident = called()
    assert fire.accepts().body["state"] == "assigned"
    assert whistle(town, incident).state == "reported"
    assert fire.hears() == ["assignment assigned"]
    told = fire.told("assignment")[-1]
    assert (told["whistle"]["id"], told["go_to"]["address"]) == (whistle(town, incident).id, "Fuyuanli 3")


def test_a_report_by_whoever_acts_twice_with_one_message_is_answered_twice_and_done_once() -> None:
    town, fire, _, incident = called()
    for _ in range(2):
        fire.accepts()
    assert len(town.facts(incident, "whistle_reported")) == 1


def test_their_yes_is_no_assignment_counts_neither_for_needed_nor_for_resolved_and_uses_no_capacity() -> None:
    town, fire, _, incident = called(answered=True)
    held = town.incident(incident)
    assert (held.assignments, held.ladder_runs, held.on_time) == ({}, True, 0)
    assert town.progress() == ["seeking"], "who waits at the button is told of people only"
    town.elder("E-2")
    second = town.press("E-2").id
    town.act(second, "whistle", departments=["FIRE"], **CLOCKS)
    assert fire.accepts().code is None
    fire.reports("cleared", incident, outcome="helped")
    assert (town.incident(incident).state, town.incident(incident).ladder_runs) == ("seeking", True)


def test_somebody_else_resolves_the_incident_while_a_department_is_still_at_work() -> None:
    town, fire, _, incident = called(answered=True)
    helper = town.responder("V-1")
    helper.accepts()
    helper.reports("on_scene")
    helper.reports("cleared", outcome="helped")
    held = town.incident(incident)
    assert held.state == "resolved"
    assert {key.partition(":")[0] for key in held.deadlines} == {"follow_up", "finish"}, "its clock goes on"
    assert "stand_down" not in fire.hears()
    town.advance(3600)
    assert calls(town, incident)[-1] == "whistle_missed"


@pytest.mark.parametrize("answered", [False, True])
def test_a_resolved_incident_still_shows_the_desk_what_a_department_missed(answered: bool) -> None:
    town, _, _, incident = called(answered=answered, report_in_s=60, finish_s=60)
    helper = town.responder("V-1")
    helper.accepts()
    town.advance(60)
    helper.reports("cleared", outcome="helped")
    held = town.incident(incident)
    assert (held.state, held.desk_call is not None) == ("resolved", True)
    town.act(incident, "note", text="telephoned them")
    stage = "finish" if answered else "report_in"
    assert f"{stage}:{whistle(town, incident).id}" in town.incident(incident).deadlines


def test_a_resolved_incident_still_shows_the_desk_a_refusal_nobody_looked_at() -> None:
    town, fire, _, incident = called()
    helper = town.responder("V-1")
    helper.accepts()
    fire.declines()
    helper.reports("cleared", outcome="helped")
    call = town.incident(incident).desk_call
    assert call is not None
    assert call.reason == "whistle_refused"
    town.act(incident, "note", text="seen")
    assert town.incident(incident).desk_call is None


def test_what_was_withdrawn_before_the_incident_is_resolved_calls_nobody_again() -> None:
    town, fire, _, incident = called("FIRE", "WATER", report_in_s=60)
    helper = town.responder("V-1")
    helper.accepts()
    fire.declines()
    town.advance(60)
    town.changes_responder("WATER", active=False)
    town.act(incident, "whistle-withdraw", by=BOSS, whistle=whistle(town, incident).id, reason="x")
    town.act(incident, "whistle", departments=["FIRE"], **(CLOCKS | {"report_in_s": 30}))
    town.advance(30)
    fire.accepts()
    fire.reports("cleared", incident, outcome="helped")
    before = len(calls(town, incident))
    helper.reports("cleared", outcome="helped")
    assert (len(calls(town, incident)), town.incident(incident).desk_call) == (before, None)


def test_a_department_that_does_not_report_in_is_a_desk_call() -> None:
    town, _, _, incident = called()
    town.act(incident, "take-over")
    town.advance(600)
    assert (whistle(town, incident).state, whistle(town, incident).reason) == ("missed", "not_reported")
    assert "whistle_missed" in calls(town, incident)


def test_each_department_has_clocks_of_its_own() -> None:
    town, fire, water, incident = called("FIRE")
    town.advance(300)
    town.act(incident, "whistle", departments=["WATER"], **CLOCKS)
    town.advance(300)
    assert [whistle(town, incident, n).state for n in (1, 2)] == ["missed", "called"]
    water.accepts()
    town.advance(300)
    assert [whistle(town, incident, n).state for n in (1, 2)] == ["missed", "reported"]
    assert fire.offers() == 1


def test_a_late_report_is_still_a_report() -> None:
    town, fire, _, incident = called()
    town.advance(1000)
    assert fire.accepts().body["state"] == "assigned"
    assert whistle(town, incident).state == "reported"
    assert fire.hears() == ["assignment assigned"]


def test_a_department_that_does_not_finish_is_a_desk_call_and_is_told_that_it_is_late() -> None:
    town, fire, _, incident = called(answered=True)
    town.act(incident, "take-over")
    town.advance(3600)
    assert (whistle(town, incident).state, whistle(town, incident).reason) == ("missed", "not_finished")
    assert "whistle_missed" in calls(town, incident)
    assert fire.told("assignment")[-1]["late"]
    assert fire.reports("cleared", incident, outcome="helped").body["state"] == "cleared"
    assert whistle(town, incident).state == "finished"


def test_decline_refuses_with_its_reason_and_is_a_desk_call() -> None:
    town, fire, _, incident = called()
    town.answers_for(fire.offer["offer"], accept=False)
    assert whistle(town, incident).state == "refused"
    assert calls(town, incident) == ["whistle_refused"]
    assert fire.hears() == []


def test_finished_counts_when_the_caller_confirms() -> None:
    town, _, incident = finished()
    assert whistle(town, incident).state == "finished"
    assert town.act(incident, "close", outcome="helped").code == "conflict"
    assert town.act(incident, "whistle-confirm", whistle=whistle(town, incident).id).code is None
    assert whistle(town, incident).state == "confirmed"
    assert town.act(incident, "close", outcome="helped").code is None


def test_whistle_return_gives_a_new_clock() -> None:
    town, fire, incident = finished()
    town.act(incident, "whistle-return", whistle=whistle(town, incident).id, finish_s=1200)
    assert fire.hears() == ["assignment assigned"]
    town.act(incident, "take-over")
    town.advance(1199)
    assert whistle(town, incident).state == "reported"
    town.advance(1)
    assert whistle(town, incident).state == "missed"


def test_a_supervisor_may_withdraw_with_a_reason() -> None:
    town, fire, _, incident = called(answered=True)
    w = whistle(town, incident).id

    def withdraw(by: Actor | None = None, **fields: Any) -> Answer:
        return town.act(incident, "whistle-withdraw", by=by, whistle=w, **fields)

    assert withdraw(reason="x").code == "not_allowed"
    assert withdraw(BOSS).code == "invalid_message"
    assert withdraw(BOSS, reason="the wrong street").code is None
    assert fire.hears() == ["stand_down cancelled"]
    assert whistle(town, incident).state == "withdrawn"
    assert fire.reports("cleared", incident, outcome="helped").code == "not_assigned"


@pytest.mark.parametrize("how", ["called", "reported", "missed", "refused", "finished"])
def test_an_incident_with_a_whistle_out_cannot_be_closed(how: str) -> None:
    town, fire, _, incident = called(answered=how in {"reported", "finished"})
    if how == "missed":
        town.advance(600)
    elif how == "refused":
        fire.declines()
    elif how == "finished":
        fire.reports("cleared", incident, outcome="helped")
    assert whistle(town, incident).state == how
    answer = town.act(incident, "close", outcome="helped")
    assert answer.code == "conflict"
    assert "http_status" not in answer.body, "409"
    town.act(incident, "whistle-withdraw", by=BOSS, whistle=whistle(town, incident).id, reason="x")
    assert town.act(incident, "close", outcome="helped").code is None


def test_a_cancelled_incident_withdraws_its_whistles_and_tells_the_departments() -> None:
    town, fire, _, incident = called(answered=True)
    assert town.act(incident, "cancel").code is None
    assert fire.hears() == ["stand_down cancelled"]
    assert (whistle(town, incident).state, whistle(town, incident).reason) == ("withdrawn", "cancelled")


def test_a_whistle_to_nobody_is_refused_and_so_is_one_to_who_is_no_department() -> None:
    town, _, _, incident = street()
    town.responder("V-1")
    nobody = town.act(incident, "whistle", departments=[], **CLOCKS)
    assert (nobody.code, nobody.body["field"]) == ("invalid_message", "departments")
    unknown = town.act(incident, "whistle", departments=["FIRE", "ICE"], **CLOCKS)
    assert (unknown.code, unknown.body["message"]) == ("not_found", "no department ICE")
    person = town.act(incident, "whistle", departments=["V-1"], **CLOCKS)
    assert (person.code, person.body["field"]) == ("invalid_message", "departments.0")
    assert not town.incident(incident).whistles


@pytest.mark.parametrize("confirmed_by", [None, "telephone"])
def test_a_department_is_called_by_a_whistle_and_never_sent_by_hand(confirmed_by: str | None) -> None:
    town, fire, _, incident = street()
    refused = town.act(incident, "assign", responder="FIRE", confirmed_by=confirmed_by)
    assert (refused.code, refused.body["field"]) == ("invalid_message", "responder")
    assert "whistle" in refused.body["message"]
    assert not fire.inbox


def test_a_department_that_is_deleted_has_its_whistle_withdrawn_and_a_desk_is_called() -> None:
    town, fire, _, incident = called(answered=True)
    town.changes_responder("FIRE", active=False)
    assert fire.hears() == ["stand_down disabled"]
    assert (whistle(town, incident).state, whistle(town, incident).reason) == ("withdrawn", "disabled")
    assert calls(town, incident) == ["whistle_withdrawn"]
    assert town.act(incident, "whistle", departments=["FIRE"], **CLOCKS).code == "invalid_message"


def test_reopening_leaves_whistles_and_their_clocks_as_they_are() -> None:
    town, fire, _, incident = called(answered=True)
    helper = town.responder("V-1")
    helper.accepts()
    helper.reports("cleared", outcome="helped")
    at = town.incident(incident).deadlines[f"finish:{whistle(town, incident).id}"]
    town.act(incident, "reopen")
    held = town.incident(incident)
    assert (held.state, whistle(town, incident).state) == ("assigned" if held.live else "seeking", "reported")
    assert held.deadlines[f"finish:{whistle(town, incident).id}"] == at
    assert fire.hears() == []


def test_a_cancelled_incident_that_is_reopened_calls_no_department_again_by_itself() -> None:
    town, fire, _, incident = called()
    town.act(incident, "cancel")
    town.act(incident, "reopen")
    assert whistle(town, incident).state == "withdrawn"
    assert town.act(incident, "whistle", departments=["FIRE"], **CLOCKS).code is None
    assert fire.offer["offer"] == whistle(town, incident, 2).id


def test_a_restart_forgets_no_whistle_and_no_clock() -> None:
    town, fire, _, incident = called("FIRE", "WATER")
    fire.accepts()
    before = asdict(town.incident(incident))
    town.restart(after_s=700)
    assert asdict(town.incident(incident)) == before
    town.act(incident, "take-over")
    town.advance(1)
    assert [whistle(town, incident, n).state for n in (1, 2)] == ["reported", "missed"]
    assert fire.reports("cleared", incident, outcome="helped").code is None
