"""Closing: by whom, when not, and how a case comes back."""

from __future__ import annotations

import pytest

from callhub.domain import events as e
from callhub.domain.people import SYSTEM, Actor, ActorKind, Role
from tests.scenarios.town import Person, Town


def pressed() -> tuple[Town, Person, Person, str]:
    town = Town()
    town.elder()
    person, other = town.responder("V-1", 50), town.responder("V-2", 100)
    return town, person, other, town.press().id


def reach(stage: str) -> tuple[Town, Person, Person, str]:
    town, person, other, incident = pressed()
    if stage == "unanswered":
        town.advance(200)
    if stage in ("assigned", "on_scene", "resolved"):
        person.accepts()
    if stage in ("on_scene", "resolved"):
        person.reports("on_scene")
    if stage == "resolved":
        person.reports("cleared", outcome="helped")
    assert town.incident(incident).state == stage
    return town, person, other, incident


OPEN = ["seeking", "assigned", "on_scene", "unanswered", "resolved"]


@pytest.mark.parametrize("stage", OPEN)
def test_close_is_legal_in_every_open_state(stage: str) -> None:
    town, person, other, incident = reach(stage)
    asked = {o.responder for o in town.incident(incident).live_offers}
    live = {a.responder for a in town.incident(incident).live}

    assert town.act(incident, "close", outcome="helped", reason="all well").code is None

    held = town.incident(incident)
    assert (held.state, held.outcome, held.deadlines) == ("closed", "helped", {})
    assert held.live_offers == []
    assert held.live == []
    for each in (person, other):
        assert ("stand_down closed" in each.hears()) is (each.id in asked | live)
    assert town.progress()[-1] == "closed"
    town.advance(100_000)
    assert town.incident(incident).state == "closed"


@pytest.mark.parametrize("stage", OPEN)
def test_cancel_is_legal_in_every_open_state_but_resolved(stage: str) -> None:
    town, _, _, incident = reach(stage)
    answer = town.act(incident, "cancel", reason="pressed by mistake")
    if stage == "resolved":
        assert answer.code == "illegal_transition"
    else:
        assert answer.code is None
        assert town.incident(incident).state == "cancelled"
        assert town.progress()[-1] == "cancelled"


def test_closing_needs_an_outcome_and_nothing_happens_without() -> None:
    town, _, _, incident = pressed()
    version = town.incident(incident).version
    assert town.act(incident, "close").code == "invalid_message"
    assert town.incident(incident).version == version
    assert town.incident(incident).live_offers != []


@pytest.mark.parametrize("action", ["close", "cancel", "take-over", "assign", "contact", "escalate", "identify"])
def test_a_closed_case_refuses_what_is_over(action: str) -> None:
    town, _, _, incident = pressed()
    town.act(incident, "close", outcome="helped")
    assert town.act(incident, action, outcome="helped", responder="V-1").code == "illegal_transition"


def test_a_note_and_feedback_still_belong_to_a_closed_case() -> None:
    town, _, _, incident = pressed()
    town.act(incident, "close", outcome="helped")
    assert town.act(incident, "note", text="the son called").code is None
    assert town.act(incident, "feedback", rating=4).code is None
    held = town.incident(incident)
    assert held.state == "closed"
    assert [n.what for n in town.facts(incident, "note_added")] == ["note", "feedback"]
    assert held.version == town.rows[incident][-1].version


MACHINES = [SYSTEM, Actor(ActorKind.API, "sensor-hub", Role.VIEWER), Actor(ActorKind.API, "sensor-hub")]


@pytest.mark.parametrize("machine", MACHINES, ids=["system", "viewer", "no role"])
def test_machines_close_neither_emergencies_nor_services(machine: Actor) -> None:
    town, _, _, incident = pressed()
    service = town.press(kind="meal").id
    for id in (incident, service):
        assert town.act(id, "close", by=machine, outcome="helped").code == "not_allowed"
        assert town.act(id, "cancel", by=machine).code == "not_allowed"


def test_an_api_token_of_an_operator_counts_as_a_human() -> None:
    town, _, _, incident = pressed()
    client = Actor(ActorKind.API, "care-platform", Role.OPERATOR)
    assert town.act(incident, "close", by=client, outcome="helped").code is None


