"""Every fact makes of an incident what it says; what says nothing about its state changes the version alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from callhub.dispatch.call_back_replay import CALL_BACK_HANDLERS
from callhub.dispatch.replay import ALARMS_FIRST, ALARMS_MAX, apply
from callhub.dispatch.roll_call_replay import ROLL_CALL_HANDLERS
from callhub.dispatch.whistle_replay import WHISTLE_HANDLERS
from callhub.domain import facts as f
from callhub.domain.family import News, Relative
from callhub.domain.incident import (
    AssignmentState,
    Deadline,
    DeskCall,
    Incident,
    IncidentState,
    OfferState,
    Owner,
    OwnerKind,
    Source,
)
from callhub.domain.people import SYSTEM, Actor, ActorKind, ResponderKind, Role
from callhub.domain.policy import IncidentClass
from callhub.domain.roles import HelpRole, Part
from callhub.errors import EngineFault
from tests.simulation.driver import START

ANNA = Actor(ActorKind.USER, "anna", Role.OPERATOR)
OPENED = f.IncidentOpened(
    number=7, class_=IncidentClass.EMERGENCY, kind="sos", urgency=2, source=Source.DEVICE, policy="p", needed=1
)
ASKED = f.OfferMade(offer="1-1", responder="V", kind=ResponderKind.VOLUNTEER, step=0, respond_by=START)
ASSIGNED = f.Assigned(assignment="1-a1", responder="V", slot=1, arrive_by=START)
SON = Relative("C-1", (News.CLOSED,))
LATER = START + timedelta(seconds=5)


def after(*facts: f.Fact, actor: Actor = SYSTEM) -> Incident:
    incident = apply(None, f.Row("1", 1, START, "1", SYSTEM, (OPENED, ASKED, ASSIGNED)))
    return apply(incident, f.Row("1", 2, LATER, "2", actor, facts))


def moved(state: str) -> f.AssignmentMoved:
    return f.AssignmentMoved(assignment="1-a1", state=AssignmentState(state))


CHANGES: list[tuple[f.Fact, str, Any]] = [
    (OPENED, "number", 7),
    (f.AlarmRecorded(id="a", kind="sos", received_at=START), "joined_version", None),
    (f.AlarmRecorded(id="a", kind="sos", received_at=START, joined=True), "joined_version", 2),
    (f.StateChanged(event="closed", state=IncidentState.CLOSED, outcome="helped"), "outcome", "helped"),
    (f.StateChanged(event="closed", state=IncidentState.CLOSED), "ended_at", LATER),
    (f.StateChanged(event="accepted", state=IncidentState.ASSIGNED), "state", IncidentState.ASSIGNED),
    (f.StepEntered(step=2, name="x", why="timeout"), "reached", 2),
    (f.LadderExhausted(), "exhausted", True),
    (f.OwnerTaken(owner=Owner(OwnerKind.USER, "anna")), "answered_at", LATER),
    (f.OwnerCleared(why="user_removed"), "owner_lapsed", True),
    (f.DeadlinesChanged(armed={"step": Deadline(LATER, "step")}), "deadlines", {"step": Deadline(LATER, "step")}),
    (f.DeskCalled(call=DeskCall("need", 0), area="D"), "desk_call", DeskCall("need", 0)),
    (f.DeskCallEnded(reason="need"), "desk_call", None),
    (f.CancelRequested(id="c", gateway="GW", device="B"), "cancel_requested", True),
    (f.DeviceSignalled(id="s", gateway="GW", device="B", signal="card"), "device_says_arrived", True),
    (f.DeviceSignalled(id="s", gateway="GW", device="B", signal="confirm"), "device_says_arrived", False),
    (f.ContactMade(party="120", result="requested"), "services", {"120": "requested"}),
    (f.ContactMade(party="family", result="silent"), "heard_silence", True),
    (f.ContactMade(party="elder", result="spoke_ok"), "heard_well", True),
    (f.ContactMade(party="family", result="needs_help"), "heard_well", False),
    (f.ElderIdentified(elder="E", area=("D",)), "area", ("D",)),
    (f.ElderIdentified(elder="E", area=(), family=(SON,)), "family", (SON,)),
    (f.FamilyChanged(family=(SON,)), "family", (SON,)),
    (f.OfferReminded(offer="1-1", respond_by=LATER, need="key"), "key_offers", ("1-1",)),
    (f.WatchChanged(unwatched=True), "unwatched", True),
    (moved("on_scene"), "was_on_scene", True),
]


@pytest.mark.parametrize(("fact", "name", "value"), CHANGES, ids=lambda x: getattr(x, "fact", None))
def test_a_fact_changes_what_it_names(fact: f.Fact, name: str, value: object) -> None:
    assert getattr(after(fact), name) == value


OFFER: list[tuple[f.Fact, str, Any]] = [
    (f.OfferReminded(offer="1-1", respond_by=LATER), "reminded_at", LATER),
    (f.OfferSilent(offer="1-1"), "state", OfferState.SILENT),
    (f.OfferAccepted(offer="1-1"), "answered_at", LATER),
    (f.OfferDeclined(offer="1-1"), "state", OfferState.DECLINED),
    (f.OfferWithdrawn(offer="1-1", reason="filled"), "stand_down", "filled"),
]


@pytest.mark.parametrize(("fact", "name", "value"), OFFER, ids=lambda x: getattr(x, "fact", None))
def test_a_fact_about_an_offer_changes_that_offer(fact: f.Fact, name: str, value: object) -> None:
    assert getattr(after(fact).offers["1-1"], name) == value


@pytest.mark.parametrize(
    ("state", "stamp"),
    [("en_route", "en_route_at"), ("on_scene", "on_scene_at"), ("cleared", "cleared_at"), ("released", "cleared_at")],
)
def test_an_assignment_is_stamped_when_it_moves(state: str, stamp: str) -> None:
    assert getattr(after(moved(state)).assignments["1-a1"], stamp) == LATER


def test_an_outcome_a_proof_and_lateness_stay_with_the_assignment() -> None:
    cleared = f.AssignmentMoved(
        assignment="1-a1", state=AssignmentState.CLEARED, outcome="helped", proof="card", note="x"
    )
    found = after(f.ArrivalMissed(assignment="1-a1"), cleared).assignments["1-a1"]
    assert (found.late, found.outcome, found.proof) == (True, "helped", "card")


def test_whoever_has_a_role_keeps_it_and_whom_they_fetch_the_key_from() -> None:
    second = replace(ASSIGNED, assignment="1-a2", role=HelpRole.KEY, fetch="C-1")
    found = after(second)
    assert found.roles == {"1-a2": Part(HelpRole.KEY, "C-1")}
    assert [found.fetches_key(one) for one in found.assignments.values()] == [False, True]


REMARKS: list[f.Fact] = [
    f.OwnerActed(action="note"),
    f.Ranked(step=0),
    f.ResolutionMissed(assignment="1-a1"),
    f.FollowUpMissed(),
    f.ServiceMissed(party="120"),
    f.NeedRaised(responder="V", need="key"),
    f.NoteAdded(text="x"),
    f.HomeMoved(what="home"),
    f.ActedFor(responder="V", action="accept"),
    f.FaultFound(kind="tamper", subject="B"),
    f.FaultMended(kind="tamper", subject="B"),
    f.FaultReturned(kind="tamper", subject="B"),
    f.FaultFolded(into="2"),
]


@pytest.mark.parametrize("fact", REMARKS, ids=lambda fact: str(fact.fact))
def test_a_remark_changes_only_the_version(fact: f.Fact) -> None:
    assert after(fact) == after()


NOT_ABOUT_ONE = {"call_first_changed", "duty_changed", "test_recorded", "test_window_opened", "directory_changed"}


def test_every_fact_that_is_about_an_incident_has_a_rule() -> None:
    shown: list[f.Fact] = [*(change[0] for change in CHANGES), *(change[0] for change in OFFER), *REMARKS]
    tested = {fact.fact for fact in shown}
    tested |= {ASKED.fact, ASSIGNED.fact, "arrival_missed", "alarm_made_urgent", "department_moved"}
    by_themselves: list[Any] = [*WHISTLE_HANDLERS, *CALL_BACK_HANDLERS, *ROLL_CALL_HANDLERS]
    tested |= {kind.__dataclass_fields__["fact"].default for kind in by_themselves}
    assert {kind.__dataclass_fields__["fact"].default for kind in get_args(f.Fact)} == tested | NOT_ABOUT_ONE


def test_a_more_urgent_alarm_puts_the_case_at_the_foot_of_another_ladder() -> None:
    urgent = f.AlarmMadeUrgent(kind="smoke", urgency=1, policy="q", needed=2, class_=IncidentClass.EMERGENCY)
    found = after(f.StepEntered(step=2, name="x", why="timeout"), urgent)
    assert (found.kind, found.policy, found.needed, found.step, found.reached) == ("smoke", "q", 2, 0, 0)


def test_a_press_that_is_no_test_ends_the_test() -> None:
    incident = apply(None, f.Row("1", 1, START, "1", SYSTEM, (replace(OPENED, says_test=True),)))
    again = f.AlarmRecorded(id="a", kind="sos", received_at=START, joined=True, says_test=True)
    assert apply(incident, f.Row("1", 2, START, "2", SYSTEM, (again,))).says_test
    real = f.AlarmRecorded(id="b", kind="sos", received_at=START, joined=True)
    assert not apply(incident, f.Row("1", 3, START, "3", SYSTEM, (real,))).says_test


def test_reopening_forgets_what_was_heard_and_who_owned_it() -> None:
    closed = f.StateChanged(event="closed", state=IncidentState.CLOSED, outcome="helped")
    reopened = f.StateChanged(event="reopened", state=IncidentState.SEEKING)
    found = after(
        f.OwnerTaken(owner=Owner(OwnerKind.USER, "anna")),
        f.ContactMade(party="elder", result="silent"),
        f.StepEntered(step=2, name="x", why="timeout"),
        f.LadderExhausted(),
        closed,
        reopened,
    )
    assert (found.owner, found.heard_silence, found.outcome, found.ended_at) == (None, False, None, None)
    assert (found.reopened_at, found.reached, found.exhausted) == (LATER, 0, False)


def test_resolving_ends_the_ringing_for_an_owner_who_went() -> None:
    assert not after(
        f.OwnerCleared(why="user_removed"), f.StateChanged(event="resolved", state=IncidentState.RESOLVED)
    ).owner_lapsed


def test_the_first_human_contact_answers_the_case_and_silence_ends_good_news() -> None:
    well = f.ContactMade(party="elder", result="spoke_ok")
    assert after(well).answered_at is None, "a machine's word is no answer"
    found = after(well, f.ContactMade(party="elder", result="no_answer"), actor=ANNA)
    assert (found.answered_at, found.last_actor) == (LATER, "anna")
    assert (found.heard_well, found.heard_silence) == (False, True)
    twice = apply(
        found, f.Row("1", 3, LATER + timedelta(1), "3", ANNA, (f.OwnerTaken(owner=Owner(OwnerKind.USER, "b")),))
    )
    assert twice.answered_at == LATER


def test_deadlines_are_kept_in_order_of_their_keys() -> None:
    one = f.DeadlinesChanged(armed={"step": Deadline(START, "a"), "arrival:1": Deadline(START, "b")})
    found = after(one, f.DeadlinesChanged(armed={"offer:1": Deadline(START, "c")}, disarmed=("step", "gone")))
    assert list(found.deadlines) == ["arrival:1", "offer:1"]


def test_what_cannot_be_applied_is_a_defect() -> None:
    with pytest.raises(EngineFault, match="does not open"):
        apply(None, f.Row("1", 1, START, "1", SYSTEM, (ASKED,)))
    with pytest.raises(EngineFault, match="no facts"):
        apply(None, f.Row("1", 1, START, "1", SYSTEM, ()))
    with pytest.raises(EngineFault, match="no rule applies"):
        after(f.TestWindowOpened(device="B", until=START))


def test_alarms_without_end_keep_the_first_the_newest_and_one_of_each_device() -> None:
    presses = [f.AlarmRecorded(id=f"a{n}", device="B", kind="sos", received_at=LATER, joined=True) for n in range(80)]
    once = f.AlarmRecorded(id="once", device="C", kind="sos", received_at=LATER, joined=True)

    held = after(*presses[:20], once, *presses[20:])

    ids = [alarm.id for alarm in held.alarms]
    assert len(ids) == ALARMS_MAX
    assert held.alarms_more == 81 - ALARMS_MAX
    assert ids[:ALARMS_FIRST] == [f"a{n}" for n in range(ALARMS_FIRST)]
    assert "once" in ids
    assert ids[-1] == "a79"


def test_alarms_of_which_each_is_the_only_one_of_its_device_are_all_kept() -> None:
    more = ALARMS_MAX + 5
    each = [f.AlarmRecorded(id=f"a{n}", device=f"B{n}", kind="sos", received_at=LATER) for n in range(more)]

    held = after(*each)

    assert (len(held.alarms), held.alarms_more) == (more, 0)
