"""Reach has patience: sixty seconds after a start or a lost link; and a restart is no cascade."""

from __future__ import annotations

import pytest

from tests.scenarios.town import Person, Town


def test_a_lost_link_counts_as_reachable_for_a_minute() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    person = town.responder("V-1")
    town.link("V-1", up=False)

    town.advance(59)
    town.press("E-1")
    assert person.offers() == 1
    person.declines()
    town.advance(1)
    town.press("E-2")
    assert person.offers() == 1


def test_whoever_comes_back_after_that_is_asked_at_once() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", linked=False)
    town.advance(61)
    town.press()
    assert not person.was_asked()

    town.link("V-1", up=True)

    assert person.hears() == ["offer"]


def test_a_link_that_flaps_withdraws_nothing() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    town.press()
    town.link("V-1", up=False)
    town.link("V-1", up=True)
    assert person.told("stand_down") == []
    assert person.accepts().body["state"] == "assigned"


def test_a_new_responder_is_reachable_only_once_linked() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", linked=False)
    town.press()
    assert not person.was_asked()


def test_after_a_start_everybody_on_duty_counts_as_reachable_for_a_minute() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    person = town.responder("V-1")
    town.restart(after_s=3600)

    town.press("E-1")
    assert person.was_asked()
    person.declines()
    town.advance(61)
    town.press("E-2")
    assert person.offers() == 1


def test_after_a_start_desks_count_as_staffed_for_a_minute() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.advance(100)
    town.restart()
    town.press()
    assert desk.was_asked()


def test_a_revoked_token_ends_reach_at_once() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    person, other = town.responder("V-1"), town.responder("V-2", 3000)
    town.press("E-1")
    assert person.was_asked()
    assert not other.was_asked()

    town.changes("token", revoked=(("responder", "V-1"),))

    town.press("E-2")
    assert person.offers() == 1


def _seeking(town: Town, person: Person) -> str:
    return "seeking"


def _assigned(town: Town, person: Person) -> str:
    person.accepts()
    return "assigned"


def _en_route(town: Town, person: Person) -> str:
    person.accepts()
    person.reports("en_route")
    return "assigned"


def _late(town: Town, person: Person) -> str:
    person.accepts()
    town.advance(300)
    return "assigned"


def _on_scene(town: Town, person: Person) -> str:
    person.accepts()
    person.reports("on_scene")
    return "on_scene"


def _overstayed(town: Town, person: Person) -> str:
    _on_scene(town, person)
    town.advance(3650)
    return "on_scene"


def _resolved(town: Town, person: Person) -> str:
    _on_scene(town, person)
    person.reports("cleared", outcome="helped")
    return "resolved"


def _owned(town: Town, person: Person) -> str:
    town.act(person.offer["incident"], "take-over", user="anna")
    return "seeking"


def _unanswered(town: Town, person: Person) -> str:
    town.advance(300)
    return "unanswered"


STAGES = [_seeking, _assigned, _en_route, _late, _on_scene, _overstayed, _resolved, _owned, _unanswered]


@pytest.mark.parametrize("stage", STAGES, ids=lambda f: f.__name__.lstrip("_"))
def test_a_restart_waits_for_what_was_waited_for(stage: object) -> None:
    town = Town()
    town.elder()
    town.watch()
    person = town.responder("V-1")
    town.responder("V-2", 1900)
    incident = town.press()
    assert callable(stage)
    expected = stage(town, person)
    assert town.incident(incident.id).state == expected
    before = town.incident(incident.id)
    told = len(town.sent)

    town.restart()

    after = town.incident(incident.id)
    assert after is not before
    assert after == before
    assert after.next_deadline == before.next_deadline
    assert town.engine.next_due() is not None
    town.advance(0)
    assert len(town.sent) == told, "a restart alone tells nobody anything"


def test_a_long_stop_advances_one_step_and_the_next_counts_from_now() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    community = town.desk(("D", "S", "C"), "community")
    district = town.desk(("D",), "district")
    incident = town.press()

    town.restart(after_s=3600)
    town.advance(0)

    assert town.incident(incident.id).step == 1
    assert community.was_asked()
    assert not district.was_asked()
    assert town.waits_for(incident.id) == "offer in 30"
    assert person.accepts().body["state"] == "assigned"


def test_after_a_stop_what_is_most_overdue_comes_first() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    for n in range(4):
        town.responder(f"V-{n}", 100 + n)
    first = town.press("E-1")
    town.advance(5)
    second = town.press("E-2")

    town.restart(after_s=600)

    assert [ref.incident for ref in town.engine.due(town.now)] == [first.id, second.id]


def test_an_owner_who_does_not_come_back_after_a_restart_is_missed() -> None:
    town = Town()
    town.elder()
    town.watch("anna")
    town.responder("V-1")
    incident = town.press()
    town.act(incident.id, "take-over", user="anna")
    town.restart()

    town.advance(60)

    assert town.incident(incident.id).owner is None
    assert town.facts(incident.id, "owner_cleared")[-1].why == "owner_away"


def test_an_owner_who_comes_back_after_a_restart_stays() -> None:
    town = Town()
    town.elder()
    town.watch("anna")
    incident = town.press()
    town.act(incident.id, "take-over", user="anna")
    town.restart(after_s=5)
    town.watch("anna")

    town.advance(100)

    assert town.incident(incident.id).owner is not None


def test_after_a_restart_that_nobody_comes_back_to_an_emergency_is_unwatched() -> None:
    town = Town()
    town.elder()
    town.watch("anna")
    town.responder("V-1").goes(on_duty=True)
    incident = town.press()
    assert town.incident(incident.id).unwatched is False

    town.restart()
    town.advance(61)

    assert town.incident(incident.id).unwatched is True
