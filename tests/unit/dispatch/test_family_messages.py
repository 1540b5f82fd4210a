"""What the family is told: what is so now and was not before, of emergencies alone."""

from __future__ import annotations

from typing import Any

from callhub.domain.family import News
from tests.scenarios.town import Town


def home(**fields: Any) -> Town:
    town = Town()
    town.elder()
    town.contact("SON", **fields)
    return town


def test_each_state_is_told_once() -> None:
    town = home()
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()
    person.reports("en_route")
    person.reports("on_scene")
    town.act(incident.id, "note", text="x")
    person.reports("cleared", outcome="helped")
    town.act(incident.id, "close", outcome="helped")
    assert town.news("SON") == ["opened", "coming", "there", "closed"]


def test_only_emergencies_and_only_what_somebody_wants() -> None:
    town = home(inform=(News.CLOSED,))
    service = town.press(kind="meal")
    town.act(service.id, "close", outcome="helped")
    only_test = town.press(says_test=True)
    town.act(only_test.id, "close", outcome="helped")
    assert town.news("SON") == []
    town.act(town.press().id, "close", outcome="helped")
    assert town.news("SON") == ["closed"]


def test_one_of_each_kind_waits_for_a_contact_and_an_incident() -> None:
    town = home()
    first, second = town.responder("V-1"), town.responder("V-2", 200)
    incident = town.press()
    first.accepts()
    first.reports("release", reason="ill")
    second.accepts()
    keys = [m.key for m in town.sent if m.addressee.id == "SON"]
    assert keys == [f"family:{incident.id}:{what}" for what in ("opened", "coming", "coming")]


def test_whoever_is_named_later_hears_what_is_so_and_nobody_else_does() -> None:
    town = home()
    incident = town.press()
    town.contact("DAUGHTER")
    assert (town.news("SON"), town.news("DAUGHTER")) == (["opened"], ["opened"])
    before = len(town.facts(incident.id))
    town.contact("DAUGHTER", relation="daughter")
    assert len(town.facts(incident.id)) == before, "what an incident keeps of her is the same"
