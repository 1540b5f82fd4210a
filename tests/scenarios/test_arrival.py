"""Arrival is what a responder says; a device only helps when nobody else can be meant."""

from __future__ import annotations

from tests.scenarios.town import Person, Town, ladder


def on_the_way(people: int = 1) -> tuple[Town, list[Person], str]:
    town = Town(ladder(needed=people))
    town.elder()
    everybody = [town.responder(f"V-{n}", 100 + n) for n in range(people)]
    incident = town.press()
    for person in everybody:
        person.accepts()
    return town, everybody, incident.id


def test_accepting_starts_an_arrival_deadline_of_the_expected_time_and_a_half() -> None:
    town = Town()
    town.elder()
    near, far = town.responder("V-1", 100), town.responder("V-2", 1800)
    first = town.press()
    near.accepts()
    assert town.waits_for(first.id) == "arrival in 300", "at least five minutes"
    near.reports("release")
    far.accepts()
    expected = far.offer["eta_s"]
    assert expected == round(105 + far.offer["distance_m"] * 1.3 / 1.8)
    assert town.waits_for(first.id) == f"arrival in {expected * 1.5:g}"
    assert far.told("assignment")[-1]["arrive_by"] == town.incident(first.id).deadlines[f"arrival:{first.id}-a2"].at


def test_arriving_starts_a_resolution_deadline_with_or_without_a_card() -> None:
    for proof, kept in ((None, None), ({"card": "CARD-E-1"}, "card"), ({"card": "OTHER"}, "card_mismatch")):
        town, (person,), incident = on_the_way()
        answer = person.reports("on_scene", proof=proof)
        assert answer.body == {"ok": True, "state": "on_scene"}
        assert town.waits_for(incident) == "resolution in 3600"
        assert town.incident(incident).assignments[f"{incident}-a1"].proof == kept


def test_skipping_forward_is_legal_going_back_is_not() -> None:
    town, (person,), incident = on_the_way()
    assert person.reports("on_scene").code is None
    version = town.incident(incident).version
    assert person.reports("on_scene").body["state"] == "on_scene"
    assert person.reports("en_route").code == "illegal_transition"
    assert town.incident(incident).version == version


def test_cleared_without_arriving_is_legal() -> None:
    town, (person,), incident = on_the_way()
    assert person.reports("cleared", outcome="false_alarm").body["state"] == "cleared"
    assert town.incident(incident).state == "resolved"
    assert person.reports("cleared", outcome="helped").code == "not_assigned"


def test_an_outcome_must_be_one_of_the_known() -> None:
    _, (person,), _ = on_the_way()
    assert person.reports("cleared").code == "invalid_message"
    assert person.reports("cleared", outcome="fine").code == "invalid_message"


def test_a_device_s_arrived_counts_when_exactly_one_person_is_on_the_way() -> None:
    town, _, incident = on_the_way()
    answer = town.signals("arrived")
    assert answer.body["incident"] == incident
    held = town.incident(incident)
    assert held.state == "on_scene"
    assert held.device_says_arrived
    assert held.assignments[f"{incident}-a1"].proof == "device"
    told = [m.body for m in town.last.messages if m.type == "assignment"]
    assert [body["state"] for body in told] == ["on_scene"], "they learn what the device said"


def test_with_two_on_the_way_it_is_shown_and_counts_for_nobody() -> None:
    town, _, incident = on_the_way(2)
    town.signals("arrived")
    held = town.incident(incident)
    assert held.device_says_arrived
    assert held.state == "assigned"


def test_with_nobody_on_the_way_it_is_shown_only() -> None:
    town = Town()
    town.elder()
    town.responder("V-1")
    incident = town.press()
    town.signals("arrived")
    assert town.incident(incident.id).device_says_arrived
    assert town.incident(incident.id).state == "seeking"


def test_a_card_counts_only_if_it_is_the_elder_s() -> None:
    town, _, incident = on_the_way()
    town.signals("card", card="OTHER")
    assert town.incident(incident).state == "assigned"
    assert town.facts(incident, "device_signalled")[-1].matches is False
    town.signals("card", card="CARD-E-1", id="s-2")
    assert town.incident(incident).state == "on_scene"


def test_a_confirm_is_no_arrival() -> None:
    town, _, incident = on_the_way()
    town.signals("confirm")
    held = town.incident(incident)
    assert (held.state, held.device_says_arrived) == ("assigned", False)


def test_a_second_press_is_never_arrival() -> None:
    town, _, incident = on_the_way()
    town.press(alarm="a-2")
    assert town.incident(incident).state == "assigned"


def test_a_signal_without_a_case_has_no_incident() -> None:
    town = Town()
    town.elder()
    answer = town.signals("arrived")
    assert answer.body["incident"] is None
    assert answer.code is None


def test_the_gateway_hears_each_state_once() -> None:
    town, (person,), _ = on_the_way()
    person.reports("en_route")
    person.reports("en_route")
    person.reports("on_scene")
    assert town.progress() == ["seeking", "assigned", "en_route", "on_scene"]


def test_the_others_who_come_hear_of_an_arrival() -> None:
    town, (first, second), _ = on_the_way(2)
    first.reports("on_scene")
    assert second.hears() == ["update responder_on_scene"]
    assert first.told("update")[0]["what"] == "responder_added"
    assert town.incident(first.offer["incident"]).state == "on_scene"


def test_duties_can_be_reported_by_telephone_and_the_fact_says_who_did() -> None:
    town, (person,), incident = on_the_way()
    town.act(incident, "en-route", responder="V-0", reason="called in")
    assert person.hears() == ["assignment en_route"]
    acted = town.facts(incident, "acted_for")[-1]
    assert (acted.responder, acted.action, acted.via) == ("V-0", "en_route", "telephone")
    town.act(incident, "on-scene", responder="V-0")
    town.act(incident, "cleared", responder="V-0", outcome="helped")
    assert town.incident(incident).state == "resolved"
    assert town.act(incident, "release", responder="V-0").code == "not_assigned"


def test_reports_about_other_cases_name_what_is_wrong() -> None:
    town, (person,), incident = on_the_way()
    other = town.responder("V-9", 5000)
    assert other.reports("on_scene", incident).code == "not_assigned"
    assert person.reports("on_scene", "nothing").code == "not_found"
    town.act(incident, "close", outcome="helped")
    assert person.reports("on_scene", incident).code == "not_assigned"
    assert other.reports("on_scene", incident).code == "not_found"


def test_a_device_with_several_open_cases_means_the_emergency() -> None:
    town, _, incident = on_the_way()
    service = town.press(kind="meal")
    assert service.id != incident
    assert town.signals("arrived").body["incident"] == incident
    assert town.cancels(None).body["incident"] == incident
    assert town.cancels(service.alarms[0].id, id="c-2").body["incident"] == service.id
