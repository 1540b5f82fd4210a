"""What an incident says about itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from callhub.domain.incident import (
    AlarmRef,
    Assignment,
    AssignmentState,
    Deadline,
    DeskCall,
    Incident,
    IncidentState,
    Offer,
    OfferState,
    Owner,
    OwnerKind,
    Places,
    Source,
)
from callhub.domain.people import Position, ResponderKind
from callhub.domain.policy import IncidentClass
from callhub.domain.whistle import Whistle, WhistleState

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OFFER = Offer("1-1", "V", ResponderKind.VOLUNTEER, 0, OfferState.OPEN, NOON, NOON)
DUTY = Assignment("1-a1", "V", AssignmentState.ASSIGNED, NOON)
LEFT = NOON + timedelta(minutes=9)
DONE = replace(DUTY, state=AssignmentState.CLEARED, outcome="helped", cleared_at=LEFT)


def incident(**changes: object) -> Incident:
    made = Incident("1", 1, IncidentClass.EMERGENCY, "sos", 1, Source.DEVICE, "p", 1, NOON)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def held(*duties: Assignment, **changes: object) -> Incident:
    return incident(assignments={duty.id: duty for duty in duties}, **changes)


def test_a_copy_shares_nothing_that_changes() -> None:
    one = incident(offers={"1-1": OFFER}, deadlines={"step": Deadline(NOON, "step")})
    two = one.copy()
    assert one == two
    two.offers.clear()
    two.alarms.append(None)  # type: ignore[arg-type]  # anything
    assert one.offers
    assert not one.alarms


def test_a_whistle_is_out_until_it_is_confirmed_or_withdrawn() -> None:
    called = Whistle("1-w1", "FIRE", WhistleState.CALLED, NOON, 60, 600, NOON, LEFT)
    assert not incident().has_whistle_out
    assert incident(whistles={"1-w1": called}).has_whistle_out
    assert not incident(whistles={"1-w1": replace(called, state=WhistleState.CONFIRMED)}).has_whistle_out


@pytest.mark.parametrize(
    ("duty", "counts"),
    [
        (DUTY, True),
        (replace(DUTY, late=True), False),
        (replace(DUTY, late=True, state=AssignmentState.ON_SCENE), True),
        (DONE, True),
        (replace(DONE, outcome="no_access"), False),
        (replace(DUTY, state=AssignmentState.RELEASED), False),
    ],
)
def test_who_counts_for_needed(duty: Assignment, counts: bool) -> None:
    assert held(duty).ladder_runs is not counts


def test_what_was_done_before_a_reopening_or_another_alarm_counts_no_more() -> None:
    assert held(DONE, reopened_at=LEFT).ladder_runs
    assert not held(DONE, reopened_at=NOON).ladder_runs
    again = AlarmRef("a", "GW", "B", "sos", LEFT + timedelta(seconds=1), joined=True)
    assert held(DONE, alarms=[again]).ladder_runs
    assert not held(DONE, alarms=[replace(again, joined=False), replace(again, received_at=NOON)]).ladder_runs


def test_nobody_is_wanted_when_it_is_over() -> None:
    for state in (IncidentState.RESOLVED, IncidentState.CLOSED, IncidentState.CANCELLED):
        assert not incident(state=state).ladder_runs
    assert incident(state=IncidentState.RESOLVED).is_open


def test_offers_and_assignments_are_found_by_person() -> None:
    silent = replace(OFFER, id="1-2", responder="W", state=OfferState.SILENT)
    gone = replace(OFFER, id="1-3", responder="X", state=OfferState.DECLINED)
    it = held(DUTY, offers={o.id: o for o in (OFFER, silent, gone)})
    assert it.open_offers == [OFFER]
    assert it.live_offers == [OFFER, silent]
    assert (it.offer_of("W"), it.offer_of("X")) == (silent, None)
    assert (it.assignment_of("V"), it.assignment_of("W")) == (DUTY, None)


def test_the_next_deadline_is_the_earliest() -> None:
    late, soon = Deadline(NOON + timedelta(1), "step"), Deadline(NOON, "offer")
    assert incident(deadlines={"step": late, "offer:1-1": soon}).next_deadline == soon
    assert incident().next_deadline is None


ASKED_DESK = {"1-1": replace(OFFER, kind=ResponderKind.DESK)}


@pytest.mark.parametrize(
    ("changes", "rings"),
    [
        ({}, False),
        ({"state": IncidentState.UNANSWERED}, True),
        ({"offers": ASKED_DESK}, True),
        ({"owner_lapsed": True}, True),
        ({"desk_call": DeskCall("need", None)}, True),
        ({"desk_call": DeskCall("follow_up_missed", None)}, False),
        ({"state": IncidentState.UNANSWERED, "owner": Owner(OwnerKind.USER, "anna")}, False),
        ({"state": IncidentState.UNANSWERED, "class_": IncidentClass.SERVICE}, False),
        ({"state": IncidentState.CLOSED, "owner_lapsed": True}, False),
    ],
)
def test_what_rings(changes: dict[str, object], rings: bool) -> None:
    assert incident(**changes).rings is rings


def test_where_to_go() -> None:
    home, fix = Position(1, 1), Position(2, 2)
    assert Places().target is None
    assert Places(home=home, fix=fix).target == (home, "home")
    assert Places(home=home, home_source="grid").target == (home, "grid")
    assert Places(home=home, fix=fix, fix_wins=True).target == (fix, "device")
