"""What a human does: legal as a whole or refused as a whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from callhub.domain.people import Actor, ActorKind, ResponderKind, Role
from tests.simulation.driver import PEOPLE
from tests.unit.dispatch.stage import Stage

MACHINE = Actor(ActorKind.API, "sensor")
CARE = Actor(ActorKind.API, "care", Role.OPERATOR)


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("dance", {}, "not_found"),
        ("hand-over", {}, "invalid_message"),
        ("assign", {}, "invalid_message"),
        ("assign", {"responder": "nobody"}, "not_found"),
        ("accept", {"responder": "V-2"}, "unknown_offer"),
        ("on-scene", {"responder": "V-1"}, "not_assigned"),
        ("contact", {"party": "cat", "result": "silent"}, "invalid_message"),
        ("contact", {"party": "elder", "result": "purred"}, "invalid_message"),
        ("note", {}, "invalid_message"),
        ("feedback", {"rating": 6}, "invalid_message"),
        ("feedback", {"rating": True}, "invalid_message"),
        ("feedback", {}, "invalid_message"),
        ("identify", {"elder": "nobody"}, "conflict"),
        ("close", {}, "invalid_message"),
        ("close", {"user": MACHINE, "outcome": "helped"}, "not_allowed"),
        ("reopen", {"user": MACHINE}, "not_allowed"),
        ("reopen", {}, "illegal_transition"),
        ("note", {"text": "x", "if_match": 99}, "conflict"),
    ],
)
def test_what_cannot_be_done_is_refused(action: str, fields: dict[str, Any], code: str) -> None:
    stage = Stage("V-1")
    id = stage.press()
    assert stage.does(id, action, **fields).code == code
    assert stage.does("00000", action, **fields).code == "not_found"


def test_an_old_version_says_who_was_first() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.does(id, "note", text="x")
    answer = stage.does(id, "note", text="y", if_match=1)
    assert (answer.body["by"], answer.body["version"], answer.body["http_status"]) == ("anna", 2, 412)
    assert stage.does(id, "note", text="y", if_match=2).code is None


def test_taking_over_quiets_stops_climbing_and_keeps_asking() -> None:
    stage = Stage("V-1", "V-2", "DESK-C", watched=True)
    id = stage.press()
    stage.no(id, "V-1")
    stage.no(id, "V-2")
    assert [o.responder for o in stage.of(id).open_offers] == ["DESK-C"]
    assert stage.of(id).rings
    stage.does(id, "take-over")
    held = stage.of(id)
    assert held.owner is not None
    assert held.owner.watching
    assert not held.rings
    assert list(held.deadlines) == ["owner_check"]
    assert stage.told("DESK-C", "stand_down")


def test_an_owners_action_renews_the_check_and_a_desk_may_act_for_itself() -> None:
    stage = Stage("V-1", "V-2", "DESK-C", watched=True)
    id = stage.press()
    stage.does(id, "take-over", user=CARE)
    stage.wait(50)
    stage.does(id, "note", user=CARE, text="x")
    assert stage.of(id).deadlines["owner_check"].at == stage.now + timedelta(seconds=90)
    stage.does(id, "note", text="not the owner")
    assert len(stage.facts(id, "owner_acted")) == 1
    stage.does(id, "hand-over", to="bo")
    owner = stage.of(id).owner
    assert owner is not None
    assert (owner.id, owner.watching) == ("bo", False)


def test_a_desks_watchers_act_for_the_desk() -> None:
    stage = Stage("V-1", "V-2", "DESK-C", watched=True)
    id = stage.press()
    stage.no(id, "V-1")
    stage.no(id, "V-2")
    stage.yes(id, "DESK-C")
    stage.does(id, "note", text="x")
    assert stage.facts(id, "owner_acted")


def test_assigning_by_hand_asks_and_confirmed_by_telephone_accepts() -> None:
    stage = Stage("V-1", "V-2", "C-1")
    id = stage.press()
    stage.does(id, "assign", responder="C-1")
    assert stage.offer(id, "C-1").by_hand
    assert stage.does(id, "assign", responder="C-1", confirmed_by="telephone").code is None
    assert stage.of(id).state == "assigned"
    assert len([o for o in stage.of(id).offers.values() if o.responder == "C-1"]) == 1
    assert stage.does(id, "assign", responder="C-1").code == "already_assigned"
    assert stage.does(id, "accept", responder="C-1").code is None, "said twice is said once"
    assert stage.told("C-1", "assignment")


def test_a_department_is_not_assigned() -> None:
    stage = Stage("V-1")
    stage.people["DEP"] = replace(PEOPLE["DESK-C"], id="DEP", kind=ResponderKind.DEPARTMENT)
    stage.tell(stage.record("DEP"))
    assert stage.does(stage.press(), "assign", responder="DEP").body["field"] == "responder"


def test_somebody_full_or_a_resolved_case_is_not_assigned() -> None:
    stage = Stage("V-1", "V-2")
    first, second = stage.press(), stage.press("BTN-2")
    stage.yes(first, "V-1")
    assert stage.does(second, "assign", responder="V-1").code == "already_assigned"
    stage.reports(first, "V-1", "cleared", outcome="helped")
    assert stage.does(first, "assign", responder="V-2").code == "illegal_transition"
    assert stage.does(first, "escalate").code == "illegal_transition"


def test_an_operator_acts_for_somebody_on_the_telephone() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press()
    stage.does(id, "take-over")
    for action in ("accept", "en-route", "on-scene"):
        assert stage.does(id, action, responder="V-1").code is None
    assert stage.does(id, "cleared", responder="V-1", outcome="no_access").code is None
    assert stage.of(id).desk_call is not None, "saying no_access is the call, not an answer to it"
    assert [a.action for a in stage.facts(id, "acted_for")] == ["accept", "en_route", "on_scene", "cleared"]
    assert stage.does(id, "release", responder="V-1").code == "not_assigned"


def test_releasing_somebody_by_hand_tells_them() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press()
    stage.yes(id, "V-1")
    assert stage.does(id, "release", responder="V-1", reason="other work").code is None
    assert stage.told("V-1", "update")[-1]["what"] == "released"
    assert stage.of(id).state == "seeking"


def test_escalating_climbs_and_at_the_end_repeats() -> None:
    stage = Stage("V-1", "DESK-C", "DESK-D", watched=True)
    id = stage.press()
    stage.does(id, "escalate")
    assert stage.of(id).step == 1
    stage.does(id, "escalate")
    stage.does(id, "take-over")
    stage.does(id, "escalate")
    assert stage.of(id).state == "unanswered"
    stage.does(id, "escalate")
    assert [x.again for x in stage.facts(id, "ladder_exhausted")] == [False, True]
    assert "repeat" not in stage.of(id).deadlines, "the owner check stands alone"


def test_a_service_asked_for_is_awaited_until_it_is_there() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    stage.does(id, "contact", party="120", result="requested")
    assert "service:120" in stage.of(id).deadlines
    assert stage.told("V-1", "update")[-1]["what"] == "service_called"
    stage.does(id, "contact", party="120", result="arrived")
    assert "service:120" not in stage.of(id).deadlines


def test_a_silent_call_means_go_until_somebody_was_there_or_all_is_well() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.does(id, "contact", party="elder", result="silent")
    assert stage.does(id, "close", outcome="helped").code == "conflict"
    assert stage.does(id, "cancel").code == "conflict"
    stage.does(id, "contact", party="elder", result="spoke_ok")
    assert stage.does(id, "cancel").code is None
    assert stage.of(id).state == "cancelled"
    assert stage.told("V-1", "stand_down")[-1]["reason"] == "cancelled"


def test_whoever_ends_a_case_must_have_seen_the_alarm_that_joined() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.press()
    refused = stage.does(id, "close", outcome="helped")
    assert (refused.code, refused.body["http_status"]) == ("conflict", 428)
    assert stage.does(id, "close", outcome="helped", if_match=stage.of(id).version).code is None


def test_an_ended_case_takes_notes_and_feedback_and_can_be_reopened() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.does(id, "close", outcome="helped")
    assert stage.does(id, "note", text="x").code is None
    assert stage.does(id, "feedback", rating=5).code is None
    assert stage.does(id, "escalate").code == "illegal_transition"
    assert stage.of(id).state == "closed"
    assert stage.does(id, "reopen").code is None
    assert stage.of(id).state == "seeking"
    assert stage.engine.places(id).address == "1"


def test_a_case_that_left_memory_long_ago_comes_with_the_event() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.does(id, "close", outcome="helped")
    stage.engine._world.ended.clear()
    event = stage.act(id, "reopen")
    assert event.ended is not None
    handed = event.ended.copy()
    assert stage.tell(event).answer.code is None
    assert event.ended == handed, "an event stays as it was"
    assert stage.of(id).open_offers


def test_without_its_places_nothing_is_brought_back() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.does(id, "close", outcome="helped")
    stage.engine._world.ended.clear()
    stage.ended[id] = (stage.ended[id][0], None)  # type: ignore[assignment]  # what a damaged store might give
    assert stage.does(id, "note", text="x").code == "not_found"


def test_reopening_a_resolved_case_ends_its_desk_call() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    stage.reports(id, "V-1", "cleared", outcome="helped")
    stage.wait(201)
    assert stage.of(id).desk_call is not None
    stage.does(id, "reopen")
    assert stage.of(id).desk_call is None
    assert "follow_up" not in stage.of(id).deadlines


def test_identifying_gives_the_case_its_elder_and_asks_anew() -> None:
    stage = Stage("V-1", "V-2", watched=True)
    id = stage.press("UNKNOWN")
    assert stage.of(id).state == "unanswered"
    assert stage.does(id, "identify", elder="nobody").code == "not_found"
    assert stage.does(id, "identify", elder="E-1").code is None
    assert stage.of(id).elder == "E-1"
    assert stage.of(id).open_offers
    assert stage.does(id, "identify", elder="E-2").code == "conflict"


def test_a_machine_may_close_what_is_technical() -> None:
    stage = Stage()
    id = stage.tell(stage.faulty(wants_help=False)).answer.incident or ""
    assert stage.does(id, "close", user=MACHINE, outcome="other").code is None
    assert stage.of(id).state == "closed"
