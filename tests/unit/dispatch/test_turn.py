"""One event: everything or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from callhub.dispatch.freed import consider
from callhub.dispatch.turn import Turn
from callhub.domain import facts as f
from callhub.domain.people import Duty
from callhub.errors import EngineFault
from tests.simulation.driver import north, state
from tests.unit.dispatch.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from callhub.domain.events import Event

PEOPLE = ("V-1", "V-2", "V-3", "C-1", "DESK-C", "DESK-D")


def turn_of(stage: Stage) -> Turn:
    return Turn(stage.engine._world, stage.call(None), stage.now)


def test_a_turn_that_leaves_an_open_case_waiting_for_nothing_is_a_defect() -> None:
    stage = Stage("V-1")
    id = stage.press()
    turn = turn_of(stage)
    turn.case(id).disarm_all()
    with pytest.raises(EngineFault, match="without a deadline"):
        turn.finish(consider)


def test_one_event_opens_one_incident() -> None:
    stage = Stage()
    id = stage.press()
    turn = turn_of(stage)
    turn.event = stage.call(None)
    object.__setattr__(turn.event, "id", id)
    with pytest.raises(EngineFault, match="second incident"):
        turn.open(stage.facts(id, "incident_opened")[0], stage.engine.places(id))


def test_people_who_become_free_without_end_are_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callhub.dispatch.turn.FREED_MAX", 5)
    turn = turn_of(Stage("V-1"))
    turn.freed["V-1"] = None
    with pytest.raises(EngineFault, match="becoming free"):
        turn.finish(lambda it, id: it.freed.update({id: None}))


def test_a_case_without_a_fact_makes_no_row() -> None:
    stage = Stage("V-1")
    id = stage.press()
    turn = turn_of(stage)
    turn.case(id)
    assert turn.case(id) is turn.case(id)
    assert turn.finish(consider) == ((), ())


def test_the_duty_of_nobody_is_no_error() -> None:
    stage = Stage()
    before = state(stage.engine, stage.now)
    turn_of(stage).set_duty("nobody", Duty("nobody", True))
    assert state(stage.engine, stage.now) == before


def closed(stage: Stage) -> str:
    id = stage.press("BTN-2")
    stage.does(id, "close", outcome="helped")
    return id


def forgotten(stage: Stage) -> str:
    """A closed case that only the store still holds."""
    id = closed(stage)
    stage.engine._world.ended.clear()
    return id


EVENTS: dict[str, Callable[[Stage, str], Event]] = {
    "a press": lambda s, id: s.alarm("BTN-2"),
    "a press that joins": lambda s, id: s.alarm("BTN-1", "smoke"),
    "a yes": lambda s, id: s.answer(s.offer(id, "V-1").id, accept=True, responder="V-1"),
    "a no": lambda s, id: s.answer(s.offer(id, "V-3").id, accept=False, responder="V-3"),
    "off duty": lambda s, id: s.presence("V-1", available=False),
    "lost link": lambda s, id: s.link("V-1", up=False),
    "a position": lambda s, id: s.seen("V-2", 20),
    "a new person": lambda s, id: s.record("C-2"),
    "a disabled person": lambda s, id: s.record("V-1", active=False),
    "a person elsewhere": lambda s, id: s.record("V-1", position=north(5000), area=("D", "S9")),
    "a console": lambda s, id: s.watch("bo", watching=True),
    "a console away": lambda s, id: s.watch("anna", watching=False),
    "a removed user": lambda s, id: s.remove("anna"),
    "revoked": lambda s, id: s.revoke("V-1"),
    "closed": lambda s, id: s.act(id, "close", outcome="helped"),
    "an early cancel": lambda s, id: s.cancel("BTN-3", "later"),
    "reopened": lambda s, id: s.act(closed(s), "reopen"),
    "reopened after long": lambda s, id: s.act(forgotten(s), "reopen"),
    "a note afterwards": lambda s, id: s.act(closed(s), "note", text="x"),
}


@pytest.mark.parametrize("facts", [0, 1, 2, 5, 50])
@pytest.mark.parametrize("what", EVENTS)
def test_a_defect_in_the_middle_changes_nothing_and_the_event_still_works_afterwards(what: str, facts: int) -> None:
    stage, other = (Stage(*PEOPLE, watched=True) for _ in range(2))
    id = stage.press()
    assert other.press() == id
    event, same = EVENTS[what](stage, id), EVENTS[what](other, id)
    before = state(stage.engine, stage.now)
    stage.fail(event, facts)
    assert state(stage.engine, stage.now) == before
    assert stage.tell(event) == other.tell(same), "the next try decides as if there had been no first one"


def test_a_refusal_after_the_first_fact_changes_nothing() -> None:
    stage = Stage(*PEOPLE)
    id = stage.press()
    before = state(stage.engine, stage.now)
    assert stage.does(id, "on-scene", responder="V-1").code == "not_assigned"
    # The note of who acted is a fact already when the report turns out to be impossible.
    stage.yes(id, "V-1")
    stage.reports(id, "V-1", "on_scene")
    before = state(stage.engine, stage.now)
    assert stage.does(id, "en-route", responder="V-1").code == "illegal_transition"
    assert state(stage.engine, stage.now) == before


def test_a_fact_about_somebody_unknown_weighs_nobody() -> None:
    stage = Stage("V-1")
    turn = turn_of(stage)
    id = stage.press()
    case = turn.case(id)
    case.add(f.OfferMade(offer="x", responder="gone", kind=stage.people["V-1"].kind, step=0, respond_by=stage.now))
    turn.undo()
    assert "x" not in stage.of(id).offers
