"""What the engine remembers: indexes that follow the incidents, and a heap with stale entries."""

from __future__ import annotations

from datetime import timedelta

from callhub.dispatch.roster import Roster
from callhub.dispatch.rules import Rules
from callhub.dispatch.world import EARLY_CANCELS_MAX, DueRef, World
from callhub.domain.incident import AlarmRef, Deadline, Incident, IncidentState, Places, Source
from callhub.domain.people import Responder, ResponderKind
from callhub.domain.policy import IncidentClass, PolicySet, policy_key
from tests.simulation.driver import LADDERS, START, north

LATER = START + timedelta(seconds=10)


def world(**rules: int) -> World:
    made = Rules(**rules)  # type: ignore[arg-type]  # by name
    return World(made, PolicySet(LADDERS.values()), Roster(made, START))


def incident(id: str = "1", after_s: float | None = 10, **changes: object) -> Incident:
    made = Incident(id, 1, IncidentClass.EMERGENCY, "sos", 2, Source.DEVICE, policy_key(LADDERS["emergency"]), 1, START)
    if after_s is not None:
        made.deadlines["step"] = Deadline(START + timedelta(seconds=after_s), "step")
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_the_newest_deadline_counts_and_stale_entries_are_passed_over() -> None:
    it = world()
    held = incident()
    it.note(held)
    it.note(held)
    held.deadlines["step"] = Deadline(START + timedelta(seconds=90), "step")
    it.note(held)
    assert it.next_due() == START + timedelta(seconds=90)
    held.deadlines["step"] = Deadline(LATER, "step")
    it.note(held)
    assert it.due(LATER, 5) == [DueRef(LATER, "1")]
    assert it.due(LATER, 5) == [DueRef(LATER, "1")], "it stays until it is handled"
    held.deadlines.clear()
    it.note(held)
    assert it.next_due() is None


def test_the_most_overdue_come_first_and_not_too_many() -> None:
    it = world()
    for n in range(5):
        it.note(incident(str(n), after_s=10 - n))
    assert [ref.incident for ref in it.due(START + timedelta(hours=1), 3)] == ["4", "3", "2"]
    assert it.due(START, 3) == []


def test_a_forgotten_incident_is_due_no_more() -> None:
    it = world()
    it.note(incident(elder="E-1"))
    it.forget("1")
    assert it.next_due() is None
    assert (it.incidents, it.by_elder, it.seeking) == ({}, {}, set())


def test_a_timer_is_armed_moved_and_disarmed() -> None:
    it = world()
    it.set_timer("duty:V", LATER)
    it.set_timer("duty:V", LATER)
    assert it.due(LATER, 9) == [DueRef(LATER, "", "duty:V")]
    it.set_timer("duty:V", None)
    it.set_timer("duty:V", None)
    assert it.next_due() is None


def test_incidents_are_found_by_elder_and_by_every_device_that_joined() -> None:
    it = world()
    held = incident(elder="E-1", alarms=[AlarmRef("a", "GW", "B", "sos", START)])
    it.note(held)
    held.alarms.append(AlarmRef("b", "GW", "C", "sos", START))
    held.alarms.append(AlarmRef("c", None, None, "sos", START))
    held.elder = "E-2"
    it.note(held)
    assert [i.id for i in it.open_of_device("GW", "B")] == ["1"]
    assert [i.id for i in it.open_of_device("GW", "C")] == ["1"]
    assert (it.open_of_elder("E-1"), it.open_of_elder("E-2")) == ([], [held])
    assert it.open_of_device("GW", None) == []


def test_an_index_keeps_the_others_when_one_goes() -> None:
    it = world()
    one, two = incident("1", elder="E-1"), incident("2", elder="E-1")
    it.note(one)
    it.note(two)
    one.state = IncidentState.CLOSED
    it.note(one)
    assert it.open_of_elder("E-1") == [two]
    assert it.next_due() == LATER


def test_where_an_ended_incident_was_is_kept_however_often_it_is_noted() -> None:
    it = world(ended_kept=1)
    places = Places(home=north(0), address="1")
    held = incident(state=IncidentState.CLOSED)
    it.places["1"] = places
    it.note(held)
    it.note(held)
    assert it.places_of("1") is places
    it.note(incident("2", state=IncidentState.CLOSED))
    assert it.places_of("1") == Places(), "only so many stay in memory"


def test_only_emergencies_take_capacity() -> None:
    it = world()
    record = Responder("V", "V", ResponderKind.VOLUNTEER)
    person = it.roster.admit(record, START, known=False)
    it.weigh(incident(), "nobody")
    it.weigh(incident(), "V")
    assert (person.loads, person.asked, person.duties) == ({}, set(), set())


def test_only_so_many_early_cancels_are_remembered_and_the_oldest_give_way() -> None:
    it = world()
    for n in range(EARLY_CANCELS_MAX + 2):
        it.expect_alarm("GW", f"a-{n}", "B", str(n))
    assert len(it.early_cancels) == EARLY_CANCELS_MAX
    assert next(iter(it.early_cancels)) == ("GW", "a-2", "B")
