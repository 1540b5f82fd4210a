"""The laws, as far as the engine alone can break them."""

from __future__ import annotations

import pytest

import callhub.dispatch.turn as turn_module
from callhub.domain import events as e
from callhub.domain.people import SYSTEM, Position
from callhub.errors import EngineFault
from tests.scenarios.town import Town, ladder


def test_a_receipt_names_an_incident_that_is_in_the_rows_of_the_same_decision() -> None:
    town = Town()
    town.elder()
    answer = town.alarm()
    assert answer.body["incident"] in town.last.touched
    assert [fact.fact for fact in town.last.rows[0].facts][:2] == ["incident_opened", "alarm_recorded"]


def test_a_refusal_changes_nothing() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    before = town.incident(incident.id).copy()
    due = town.engine.next_due()
    for answer in (
        person.accepts("nothing-1"),
        town.act(incident.id, "close"),
        town.act(incident.id, "assign", responder="nobody"),
        town.act(incident.id, "contact", party="elder", result="?"),
        town.act(incident.id, "on-scene", responder="V-1"),
    ):
        assert answer.code is not None
        assert (town.last.rows, town.last.messages) == ((), ())
    assert town.incident(incident.id) == before
    assert town.engine.next_due() == due


ODD_PRESSES = {
    "unknown device": {"device": "X-1"},
    "unknown gateway": {"gateway": "GW-9"},
    "unknown kind": {"kind": "dance"},
    "no position": {"position": None},
    "a position at the other end of the earth": {"position": Position(-89.9, -179.9)},
    "a text of its own": {"text": "help " * 100},
    "a low battery": {"battery": 0.0},
    "says test": {"says_test": True},
}


@pytest.mark.parametrize("odd", ODD_PRESSES.values(), ids=ODD_PRESSES.keys())
@pytest.mark.parametrize("is_known", [True, False], ids=["elder known", "elder unknown"])
def test_no_alarm_is_refused(odd: dict[str, object], is_known: bool) -> None:
    town = Town()
    if is_known:
        town.elder(position=None if "end" in str(odd) else Position(39.08, 117.22))
    town.responder("V-1")

    answer = town.alarm(**odd)  # type: ignore[arg-type]  # whatever a frame may hold

    assert answer.code is None
    incident = town.incident(answer.body["incident"])
    assert incident.is_open
    town.advance(400)
    assert incident.is_open
    assert town.incident(incident.id).deadlines


@pytest.mark.parametrize("stage", ["seeking", "assigned", "on_scene", "owned", "unanswered", "resolved", "late"])
def test_every_open_incident_has_a_future_deadline(stage: str) -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    if stage in ("assigned", "on_scene", "resolved", "late"):
        person.accepts()
    if stage in ("on_scene", "resolved"):
        person.reports("on_scene")
    if stage == "resolved":
        person.reports("cleared", outcome="helped")
    if stage == "owned":
        town.act(incident.id, "take-over")
    town.advance({"unanswered": 200, "late": 300}.get(stage, 0))
    for _ in range(30):
        deadline = town.incident(incident.id).next_deadline
        assert deadline is not None
        assert deadline.at > town.now
        town.advance((deadline.at - town.now).total_seconds())
    assert town.incident(incident.id).is_open


def test_a_deadline_that_is_told_early_does_nothing() -> None:
    town = Town()
    town.elder()
    town.responder("V-1")
    incident = town.press()
    town.advance(19)
    town.tell(e.DeadlineDue(id=town.new_id(), actor=SYSTEM, incident=incident.id))
    assert town.last.rows == ()
    assert town.waits_for(incident.id) == "offer in 1"


def test_a_deadline_of_a_case_that_ended_does_nothing() -> None:
    town = Town()
    town.elder()
    incident = town.press()
    town.act(incident.id, "close", outcome="helped")
    for id in (incident.id, "nothing"):
        town.tell(e.DeadlineDue(id=town.new_id(), actor=SYSTEM, incident=id))
        assert town.last.rows == ()
    assert town.engine.next_due() is None or town.engine.next_due() > town.now  # type: ignore[operator]  # None is tried first


def test_a_deadline_that_fires_late_counts_the_next_from_then() -> None:
    town = Town()
    town.elder()
    town.responder("V-1")
    town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    town.restart(after_s=20.25)
    town.advance(0)
    assert town.waits_for(incident.id) == "offer in 30"


def test_everyone_who_was_asked_is_told_when_it_is_over() -> None:
    town = Town()
    town.elder()
    people = [town.responder(f"V-{n}", 100 + n) for n in range(8)]
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    people[0].declines()
    town.advance(70)
    asked = [p for p in [*people, desk] if p.was_asked() and p is not people[0]]
    assert len(asked) > 4
    yes = asked[0]
    yes.accepts()
    for person in asked[1:]:
        assert person.told("stand_down")[-1]["reason"] == "filled"
    assert town.incident(incident.id).live_offers == []


def test_an_exception_in_the_middle_changes_nothing_and_the_press_can_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    town = Town(ladder(needed=2))
    town.elder("E-1")
    town.elder("E-2")
    people = [town.responder(f"V-{n}", 100 + n) for n in range(3)]
    first = town.press("E-1")
    before = town.incident(first.id).copy()
    due = town.engine.next_due()
    roster = town.engine._world.roster.people
    loads = {p.id: dict(roster[p.id].loads) for p in people}
    rest = {p.id: (roster[p.id].record, roster[p.id].duty) for p in people}

    def broken(*_: object) -> None:
        raise EngineFault("on purpose")

    with monkeypatch.context() as broken_engine:
        broken_engine.setattr(turn_module, "told", broken)
        for attempt in (
            lambda: people[0].accepts(),
            lambda: town.act(first.id, "close", outcome="helped"),
            lambda: people[1].goes(on_duty=False),
            lambda: town.changes_responder("V-1", active=False),
            lambda: town.alarm("E-2"),
            lambda: town.advance(20),
        ):
            with pytest.raises(EngineFault):
                attempt()

    assert town.incident(first.id) == before
    assert town.engine.next_due() == due
    assert len(list(town.engine.open_incidents())) == 1
    assert {p.id: dict(roster[p.id].loads) for p in people} == loads
    assert {p.id: (roster[p.id].record, roster[p.id].duty) for p in people} == rest
    assert people[0].accepts().body["state"] == "assigned"
    second = town.press("E-2")
    assert second.id != first.id
    assert people[1].goes(on_duty=False).body["state"] == "off_duty"
    town.act(first.id, "close", outcome="helped")
    assert "V-0" in {o.responder for o in town.incident(second.id).offers.values()}


def test_the_same_events_at_the_same_times_give_the_same_rows() -> None:
    def story() -> list[object]:
        town = Town()
        town.elder()
        people = [town.responder(f"V-{n}", 100 + n) for n in range(5)]
        town.press()
        town.advance(25)
        people[0].accepts()
        town.advance(400)
        return [row for rows in town.rows.values() for row in rows]

    assert story() == story()
