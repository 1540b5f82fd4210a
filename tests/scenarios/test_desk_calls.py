"""Desk calls: what was missed or went wrong is shown to desks until a person acts on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.scenarios.town import Person, Town

if TYPE_CHECKING:
    from callhub.domain.incident import DeskCall


def on_scene() -> tuple[Town, Person, str]:
    town = Town()
    town.elder()
    for area, level in ((("D", "S", "C"), "community"), (("D",), "district")):
        town.desk(area, level)
    town.watch()
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()
    person.reports("on_scene")
    return town, person, incident.id


def calls(town: Town, incident: str) -> list[tuple[str, str | None]]:
    """(reason, area) of every time a desk was called."""
    return [(fact.call.reason, fact.area) for fact in town.facts(incident, "desk_called")]


def under_way(town: Town, incident: str) -> DeskCall | None:
    return town.incident(incident).desk_call


def test_a_missed_resolution_calls_the_nearest_desk_then_one_level_up_and_the_top_again_and_again() -> None:
    town, _, incident = on_scene()

    town.advance(3600)
    assert calls(town, incident) == [("resolution_missed", "C")]
    town.advance(120)
    town.advance(120)
    town.advance(120)

    assert [area for _, area in calls(town, incident)] == ["C", "D", "D", "D"]
    assert town.facts(incident, "desk_called")[0].desks == ("DESK-C",)


def test_it_asks_nobody_and_changes_neither_state_nor_owner() -> None:
    town, person, incident = on_scene()
    offers = len(town.incident(incident).offers)

    town.advance(4000)

    held = town.incident(incident)
    assert (held.state, held.owner, len(held.offers)) == ("on_scene", None, offers)
    assert person.hears() == []
    assert held.rings


def test_an_act_of_a_person_ends_it_and_arms_the_missed_deadline_anew() -> None:
    town, _, incident = on_scene()
    town.advance(3700)

    town.act(incident, "note", text="they are waiting for the key")

    assert under_way(town, incident) is None
    assert not town.incident(incident).rings
    assert town.waits_for(incident) == "resolution in 3600"


def test_two_missed_deadlines_are_both_armed_anew() -> None:
    town, _, incident = on_scene()
    town.act(incident, "contact", party="120", result="requested")
    town.advance(3600)
    held = under_way(town, incident)
    assert held is not None
    assert held.rearm == ("service:120", "resolution:" + incident + "-a1")

    town.act(incident, "note", text="still here")

    assert set(town.incident(incident).deadlines) >= {"service:120", f"resolution:{incident}-a1"}


def test_a_need_calls_a_desk_at_once() -> None:
    town, person, incident = on_scene()
    assert person.reports("need", need="key", note="nobody opens").body["state"] == "on_scene"
    assert calls(town, incident) == [("need", "C")]
    assert person.reports("need", need="cake").code == "invalid_message"


def test_no_access_calls_a_desk_and_asks_the_next_people() -> None:
    town, person, incident = on_scene()
    other = town.responder("V-2", 500)

    person.reports("cleared", outcome="no_access")

    assert calls(town, incident) == [("no_access", "C")]
    assert town.incident(incident).state == "seeking"
    assert other.was_asked()


def test_a_service_requested_and_not_there_in_time_calls_a_desk() -> None:
    town, person, incident = on_scene()
    town.act(incident, "contact", party="120", result="requested")
    assert person.hears() == ["update service_called"]
    assert person.told("update")[-1]["kind"] == "120"

    town.advance(600)

    assert calls(town, incident) == [("service_missed", "C")]
    assert [fact.party for fact in town.facts(incident, "service_missed")] == ["120"]


def test_a_service_that_came_is_missed_by_nobody() -> None:
    town, _, incident = on_scene()
    town.act(incident, "contact", party="120", result="requested")
    town.act(incident, "contact", party="120", result="arrived")
    town.advance(1000)
    assert calls(town, incident) == []


def test_a_service_that_came_late_is_not_waited_for_again() -> None:
    town, _, incident = on_scene()
    town.act(incident, "contact", party="120", result="requested")
    town.advance(650)
    town.act(incident, "contact", party="120", result="arrived")
    assert "service:120" not in town.incident(incident).deadlines


def test_a_revoked_person_on_the_way_calls_a_desk_and_keeps_the_assignment() -> None:
    town = Town()
    town.elder()
    town.desk(("D", "S", "C"), "community")
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()

    town.changes("token", revoked=(("responder", "V-1"),))

    assert calls(town, incident.id) == [("revoked", "C")]
    held = town.incident(incident.id)
    assert held.assignment_of("V-1") is not None
    assert f"arrival:{incident.id}-a1" in held.deadlines


def test_a_follow_up_missed_calls_a_desk_and_does_not_ring() -> None:
    town, person, incident = on_scene()
    person.reports("cleared", outcome="helped")
    assert town.waits_for(incident) == "follow_up in 86400"

    town.advance(86_400)

    assert calls(town, incident) == [("follow_up_missed", "C")]
    assert not town.incident(incident).rings
    town.act(incident, "contact", party="elder", result="no_answer")
    assert town.waits_for(incident) == "follow_up in 86400"


def test_reopening_ends_the_call_about_the_follow_up() -> None:
    town, person, incident = on_scene()
    person.reports("cleared", outcome="helped")
    town.advance(86_500)

    town.act(incident, "reopen", reason="she pressed again")

    held = town.incident(incident)
    assert held.desk_call is None
    assert "follow_up" not in held.deadlines
    assert held.state in ("seeking", "unanswered")


def test_a_desk_call_without_any_desk_still_repeats_until_a_person_acts() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()
    person.reports("need", need="police")
    town.advance(500)
    assert len(calls(town, incident.id)) == 5
    assert town.incident(incident.id).rings


def test_an_incident_without_an_area_calls_the_desks_of_all_top_areas() -> None:
    town = Town()
    town.desk(("D",), "district")
    town.desk(("D2",), "district")
    town.responder("V-1")
    incident = town.press(device="UNKNOWN-1")
    town.act(incident.id, "contact", party="110", result="requested")
    town.advance(600)
    called = town.facts(incident.id, "desk_called")[-1]
    assert called.area is None
    assert called.desks == ("DESK-D", "DESK-D2")
