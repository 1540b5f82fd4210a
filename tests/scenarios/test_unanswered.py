"""Unanswered: loud, repeating, still open."""

from __future__ import annotations

from tests.scenarios.town import Town


def test_every_repeat_rings_again_reminds_the_silent_and_fills_every_step() -> None:
    town = Town()
    town.elder()
    people = [town.responder(f"V-{n}", 100 + n) for n in range(12)]
    incident = town.press()
    town.advance(60)
    held = town.incident(incident.id)
    assert held.state == "unanswered", "there is no desk"
    assert held.exhausted
    asked = sum(1 for p in people if p.was_asked())
    town.advance(59)
    assert sum(1 for p in people if p.was_asked()) == asked

    town.advance(1)

    held = town.incident(incident.id)
    assert [o.step for o in held.open_offers] == [0, 0]
    first = people[0].told("offer")[-1]
    assert first["reminder"] is True
    assert first["offer"] == people[0].told("offer")[0]["offer"]
    assert (first["respond_by"] - town.now).total_seconds() == 20
    assert held.offers[first["offer"]].state == "silent"


def test_a_reminder_comes_at_most_once_per_repeat() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    town.advance(130)
    assert town.incident(incident.id).state == "unanswered"
    reminders = [body["reminder"] for body in person.told("offer")].count(True)

    town.act(incident.id, "escalate")
    town.act(incident.id, "escalate")

    assert [body["reminder"] for body in person.told("offer")].count(True) == reminders
    town.advance(61)
    assert [body["reminder"] for body in person.told("offer")].count(True) == reminders + 1


def test_a_late_yes_under_unanswered_is_a_yes_and_ends_it() -> None:
    town = Town()
    town.elder()
    first, second = town.responder("V-1", 100), town.responder("V-2", 200)
    incident = town.press()
    town.advance(500)
    assert town.incident(incident.id).state == "unanswered"

    assert first.accepts().body["state"] == "assigned"

    held = town.incident(incident.id)
    assert (held.state, held.rings) == ("assigned", False)
    assert second.told("stand_down")[-1]["reason"] == "filled"
    assert set(held.deadlines) == {f"arrival:{incident.id}-a1"}


def test_desks_are_asked_again_every_repeat() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D",), "district")
    town.watch()
    incident = town.press()
    desk.declines()
    town.advance(61)
    assert desk.offers() == 2
    town.advance(60)
    assert desk.told("offer")[-1]["reminder"] is True
    assert desk.offers() == 2
    assert town.incident(incident.id).rings


def test_an_owner_stops_the_ringing_and_the_repeat() -> None:
    town = Town()
    town.elder()
    town.advance(120)
    incident = town.press()
    town.act(incident.id, "take-over", user="anna")
    rings = len(town.facts(incident.id, "ladder_exhausted"))
    town.advance(100)
    assert len(town.facts(incident.id, "ladder_exhausted")) == rings
    town.advance(20)
    assert len(town.facts(incident.id, "ladder_exhausted")) == rings + 1


def test_it_never_falls_silent() -> None:
    town = Town()
    town.elder()
    town.advance(120)
    incident = town.press()
    town.advance(3600)
    assert len(town.facts(incident.id, "ladder_exhausted")) == 61
    assert town.incident(incident.id).is_open


def test_only_emergencies_ring() -> None:
    town = Town()
    town.elder()
    town.advance(120)
    service = town.press(kind="meal")
    assert service.state == "unanswered"
    assert not service.rings


def test_whoever_becomes_free_is_asked_at_once_for_every_step() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    person = town.responder("V-1")
    town.press("E-1")
    person.accepts()
    waiting = town.press("E-2")
    town.advance(200)
    assert town.incident(waiting.id).state == "unanswered"

    person.reports("release")

    assert person.offer["incident"] == waiting.id


def test_the_gateway_hears_that_nobody_comes_and_then_who_does() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", on_duty=False)
    town.advance(120)
    town.press()
    person.goes(on_duty=True)
    person.accepts()
    assert town.progress() == ["unanswered", "assigned"]
    shown = [m.body for m in town.sent if m.type == "progress"][-1]
    assert (shown["responder"], shown["eta_s"], shown["elder"]) == ("V-1", 177, "E-1")


def test_a_decline_under_unanswered_is_made_up_for_at_the_next_repeat() -> None:
    town = Town()
    town.elder()
    people = [town.responder(f"V-{n}", 100 + n) for n in range(14)]
    incident = town.press()
    town.advance(120)
    for offer in town.incident(incident.id).open_offers:
        next(p for p in people if p.id == offer.responder).declines(offer.id)
    town.advance(60)
    assert len(town.incident(incident.id).open_offers) == 2
