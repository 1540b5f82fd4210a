"""Calling back: a sensor's ladder waits for a human voice, and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from callhub.domain.people import Actor, ActorKind, Device, Role
from callhub.domain.policy import Policy, policy_from_table
from tests.scenarios.town import LADDER, SERVICE, Person, Town, ladder

if TYPE_CHECKING:
    from callhub.domain.incident import Incident

CALL: dict[str, Any] = {"name": "call back", "ask": ["call_back"], "step_timeout_s": 30}


def sensors(**changes: Any) -> Policy:
    """The test ladder for sensors, less urgent than a press, with a call-back of 30 s before its first step."""
    table = {**LADDER, "id": "sensors", "kinds": ["smoke", "gas", "inactivity", "door"], "urgency": 3}
    return policy_from_table({**table, "step": [CALL, *LADDER["step"]], **changes}, "test")


def smoke(**changes: Any) -> tuple[Town, Person, Incident]:
    """A neighbour, somebody at a console, and smoke in a kitchen."""
    town = with_sensors(**changes)
    town.elder()
    town.devices["SMOKE"] = Device("SMOKE", elder="E-1", gateway="GW", kind="smoke")
    person = town.responder("V-1")
    town.watch("anna")
    return town, person, town.press(device="SMOKE", kind="smoke")


def with_sensors(**changes: Any) -> Town:
    """A town with ladders for presses, sensors and services."""
    return Town(ladder(), sensors(**changes), policy_from_table(SERVICE, "test"), only=True)


def spoken(town: Town, incident: Incident, result: str, party: str = "elder") -> None:
    assert town.act(incident.id, "contact", party=party, result=result).code is None


def why(town: Town, incident: Incident) -> list[str]:
    return [fact.why for fact in town.facts(incident.id, "call_back_ended")]


def test_a_call_back_asks_nobody_to_come_and_rings_because_it_needs_a_voice() -> None:
    town, person, incident = smoke()
    assert not person.was_asked()
    assert (incident.state, incident.rings, incident.ladder_runs) == ("seeking", True, True)
    assert town.waits_for(incident.id) == "call_back in 30"


def test_without_an_answer_in_time_the_ladder_goes_on() -> None:
    town, person, incident = smoke()
    town.advance(29)
    assert not person.was_asked()
    town.advance(1)
    assert person.was_asked()
    assert (town.incident(incident.id).step, why(town, incident)) == (1, ["timeout"])


@pytest.mark.parametrize("result", ["needs_help", "silent", "no_answer"])
def test_help_silence_and_no_answer_end_it_at_once_at_the_next_step(result: str) -> None:
    town, person, incident = smoke()
    town.advance(5)
    spoken(town, incident, result)
    assert person.was_asked()
    assert town.incident(incident.id).call_back is None
    assert town.facts(incident.id, "step_entered")[-1].name == "neighbours"


def test_a_relative_who_says_that_help_is_needed_ends_it_and_one_who_does_not_answer_says_nothing() -> None:
    town, person, incident = smoke()
    spoken(town, incident, "no_answer", party="family")
    spoken(town, incident, "spoke_ok", party="family")
    assert town.incident(incident.id).call_back is not None
    assert not person.was_asked()
    spoken(town, incident, "needs_help", party="family")
    assert person.was_asked()


def test_the_elder_s_own_confirm_means_help_also_from_another_device() -> None:
    town, person, incident = smoke()
    meal = town.press(kind="meal")
    assert town.signals("confirm").body["incident"] == incident.id != meal.id
    assert person.was_asked()
    assert why(town, incident) == ["help"]


def test_a_confirm_that_nobody_waits_for_is_only_shown() -> None:
    town, _, incident = smoke()
    town.advance(30)
    town.signals("confirm", device="SMOKE")
    assert why(town, incident) == ["timeout"]


def test_a_sign_of_arrival_is_no_answer() -> None:
    town, _, incident = smoke()
    town.signals("arrived", device="SMOKE")
    assert town.incident(incident.id).call_back is not None


def test_a_press_ends_it_at_once() -> None:
    town, person, incident = smoke()
    assert town.press(kind="sos").id == incident.id
    assert person.was_asked()
    assert town.incident(incident.id).call_back is None


def test_an_equally_urgent_press_ends_it_at_the_next_step_too() -> None:
    town, person, incident = smoke(urgency=2)
    assert town.press(kind="sos").id == incident.id
    assert person.was_asked()
    assert why(town, incident) == ["pressed"]


def test_another_sensor_ends_it_and_the_same_one_saying_the_same_again_does_not() -> None:
    town, person, incident = smoke()
    town.advance(5)
    town.press(device="SMOKE", kind="smoke", alarm="again")
    assert town.waits_for(incident.id) == "call_back in 25"
    town.press(device="SMOKE", kind="gas", alarm="other")
    assert person.was_asked()


def test_a_human_s_own_report_ends_it() -> None:
    town, person, incident = smoke()
    assert town.call("smoke", "E-1").incident == incident.id
    assert person.was_asked()


def test_a_human_who_spoke_to_the_elder_and_found_all_well_holds_the_ladder() -> None:
    town, person, incident = smoke()
    spoken(town, incident, "spoke_ok")
    held = town.incident(incident.id)
    assert held.call_back is not None
    assert (held.call_back.held, held.rings, held.state) == (True, False, "seeking")
    assert town.waits_for(incident.id) == "held in 120"
    town.advance(119)
    assert not person.was_asked()
    assert town.act(incident.id, "close", outcome="false_alarm").code is None
    assert town.incident(incident.id).call_back is None


def test_what_is_held_and_not_closed_calls_desks_one_level_up_each_time_and_no_volunteer() -> None:
    town, person, incident = smoke()
    spoken(town, incident, "spoke_ok")
    town.advance(120)
    held = town.incident(incident.id)
    assert held.desk_call is not None
    assert (held.desk_call.reason, held.rings) == ("held_missed", True)
    town.advance(600)
    held = town.incident(incident.id)
    assert held.desk_call is not None
    assert held.desk_call.called == 6
    assert not person.was_asked()
    town.act(incident.id, "note", text="her son is there")
    assert town.incident(incident.id).desk_call is None
    assert town.waits_for(incident.id) == "held in 120"


def test_a_person_s_act_after_the_ladder_went_on_does_not_wait_for_the_closing_any_more() -> None:
    town, _, incident = smoke()
    spoken(town, incident, "spoke_ok")
    town.advance(120)
    town.press(kind="sos")
    town.act(incident.id, "note", text="seen")
    assert "held" not in town.incident(incident.id).deadlines


@pytest.mark.parametrize("then", ["needs_help", "silent", "no_answer"])
def test_what_is_held_goes_on_at_once_when_a_later_word_is_another(then: str) -> None:
    town, person, incident = smoke()
    spoken(town, incident, "spoke_ok")
    spoken(town, incident, then)
    assert person.was_asked()
    assert "held" not in town.incident(incident.id).deadlines


def test_what_is_held_goes_on_at_once_when_somebody_presses() -> None:
    town, person, _ = smoke()
    spoken(town, town.incident(next(iter(town.rows))), "spoke_ok")
    town.press(kind="sos")
    assert person.was_asked()


def test_a_machine_that_says_all_is_well_holds_nothing() -> None:
    town, person, incident = smoke()
    town.act(incident.id, "contact", by=Actor(ActorKind.API, "bot", Role.VIEWER), party="elder", result="spoke_ok")
    town.advance(30)
    assert person.was_asked()


def test_taking_it_over_is_not_yet_having_spoken() -> None:
    town, person, incident = smoke()
    town.act(incident.id, "take-over")
    assert not town.incident(incident.id).rings
    town.advance(30)
    assert person.was_asked()


def test_an_owner_who_goes_away_leaves_what_is_held_to_the_desks() -> None:
    town, person, incident = smoke()
    town.act(incident.id, "take-over")
    spoken(town, incident, "spoke_ok")
    town.advance(121)
    held = town.incident(incident.id)
    assert held.owner is None
    assert held.desk_call is not None
    assert held.rings
    assert not person.was_asked()


def test_an_owner_who_goes_away_before_anybody_spoke_sends_people() -> None:
    town, person, incident = smoke(owner_check_s=10)
    town.act(incident.id, "take-over")
    town.advance(10)
    assert person.was_asked()
    assert why(town, incident) == ["owner_gone"]


def test_escalating_ends_it() -> None:
    town, person, incident = smoke()
    town.act(incident.id, "escalate")
    assert person.was_asked()
    assert (town.incident(incident.id).step, why(town, incident)) == (1, ["escalated"])


def test_somebody_sent_by_hand_is_enough_and_when_they_leave_the_ladder_does_not_call_again() -> None:
    town, person, incident = smoke()
    town.act(incident.id, "assign", responder="V-1", confirmed_by="telephone")
    town.advance(30)
    assert why(town, incident) == ["came"]
    assert not person.was_asked(), "they said yes on the telephone"
    other = town.responder("V-2")
    person.reports("release", incident.id)
    assert other.was_asked()
    assert len(town.facts(incident.id, "call_back_began")) == 1


def test_whoever_becomes_free_meanwhile_is_not_asked() -> None:
    town, _, _ = smoke()
    assert not town.responder("V-2").was_asked()


def test_it_is_not_begun_again_by_reopening_or_by_the_repeat() -> None:
    town, person, incident = smoke()
    town.act(incident.id, "close", outcome="false_alarm")
    town.act(incident.id, "reopen")
    assert person.was_asked()
    town.advance(400)
    assert town.incident(incident.id).state == "unanswered"
    assert len(town.facts(incident.id, "call_back_began")) == 1


@pytest.mark.parametrize("fields", [{"device": "STRANGE"}, {"says_test": True}])
def test_nobody_is_called_where_nobody_can_be_or_where_it_says_test(fields: dict[str, Any]) -> None:
    town = with_sensors()
    town.elder()
    incident = town.press(kind="smoke", **fields)
    assert incident.call_back is None
    assert town.facts(incident.id, "call_back_began") == []


def test_it_survives_a_restart_with_its_deadline() -> None:
    town, person, incident = smoke()
    town.advance(10)
    town.restart(5)
    town.link("V-1", up=True)
    assert town.incident(incident.id).call_back is not None
    assert town.waits_for(incident.id) == "call_back in 15"
    town.advance(15)
    assert person.was_asked()
