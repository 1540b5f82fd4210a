"""Awkward orders of events that must still end with somebody at the door, or loud."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callhub.dispatch.replay import ALARMS_FIRST, ALARMS_MAX
from callhub.domain.people import ResponderKind
from tests.scenarios.town import AREA, LADDER, Town, ladder


def test_a_silent_offer_of_an_earlier_step_is_accepted_while_a_later_one_asks() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    town.advance(25)
    assert desk.was_asked()
    assert town.incident(incident.id).step == 1
    assert person.accepts().body["state"] == "assigned"
    assert desk.told("stand_down")[-1]["reason"] == "filled"


def test_two_say_yes_in_the_same_moment_and_the_first_wins() -> None:
    town = Town()
    town.elder()
    first, second = town.responder("V-1", 100), town.responder("V-2", 200)
    incident = town.press()
    assert first.accepts().code is None
    assert second.accepts().code == "offer_not_open"
    assert len(town.incident(incident.id).assignments) == 1


def test_a_yes_after_a_stand_down_is_refused_and_a_new_offer_is_not() -> None:
    town = Town()
    town.elder()
    first, second = town.responder("V-1", 100), town.responder("V-2", 200)
    town.press()
    old = second.offer["offer"]
    first.accepts()
    first.reports("release")
    assert second.accepts(old).code == "offer_not_open"
    assert second.accepts().body["state"] == "assigned"


def test_a_no_after_a_yes_is_refused_and_the_way_back_is_release() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    town.press()
    person.accepts()
    assert person.declines().code == "offer_not_open"
    assert person.reports("release").code is None
    assert person.accepts().body["state"] == "released"


def test_declining_twice_is_one_no() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    person.declines()
    assert person.declines().body == {"ok": True, "state": "declined"}
    assert len(town.facts(incident.id, "offer_declined")) == 1
    assert person.accepts().code == "offer_not_open"


def test_somebody_sent_by_hand_who_does_not_answer_does_not_hold_up_the_ladder() -> None:
    town = Town()
    town.elder()
    near = [town.responder(f"V-{n}", 100 + n) for n in range(3)]
    chosen = town.responder("V-9", 9000)
    incident = town.press()
    town.act(incident.id, "assign", responder="V-9")
    assert chosen.hears() == ["offer"]
    town.advance(20)
    held = town.incident(incident.id)
    assert held.offers[chosen.offer["offer"]].state == "silent"
    assert near[2].was_asked()
    assert chosen.accepts().body["state"] == "assigned", "a late yes is a yes"


def test_a_second_person_sent_by_hand_is_kept_beside_the_first() -> None:
    town = Town()
    town.elder()
    first, second = town.responder("V-1", 100), town.responder("V-2", 200)
    incident = town.press()
    first.accepts()
    town.act(incident.id, "assign", responder="V-2")
    assert second.hears() == ["offer"]
    assert second.accepts().body["state"] == "assigned"
    assert first.hears() == ["update responder_added"]
    assert len(town.incident(incident.id).live) == 2


def test_somebody_sent_by_hand_is_told_how_far_it_is_and_expected_accordingly() -> None:
    town = Town()
    town.elder()
    far = town.responder("V-far", 4000)
    desk = town.desk(AREA[:3], "community")
    incident = town.press()
    town.act(incident.id, "assign", responder="V-far")
    eta_s = town.rules.eta_s(ResponderKind.VOLUNTEER, 4000)
    assert (far.offer["distance_m"], far.offer["eta_s"]) == (4000, eta_s)
    far.accepts()
    assignment = next(iter(town.incident(incident.id).assignments.values()))
    assert assignment.arrive_by is not None
    assert (assignment.arrive_by - town.now).total_seconds() == pytest.approx(1.5 * eta_s, abs=1)
    town.act(incident.id, "assign", responder=desk.id)
    assert (desk.offer["distance_m"], desk.offer["eta_s"]) == (None, None), "a desk stands nowhere"


def test_sending_by_hand_somebody_who_is_asked_already_uses_their_offer() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    town.act(incident.id, "assign", responder="V-1", confirmed_by="telephone")
    assert len(town.incident(incident.id).offers) == 1
    assert person.hears() == ["assignment assigned"]


def test_sending_somebody_by_hand_who_said_no_or_is_off_duty_is_a_human_s_choice() -> None:
    town = Town()
    town.elder()
    no, off = town.responder("V-1"), town.responder("V-2", on_duty=False)
    incident = town.press()
    no.declines()
    for id in ("V-1", "V-2"):
        assert town.act(incident.id, "assign", responder=id, confirmed_by="telephone").code is None
    assert {a.responder for a in town.incident(incident.id).live} == {no.id, off.id}


def test_what_a_human_offered_somebody_off_duty_outlives_an_import_and_a_restart() -> None:
    town = Town()
    town.elder()
    off = town.responder("V-2", on_duty=False)
    incident = town.press()
    town.act(incident.id, "assign", responder="V-2")
    town.changes_responder("V-2", phone="123")
    town.restart()
    town.advance(1)
    assert off.told("stand_down") == []
    assert off.accepts().body["state"] == "assigned"


def test_a_desk_that_says_yes_twice_and_a_second_desk_that_comes_too_late() -> None:
    town = Town()
    community = town.desk(("D", "S", "C"), "community")
    district = town.desk(("D",), "district")
    town.elder()
    town.watch()
    incident = town.press()
    town.advance(31)
    assert district.was_asked()
    assert community.accepts().body["state"] == "accepted"
    assert community.accepts().body["state"] == "accepted"
    assert district.accepts().code == "offer_not_open"
    owner = town.incident(incident.id).owner
    assert owner is not None
    assert owner.id == community.id
    assert len(town.facts(incident.id, "owner_taken")) == 1


def test_the_desk_s_check_missed_asks_the_desk_again() -> None:
    town = Town()
    desk = town.desk(("D", "S", "C"), "community")
    town.elder()
    town.watch()
    town.press()
    desk.accepts()
    town.advance(120)
    assert desk.offers() == 2
    assert desk.told("offer")[-1]["reminder"] is False


def test_a_case_that_loses_everybody_again_and_again_stays_alive() -> None:
    town = Town()
    town.elder()
    for n in range(6):
        town.responder(f"V-{n}", 100 + n)
    incident = town.press()
    for _ in range(6):
        offer = town.incident(incident.id).live_offers[0]
        town.answers_for(offer.id, accept=True)
        town.act(incident.id, "on-scene", responder=offer.responder)
        town.act(incident.id, "cleared", responder=offer.responder, outcome="no_access")
        town.advance(10)
    held = town.incident(incident.id)
    assert held.is_open
    assert held.state in ("seeking", "unanswered")
    assert held.rings
    town.advance(1000)
    assert town.incident(incident.id).state == "unanswered"


def test_with_two_needed_one_no_access_and_one_helped_is_not_enough_while_others_come() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    first, second, third = (town.responder(f"V-{n}", 100 + n) for n in range(3))
    incident = town.press()
    first.accepts()
    second.accepts()
    first.reports("cleared", outcome="no_access")
    assert third.hears() == ["offer"]
    third.accepts()
    second.reports("cleared", outcome="helped")
    assert town.incident(incident.id).state == "assigned"
    third.reports("cleared", outcome="helped")
    assert town.incident(incident.id).state == "resolved"


def test_an_owner_lost_under_unanswered_with_somebody_late_on_the_way() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()
    town.advance(300)
    assert town.incident(incident.id).state == "unanswered"
    town.act(incident.id, "take-over", user="anna")
    town.changes("users", removed_users=("anna",))
    town.advance(0)
    assert town.incident(incident.id).rings
    assert person.reports("on_scene").body["state"] == "on_scene"
    assert town.waits_for(incident.id) == "resolution in 3600"
    town.act(incident.id, "take-over", user="bob")
    assert not town.incident(incident.id).rings


def test_disabling_everybody_at_once_is_loud() -> None:
    town = Town()
    town.elder()
    people = [town.responder(f"V-{n}", 100 + n) for n in range(4)]
    town.advance(61)
    incident = town.press()
    people[0].accepts()
    records = tuple(town.engine._world.roster.people[p.id].record for p in people)
    town.changes("responders", responders=tuple(replace(record, active=False) for record in records))
    held = town.incident(incident.id)
    assert held.state == "unanswered"
    assert held.live_offers == []
    assert all(p.told("stand_down") for p in people[:2])
    assert people[3].inbox == [], "nobody is asked and stood down in one breath"


def test_a_ladder_of_one_desk_that_nobody_staffs_is_loud_at_once() -> None:
    town = Town(ladder(step=[LADDER["step"][2]]))
    town.elder()
    town.desk(("D",), "district")
    town.advance(61)
    incident = town.press()
    assert incident.state == "unanswered"
    assert town.waits_for(incident.id) == "repeat in 60"


def test_a_stuck_button_is_one_case_that_stays_small_and_is_told_each_time() -> None:
    town = Town()
    town.elder()
    helper = town.responder("V-1")
    first = town.press(alarm="a-0")
    helper.accepts()
    for n in range(1, 1000):
        assert town.press(alarm=f"a-{n}").id == first.id
        assert helper.hears() == ["update alarm_joined"]
    held = town.incident(first.id)
    assert len(held.offers) == 1
    kept = [alarm.id for alarm in held.alarms]
    newest = range(1000 - ALARMS_MAX + ALARMS_FIRST, 1000)
    assert kept == [f"a-{n}" for n in (*range(ALARMS_FIRST), *newest)]
    assert held.alarms_more == 1000 - ALARMS_MAX
    assert [fact.id for fact in town.facts(first.id, "alarm_recorded")] == [f"a-{n}" for n in range(1000)]

    helper.reports("on_scene")
    assert town.last.messages[-1].body["alarms"] == kept


def test_what_else_was_pressed_is_not_forgotten_for_a_stuck_button() -> None:
    town = Town()
    town.elder()
    case = town.press(alarm="first")
    for n in range(ALARMS_FIRST):
        town.press(alarm=f"early-{n}")
    town.press(alarm="elsewhere", gateway="GW-2")
    town.press(alarm="smoke", kind="smoke")
    for n in range(200):
        town.press(alarm=f"a-{n}")
    held = town.incident(case.id)
    assert {"elsewhere", "smoke"} < {alarm.id for alarm in held.alarms}
    assert len(held.alarms) == ALARMS_MAX
    assert town.cancels("elsewhere", gateway="GW-2").body["incident"] == case.id


def test_a_cancel_of_an_alarm_that_a_stuck_button_pushed_out_finds_its_case() -> None:
    town = Town()
    town.elder()
    case = town.press(alarm="a-0")
    for n in range(1, 100):
        town.press(alarm=f"a-{n}")
    assert "a-30" not in {alarm.id for alarm in town.incident(case.id).alarms}
    assert town.cancels("a-30").body["incident"] == case.id
    assert town.incident(case.id).cancel_requested

    town.act(case.id, "close", outcome="other", if_match=town.incident(case.id).version)
    assert town.cancels("a-31", id="c-2").body["incident"] is None
    assert not town.press(alarm="a-31", at=town.now).cancel_requested, "that cancel was about a case that is over"


def test_two_emergencies_share_the_few_there_are_and_both_stay_loud_or_served() -> None:
    town = Town()
    for n in range(4):
        town.elder(f"E-{n}")
    people = [town.responder(f"V-{n}", 100 + n) for n in range(2)]
    town.advance(61)
    cases = [town.press(f"E-{n}") for n in range(4)]
    for person in people:
        person.accepts()
    states = [str(town.incident(case.id).state) for case in cases]
    assert states.count("assigned") == 2
    assert states.count("unanswered") == 2
    people[0].reports("cleared", outcome="helped")
    assert people[0].hears() == ["offer"]
