"""Roles where two are needed: one goes to the elder, one fetches the key from a keyholder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.scenarios.test_keyholders import with_key
from tests.scenarios.town import LADDER, Person, Town, ladder

if TYPE_CHECKING:
    from callhub.domain.incident import Incident

WIDE = [{**LADDER["step"][0], "fan_out": 4, "fan_out_max": 4}, *LADDER["step"][1:]]
PAIR: dict[str, Any] = {"needed": 2, "roles": ["elder", "key"], "step": WIDE}


def two_of_three(*, keyholder: bool = True, roles: bool = True) -> tuple[Town, Incident, list[Person]]:
    """Three neighbours are asked; somebody three kilometres away, off duty, has the key."""
    town = Town(ladder(**{key: value for key, value in PAIR.items() if roles or key != "roles"}))
    town.elder()
    if keyholder:
        with_key(town, on_duty=False)
    people = [town.responder(f"V-{n}", 100 * n) for n in (1, 2, 3)]
    return town, town.press(), people


def role(person: Person) -> str | None:
    """The role in the newest assignment."""
    found: str | None = person.told("assignment")[-1].get("role")
    return found


def fetch(person: Person) -> dict[str, str] | None:
    """Whom this person fetches the key from, in the newest assignment."""
    found: dict[str, str] | None = person.told("assignment")[-1]["fetch"]
    return found


def test_the_first_to_say_yes_goes_to_the_elder_and_the_second_fetches_the_key() -> None:
    _, _, (first, second, third) = two_of_three()
    second.accepts()
    first.accepts()
    assert (role(second), fetch(second)) == ("elder", None)
    assert (role(first), fetch(first)) == ("key", {"contact": "C-K-1", "responder": "K-1"})
    assert third.told("stand_down")[-1]["reason"] == "filled"


def test_the_one_who_goes_to_the_elder_is_told_who_brings_the_key() -> None:
    _, _, (first, second, _) = two_of_three()
    first.accepts()
    second.accepts()
    assert first.hears() == ["update responder_added", "update key_coming"]
    assert first.told("update")[-1]["responder"] == "V-2"
    assert second.hears() == ["assignment assigned"]


def test_a_keyholder_who_says_yes_first_brings_the_key_and_the_next_is_told_so() -> None:
    town = Town(ladder(**PAIR))
    town.elder()
    holder, other = with_key(town, away_m=100), town.responder("V-1", 200)
    town.press()
    holder.accepts()
    other.accepts()
    assert (role(holder), fetch(holder)) == ("key", None)
    assert role(other) == "elder"
    assert other.hears() == ["assignment assigned", "update key_coming"], "first where to go, then who else comes"
    assert other.told("update")[-1]["responder"] == "K-1"


def test_without_a_keyholder_both_go_to_the_elder_and_nobody_waits_for_a_key() -> None:
    _, _, (first, second, _) = two_of_three(keyholder=False)
    first.accepts()
    second.accepts()
    assert (role(first), role(second)) == ("elder", "elder")
    assert first.hears() == ["update responder_added"]


def test_a_keyholder_who_was_disabled_holds_no_key_for_anybody() -> None:
    town, _, (first, second, _) = two_of_three()
    town.changes_responder("K-1", active=False)
    first.accepts()
    second.accepts()
    assert (role(first), role(second)) == ("elder", "elder")


def test_nobody_has_a_role_where_the_ladder_names_none() -> None:
    town, incident, (first, second, _) = two_of_three(roles=False)
    first.accepts()
    second.accepts()
    assert "role" not in first.told("assignment")[-1]
    assert town.incident(incident.id).roles == {}


def test_the_key_is_fetched_from_the_nearest_who_has_not_said_no_and_does_not_come() -> None:
    town = Town(ladder(**PAIR))
    town.elder()
    refuses = with_key(town, "K-1", 100)
    with_key(town, "K-2", 900, on_duty=False)
    with_key(town, "K-3", 400, on_duty=False)
    with_key(town, "K-4", on_duty=False, position=None)
    first, second = town.responder("V-1", 150), town.responder("V-2", 200)
    town.press()
    refuses.declines()
    first.accepts()
    second.accepts()
    assert fetch(second) == {"contact": "C-K-3", "responder": "K-3"}


def test_when_the_key_bringer_releases_the_role_is_filled_again() -> None:
    town, incident, (first, second, third) = two_of_three()
    first.accepts()
    second.accepts()
    second.reports("release", reason="car broke down")
    assert town.incident(incident.id).ladder_runs
    third.accepts()
    assert (role(first), role(third)) == ("elder", "key")
    assert first.hears() == ["update responder_added", "update key_coming"]


def test_when_the_one_for_the_elder_releases_the_key_bringer_keeps_the_role() -> None:
    _, _, (first, second, third) = two_of_three()
    first.accepts()
    second.accepts()
    first.reports("release", reason="my own child fell")
    third.accepts()
    assert (role(second), role(third)) == ("key", "elder")
    assert third.told("update")[-1]["responder"] == "V-2"


def test_the_role_of_somebody_who_is_late_is_filled_again() -> None:
    town, _, (first, second, third) = two_of_three()
    first.accepts()
    second.accepts()
    first.reports("on_scene")
    town.advance(400)
    assert second.told("assignment")[-1]["late"] is True
    third.accepts()
    assert role(third) == "key"


def test_whoever_brings_the_key_counts_as_on_scene_and_for_resolved_like_anybody() -> None:
    town, incident, (first, second, _) = two_of_three()
    first.accepts()
    second.accepts()
    second.reports("on_scene")
    assert town.incident(incident.id).state == "on_scene"
    second.reports("cleared", outcome="helped")
    assert town.incident(incident.id).state == "assigned"
    first.reports("on_scene")
    first.reports("cleared", outcome="helped")
    assert town.incident(incident.id).state == "resolved"


def test_somebody_assigned_by_hand_beyond_those_needed_goes_to_the_elder() -> None:
    town, incident, (first, second, third) = two_of_three()
    first.accepts()
    second.accepts()
    town.act(incident.id, "assign", responder="V-3", confirmed_by="telephone")
    assert role(third) == "elder"
    assert third.told("update")[-1]["responder"] == "V-2"


def test_whoever_came_before_there_were_roles_goes_to_the_elder() -> None:
    town = Town(ladder(**{**PAIR, "id": "fire", "kinds": ["smoke", "gas"], "urgency": 1}))
    town.elder()
    with_key(town, on_duty=False)
    first, second = town.responder("V-1"), town.responder("V-2", 200)
    town.press()
    first.accepts()
    assert "role" not in first.told("assignment")[-1]
    town.press(kind="smoke")
    second.accepts()
    assert role(second) == "key"
    assert first.told("update")[-1]["what"] == "key_coming"


def test_roles_survive_a_restart() -> None:
    town, incident, (first, second, third) = two_of_three()
    first.accepts()
    second.accepts()
    town.restart(after_s=5)
    kept = {a.responder: town.incident(incident.id).roles[a.id].role for a in town.incident(incident.id).live}
    assert kept == {"V-1": "elder", "V-2": "key"}
    second.reports("release", reason="lost the way")
    for person in (first, third):
        town.link(person.id, up=True)
    third.accepts()
    assert role(third) == "key"
