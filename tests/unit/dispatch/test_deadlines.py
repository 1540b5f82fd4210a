"""Nobody did anything in time: what fires, once, and what it leads to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from callhub.domain import facts as f
from callhub.domain.events import DeadlineDue
from callhub.domain.incident import Deadline, IncidentState
from callhub.domain.people import SYSTEM
from tests.simulation.driver import PEOPLE
from tests.unit.dispatch.stage import Stage


def due(stage: Stage, id: str) -> DeadlineDue:
    return DeadlineDue(id=stage.id(), actor=SYSTEM, incident=id)


def test_nothing_fires_early_or_for_nobody() -> None:
    stage = Stage("V-1")
    id = stage.press()
    assert not stage.tell(due(stage, id)).rows
    assert not stage.tell(due(stage, "gone")).rows


def test_a_silent_offer_is_replaced_and_the_step_ends() -> None:
    stage = Stage("V-1", "V-2", "V-3", watched=True)
    id = stage.press("BTN-2")
    stage.wait(20)
    assert [o.state.value for o in stage.of(id).offers.values()] == ["silent", "silent", "open"]
    stage.ready("DESK-C")
    stage.wait(20)
    assert stage.of(id).step == 1


def test_the_step_ends_by_the_clock_while_there_are_still_people_to_ask() -> None:
    stage = Stage("DESK-C", watched=True)
    for n in range(7):
        stage.people[f"P-{n}"] = replace(PEOPLE["V-1"], id=f"P-{n}")
        stage.ready(f"P-{n}")
    id = stage.press("BTN-2")
    stage.wait(49)
    assert stage.of(id).step == 0
    stage.wait(1)
    assert [(s.step, s.why) for s in stage.facts(id, "step_entered")] == [(0, "opened"), (1, "timeout")]


def test_what_is_due_together_fires_together_and_what_was_moved_does_not() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press()
    stage.now += timedelta(hours=1)
    stage.tell(due(stage, id))
    assert stage.of(id).state == "unanswered"
    assert all(d.at > stage.now for d in stage.of(id).deadlines.values())
    assert len(stage.facts(id, "offer_silent")) == 2
    assert not [s for s in stage.facts(id, "step_entered") if s.why == "timeout"], "the steps were passed meanwhile"


def test_a_missed_arrival_marks_late_and_asks_others() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press()
    stage.yes(id, "V-1")
    stage.wait(stage.of(id).next_deadline.at.timestamp() - stage.now.timestamp())  # type: ignore[union-attr]  # assigned
    (assignment,) = stage.of(id).live
    assert assignment.late
    assert stage.told("V-1", "assignment")[-1]["late"] is True
    assert [o.responder for o in stage.of(id).open_offers] == ["V-2"]


def test_a_missed_arrival_of_somebody_sent_by_hand_begins_at_the_first_step() -> None:
    stage = Stage("V-1", "C-1", "DESK-C", watched=True)
    id = stage.press()
    stage.does(id, "escalate")
    stage.does(id, "assign", responder="C-1", confirmed_by="telephone")
    stage.wait(10_000)
    late = [s.step for s in stage.facts(id, "step_entered") if s.why == "late"]
    assert late[:1] == [0]


def test_a_missed_resolution_calls_the_desk() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    stage.reports(id, "V-1", "on_scene")
    stage.wait(151)
    call = stage.of(id).desk_call
    assert call is not None
    assert (call.reason, call.rearm) == ("resolution_missed", ("resolution:" + next(iter(stage.of(id).assignments)),))


def test_a_missed_follow_up_and_a_missed_service_call_the_desk() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    stage.reports(id, "V-1", "cleared", outcome="helped")
    stage.does(id, "contact", party="120", result="requested")
    stage.wait(121)
    call = stage.of(id).desk_call
    assert call is not None
    assert call.reason == "service_missed"
    stage.wait(100)
    call = stage.of(id).desk_call
    assert call is not None
    assert (call.reason, call.rearm) == ("follow_up_missed", ("service:120", "follow_up"))
    assert stage.facts(id, "follow_up_missed")
    assert not stage.of(id).rings, "follow-ups do not ring"


def adopted(stage: Stage, id: str, *facts: f.Fact) -> None:
    """What is recorded when the engine itself failed at a deadline: unanswered, and a repeat soon."""
    again = {"repeat": Deadline(stage.now + timedelta(seconds=60), "unanswered")}
    row = f.Row(
        id,
        stage.of(id).version + 1,
        stage.now,
        "x",
        SYSTEM,
        (
            f.StateChanged(event="exhausted", state=IncidentState.UNANSWERED),
            f.LadderExhausted(),
            *facts,
            f.DeadlinesChanged(armed=again),
        ),
    )
    stage.engine.adopt([row], {})


def test_after_a_defect_that_took_the_owners_check_the_owner_is_cleared() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.does(id, "take-over")
    adopted(stage, id, f.DeadlinesChanged(disarmed=("owner_check",)))
    stage.wait(61)
    assert stage.of(id).owner is None
    assert stage.facts(id, "ladder_exhausted"), "and the ladder rings on"


def test_after_a_defect_that_took_the_last_deadline_of_those_who_have_it_the_desk_is_called() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    adopted(stage, id)
    stage.wait(61)
    call = stage.of(id).desk_call
    assert call is not None
    assert call.reason == "engine_error"
