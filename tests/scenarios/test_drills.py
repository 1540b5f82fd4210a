"""Drills: an emergency that is practised on the real ladder, and that the real thing never waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.domain import events as e
from callhub.domain.people import SYSTEM, Actor, ActorKind, Role
from tests.scenarios.town import AREA, FIRE, Person, Town, ladder

if TYPE_CHECKING:
    from callhub.domain.incident import Incident

OPERATOR = Actor(ActorKind.USER, "anna", Role.OPERATOR)


def drill(town: Town, elder: str = "E-1", kind: str = "sos") -> Incident:
    """An operator begins a drill."""
    who = town.elders[elder]
    answer = town.tell(e.DrillAsked(id=town.new_id(), actor=OPERATOR, elder=who, kind=kind, reason="half-yearly"))
    return town.incident(answer.incident or "")


def small_town(capacity: int = 1) -> tuple[Town, Person]:
    town = Town()
    town.elder()
    return town, town.responder("V-1", capacity=capacity)


def test_a_drill_climbs_the_real_ladder_up_to_unanswered() -> None:
    town, person = small_town()
    desk = town.desk(AREA[:3], "community")
    town.watch()
    held = drill(town)
    assert (held.class_, held.kind, held.drill, held.source) == ("drill", "sos", True, "operator")
    assert held.policy.startswith("emergency@")
    assert (person.offers(), desk.was_asked()) == (1, False)

    town.advance(60)
    assert desk.was_asked()
    town.advance(120)
    assert held.state == "unanswered"


def test_each_kind_is_practised_on_its_own_ladder() -> None:
    town, _ = small_town()
    assert drill(town, kind="smoke").policy.startswith(FIRE["id"])
    town = Town(ladder(id="practice", **{"class": "drill"}))
    town.elder()
    assert drill(town).policy.startswith("practice@")


def test_every_message_of_a_drill_says_drill() -> None:
    town, person = small_town()
    other = town.responder("V-2", 300)
    held = drill(town)
    person.accepts()
    town.act(held.id, "note", text="well done")
    person.reports("en_route")
    person.reports("on_scene")
    person.reports("cleared", outcome="helped")
    town.act(held.id, "close", outcome="other")
    assert {m.type.value for m in town.sent} == {"offer", "assignment", "stand_down", "update"}
    assert other.told("stand_down")
    assert all(m.body["drill"] is True for m in town.sent)


def test_an_offer_of_a_drill_leaves_the_whole_capacity_for_an_emergency() -> None:
    town, person = small_town()
    town.elder("E-2")
    drill(town)
    real = town.press("E-2")
    assert person.offer["incident"] == real.id


def test_whoever_is_at_a_drill_can_take_an_emergency_and_holds_no_place_by_the_drill() -> None:
    town, person = small_town()
    town.elder("E-2")
    held = drill(town)
    person.accepts()
    assert [a.slot for a in held.assignments.values()] == [None]
    real = town.press("E-2")
    assert person.accepts().body["state"] == "assigned"
    assert [a.slot for a in town.incident(real.id).assignments.values()] == [1]


def test_whoever_has_an_emergency_is_not_asked_for_a_drill() -> None:
    town, person = small_town()
    town.elder("E-2")
    town.press("E-2")
    held = drill(town)
    assert not held.offers
    assert [r.passed_over[0]["reason"] for r in town.facts(held.id, "ranked") if r.passed_over] == ["busy"]
    assert person.offers() == 1


def test_taking_an_emergency_takes_the_offers_of_drills_back() -> None:
    town, person = small_town()
    town.elder("E-2")
    held = drill(town)
    town.press("E-2")
    person.accepts()
    assert "stand_down busy" in person.hears()
    assert [o.stand_down for o in held.offers.values()] == ["busy"]


def test_a_drill_never_rings_and_that_nobody_watches_it_is_no_fact() -> None:
    town, _ = small_town()
    town.desk(AREA[:3], "community")
    held = drill(town)
    town.advance(600)
    assert held.state == "unanswered"
    assert not held.rings
    assert not held.unwatched


def test_a_real_alarm_of_the_same_elder_opens_its_own_emergency_and_asks_the_people_of_the_drill() -> None:
    town, person = small_town()
    held = drill(town)
    person.accepts()
    version = held.version

    real = town.press()

    assert real.id != held.id
    assert (real.class_, real.follows) == ("emergency", None)
    assert person.offer["incident"] == real.id
    assert "drill" not in person.offer
    assert town.incident(held.id).version == version
    assert len(town.incident(held.id).alarms) == 1


def test_neither_a_call_nor_a_sensor_nor_a_service_joins_a_drill() -> None:
    town, _ = small_town()
    held = drill(town)
    called = town.call("sos", "E-1").incident
    assert called != held.id
    town.act(called or "", "close", outcome="false_alarm")
    assert town.press(kind="smoke").id != held.id
    assert town.press(kind="meal").follows != held.id


def test_a_drill_joins_nothing() -> None:
    town, _ = small_town()
    real = town.press()
    held = drill(town)
    again = drill(town)
    assert len({real.id, held.id, again.id}) == 3
    assert (held.follows, again.follows) == (None, None)
    assert len(town.incident(real.id).alarms) == 1


def test_of_two_that_wait_for_people_the_real_one_comes_first() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    held = drill(town, "E-1")
    real = town.press("E-2")
    person = town.responder("V-1")
    assert person.told("offer")[0]["incident"] == real.id
    assert held.urgency > real.urgency


def test_nobody_is_called_back_in_a_drill() -> None:
    steps = [{"name": "call back", "ask": ["call_back"], "step_timeout_s": 45}, *ladder_steps()]
    town = Town(ladder(kinds=["sos", "unknown"], step=steps))
    town.elder()
    person = town.responder("V-1")
    held = drill(town)
    assert held.call_back is None
    assert person.was_asked()


def ladder_steps() -> list[object]:
    """The steps of the test ladder."""
    return [
        {"name": "neighbours", "ask": ["volunteer"], "offer_timeout_s": 20, "step_timeout_s": 60},
        {"name": "district", "ask": ["desk"], "level": "district"},
    ]


def test_a_machine_may_end_a_drill_and_no_emergency() -> None:
    town, person = small_town()
    held = drill(town)
    machine = Actor(ActorKind.API, "timer", Role.VIEWER)
    assert town.act(held.id, "close", by=machine, outcome="other").code is None
    assert person.hears() == ["stand_down closed"]
    another = drill(town)
    assert town.act(another.id, "cancel", by=SYSTEM).code is None
    assert town.act(town.press().id, "cancel", by=SYSTEM).code == "not_allowed"


def test_a_closed_drill_counts_for_the_elder_and_each_area_above_and_a_cancelled_one_does_not() -> None:
    town, _ = small_town()
    town.act(drill(town).id, "cancel")
    town.act(town.press().id, "close", outcome="helped")
    assert not town.marks
    town.act(drill(town).id, "close", outcome="other")
    assert set(town.marks) == {("drilled.elder", "E-1"), *(("drilled.area", area) for area in AREA)}


def test_a_drill_teaches_nothing_of_how_people_answer() -> None:
    town, person = small_town()
    drill(town)
    person.accepts()
    assert not town.last.habits


def test_a_drill_survives_a_restart_as_a_drill() -> None:
    town, person = small_town()
    id = drill(town).id
    person.accepts()
    town.restart(5)
    held = town.incident(id)
    assert (held.class_, held.drill, held.state) == ("drill", True, "assigned")
    assert town.press().id != id


def test_a_drill_of_what_is_no_emergency_is_refused() -> None:
    town, _ = small_town()
    who = town.elders["E-1"]
    answer = town.tell(e.DrillAsked(id="d", actor=OPERATOR, elder=who, kind="meal", reason="x"))
    assert (answer.code, answer.body["field"]) == ("invalid_message", "kind")
