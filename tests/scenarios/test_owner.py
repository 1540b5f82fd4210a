"""Owners: who takes over, what stops then, and what starts again without them."""

from __future__ import annotations

from callhub.domain.people import Actor, ActorKind, Role
from tests.scenarios.town import Person, Town, ladder


def owned() -> tuple[Town, str]:
    town = Town()
    town.elder()
    for n in range(4):
        town.responder(f"V-{n}", 100 + n)
    town.desk(("D", "S", "C"), "community")
    town.watch("anna")
    incident = town.press()
    assert town.act(incident.id, "take-over", user="anna").code is None
    return town, incident.id


def why_cleared(town: Town, incident: str) -> str:
    return str(town.facts(incident, "owner_cleared")[-1].why)


def test_a_take_over_keeps_open_offers_and_stops_climbing() -> None:
    town, incident = owned()

    assert len(town.incident(incident).open_offers) == 2
    assert town.waits_for(incident) == "offer in 20"
    town.act(incident, "note", text="calling")
    town.advance(100)

    assert town.incident(incident).step == 0
    assert town.incident(incident).ladder_runs


def test_a_take_over_keeps_replacing() -> None:
    town, incident = owned()
    town.advance(20)
    states = [o.state for o in town.incident(incident).offers.values()]
    assert states == ["silent", "silent", "open", "open"]


def test_a_take_over_quiets_the_sound() -> None:
    town = Town()
    town.elder()
    town.advance(120)
    incident = town.press()
    assert town.incident(incident.id).rings

    town.act(incident.id, "take-over")

    assert not town.incident(incident.id).rings
    assert town.waits_for(incident.id) == "owner_check in 120"
    assert town.incident(incident.id).state == "unanswered"


def test_nobody_left_under_an_owner_neither_climbs_nor_ends() -> None:
    town, incident = owned()
    for n in range(4):
        assert Person(town, f"V-{n}").declines().code is None
    held = town.incident(incident)
    assert (held.step, held.state, held.open_offers) == (0, "seeking", [])
    assert town.waits_for(incident) == "owner_check in 120"

    town.advance(120)

    assert why_cleared(town, incident) == "owner_check_missed"
    assert town.incident(incident).step == 1
    assert town.incident(incident).owner is None


def test_each_action_of_the_owner_renews_the_check_and_those_of_others_do_not() -> None:
    town, incident = owned()
    town.advance(100)
    town.act(incident, "note", user="anna", text="on it")
    town.advance(100)
    assert town.incident(incident).owner is not None
    town.act(incident, "note", user="bob", text="and I look on")
    town.advance(20)
    assert town.incident(incident).owner is None


def test_answering_for_a_responder_is_an_action_of_the_owner_too() -> None:
    town, incident = owned()
    town.advance(19)
    offer = town.incident(incident).open_offers[0]
    town.answers_for(offer.id, accept=False, user="anna")
    town.advance(110)
    assert town.incident(incident).owner is not None


def test_a_missed_check_clears_the_owner_rings_and_goes_on_where_the_ladder_stood() -> None:
    town, incident = owned()
    town.advance(120)

    held = town.incident(incident)
    assert held.owner is None
    assert held.rings
    entered = [(fact.step, fact.why) for fact in town.facts(incident, "step_entered")]
    assert entered == [(0, "opened"), (0, "owner_gone"), (1, "nobody_left")], "all four were silent before"
    assert held.state == "seeking"


def test_a_removed_user_owns_nothing_any_more() -> None:
    town, incident = owned()
    town.changes("users", removed_users=("anna",))
    assert why_cleared(town, incident) == "user_removed"
    assert town.incident(incident).rings


def test_a_user_removed_under_unanswered_rings_again_at_once() -> None:
    town = Town()
    town.elder()
    town.advance(120)
    incident = town.press()
    town.act(incident.id, "take-over", user="anna")
    rings = len(town.facts(incident.id, "ladder_exhausted"))

    town.changes("users", removed_users=("anna",))
    town.advance(0)

    assert town.incident(incident.id).rings
    assert len(town.facts(incident.id, "ladder_exhausted")) == rings + 1
    assert town.waits_for(incident.id) == "repeat in 60"


def test_a_watching_owner_gone_for_a_minute_is_missed() -> None:
    town, incident = owned()
    town.watch("anna", watching=False)
    town.advance(59)
    assert town.incident(incident).owner is not None
    town.advance(1)
    assert why_cleared(town, incident) == "owner_away"


def test_a_watching_owner_who_comes_back_in_time_stays() -> None:
    town, incident = owned()
    town.watch("anna", watching=False)
    town.advance(59)
    town.watch("anna")
    town.advance(30)
    assert town.incident(incident).owner is not None


