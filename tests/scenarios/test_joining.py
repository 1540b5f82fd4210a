"""Joining: which alarm belongs to which case, and what a second alarm changes."""

from __future__ import annotations

from callhub.domain import events as e
from callhub.domain.people import Actor, ActorKind, Device
from tests.scenarios.town import LADDER, Person, Town, ladder

GW2 = Actor(ActorKind.GATEWAY, "GW-2")


def coming(**changes: int) -> tuple[Town, Person, str]:
    town = Town(ladder(**changes))
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()
    return town, person, incident.id


def test_an_emergency_joins_the_open_emergency_of_its_elder_and_everyone_assigned_hears() -> None:
    town, person, incident = coming()

    answer = town.alarm(alarm="a-2", kind="fall", text="door is open")

    assert answer.body["incident"] == incident
    assert person.hears() == ["update alarm_joined"]
    update = person.told("update")[-1]
    assert (update["kind"], update["text"], update["version"]) == (
        "fall",
        "door is open",
        town.incident(incident).version,
    )
    assert len(town.incident(incident).alarms) == 2


def test_it_joins_in_every_stage_until_it_is_resolved() -> None:
    town, person, incident = coming()
    person.reports("on_scene")
    assert town.press(alarm="a-2").id == incident
    person.reports("cleared", outcome="helped", version=town.incident(incident).version)
    assert town.incident(incident).state == "resolved"

    new = town.press(alarm="a-3")

    assert new.id != incident
    assert new.follows == incident


def test_it_joins_an_unanswered_one() -> None:
    town = Town()
    town.elder()
    town.advance(120)
    first = town.press()
    assert first.state == "unanswered"
    assert town.press(alarm="a-2").id == first.id
    assert town.incident(first.id).state == "unanswered"


def test_an_alarm_of_another_gateway_joins_by_the_elder_and_that_gateway_hears_how_it_stands() -> None:
    town, _, incident = coming()
    town.devices["PENDANT"] = Device("PENDANT", elder="E-1", gateway="GW-2")

    town.alarm(device="PENDANT", gateway="GW-2", alarm="p-1")

    assert town.progress("GW-2") == ["assigned"]
    shown = [m.body for m in town.sent if m.addressee.id == "GW-2"][-1]
    assert (shown["incident"], shown["alarms"], shown["responder"]) == (incident, ["p-1"], "V-1")


def test_with_the_elder_unknown_the_same_gateway_and_device_join() -> None:
    town = Town()
    first = town.press(device="X-1", alarm="a-1")
    assert town.press(device="X-1", alarm="a-2").id == first.id
    assert town.press(device="X-2", alarm="a-3").id != first.id
    assert town.press(device="X-1", gateway="GW-2", alarm="a-4").id != first.id


def test_with_neither_known_it_joins_nothing() -> None:
    town = Town()
    calls = [town.call(text="somebody cries").incident for _ in range(2)]
    assert calls[0] != calls[1]


def test_a_case_that_was_given_its_elder_is_still_the_case_of_its_device() -> None:
    town = Town()
    town.elder()
    first = town.press(device="X-1", alarm="a-1")
    town.act(first.id, "identify", elder="E-1")

    assert town.press(device="X-1", alarm="a-2").id == first.id
    assert town.press("E-1", alarm="a-3").id == first.id


def test_a_call_by_telephone_joins_the_case_of_its_elder() -> None:
    town, person, incident = coming()
    assert town.call(elder="E-1", kind="sos").incident == incident
    assert person.hears() == ["update alarm_joined"]


def test_a_service_joins_only_the_same_elder_and_kind() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    meal = town.press("E-1", kind="meal")
    assert town.press("E-1", kind="meal", alarm="m-2").id == meal.id
    visit = town.press("E-1", kind="visit")
    assert visit.id != meal.id
    assert visit.follows == meal.id
    assert town.press("E-2", kind="meal").id != meal.id
    assert town.press("E-1", kind="sos").id != meal.id


def faulty(town: Town, gateway: str, *, wants_help: bool) -> str:
    answer = town.tell(
        e.FrameFaulty(
            id=town.new_id(),
            actor=Actor(ActorKind.GATEWAY, gateway),
            gateway=gateway,
            wants_help=wants_help,
            code="invalid_message",
            field_name="device",
            message="device: field required",
        )
    )
    assert answer.code == "invalid_message"
    assert answer.incident is not None
    return answer.incident


def test_faulty_frames_of_one_gateway_are_one_technical_case() -> None:
    town = Town()
    first = faulty(town, "GW", wants_help=False)
    assert faulty(town, "GW", wants_help=False) == first
    assert faulty(town, "GW-2", wants_help=False) != first
    held = town.incident(first)
    assert (held.class_, held.kind, held.source) == ("technical", "gateway_fault", "system")
    assert not held.rings