def test_machines_may_close_technical_cases() -> None:
    town = Town()
    fault = town.tell(
        e.FrameFaulty(
            id=town.new_id(), actor=Actor(ActorKind.GATEWAY, "GW"), gateway="GW", wants_help=False, code="unknown_type"
        )
    )
    assert fault.incident is not None
    assert town.act(fault.incident, "close", by=SYSTEM, outcome="other").code is None


@pytest.mark.parametrize("found", ["silent", "no_answer"])
@pytest.mark.parametrize("action", ["close", "cancel"])
def test_a_silent_call_means_go(found: str, action: str) -> None:
    town, person, _, incident = pressed()
    town.act(incident, "contact", party="elder", result=found)
    assert town.act(incident, action, outcome="false_alarm").code == "conflict"
    assert town.incident(incident).is_open

    person.accepts()
    assert town.act(incident, action, outcome="false_alarm").code == "conflict"
    person.reports("on_scene")
    assert town.act(incident, action, outcome="false_alarm").code is None


def test_after_silence_the_elder_s_own_word_is_enough() -> None:
    town, _, _, incident = pressed()
    town.act(incident, "contact", party="elder", result="no_answer")
    town.act(incident, "contact", party="family", result="spoke_ok")
    assert town.act(incident, "close", outcome="false_alarm").code == "conflict", "only she can say so"
    town.act(incident, "contact", party="elder", result="spoke_ok")
    assert town.act(incident, "close", outcome="false_alarm").code is None


def test_silence_after_that_means_go_again() -> None:
    town, _, _, incident = pressed()
    town.act(incident, "contact", party="elder", result="spoke_ok")
    town.act(incident, "contact", party="elder", result="silent")
    assert town.act(incident, "cancel").code == "conflict"


def test_a_contact_has_its_words() -> None:
    town, _, _, incident = pressed()
    assert town.act(incident, "contact", party="neighbour", result="silent").code == "invalid_message"
    assert town.act(incident, "contact", party="elder", result="fine").code == "invalid_message"


def test_after_an_alarm_joined_whoever_closes_names_the_version_they_saw() -> None:
    town, _, _, incident = pressed()
    seen = town.incident(incident).version
    town.press(alarm="a-2", kind="fall")
    for action in ("close", "cancel"):
        missing = town.act(incident, action, outcome="helped")
        assert (missing.code, missing.body["http_status"]) == ("conflict", 428)
        old = town.act(incident, action, outcome="helped", if_match=seen)
        assert (old.code, old.body["http_status"]) == ("conflict", 412)
        assert old.body["version"] == town.incident(incident).version
    assert town.act(incident, "close", outcome="helped", if_match=town.incident(incident).version).code is None


def test_a_changed_version_says_who_was_first() -> None:
    town, _, _, incident = pressed()
    seen = town.incident(incident).version
    town.act(incident, "take-over", user="bob")
    answer = town.act(incident, "take-over", user="anna", if_match=seen)
    assert answer.code == "conflict"
    assert answer.body["by"] == "bob"
    owner = town.incident(incident).owner
    assert owner is not None
    assert owner.id == "bob"


def test_cleared_must_have_seen_the_alarm_that_joined() -> None:
    town, person, _, incident = pressed()
    person.accepts()
    person.reports("on_scene")
    seen = town.incident(incident).version
    town.press(alarm="a-2", kind="smoke")
    assert person.reports("cleared", outcome="helped").code == "conflict"
    answer = person.reports("cleared", outcome="helped", version=seen)
    assert answer.code == "conflict"
    assert "http_status" not in answer.body
    update = person.told("update")[-1]
    assert person.reports("cleared", outcome="helped", version=update["version"]).code is None


def test_cleared_by_telephone_may_name_the_version_as_other_actions_do() -> None:
    town, person, _, incident = pressed()
    person.accepts()
    town.press(alarm="a-2")
    version = town.incident(incident).version
    assert town.act(incident, "cleared", responder="V-1", outcome="helped").code == "conflict"
    assert town.act(incident, "cleared", responder="V-1", outcome="helped", if_match=version).code is None


