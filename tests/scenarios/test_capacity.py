"""Nobody twice: what uses up a person's capacity, and what does not."""

from __future__ import annotations

from tests.scenarios.town import Person, Town


def two_elders(capacity: int = 1) -> tuple[Town, Person]:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    return town, town.responder("V-1", capacity=capacity)


def test_an_open_offer_uses_up_capacity_when_another_emergency_chooses() -> None:
    town, person = two_elders()
    town.press("E-1")
    town.press("E-2")
    assert person.offers() == 1


def test_a_silent_offer_does_not() -> None:
    town, person = two_elders()
    town.press("E-1")
    second = town.press("E-2")

    town.advance(20)

    assert person.offers() == 2
    assert person.offer["incident"] == second.id


def test_an_acceptance_withdraws_the_other_offers_at_once_and_they_are_replaced() -> None:
    town, person = two_elders()
    first = town.press("E-1")
    second = town.press("E-2")
    town.advance(20)
    other = town.responder("V-2", 500)
    town.advance(0)

    offer = person.told("offer")[0]["offer"]
    assert person.accepts(offer).body["state"] == "assigned"

    assert person.hears() == ["stand_down busy", "assignment assigned"] or person.hears() == [
        "assignment assigned",
        "stand_down busy",
    ]
    withdrawn = [o for o in town.incident(second.id).offers.values() if o.responder == "V-1"][-1]
    assert (withdrawn.state, withdrawn.stand_down) == ("withdrawn", "busy")
    assert other.was_asked()
    assert town.incident(first.id).state == "assigned"


def test_the_withdrawn_offer_cannot_be_accepted_any_more() -> None:
    town, person = two_elders()
    town.press("E-1")
    town.press("E-2")
    town.advance(20)
    first, second = (body["offer"] for body in person.told("offer"))
    person.accepts(first)
    assert person.accepts(second).code == "offer_not_open"


def test_two_accepts_in_a_row_are_one_yes() -> None:
    town, person = two_elders()
    incident = town.press("E-1")
    person.accepts()
    version = town.incident(incident.id).version

    answer = person.accepts()

    assert (answer.code, answer.body["state"]) == (None, "assigned")
    assert town.incident(incident.id).version == version
    assert len(town.incident(incident.id).assignments) == 1


def test_whoever_is_on_the_way_is_not_asked_for_another_emergency_until_they_are_free() -> None:
    town, person = two_elders()
    town.press("E-1")
    person.accepts()
    second = town.press("E-2")
    assert person.offers() == 1

    person.reports("on_scene")
    person.reports("cleared", outcome="helped")

    assert person.hears() == ["offer"]
    assert person.offer["incident"] == second.id


def test_a_capacity_of_two_is_two() -> None:
    town, person = two_elders(capacity=2)
    town.elder("E-3")
    town.press("E-1")
    person.accepts()
    town.press("E-2")
    third = town.press("E-3")
    assert person.offers() == 2
    assert person.accepts().body["state"] == "assigned"
    assert town.incident(third.id).offers == {}
    assert town.act(third.id, "assign", responder="V-1").code == "already_assigned"
    slots = {a.slot for id in town.rows for a in town.incident(id).live}
    assert slots == {1, 2}


def test_service_work_never_blocks_an_emergency() -> None:
    town, person = two_elders()
    service = town.press("E-1", kind="meal")
    assert service.class_ == "service"
    person.accepts()

    emergency = town.press("E-2")

    assert person.offer["incident"] == emergency.id
    assert person.accepts().body["state"] == "assigned"
    assert town.incident(service.id).state == "assigned"


def test_a_service_offer_survives_the_yes_to_an_emergency() -> None:
    town, person = two_elders()
    service = town.press("E-1", kind="meal")
    town.press("E-2")
    person.accepts()
    assert town.incident(service.id).offer_of("V-1") is not None
    assert "stand_down busy" not in person.hears()
    assert person.accepts(person.told("offer")[0]["offer"]).body["state"] == "assigned"


def test_an_emergency_and_a_service_of_one_elder_stand_beside_each_other() -> None:
    town, person = two_elders()
    service = town.press("E-1", kind="meal")
    emergency = town.press("E-1", kind="sos")
    assert service.id != emergency.id
    assert emergency.follows == service.id
    assert person.offers() == 2


def test_assigning_somebody_who_is_full_is_already_assigned() -> None:
    town, person = two_elders()
    town.press("E-1")
    person.accepts()
    second = town.press("E-2")

    assert town.act(second.id, "assign", responder="V-1").code == "already_assigned"
    assert town.act(second.id, "assign", responder="V-1", confirmed_by="telephone").code == "already_assigned"
    assert town.act(person.offer["incident"], "assign", responder="V-1").code == "already_assigned"


def test_accepting_on_behalf_of_somebody_who_is_full_is_already_assigned() -> None:
    town, person = two_elders()
    town.press("E-1")
    second = town.press("E-2")
    town.advance(20)
    assert person.offer["incident"] == second.id
    person.accepts(person.told("offer")[0]["offer"])

    assert town.act(second.id, "accept", responder="V-1").code == "already_assigned"


def test_accepting_on_behalf_of_somebody_names_what_is_wrong() -> None:
    town, person = two_elders()
    incident = town.press("E-1")
    person.declines()
    town.responder("V-2", on_duty=False)

    assert town.act(incident.id, "accept", responder="V-1").code == "offer_not_open"
    assert town.act(incident.id, "accept", responder="V-2").code == "unknown_offer"
    assert town.act(incident.id, "accept").code == "invalid_message"


def test_those_stood_down_are_free_for_the_next_case_in_the_same_moment() -> None:
    town, first = two_elders()
    second = town.responder("V-2", 200)
    town.press("E-1")
    waiting = town.press("E-2")
    assert (first.offers(), second.offers()) == (1, 1)

    first.accepts()

    assert second.hears() == ["stand_down filled", "offer"] or second.hears() == ["offer", "stand_down filled"]
    assert second.offer["incident"] == waiting.id
