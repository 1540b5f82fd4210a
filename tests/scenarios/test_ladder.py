"""The ladder: when it runs, how it climbs, and who is asked on each step."""

from __future__ import annotations

from callhub.domain.people import ResponderKind
from tests.scenarios.town import LADDER, Town, ladder


def steps(town: Town, incident: str) -> list[tuple[str, str]]:
    """(name, why) of every step entered."""
    return [(fact.name, fact.why) for fact in town.facts(incident, "step_entered")]


def test_the_first_step_asks_its_fan_out_and_says_when_others_are_asked() -> None:
    town = Town()
    town.elder()
    people = [town.responder(f"V-{n}", 100 + n) for n in range(4)]

    incident = town.press()

    assert [p.was_asked() for p in people] == [True, True, False, False]
    assert town.waits_for(incident.id) == "offer in 20"
    assert (people[0].offer["respond_by"] - town.now).total_seconds() == 20
    assert people[0].offer["reminder"] is False


def test_a_decline_is_replaced_at_once() -> None:
    town = Town()
    town.elder()
    first, _, third = (town.responder(f"V-{n}", 100 + n) for n in range(3))
    town.press()

    assert first.declines().body == {"ok": True, "state": "declined"}

    assert third.hears() == ["offer"]


def test_a_silent_offer_is_replaced_and_stays_open_to_a_late_yes() -> None:
    town = Town()
    town.elder()
    first, second, third, fourth = (town.responder(f"V-{n}", 100 + n) for n in range(4))
    incident = town.press()

    town.advance(20)

    assert third.was_asked()
    assert fourth.was_asked()
    assert [o.state for o in town.incident(incident.id).offers.values()] == ["silent", "silent", "open", "open"]
    assert first.accepts().body["state"] == "assigned"
    assert all(p.told("stand_down")[-1]["reason"] == "filled" for p in (second, third, fourth))


def test_nobody_new_is_asked_before_the_offer_timed_out() -> None:
    town = Town()
    town.elder()
    third = [town.responder(f"V-{n}", 100 + n) for n in range(3)][-1]
    town.press()

    town.advance(19.9)
    assert not third.was_asked()

    town.advance(0.1)
    assert third.was_asked()


def test_only_the_current_step_replaces() -> None:
    town = Town(ladder(step=[{**LADDER["step"][0], "offer_timeout_s": 90}, *LADDER["step"][1:]]))
    town.elder()
    first, _, third = (town.responder(f"V-{n}", 100 + n) for n in range(3))
    town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    town.advance(60)
    assert town.incident(incident.id).step == 1

    first.declines()

    assert not third.was_asked()


def test_a_step_with_nobody_to_ask_is_passed_at_once_and_says_so() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()

    incident = town.press()

    assert desk.was_asked()
    assert steps(town, incident.id) == [("neighbours", "opened"), ("community", "nobody_left")]


def test_a_step_whose_last_open_offer_is_declined_is_passed_at_once() -> None:
    town = Town()
    town.elder()
    only = town.responder("V-1")
    desk = town.desk(("D",), "district")
    town.watch()
    incident = town.press()

    only.declines()

    assert desk.hears() == ["offer"]
    assert steps(town, incident.id)[1:] == [("community", "nobody_left"), ("district", "nobody_left")]


def test_the_next_step_counts_from_when_it_began() -> None:
    town = Town()
    town.elder()
    only = town.responder("V-1")
    town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    town.advance(5)
    only.declines()

    town.advance(29)

    deadlines = town.incident(incident.id).deadlines
    assert (deadlines["step"].at - town.now).total_seconds() == 31


def test_the_ladder_runs_on_while_fewer_than_needed_are_coming() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    first, second, third = (town.responder(f"V-{n}", 100 + n) for n in range(3))
    incident = town.press()

    first.accepts()

    held = town.incident(incident.id)
    assert held.state == "assigned"
    assert held.ladder_runs
    assert second.told("stand_down") == []
    assert third.hears() == ["offer"], "the step keeps as many open offers as before"
    second.accepts()
    assert not town.incident(incident.id).ladder_runs
    assert third.told("stand_down")[-1]["reason"] == "filled"


def test_with_two_needed_and_nobody_left_the_ladder_goes_on_after_the_first_yes() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    only = town.responder("V-1")
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    town.press()

    only.accepts()

    assert "offer" in desk.hears()


