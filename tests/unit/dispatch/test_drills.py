"""Drills: what is opened, and when one was held."""

from __future__ import annotations

import pytest

from callhub.domain.events import DrillAsked
from callhub.domain.policy import IncidentClass
from tests.simulation.driver import OPERATOR
from tests.unit.dispatch.stage import Stage


def begun(stage: Stage, kind: str = "sos") -> str:
    """A drill at the home of the first elder."""
    who = stage.alarm("BTN-1").elder
    assert who is not None
    event = DrillAsked(id=f"{stage.now:%H%M%S}-d", actor=OPERATOR, elder=who, kind=kind, reason="practice")
    return stage.tell(event).answer.incident or ""


def test_a_drill_opens_with_the_home_and_the_reason() -> None:
    stage = Stage("V-1")
    held = stage.of(begun(stage))
    assert (held.class_, held.kind, held.elder, held.urgency) == (IncidentClass.DRILL, "sos", "E-1", 5)
    assert stage.engine.places(held.id).address == "1"
    assert [fact.text for fact in stage.facts(held.id, "incident_opened")] == ["practice"]


@pytest.mark.parametrize("kind", ["visit", "gateway_lost", "dance"])
def test_only_emergencies_are_practised(kind: str) -> None:
    stage = Stage("V-1")
    assert begun(stage, kind) == ""
    assert stage.last is not None
    assert (stage.last.answer.code, stage.last.rows) == ("invalid_message", ())


def test_it_was_held_once_it_is_closed() -> None:
    stage = Stage("V-1")
    stage.does(begun(stage), "close", outcome="other")
    assert stage.last is not None
    assert stage.last.marks[0] == ("drilled.elder", "E-1")
    assert stage.last.marks[1:] == tuple(("drilled.area", area) for area in ("D", "S", "C", "G"))
