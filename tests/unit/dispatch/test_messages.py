"""Who is told what, made from facts alone."""

from __future__ import annotations

from dataclasses import replace

from callhub.dispatch.messages import assignment_body, go_to, offer_body, progress_state
from callhub.domain.events import DirectoryUpdated
from callhub.domain.incident import Places
from callhub.domain.people import SYSTEM, Position
from callhub.domain.policy import IncidentClass
from tests.unit.dispatch.stage import Stage


def test_an_offer_shows_no_address_and_an_assignment_does() -> None:
    stage = Stage("V-1")
    id = stage.press()
    offer = stage.offer(id, "V-1")
    body = stage.told("V-1", "offer")[0]
    assert body == offer_body(stage.of(id), offer)
    assert set(body) == {
        "offer", "incident", "kind", "urgency", "elder", "area", "distance_m", "eta_s", "respond_by", "reminder",
    }  # fmt: skip
    stage.yes(id, "V-1")
    told = stage.told("V-1", "assignment")[0]
    assert told == assignment_body(stage.of(id), stage.of(id).live[0], stage.engine.places(id))
    assert told["go_to"]["address"] == "1"


def test_where_to_go_says_how_we_know() -> None:
    assert go_to(Places()) is None
    assert go_to(Places(address="9")) == {"address": "9", "position": None, "accuracy_m": None, "source": "home"}
    fix = go_to(Places(fix=Position(1, 2, 3), fix_wins=True))
    assert fix == {"address": "", "position": {"lat": 1, "lon": 2}, "accuracy_m": 3, "source": "device"}


def test_a_drill_says_so_in_every_message() -> None:
    stage = Stage("V-1")
    id = stage.press()
    drill = stage.of(id).copy()
    drill.class_ = IncidentClass.DRILL
    assert offer_body(drill, stage.offer(id, "V-1"))["drill"] is True


def test_a_desk_that_said_yes_is_told_that_it_is_over() -> None:
    stage = Stage("DESK-C", watched=True)
    id = stage.press()
    stage.yes(id, "DESK-C")
    stage.does(id, "close", outcome="helped")
    assert stage.told("DESK-C", "stand_down")[-1]["reason"] == "closed"


def test_gateways_see_each_state_once_with_their_own_alarms() -> None:
    stage = Stage("V-1")
    id = stage.press(id="a-1")
    stage.press(id="a-2")
    stage.yes(id, "V-1")
    for action in ("en_route", "on_scene"):
        stage.reports(id, "V-1", action)
    stage.reports(id, "V-1", "cleared", outcome="helped", version=stage.of(id).version)
    told = stage.told("GW", "progress")
    states = [body["state"] for body in told]
    assert [s for n, s in enumerate(states) if n == 0 or states[n - 1] != s][-5:] == [
        "seeking", "assigned", "en_route", "on_scene", "resolved",
    ]  # fmt: skip
    assert told[-1]["alarms"] == ["a-1", "a-2"]
    assert (told[-2]["responder"], told[-2]["eta_s"]) == ("V-1", None)


def test_progress_under_unanswered_names_nobody() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press("BTN-1", "smoke")
    stage.yes(id, "V-1")
    stage.no(id, "V-2")
    assert progress_state(stage.of(id)) == ("unanswered", None, None)


def test_everyone_else_hears_of_who_comes_is_there_and_leaves() -> None:
    stage = Stage("V-1", "V-2", "C-1")
    id = stage.press("BTN-1", "smoke")
    stage.yes(id, "V-1")
    stage.yes(id, "V-2")
    stage.reports(id, "V-2", "on_scene")
    stage.reports(id, "V-2", "release")
    assert [body["what"] for body in stage.told("V-1", "update")] == [
        "responder_added", "responder_on_scene", "released",
    ]  # fmt: skip
    assert not stage.told("V-2", "update")


def test_notes_reach_those_assigned_and_feedback_does_not() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    stage.does(id, "note", text="door 3")
    stage.does(id, "feedback", rating=5)
    stage.does(id, "contact", party="family", result="spoke_ok")
    assert [(body["what"], body["text"]) for body in stage.told("V-1", "update")] == [("note", "door 3")]


def test_an_operator_clearing_for_somebody_tells_them() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    stage.does(id, "cleared", responder="V-1", outcome="helped")
    assert stage.told("V-1", "assignment")[-1]["state"] == "cleared"


def test_whoever_was_asked_and_stood_down_at_once_hears_nothing() -> None:
    stage = Stage("V-1", "V-2", "V-3")
    id = stage.press("BTN-2")
    assert {o.responder for o in stage.of(id).open_offers} == {"V-1", "V-2"}
    gone = tuple(replace(stage.people[who], active=False) for who in ("V-1", "V-3"))
    stage.tell(DirectoryUpdated(id=stage.id(), actor=SYSTEM, what="responders", responders=gone))
    assert stage.offer(id, "V-3").state == "withdrawn"
    assert not [m for m in stage.outbox if m.addressee.id == "V-3"]


def test_a_yes_in_the_same_decision_needs_no_offer() -> None:
    stage = Stage("V-1", "C-1")
    id = stage.press()
    stage.does(id, "assign", responder="C-1", confirmed_by="telephone")
    assert not stage.told("C-1", "offer")
    assert stage.told("C-1", "assignment")


def test_a_desk_that_had_said_yes_hears_that_it_is_over() -> None:
    stage = Stage("DESK-C", watched=True)
    id = stage.press()
    stage.yes(id, "DESK-C")
    stage.does(id, "close", outcome="false_alarm", if_match=stage.of(id).version)
    assert [body["reason"] for body in stage.told("DESK-C", "stand_down")] == ["closed"]