def test_an_alarm_without_a_readable_device_is_an_emergency_of_that_gateway() -> None:
    town = Town()
    fault = faulty(town, "GW", wants_help=False)
    first = faulty(town, "GW", wants_help=True)
    assert first != fault
    held = town.incident(first)
    assert (held.class_, held.kind, held.device, held.device_known) == ("emergency", "unknown", None, False)
    assert faulty(town, "GW", wants_help=True) == first
    assert faulty(town, "GW-2", wants_help=True) != first


def test_a_more_urgent_alarm_starts_its_own_ladder_at_its_first_step_and_open_offers_stay() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    town.advance(21)
    assert town.incident(incident.id).step == 1
    before = desk.offer["offer"]

    town.press(kind="smoke", alarm="a-2")

    held = town.incident(incident.id)
    assert (held.kind, held.urgency, held.policy.partition("@")[0]) == ("smoke", 1, "fire")
    entered = town.facts(incident.id, "step_entered")
    assert ("neighbours", "urgent") in [(s.name, s.why) for s in entered]
    assert held.offers[before].state == "open"
    assert desk.told("stand_down") == []
    assert person.accepts().body["state"] == "assigned"


def test_a_more_urgent_alarm_starts_at_once_under_an_owner_too() -> None:
    town = Town()
    town.elder()
    for n in range(6):
        town.responder(f"V-{n}", 100 + n)
    town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    town.advance(61)
    assert town.incident(incident.id).step == 1
    town.act(incident.id, "take-over")
    asked = len(town.incident(incident.id).offers)

    town.press(kind="smoke", alarm="a-2")

    held = town.incident(incident.id)
    assert held.step == 0
    assert held.owner is not None
    assert "step" not in held.deadlines
    assert len(held.offers) >= asked


def test_a_less_urgent_alarm_changes_neither_kind_nor_ladder() -> None:
    town = Town()
    town.elder()
    town.responder("V-1")
    incident = town.press(kind="smoke")
    town.press(kind="sos", alarm="a-2")
    held = town.incident(incident.id)
    assert (held.kind, held.urgency) == ("smoke", 1)


def test_a_more_urgent_ladder_of_fewer_steps_breaks_nothing() -> None:
    short = ladder(id="fire", kinds=["smoke", "gas"], urgency=1, step=[LADDER["step"][2]])
    town = Town(short)
    town.elder()
    people = [town.responder(f"V-{n}", 100 + n, on_duty=n < 2) for n in range(4)]
    town.desk(("D", "S", "C"), "community")
    district = town.desk(("D",), "district")
    town.watch()
    incident = town.press()
    town.advance(130)

    town.press(kind="smoke", alarm="a-2")
    assert district.was_asked()
    town.advance(300)
    people[3].goes(on_duty=True)
    town.advance(300)

    assert town.incident(incident.id).is_open
    assert people[0].accepts().body["state"] == "assigned"


def test_a_more_urgent_ladder_that_needs_more_asks_more() -> None:
    town = Town(ladder(id="fire", kinds=["smoke"], urgency=1, needed=2))
    town.elder()
    first, second = town.responder("V-1", 100), town.responder("V-2", 200)
    incident = town.press()
    first.accepts()

    town.press(kind="smoke", alarm="a-2")

    assert town.incident(incident.id).state == "assigned"
    assert second.offer["kind"] == "smoke"
    assert second.told("stand_down")[0]["reason"] == "filled"


def test_a_press_that_says_test_starts_at_the_desks() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press(says_test=True)
    assert incident.says_test
    assert desk.was_asked()
    assert not person.was_asked()


def test_a_press_that_joins_a_test_starts_at_the_first_step_at_once() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press(says_test=True)
    desk.accepts()

    town.press(alarm="a-2")

    assert person.hears() == ["offer"]
    held = town.incident(incident.id)
    assert not held.says_test
    assert held.owner is not None, "also under an owner"


def test_whoever_left_before_another_alarm_has_not_seen_to_it() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    first, second, third = (town.responder(f"V-{n}", 100 + n) for n in range(3))
    incident = town.press()
    first.accepts()
    second.accepts()
    first.reports("on_scene")
    first.reports("cleared", outcome="helped")
    assert not town.incident(incident.id).ladder_runs
    town.advance(5)

    town.press(alarm="a-2")

    assert town.incident(incident.id).ladder_runs
    assert "offer" in third.hears()
    second.reports("release")
    assert town.incident(incident.id).state != "resolved"


def test_a_more_urgent_alarm_that_needs_fewer_is_not_done_by_who_left_before() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    first, second = town.responder("V-1", 100), town.responder("V-2", 200)
    incident = town.press()
    first.accepts()
    second.accepts()
    first.reports("cleared", outcome="helped")
    town.advance(600)
    assert town.incident(incident.id).state == "resolved", "the second is late, nobody else is waited for"

    fire = town.press(kind="smoke", alarm="a-2")

    assert fire.id != incident.id
    assert fire.follows == incident.id


def test_an_unknown_kind_is_an_emergency() -> None:
    town = Town()
    town.elder()
    assert town.press(kind="dance").kind == "unknown"
