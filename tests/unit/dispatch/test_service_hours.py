"""A ladder outside its window: clocks stand still, and nobody is asked until it opens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from callhub.dispatch.service_hours import is_closed
from tests.simulation.driver import LADDERS
from tests.unit.dispatch.calling import Calling

HOUR = 3600
OPENING = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
"""The next one after the day on which a stage begins."""


def at_night(*ready: str) -> tuple[Calling, str]:
    stage = Calling(*ready)
    stage.wait(HOUR)
    return stage, stage.press("BTN-1", "meal")


def test_a_ladder_without_a_window_is_never_closed() -> None:
    stage = Calling()
    assert not is_closed(stage.engine._world, LADDERS["service"], stage.now)


def test_outside_it_waits_for_the_opening_and_asks_then() -> None:
    stage, id = at_night("C-1")
    assert {key: d.at for key, d in stage.of(id).deadlines.items()} == {"window:0": OPENING}
    assert not stage.told("C-1", "offer")
    stage.wait((OPENING - stage.now).total_seconds())
    assert stage.told("C-1", "offer")
    assert not [key for key in stage.of(id).deadlines if key.startswith("window")]


def test_whoever_becomes_free_is_not_asked_meanwhile() -> None:
    stage, _ = at_night()
    stage.ready("C-1")
    assert not stage.told("C-1", "offer")


def test_a_no_outside_it_is_passed_on_at_the_opening() -> None:
    stage = Calling("C-1")
    stage.wait(HOUR - 61 - 5)
    id = stage.press("BTN-1", "meal")
    stage.wait(10)
    stage.no(id, "C-1")
    assert {key: d.at for key, d in stage.of(id).deadlines.items()} == {"window:0": OPENING}


def test_deadlines_count_only_while_it_is_open_but_120_always() -> None:
    stage = Calling("C-1")
    stage.wait(HOUR - 61 - 5)
    id = stage.press("BTN-1", "meal")
    stage.does(id, "contact", party="120", result="requested")
    due = {key: d.at for key, d in stage.of(id).deadlines.items()}
    assert due["step"] == OPENING + timedelta(seconds=45)
    assert stage.offer(id, "C-1").respond_by == due[f"offer:{id}-1"] == OPENING + timedelta(seconds=15)
    assert due["service:120"] == stage.now + timedelta(seconds=120)


def test_a_human_who_escalates_asks_at_once() -> None:
    stage, id = at_night("C-1")
    stage.does(id, "escalate")
    assert stage.of(id).state == "unanswered", "this ladder has one step"
    assert set(stage.of(id).deadlines) == {"repeat"}


def test_an_overdue_repeat_waits_for_the_opening() -> None:
    stage = Calling()
    id = stage.press("BTN-1", "meal")
    stage.now += timedelta(hours=2)
    for event in stage.due():
        stage.tell(event)
    assert {key: d.at for key, d in stage.of(id).deadlines.items()} == {"repeat": OPENING}
    assert len(stage.facts(id, "ladder_exhausted")) == 1
    stage.wait((OPENING - stage.now).total_seconds())
    assert len(stage.facts(id, "ladder_exhausted")) == 2


def test_at_the_opening_nobody_is_asked_where_enough_are_coming() -> None:
    stage, id = at_night("C-1", "C-2")
    stage.does(id, "assign", responder="C-2", confirmed_by="telephone")
    stage.wait((OPENING - stage.now).total_seconds())
    assert not stage.told("C-1", "offer")
    assert stage.of(id).state == "assigned"
