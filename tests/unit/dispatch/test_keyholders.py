"""Roles and keys: which role is free, whom the key is fetched from, and who is asked for it."""

from __future__ import annotations

from typing import Any

import pytest

from callhub.domain.people import ResponderKind
from tests.scenarios.town import LADDER, Person, Town, ladder

STEPS = [{**LADDER["step"][0], "fan_out": 4, "fan_out_max": 4}, *LADDER["step"][1:]]
PAIR: dict[str, Any] = {"needed": 2, "roles": ["elder", "key"], "step": STEPS}


def keyholder(town: Town, id: str, away_m: float = 3000, **fields: Any) -> Person:
    person = town.responder(id, away_m, **fields)
    town.contact(f"C-{id}", responder=id)
    return person


def pair(*holders: str) -> tuple[Town, Person, Person, str]:
    """Two neighbours are asked, both are needed; these people hold a key, far away and off duty."""
    town = Town(ladder(**PAIR))
    town.elder()
    for n, id in enumerate(holders):
        keyholder(town, id, 3000 + n, on_duty=False)
    first, second = town.responder("V-1", 100), town.responder("V-2", 200)
    return town, first, second, town.press().id


def parts(town: Town, incident: str) -> list[tuple[str, str, str | None]]:
    held = town.incident(incident)
    found = [(a.responder, held.roles.get(a.id)) for a in held.assignments.values()]
    return [(who, part.role.value if part else "none", part.fetch if part else None) for who, part in found]


def test_the_first_goes_to_the_elder_and_the_second_fetches_the_key() -> None:
    town, first, second, id = pair("K-1")
    first.accepts()
    second.accepts()
    assert parts(town, id) == [("V-1", "elder", None), ("V-2", "key", "C-K-1")]
    assert first.hears()[-1] == "update key_coming"
    body = second.told("assignment")[-1]
    assert (body["role"], body["fetch"]) == ("key", {"contact": "C-K-1", "responder": "K-1"})


def test_a_contact_who_is_gone_is_still_named_by_their_id() -> None:
    town, first, second, _ = pair("K-1")
    first.accepts()
    second.accepts()
    town.changes("contacts", families=(("E-1", ()),))
    town.act(second.told("assignment")[-1]["incident"], "en-route", responder="V-2")
    assert second.told("assignment")[-1]["fetch"] == {"contact": "C-K-1", "responder": None}


@pytest.mark.parametrize("changes", [{"active": False}, {"kind": ResponderKind.DEPARTMENT, "capacity": None}])
def test_whoever_is_disabled_or_no_person_holds_no_key(changes: dict[str, Any]) -> None:
    town, first, second, id = pair("K-1")
    town.changes_responder("K-1", **changes)
    first.accepts()
    second.accepts()
    assert [role for _, role, _ in parts(town, id)] == ["elder", "elder"]


def test_a_keyholder_brings_their_own_key_while_that_role_is_free() -> None:
    town = Town(ladder(**PAIR))
    town.elder()
    holder, late = keyholder(town, "K-1", 100), keyholder(town, "K-2", 150)
    id = town.press().id
    holder.accepts()
    late.accepts()
    assert parts(town, id) == [("K-1", "key", None), ("K-2", "elder", None)]


def test_the_key_is_fetched_from_whom_that_is_easiest() -> None:
    town = Town(ladder(**PAIR))
    town.elder()
    keyholder(town, "K-1", 3000, on_duty=False)
    keyholder(town, "K-2", on_duty=False, position=None)
    refuses = keyholder(town, "K-3", 50)
    first, second = town.responder("V-1", 100), town.responder("V-2", 200)
    id = town.press().id
    refuses.declines()
    first.accepts()
    second.accepts()
    assert parts(town, id)[1] == ("V-2", "key", "C-K-1")


def test_without_a_place_the_key_is_fetched_from_the_first_by_id() -> None:
    town, first, second, id = pair("K-2", "K-1")
    town.engine.places(id).home = None
    first.accepts()
    second.accepts()
    assert parts(town, id)[1] == ("V-2", "key", "C-K-1")


def test_a_third_by_hand_and_an_earlier_one_without_a_role_go_to_the_elder() -> None:
    town, first, second, id = pair("K-1")
    first.accepts()
    second.accepts()
    town.responder("V-3", 300)
    town.act(id, "assign", responder="V-3", confirmed_by="telephone")
    assert parts(town, id)[2] == ("V-3", "elder", None)


