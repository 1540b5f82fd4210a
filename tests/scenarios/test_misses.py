"""A miss is never only a mark."""

from __future__ import annotations

from tests.scenarios.town import Person, Town, ladder


def late() -> tuple[Town, Person, list[Person], str]:
    town = Town()
    town.elder()
    person = town.responder("V-late", 50)
    others = [town.responder(f"V-{n}", 100 + n) for n in range(3)]
    incident = town.press()
    person.accepts()
    town.advance(300)
    return town, person, others, incident.id


def test_a_missed_arrival_stays_marked_late_and_the_ladder_goes_on() -> None:
    town, person, others, incident = late()
    held = town.incident(incident)
    assignment = held.assignment_of("V-late")
    assert assignment is not None
    assert assignment.late
    assert held.state == "assigned"
    assert held.ladder_runs
    assert [other.offers() for other in others] == [2, 1, 0], "who was stood down may be asked again"
    assert person.hears() == ["assignment assigned"]
    assert person.told("assignment")[-1]["late"] is True
    assert town.facts(incident, "step_entered")[-1].why == "late"


def test_it_goes_on_from_the_step_where_it_stopped() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", 50)
    town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    town.advance(30)
    assert town.incident(incident.id).step == 1
    person.accepts()

    town.advance(300)

    entered = town.facts(incident.id, "step_entered")[-1]
    assert (entered.step, entered.why) == (1, "late")


def test_after_unanswered_it_goes_on_from_the_first() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", 50)
    incident = town.press()
    town.advance(120)
    assert town.incident(incident.id).state == "unanswered"
    person.accepts()
    fresh = town.responder("V-2", 100)

    town.advance(300)

    assert [(s.step, s.why) for s in town.facts(incident.id, "step_entered")][-1] == (0, "late")
    assert fresh.was_asked()


def test_after_an_assignment_by_hand_it_goes_on_from_the_first() -> None:
    town = Town()
    town.elder()
    town.responder("V-1", 5000)
    town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    assert town.incident(incident.id).step == 1
    town.act(incident.id, "assign", responder="V-1", confirmed_by="telephone")

    town.advance(6000)  # one and a half times what five kilometres on foot take

    whys = [(s.step, s.why) for s in town.facts(incident.id, "step_entered")]
    assert (0, "late") in whys


def test_on_scene_from_the_late_one_makes_it_on_time_again_and_stands_down_those_only_asked() -> None:
    town, person, others, incident = late()

    person.reports("on_scene")

    held = town.incident(incident)
    assert not held.ladder_runs
    assert held.state == "on_scene"
    assert [other.told("stand_down")[-1]["reason"] for other in others[:2]] == ["filled", "filled"]
    assert held.live_offers == []
    assignment = held.assignment_of("V-late")
    assert assignment is not None
    assert assignment.is_on_time


def test_on_scene_from_the_late_one_keeps_whoever_said_yes_meanwhile() -> None:
    town, person, others, incident = late()
    others[0].accepts()

    person.reports("on_scene")

    assert len(town.incident(incident).live) == 2
    assert others[0].hears() == ["update responder_on_scene"]


def test_the_late_one_can_arrive_whatever_the_ladder_did_meanwhile() -> None:
    for seconds in (0, 30, 100, 1000):
        town, person, _, incident = late()
        town.advance(seconds)
        assert person.reports("en_route").body["state"] == "en_route"
        assert person.reports("on_scene").body["state"] == "on_scene", seconds
        assert town.incident(incident).state == "on_scene"


def test_the_late_one_can_arrive_after_a_more_urgent_alarm_began_the_ladder_anew() -> None:
    town, person, _, incident = late()
    town.advance(1000)
    assert town.incident(incident).state == "unanswered"
    town.press(kind="smoke", alarm="a-2")
    town.responder("V-9", 400)
    assert person.reports("on_scene").body["state"] == "on_scene"


def test_a_late_one_is_stood_down_when_another_has_done_it() -> None:
    town, person, others, incident = late()
    others[0].accepts()
    others[0].reports("on_scene")
    others[0].reports("cleared", outcome="helped")
    assert town.incident(incident).state == "resolved"
    assert person.hears() == ["stand_down resolved"]
    assert town.incident(incident).live == []


def test_a_late_one_alone_keeps_the_case_from_falling_silent() -> None:
    town, _, _, incident = late()
    town.advance(3600)
    held = town.incident(incident)
    assert held.state == "unanswered"
    assert held.rings
    assert held.assignment_of("V-late") is not None


def test_when_one_has_done_it_and_the_other_is_late_nobody_new_is_sent() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    first, second, third = (town.responder(f"V-{n}", 100 + n) for n in range(3))
    incident = town.press()
    first.accepts()
    second.accepts()
    first.reports("cleared", outcome="helped")
    assert town.incident(incident.id).state == "assigned"

    town.advance(300)

    assert town.incident(incident.id).state == "resolved"
    assert second.hears() == ["stand_down resolved"]
    assert third.offers() == 1


def test_a_late_one_under_an_owner_is_replaced_and_the_ladder_does_not_climb() -> None:
    town = Town()
    town.elder()
    person, other = town.responder("V-1", 50), town.responder("V-2", 3000)
    incident = town.press()
    person.accepts()
    other.goes(on_duty=False)
    near = town.responder("V-3", 60)
    for _ in range(3):
        town.act(incident.id, "take-over")
        town.advance(100)
    assert near.was_asked()
    held = town.incident(incident.id)
    assert held.step == 0
    assert held.owner is not None


def test_a_resolution_missed_asks_nobody_new() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", 50)
    other = town.responder("V-2", 60)
    incident = town.press()
    person.accepts()
    person.reports("on_scene")
    town.advance(3600)
    assert other.offers() == 1
    assert town.incident(incident.id).state == "on_scene"
    assert not town.incident(incident.id).ladder_runs
