"""Resolved: when it is, what ends then, and what does not."""

from __future__ import annotations

from tests.scenarios.town import Person, Town, ladder


def several(needed: int, people: int) -> tuple[Town, list[Person], str]:
    town = Town(ladder(needed=needed))
    town.elder()
    everybody = [town.responder(f"V-{n}", 100 + n) for n in range(people)]
    incident = town.press()
    for person in everybody[:needed]:
        person.accepts()
    return town, everybody, incident.id


def test_cleared_by_the_only_one_resolves_and_arms_the_follow_up_alone() -> None:
    town, (person,), incident = several(1, 1)
    person.reports("on_scene")
    answer = person.reports("cleared", outcome="helped", note="sat up again")
    assert answer.body == {"ok": True, "state": "cleared"}
    assert town.incident(incident).state == "resolved"
    assert town.incident(incident).is_open
    assert town.waits_for(incident) == "follow_up in 86400"
    assert list(town.incident(incident).deadlines) == ["follow_up"]


def test_every_outcome_but_no_access_resolves() -> None:
    for outcome in ("helped", "false_alarm", "hospital", "emergency_services", "other"):
        town, (person,), incident = several(1, 1)
        person.reports("cleared", outcome=outcome)
        assert town.incident(incident).state == "resolved", outcome
    town, (person,), incident = several(1, 1)
    person.reports("cleared", outcome="no_access")
    assert town.incident(incident).state == "unanswered", "nobody else is there to be asked"
    assert town.incident(incident).ladder_runs


def test_not_while_somebody_is_on_scene() -> None:
    town, (first, second), incident = several(2, 2)
    first.reports("on_scene")
    second.reports("on_scene")
    first.reports("cleared", outcome="helped")
    assert town.incident(incident).state == "on_scene"
    second.reports("cleared", outcome="helped")
    assert town.incident(incident).state == "resolved"


def test_not_while_another_who_is_needed_is_on_the_way() -> None:
    town, (first, second), incident = several(2, 2)
    first.reports("on_scene")
    first.reports("cleared", outcome="helped")
    assert town.incident(incident).state == "assigned"
    second.reports("release")
    assert town.incident(incident).state == "resolved", "nobody else is on the way"


def test_whoever_is_still_asked_is_stood_down() -> None:
    town, everybody, incident = several(2, 4)
    town.act(incident, "assign", responder="V-3")
    everybody[0].reports("cleared", outcome="helped")
    everybody[1].reports("cleared", outcome="helped")
    assert town.incident(incident).state == "resolved"
    assert everybody[3].told("stand_down")[-1]["reason"] in ("filled", "resolved")
    assert town.incident(incident).live_offers == []


def test_whoever_is_still_on_the_way_is_released_and_told() -> None:
    town, everybody, incident = several(1, 3)
    town.act(incident, "assign", responder="V-1", confirmed_by="telephone")
    everybody[0].reports("cleared", outcome="helped")
    held = town.incident(incident)
    assert held.state == "resolved"
    assert [a.state for a in held.assignments.values()] == ["cleared", "released"]
    assert everybody[1].hears() == ["stand_down resolved"]


def test_no_access_of_the_last_after_another_has_done_it() -> None:
    town, (first, second), incident = several(2, 2)
    first.reports("cleared", outcome="helped")
    second.reports("cleared", outcome="no_access")
    assert town.incident(incident).state == "resolved"


def test_the_ladder_rests_once_it_is_resolved() -> None:
    town, everybody, incident = several(1, 3)
    everybody[0].reports("cleared", outcome="helped")
    town.advance(3600)
    held = town.incident(incident)
    assert not held.ladder_runs
    assert [p.offers() for p in everybody] == [1, 1, 0]
    assert town.act(incident, "escalate").code == "illegal_transition"
    assert town.act(incident, "assign", responder="V-2").code == "illegal_transition"


def test_a_service_stays_asked_after_without_ringing() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press(kind="meal")
    person.accepts()
    person.reports("cleared", outcome="helped")
    town.advance(86_400)
    held = town.incident(incident.id)
    assert held.desk_call is not None
    assert not held.rings
    assert held.is_open


def test_the_follow_up_is_shown_until_somebody_closes() -> None:
    town, (person,), incident = several(1, 1)
    person.reports("cleared", outcome="helped")
    town.advance(86_400 + 1000)
    assert len(town.facts(incident, "desk_called")) == 9
    assert town.act(incident, "feedback", rating=5, text="so kind").code is None
    assert town.waits_for(incident) == "follow_up in 86400"
    town.act(incident, "close", outcome="helped")
    town.advance(200_000)
    assert not town.incident(incident).is_open


def test_feedback_has_bounds() -> None:
    town, _, incident = several(1, 1)
    for fields in ({"rating": 0}, {"rating": 6}, {"rating": True}, {"rating": "5"}, {}):
        assert town.act(incident, "feedback", **fields).code == "invalid_message", fields
    assert town.act(incident, "note").code == "invalid_message"