def test_an_owner_who_opened_a_console_only_later_is_missed_as_well() -> None:
    town = Town()
    town.elder()
    town.responder("V-1")
    incident = town.press()
    town.act(incident.id, "take-over", user="bob")
    town.watch("bob")
    town.watch("bob", watching=False)
    town.advance(60)
    assert why_cleared(town, incident.id) == "owner_away"


def test_an_owner_without_a_console_is_held_by_the_check_alone() -> None:
    town = Town()
    town.elder()
    town.responder("V-1")
    incident = town.press()
    town.act(incident.id, "take-over", user="bob")
    town.advance(119)
    assert town.incident(incident.id).owner is not None
    town.advance(1)
    assert town.incident(incident.id).owner is None


def test_an_api_client_can_own_and_does_not_watch() -> None:
    town, incident = owned()
    client = Actor(ActorKind.API, "care-platform", Role.OPERATOR)
    town.act(incident, "take-over", by=client)
    owner = town.incident(incident).owner
    assert owner is not None
    assert (owner.kind, owner.id, owner.watching) == ("api", "care-platform", False)


def test_a_hand_over_passes_it_on_with_a_fresh_check() -> None:
    town, incident = owned()
    town.advance(60)
    town.act(incident, "hand-over", user="anna", to="bob")
    owner = town.incident(incident).owner
    assert owner is not None
    assert owner.id == "bob"
    assert town.facts(incident, "owner_taken")[-1].handed is True
    town.advance(119)
    assert town.incident(incident).owner is not None
    assert town.act(incident, "hand-over").code == "invalid_message"


def test_the_check_ends_with_resolved() -> None:
    town, incident = owned()
    town.act(incident, "assign", responder="V-0", confirmed_by="telephone")
    town.act(incident, "on-scene", responder="V-0")
    town.act(incident, "cleared", responder="V-0", outcome="helped")

    assert town.incident(incident).state == "resolved"
    assert list(town.incident(incident).deadlines) == ["follow_up"]
    town.act(incident, "take-over", user="anna")
    assert list(town.incident(incident).deadlines) == ["follow_up"]


def test_take_over_or_first_contact_is_when_it_was_answered() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    taken, called = town.press("E-1"), town.press("E-2")
    town.advance(10)
    town.act(taken.id, "take-over")
    town.act(called.id, "contact", party="elder", result="needs_help")
    at = town.now
    town.advance(10)
    town.act(called.id, "take-over")
    assert town.incident(taken.id).answered_at == at
    assert town.incident(called.id).answered_at == at


def test_somebody_on_the_way_is_no_owner() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()
    assert town.incident(incident.id).owner is None
    assert town.incident(incident.id).answered_at is None


def test_escalate_by_an_owner_asks_the_next_step() -> None:
    town, incident = owned()
    town.act(incident, "escalate", user="anna")
    assert town.incident(incident).step == 1
    assert town.incident(incident).owner is not None


def test_a_late_yes_under_an_owner_is_a_yes() -> None:
    town, incident = owned()
    town.advance(40)
    offer = next(iter(town.incident(incident).offers.values()))
    assert offer.state == "silent"
    assert Person(town, offer.responder).accepts(offer.id).body["state"] == "assigned"


def test_if_nobody_watches_an_open_emergency_that_is_a_fact() -> None:
    town = Town()
    town.elder()
    town.responder("V-1")
    incident = town.press()
    assert incident.unwatched
    town.watch("anna", "D")
    assert not town.incident(incident.id).unwatched
    town.watch("anna", watching=False)
    assert town.incident(incident.id).unwatched
    assert [f.unwatched for f in town.facts(incident.id, "watch_changed")] == [True, False, True]


def test_a_removed_user_watches_nothing_any_more() -> None:
    town, incident = owned()
    assert not town.incident(incident).unwatched
    town.changes("users", removed_users=("anna",))
    assert town.incident(incident).unwatched


def test_the_check_of_a_slow_policy_is_its_own() -> None:
    town = Town(ladder(owner_check_s=7))
    town.elder()
    incident = town.press()
    town.act(incident.id, "take-over")
    assert town.waits_for(incident.id) == "owner_check in 7"


def test_a_client_whose_token_is_revoked_owns_nothing_any_more() -> None:
    town, incident = owned()
    town.act(incident, "take-over", by=Actor(ActorKind.API, "care-platform", Role.OPERATOR))
    town.changes("token", revoked=(("api", "care-platform"),))
    assert why_cleared(town, incident) == "user_removed"


def test_a_desk_that_is_disabled_owns_nothing_any_more() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    desk.accepts()
    town.changes_responder(desk.id, active=False)
    assert town.incident(incident.id).owner is None
    assert town.incident(incident.id).rings
