"""Somebody cannot come any more: given back, off duty, disabled, revoked."""

from __future__ import annotations

from tests.scenarios.town import Person, Town, ladder


def coming() -> tuple[Town, Person, Person, str]:
    town = Town()
    town.elder()
    person, other = town.responder("V-1", 50), town.responder("V-2", 100)
    incident = town.press()
    person.accepts()
    return town, person, other, incident.id


def test_a_release_asks_again_those_who_were_stood_down() -> None:
    town, person, other, incident = coming()
    first = other.offer["offer"]
    assert other.told("stand_down")[-1] == {"offer": first, "incident": incident, "reason": "filled"}

    assert person.reports("release", reason="car broke down").body["state"] == "released"

    assert other.hears() == ["offer"]
    assert other.offer["offer"] != first
    assert town.incident(incident).state == "seeking"
    assert town.progress() == ["seeking", "assigned", "seeking"]
    assert person.offers() == 1


def test_a_release_goes_on_where_the_ladder_stopped() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    town.advance(30)
    person.accepts()
    asked = desk.offers()

    person.reports("release")

    entered = town.facts(incident.id, "step_entered")[-1]
    assert (entered.step, entered.why) == (1, "released")
    assert desk.offers() == asked + 1


def test_a_release_of_somebody_sent_by_hand_begins_at_the_first_step() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", 5000)
    town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    town.act(incident.id, "assign", responder="V-1", confirmed_by="telephone")
    person.reports("release")
    assert (0, "released") in [(s.step, s.why) for s in town.facts(incident.id, "step_entered")]


def test_a_release_by_the_last_one_under_unanswered_begins_anew() -> None:
    town, person, other, incident = coming()
    town.advance(300)
    other.declines()
    town.advance(200)
    assert town.incident(incident).state == "unanswered"

    person.reports("release")

    held = town.incident(incident)
    assert (0, "released") in [(s.step, s.why) for s in town.facts(incident, "step_entered")]
    assert held.state == "unanswered", "there is really nobody left"
    assert town.waits_for(incident) == "repeat in 60"


def test_a_release_while_another_is_on_the_way_asks_nobody() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    first, second, third = (town.responder(f"V-{n}", 100 + n) for n in range(3))
    incident = town.press()
    first.accepts()
    second.accepts()
    town.act(incident.id, "assign", responder="V-2", confirmed_by="telephone")
    asked = third.offers()

    first.reports("release")

    assert second.hears() == ["update released"]
    assert town.incident(incident.id).state == "assigned"
    assert third.offers() == asked


def test_a_release_by_telephone_tells_the_person_too() -> None:
    town, person, _, incident = coming()
    town.act(incident, "release", responder="V-1", reason="fell ill")
    assert person.hears() == ["update released"]


def test_going_off_duty_withdraws_offers_never_an_assignment() -> None:
    town, person, other, incident = coming()
    answer = person.goes(on_duty=False)
    assert answer.body == {"ok": True, "state": "off_duty"}
    assert town.incident(incident).assignment_of("V-1") is not None
    person.reports("release")
    assert other.goes(on_duty=False).body["state"] == "off_duty"
    assert other.hears() == ["stand_down off_duty"]
    assert town.incident(incident).live_offers == []


def test_going_off_duty_withdraws_a_silent_offer_too() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    town.press()
    town.advance(25)
    person.goes(on_duty=False)
    assert person.hears() == ["stand_down off_duty"]
    assert person.accepts().code == "offer_not_open"


def test_disabling_withdraws_offers_and_asks_the_next() -> None:
    town = Town()
    town.elder()
    person, _, third = (town.responder(f"V-{n}", 100 + n) for n in range(3))
    incident = town.press()

    town.changes_responder("V-0", active=False)

    assert person.hears() == ["stand_down disabled"]
    assert third.hears() == ["offer"]
    town.changes_responder("V-0", active=True)
    assert town.incident(incident.id).offer_of("V-0") is None, "the step is full"


def test_disabling_somebody_on_scene_releases_them_tells_them_and_asks_others() -> None:
    town, person, other, incident = coming()
    person.reports("on_scene")

    town.changes_responder("V-1", active=False)

    held = town.incident(incident)
    assert (held.state, held.live) == ("seeking", [])
    assert person.hears() == ["stand_down disabled"]
    assert other.hears() == ["offer"]
    assert person.reports("cleared", outcome="helped").code == "not_assigned"


def test_disabling_somebody_sent_by_hand_begins_at_the_first_step() -> None:
    town = Town()
    town.elder()
    town.responder("V-1", 5000)
    town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    town.act(incident.id, "assign", responder="V-1", confirmed_by="telephone")
    near = town.responder("V-2", 100)
    town.changes_responder("V-1", active=False)
    assert near.hears() == ["offer"]
    entered = town.facts(incident.id, "step_entered")[-1]
    assert (entered.step, entered.why) == (0, "released")


def test_somebody_disabled_cannot_be_sent_by_hand() -> None:
    town, _, _, incident = coming()
    town.responder("V-9", 5000, active=False)
    assert town.act(incident, "assign", responder="V-9").code == "not_found"
    assert town.act(incident, "assign", responder="nobody").code == "not_found"


def test_a_revoked_token_leaves_the_assignment_and_its_deadline() -> None:
    town, _, _, incident = coming()
    town.changes("token", revoked=(("responder", "V-1"),))
    assert town.incident(incident).assignment_of("V-1") is not None
    town.advance(300)
    assignment = town.incident(incident).assignment_of("V-1")
    assert assignment is not None
    assert assignment.late


def test_a_revoked_token_of_somebody_on_scene_calls_no_desk() -> None:
    town, person, _, incident = coming()
    person.reports("on_scene")
    town.changes("token", revoked=(("responder", "V-1"),))
    assert town.facts(incident, "desk_called") == []


def test_a_revoked_person_s_open_offer_is_made_up_for_at_once_and_a_yes_by_telephone_counts() -> None:
    town = Town()
    town.elder()
    first, _, third = (town.responder(f"V-{n}", 100 + n) for n in range(3))
    incident = town.press()

    town.changes("token", revoked=(("responder", "V-0"),))

    assert third.was_asked()
    assert town.incident(incident.id).offers[first.offer["offer"]].state == "silent"
    assert town.answers_for(first.offer["offer"], accept=True).body["state"] == "assigned"


def test_an_import_that_ends_somebody_s_hours_withdraws_their_offer() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", on_duty=False, hours="00:00-24:00")
    town.press()
    assert person.was_asked()
    town.changes_responder("V-1", hours="20:00-21:00")
    assert person.hears() == ["stand_down off_duty"]