def test_a_role_whose_holder_went_is_filled_again() -> None:
    town, first, second, id = pair("K-1")
    third = town.responder("V-3", 300)
    first.accepts()
    second.accepts()
    first.reports("release", reason="ill")
    third.accepts(third.offer["offer"])
    assert parts(town, id)[1:] == [("V-2", "key", "C-K-1"), ("V-3", "elder", None)]


def test_a_ladder_that_became_more_urgent_counts_who_came_before_as_going_to_the_elder() -> None:
    town = Town(ladder(**{**PAIR, "id": "fire", "kinds": ["smoke", "gas"], "urgency": 1}))
    town.elder()
    keyholder(town, "K-1", on_duty=False)
    first, second = town.responder("V-1"), town.responder("V-2", 200)
    id = town.press().id
    first.accepts()
    town.press(kind="smoke")
    second.accepts()
    assert parts(town, id) == [("V-1", "none", None), ("V-2", "key", "C-K-1")]


def at_work(**changes: Any) -> tuple[Town, Person, str]:
    town = Town(ladder(**changes))
    town.elder()
    person = town.responder("V-1")
    id = town.press().id
    person.accepts()
    return town, person, id


def test_each_keyholder_is_asked_or_passed_over_with_a_reason() -> None:
    town, person, id = at_work()
    town.elder("E-2")
    free = keyholder(town, "K-1", on_duty=False)
    busy, gone = keyholder(town, "K-2", 200), keyholder(town, "K-3", on_duty=False)
    town.press("E-2")
    busy.accepts()
    town.changes_responder("K-3", active=False)
    person.reports("need", id, need="key")
    ranked = town.facts(id, "ranked")[-1]
    assert [(one["responder"], one["keyholder"]) for one in ranked.chosen] == [("K-1", True)]
    assert {one["responder"]: one["reason"] for one in ranked.passed_over} == {"K-2": "busy", "K-3": "disabled"}
    assert (free.offer["need"], gone.was_asked()) == ("key", False)
    free.accepts()
    assert parts(town, id)[1] == ("K-1", "key", None)
    free.reports("need", id, need="key")
    assert town.facts(id, "ranked")[-1].passed_over[0]["reason"] == "accepted"


def test_whoever_is_asked_already_hears_once_that_it_is_for_the_key() -> None:
    town, person, id = at_work(needed=2, step=STEPS)
    holder = keyholder(town, "K-1", 500)
    assert "need" not in holder.offer
    for _ in range(2):
        person.reports("need", id, need="key")
    assert [body.get("need") for body in holder.told("offer")] == [None, "key"]


def test_without_keyholders_nothing_is_ranked_and_other_needs_ask_nobody() -> None:
    town, person, id = at_work()
    before = len(town.facts(id, "ranked"))
    person.reports("need", id, need="key")
    keyholder(town, "K-1", on_duty=False)
    person.reports("need", id, need="police")
    assert len(town.facts(id, "ranked")) == before


def test_an_offer_for_the_key_stays_until_the_key_comes() -> None:
    town, person, id = at_work()
    first, second = keyholder(town, "K-1", on_duty=False), keyholder(town, "K-2", on_duty=False)
    person.reports("need", id, need="key")
    person.reports("on_scene", id)
    assert len(town.incident(id).live_offers) == 2
    first.accepts()
    assert town.incident(id).live_offers == []
    assert second.told("stand_down")[-1]["reason"] == "filled"


def test_a_step_for_keyholders_asks_them_wherever_they_are_and_says_why_not() -> None:
    first = {"name": "keys", "ask": ["keyholder"], "radius_m": 100}
    town = Town(ladder(step=[first, *LADDER["step"]]))
    town.elder()
    near, far = keyholder(town, "K-1", 50, on_duty=False), keyholder(town, "K-2", 4000)
    keyholder(town, "K-3", on_duty=False, position=None)
    town.contact("GONE", responder="NOBODY")
    id = town.press().id
    assert (near.was_asked(), far.was_asked()) == (False, True)
    passed = town.facts(id, "ranked")[0].passed_over
    assert [(one["responder"], one["reason"]) for one in passed] == [("K-1", "off_duty")]
    near.goes(on_duty=True)
    assert near.was_asked()
