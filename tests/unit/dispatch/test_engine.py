"""The engine from outside: refusals, repeats, restarts, and taking over what was decided elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from callhub.dispatch.engine import DispatchEngine
from callhub.domain import events as e
from callhub.domain.incident import Places
from callhub.domain.people import SYSTEM
from callhub.errors import EngineFault
from tests.simulation.driver import GATEWAY, RULES, START, Town, north
from tests.unit.dispatch.stage import Stage


def sent(stage: Stage, event: e.Event, sender: str, id: str, print_: str) -> e.Event:
    return replace(event, request=stage._request(sender, id, print_))


def test_a_responders_repeat_gets_the_stored_answer_and_the_state_as_it_is_now() -> None:
    stage = Stage("V-1")
    id = stage.press()
    offer = stage.offer(id, "V-1").id

    def yes() -> e.Event:
        return sent(stage, stage.answer(offer, accept=True, responder="V-1"), "responder:V-1", "r1", f"accept|{offer}")

    assert stage.tell(yes()).answer.body["state"] == "assigned"
    there = sent(stage, stage.duty(id, "V-1", "on_scene"), "responder:V-1", "r1", f"on_scene|{id}")
    assert stage.tell(there).answer.body == {"ok": True, "state": "on_scene", "id_reused": True}
    again = stage.tell(yes()).answer
    assert (again.repeat, again.body["state"], again.code) == (True, "on_scene", None)
    there = sent(stage, stage.duty(id, "V-1", "on_scene"), "responder:V-1", "r1", f"on_scene|{id}")
    assert stage.tell(there).answer.repeat


def test_a_refusal_is_repeated_as_a_refusal() -> None:
    stage = Stage("V-1")
    for _ in range(2):
        event = sent(stage, stage.answer("x-1", accept=True, responder="V-1"), "responder:V-1", "r1", "accept|x-1")
        assert stage.tell(event).answer.code == "unknown_offer"
    assert stage.last is not None
    assert stage.last.answer.repeat


def test_presence_and_actions_repeat_too() -> None:
    stage = Stage("V-1")
    id = stage.press()
    for said in ("on_duty", "on_duty"):
        event = sent(stage, stage.presence("V-1", available=True), "responder:V-1", "p1", "presence|")
        assert stage.tell(event).answer.body["state"] == said
    for _ in range(2):
        event = sent(stage, stage.act(id, "note", text="x"), "user:anna", "k1", "POST")
        assert stage.tell(event).answer.body == {"ok": True}
    assert len(stage.facts(id, "note_added")) == 1
    event = sent(stage, stage.presence("nobody", available=True), "responder:nobody", "p1", "presence|")
    stage.tell(event)
    event = sent(stage, stage.presence("nobody", available=True), "responder:nobody", "p1", "presence|")
    assert stage.tell(event).answer.code == "not_found"


def test_a_refusal_says_what_and_where() -> None:
    stage = Stage("V-1")
    id = stage.press()
    body = stage.does(id, "hand-over").body
    assert (body["code"], body["field"], body["http_status"]) == ("invalid_message", "to", 422)
    late = stage.answer(stage.offer(id, "V-1").id, accept=True, responder="V-2")
    assert stage.tell(late).answer.incident == id


def test_a_defect_is_passed_on() -> None:
    stage = Stage()
    with pytest.raises(KeyError):
        stage.engine.handle(e.Event(id="x", actor=SYSTEM), stage.now)


def test_a_restart_is_no_cascade_and_keeps_everything() -> None:
    stage = Stage("V-1", "V-2", "DESK-C", watched=True)
    id = stage.press()
    stage.yes(id, "V-1")
    stage.does(id, "take-over")
    other = stage.press("BTN-2")
    before = {i.id: i.copy() for i in stage.engine.open_incidents()}
    stage.now += timedelta(seconds=30)
    stage.restart()
    assert {i.id: i for i in stage.engine.open_incidents()} == before
    assert stage.press("BTN-3") not in (id, other)
    assert stage.of(stage.journal[-1].incident or "").number == 3
    stage.wait(30)
    assert stage.of(id).owner is not None
    stage.wait(32)
    assert stage.of(id).owner is None, "a watching owner has a minute to come back"


def test_a_restart_takes_positions_along_and_nobody_unknown() -> None:
    stage = Stage("V-1")
    memory = stage.memory()
    memory.positions = {"V-1": (north(900), stage.now), "gone": (north(1), stage.now)}
    memory.duties.append(replace(memory.duties[0], responder="gone"))
    memory.policies = []
    engine = DispatchEngine(RULES, stage.policies, stage.now)
    engine.restore(memory, stage.now)
    stage.engine = engine
    assert stage.offer(stage.press(), "V-1").distance_m == 900


def test_a_person_is_found_at_the_time_of_the_restart_not_of_the_case() -> None:
    stage = Stage()
    stage.tell(stage.record("V-1", hours="tue 04:05-12:00"))
    id = stage.press()
    stage.does(id, "assign", responder="V-1")
    stage.wait(30)
    assert stage.offer(id, "V-1").state == "silent"
    stage.now = START + timedelta(minutes=10)
    stage.restart()
    assert stage.offer(stage.press("BTN-2"), "V-1").state == "open"


def test_an_offer_whose_duty_ended_meanwhile_is_taken_back() -> None:
    stage = Stage("V-1")
    stage.tell(stage.presence("V-1", available=True, for_s=10))
    id = stage.press()
    stage.now += timedelta(seconds=15)
    stage.restart()
    stage.wait(0)
    assert stage.offer(id, "V-1").stand_down == "off_duty"


def test_a_yes_of_somebody_the_store_no_longer_names_is_still_a_yes() -> None:
    stage = Stage("V-1", "V-2")
    id, meal = stage.press(), stage.press("BTN-2", "meal")
    stage.does(meal, "assign", responder="V-2")
    del stage.people["V-1"]
    stage.restart()
    assert stage.yes(id, "V-1").body["state"] == "assigned"
    assert stage.yes(meal, "V-2").body["state"] == "assigned"


def test_rows_decided_elsewhere_are_taken_over() -> None:
    stage, other = Stage("V-1"), Town()
    id = stage.press()
    rows = [row for row in stage.journal if row.incident is not None]
    notes = [row for row in stage.journal if row.incident is None]
    other.engine.restore(other.memory([]), stage.now)
    other.engine.adopt([*notes, *rows], {id: Places(address="9")})
    assert other.engine.incident(id) == stage.of(id)
    assert other.engine.places(id).address == "9"
    assert other.engine.next_due() == stage.of(id).next_deadline.at  # type: ignore[union-attr]  # it is open


def test_a_case_on_an_unknown_ladder_cannot_be_taken_over() -> None:
    stage, other = Stage("V-1"), Town()
    stage.press()
    with pytest.raises(EngineFault, match="unknown ladder"):
        other.engine.adopt([row for row in stage.journal if row.incident is not None], {})


def test_a_gateways_message_is_not_answered_from_store_by_others_rules() -> None:
    stage = Stage()
    assert stage.press(id="a-1") == stage.press(id="a-1")
    event = sent(stage, stage.cancel("BTN-1", None), f"gateway:{GATEWAY}", "a-1", "cancel|BTN-1")
    assert not stage.tell(event).answer.repeat


def test_a_case_that_cannot_be_replayed_is_named_and_held_as_it_was_committed() -> None:
    stage = Stage("V-1", "V-2", watched=True)
    bad, good = stage.press(), stage.press("BTN-2")
    stage.yes(bad, "V-1")
    stage.does(bad, "take-over")
    committed = stage.of(bad).copy()
    memory = stage.memory()
    memory.rows[bad] = memory.rows[bad][1:]
    stage.now += timedelta(seconds=30)
    assert stage.engine.restore(memory, stage.now) == (bad,)
    assert stage.engine.incident(bad) is None
    assert stage.engine.incident(good) is not None
    stage.engine.hold(committed, Places(address="9"))
    assert stage.engine.incident(bad) == committed
    assert stage.engine.places(bad).address == "9"
    assert stage.does(good, "assign", responder="V-1").code == "already_assigned", "nobody twice, also after this"
    stage.wait(62)
    assert stage.of(bad).owner is None, "a watching owner has a minute to come back"


def test_a_case_that_can_be_held_in_no_way_leaves_nothing() -> None:
    stage, other = Stage("V-1"), Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    broken = stage.of(id).copy()
    broken.policy = "no@ladder"
    with pytest.raises(EngineFault, match="unknown ladder"):
        other.engine.hold(broken, Places())
    assert other.engine.incident(id) is None
    assert other.engine.next_due() is None
    assert other.yes(other.press(), "V-1").body["state"] == "assigned"