@pytest.mark.parametrize("ended", ["resolved", "closed", "cancelled"])
def test_reopen_begins_at_the_first_step_and_everyone_may_be_asked_again(ended: str) -> None:
    town, person, other, incident = pressed()
    town.act(incident, "take-over", user="anna")
    other.declines()
    person.accepts()
    person.reports("on_scene")
    if ended == "resolved":
        person.reports("cleared", outcome="helped")
    else:
        town.act(incident, "close" if ended == "closed" else "cancel", outcome="helped")
    assert town.incident(incident).state == ended
    town.advance(60)

    assert town.act(incident, "reopen", reason="she is worse").code is None

    held = town.incident(incident)
    assert (held.state, held.step, held.owner, held.outcome) == ("seeking", 0, None, None)
    assert {o.responder for o in held.open_offers} == {"V-1", "V-2"}
    assert set(held.deadlines) == {"step", *(f"offer:{o.id}" for o in held.open_offers)}
    assert town.progress()[-1] == "seeking"
    person.accepts()
    assert person.told("assignment")[-1]["go_to"]["address"] == "Fuyuanli 3"
    assert person.told("assignment")[-1]["go_to"]["position"] is not None
    town.advance(1)
    person.reports("cleared", outcome="helped")
    assert town.incident(incident).state == "resolved"


def test_reopening_in_the_moment_of_the_clear_asks_again() -> None:
    town, person, other, incident = pressed()
    person.accepts()
    person.reports("cleared", outcome="helped")
    town.act(incident, "reopen")
    held = town.incident(incident)
    assert held.ladder_runs
    assert held.open_offers != []
    assert other.was_asked()


def test_after_reopening_an_old_clear_counts_for_nothing() -> None:
    town, person, other, incident = pressed()
    person.accepts()
    person.reports("cleared", outcome="helped")
    town.advance(1)
    town.act(incident, "reopen")
    assert town.incident(incident).ladder_runs
    other.accepts()
    other.reports("release")
    assert town.incident(incident).state == "seeking"


def test_after_reopening_a_new_press_joins_it() -> None:
    town, _, _, incident = pressed()
    town.act(incident, "close", outcome="helped")
    town.advance(1)
    town.act(incident, "reopen")
    assert town.press(alarm="a-2").id == incident


@pytest.mark.parametrize("stage", ["seeking", "assigned", "on_scene", "unanswered"])
def test_what_is_open_cannot_be_reopened(stage: str) -> None:
    town, _, _, incident = reach(stage)
    assert town.act(incident, "reopen").code == "illegal_transition"


def test_machines_do_not_reopen() -> None:
    town, _, _, incident = pressed()
    town.act(incident, "close", outcome="helped")
    assert town.act(incident, "reopen", by=SYSTEM).code == "not_allowed"


def test_a_case_that_left_memory_comes_back_with_all_it_had() -> None:
    town, person, _, incident = pressed()
    person.accepts()
    town.act(incident, "close", outcome="helped")
    ended, places = town.incident(incident).copy(), town.engine.places(incident)
    assert places.home is not None
    town.restart(after_s=100)
    assert town.engine.incident(incident) is None
    assert town.act(incident, "note", text="x").code == "not_found"

    answer = town.tell(
        e.OperatorActed(
            id=town.new_id(),
            actor=Actor(ActorKind.USER, "anna", Role.OPERATOR),
            incident=incident,
            action="reopen",
            ended=ended,
            ended_places=places,
        )
    )

    assert answer.code is None
    assert town.incident(incident).state == "seeking"
    assert town.engine.places(incident).address == "Fuyuanli 3"


def test_after_the_end_answers_about_it_are_refused_by_name() -> None:
    town, person, other, incident = pressed()
    person.accepts()
    town.act(incident, "close", outcome="helped")
    assert other.accepts().code == "offer_not_open"
    assert other.declines().code == "offer_not_open"
    assert person.accepts().body["state"] == "released"
    assert person.reports("cleared", incident, outcome="helped").code == "not_assigned"


def test_an_unknown_incident_or_action_is_not_found() -> None:
    town, _, _, incident = pressed()
    assert town.act("nothing", "note", text="x").code == "not_found"
    assert town.act(incident, "dance").code == "not_found"