def test_with_two_needed_and_one_coming_the_end_of_the_ladder_is_loud() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    only = town.responder("V-1")
    town.advance(120)
    incident = town.press()
    only.accepts()
    town.advance(200)
    held = town.incident(incident.id)
    assert held.state == "unanswered"
    assert held.rings

    only.reports("on_scene")
    assert town.incident(incident.id).state == "on_scene"


def test_escalate_is_the_next_step_now() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()

    assert town.act(incident.id, "escalate").code is None

    assert "offer" in desk.hears()
    assert steps(town, incident.id)[-1] == ("community", "escalated")
    assert person.accepts().body["state"] == "assigned"
    assert town.act(incident.id, "escalate").code == "illegal_transition"


def test_the_policy_is_chosen_by_kind_and_a_kind_without_one_takes_the_emergency_ladder() -> None:
    town = Town()
    town.elder()
    town.elder("E-2")

    assert town.press(kind="smoke").policy.startswith("fire@")
    assert town.press("E-2", kind="inactivity").policy.startswith("emergency@")


def test_the_policy_is_chosen_by_time_of_day() -> None:
    night = ladder(id="night", kinds=["sos"], hours="22:00-03:00")
    town = Town(night)
    town.elder()
    town.elder("E-2")

    assert town.press().policy.startswith("emergency@")
    town.advance(19 * 3600)
    assert town.press("E-2").policy.startswith("night@")


def test_a_policy_change_leaves_open_incidents_on_their_own_ladder() -> None:
    town = Town()
    town.elder()
    town.elder("E-2")
    town.responder("V-1")
    opened = town.press()

    other = ladder(repeat_s=7)
    changed = tuple(p if p.id != "emergency" else other for p in town.policies.by_id.values())
    town.changes("policies", policies=changed)

    assert town.incident(opened.id).policy == opened.policy
    assert town.press("E-2").policy != opened.policy


def test_every_ranking_says_who_was_chosen_and_why_the_others_were_not() -> None:
    town = Town()
    town.elder()
    town.responder("V-off", 50, on_duty=False)
    town.responder("V-away", 60, linked=False)
    town.advance(60)
    for n in range(30):
        town.responder(f"V-{n:02d}", 100 + n)
    town.responder("V-far", 3000)

    incident = town.press()

    ranked = town.facts(incident.id, "ranked")[0]
    assert [c["responder"] for c in ranked.chosen] == ["V-00", "V-01"]
    assert ranked.chosen[0]["distance_m"] == 100
    reasons = {p["responder"]: p["reason"] for p in ranked.passed_over}
    assert len(reasons) == 20
    assert reasons["V-off"] == "off_duty"
    assert reasons["V-away"] == "unreachable"
    assert reasons["V-02"] == "farther"
    assert ranked.counts == {"active": 33, "eligible": 31, "not_listed": 11}


def test_a_later_offer_is_explained_too() -> None:
    town = Town()
    town.elder()
    late = town.responder("V-1", on_duty=False)
    incident = town.press()

    late.goes(on_duty=True)

    assert late.was_asked()
    assert [c["responder"] for c in town.facts(incident.id, "ranked")[-1].chosen] == ["V-1"]


def test_a_skill_that_a_step_needs_is_had_by_everyone_it_asks() -> None:
    town = Town(ladder(step=[{**LADDER["step"][0], "skills": ["aed"]}, *LADDER["step"][1:]]))
    town.elder()
    plain = town.responder("V-1", 50)
    skilled = town.responder("V-2", 500, skills=("aed", "lift"))

    incident = town.press()

    assert skilled.was_asked()
    assert not plain.was_asked()
    assert town.facts(incident.id, "ranked")[0].passed_over[0]["reason"] == "skill"


def test_a_step_asks_only_its_kinds_within_its_radius() -> None:
    town = Town()
    town.elder()
    grid_worker = town.responder("G-1", 50, kind=ResponderKind.GRID_WORKER)
    far = town.responder("V-far", 2100)
    caregiver = town.responder("C-1", 1900, kind=ResponderKind.CAREGIVER)

    town.press()

    assert caregiver.was_asked()
    assert not grid_worker.was_asked()
    assert not far.was_asked()
