"""What departments are told."""

from __future__ import annotations

from dataclasses import replace

from callhub.domain.events import DirectoryUpdated
from callhub.domain.people import SYSTEM
from tests.simulation.driver import ELDERS
from tests.unit.dispatch.called import BOSS, Called, at_work


def heard(stage: Called) -> list[tuple[str, str]]:
    """(type, key) of everything the fire brigade got."""
    return [(m.type.value, m.key or "") for m in stage.outbox if m.addressee.id == "FIRE"]


def test_the_offer_has_the_whistle_and_no_eta() -> None:
    stage = Called()
    stage.whistles("FIRE")
    (body,) = stage.told("FIRE", "offer")
    w = stage.whistle()
    assert (body["offer"], body["respond_by"], body["distance_m"]) == (w.id, w.report_in_by, None)
    assert "eta_s" not in body
    assert body["whistle"] == {
        "id": w.id,
        "report_in_by": w.report_in_by,
        "finish_by": w.finish_by,
        "text": "pipe burst",
    }
    assert heard(stage) == [("offer", f"offer:{w.id}")]


def test_reporting_in_brings_the_assignment_and_the_rest_comes_when_it_changes() -> None:
    stage = at_work()
    w = stage.whistle()
    first = stage.told("FIRE", "assignment")
    assert [(body["state"], body["late"], body["arrive_by"]) for body in first] == [("assigned", False, None)]
    assert first[0]["whistle"]["id"] == w.id
    assert first[0]["go_to"]["address"] == "1"
    stage.wait(50)
    stage.does(stage.id_, "whistle-return", whistle=w.id, finish_s=90)
    stage.tell(DirectoryUpdated(id=stage.id(), actor=SYSTEM, what="x", elders=(replace(ELDERS["E-1"], address="9"),)))
    stage.reports(stage.id_, "FIRE", "cleared", outcome="helped")
    said = stage.told("FIRE", "assignment")
    assert [(body["late"], body["whistle"]["finish_by"]) for body in said] == [
        (False, w.finish_by),
        (True, w.finish_by),
        (False, stage.whistle().finish_by),
    ], "one's own finish is answered by its result alone"
    assert {key for type, key in heard(stage) if type == "assignment"} == {f"assignment:{w.id}"}


def test_another_place_and_another_alarm_are_told_to_who_is_at_work() -> None:
    stage = Called()
    id = stage.press("UNKNOWN")
    stage.id_ = id
    stage.whistles("FIRE", "WATER")
    stage.says("FIRE", yes=True)
    stage.does(id, "identify", elder="E-1")
    assert [body["go_to"] and body["go_to"]["address"] for body in stage.told("FIRE", "assignment")] == [None, "1"]
    assert [body["what"] for body in stage.told("FIRE", "update")] == ["go_to_changed"]
    assert stage.told("FIRE", "assignment")[-1]["whistle"]["text"] == "pipe burst", "what was written stays"
    assert not stage.told("WATER", "update")


def test_a_finish_said_by_somebody_else_is_told() -> None:
    stage = at_work()
    stage.does(stage.id_, "cleared", responder="FIRE", outcome="helped")
    assert stage.told("FIRE", "assignment")[-1]["state"] == "cleared"


def test_a_withdrawal_is_a_stand_down_once_with_its_reason() -> None:
    stage = at_work()
    w = stage.whistle().id
    stage.does(stage.id_, "whistle-withdraw", user=BOSS, whistle=w, reason="x")
    stage.does(stage.id_, "note", text="over")
    stage.whistles("WATER")
    stage.tell(stage.record("WATER", active=False))
    down = {"offer": w, "incident": stage.id_, "reason": "cancelled"}
    assert stage.told("FIRE", "stand_down") == [down]
    assert [body["reason"] for body in stage.told("WATER", "stand_down")] == ["disabled"]


def test_a_refusal_is_told_to_nobody_but_the_desk() -> None:
    stage = Called()
    stage.whistles("FIRE")
    stage.says("FIRE", yes=False)
    assert heard(stage) == [("offer", f"offer:{stage.whistle().id}")]
