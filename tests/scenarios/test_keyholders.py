"""Keyholders: asked by a step of the ladder, or at once when somebody stands before a locked door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.domain import events as e
from callhub.domain.people import Actor, ActorKind, ResponderKind, Role
from tests.scenarios.homes import RollCallTown
from tests.scenarios.town import AREA, LADDER, Person, Town, ladder

if TYPE_CHECKING:
    from callhub.domain.incident import Incident
    from callhub.domain.policy import Policy


def keys_first(**changes: Any) -> Policy:
    """The test ladder with a first step for keyholders."""
    first = {"name": "keys", "ask": ["keyholder"], "offer_timeout_s": 20, "step_timeout_s": 60, **changes}
    return ladder(step=[first, *LADDER["step"]])


def with_key(town: Town, id: str = "K-1", away_m: float = 3000, **fields: Any) -> Person:
    """A responder who is also a contact of E-1, and so holds a key."""
    person = town.responder(id, away_m, **fields)
    town.contact(f"C-{id}", responder=id, phone="13800000009")
    return person


def at_the_door(**fields: Any) -> tuple[Town, Incident, Person, Person]:
    """Somebody stands before the door; a keyholder is at home, off duty."""
    town = Town()
    town.elder()
    person = town.responder("V-1")
    holder = with_key(town, on_duty=False, **fields)
    incident = town.press()
    person.accepts()
    person.reports("on_scene")
    return town, incident, person, holder


# By a step


def test_a_step_asks_the_keyholders_however_far_they_live() -> None:
    town = Town(keys_first(radius_m=500))
    town.elder()
    neighbour, holder = town.responder("V-1", 100), with_key(town)
    incident = town.press()
    assert (holder.was_asked(), neighbour.was_asked()) == (True, False)
    assert "need" not in holder.offer, "they are asked to come, as everybody is"
    assert town.facts(incident.id, "ranked")[0].chosen[0]["keyholder"] is True
    town.advance(60)
    assert neighbour.was_asked()


def test_a_step_for_keyholders_is_passed_at_once_where_there_is_none() -> None:
    town = Town(keys_first())
    town.elder()
    neighbour = town.responder("V-1")
    town.contact("SON")  # a contact who is no responder has no key that callhub could ask for
    incident = town.press()
    assert neighbour.was_asked()
    assert [fact.why for fact in town.facts(incident.id, "step_entered")] == ["opened", "nobody_left"]


def test_a_keyholder_who_cannot_be_asked_is_passed_over_with_a_reason() -> None:
    town = Town(keys_first())
    town.elder()
    with_key(town, on_duty=False)
    with_key(town, "K-2")
    incident = town.press()
    passed = town.facts(incident.id, "ranked")[0].passed_over
    assert [(one["responder"], one["reason"]) for one in passed] == [("K-1", "off_duty")]


def test_a_keyholder_who_comes_on_duty_later_is_asked_at_once() -> None:
    town = Town(keys_first())
    town.elder()
    holder = with_key(town, on_duty=False)
    town.press()
    assert not holder.was_asked()
    holder.goes(on_duty=True)
    assert holder.was_asked()


def test_a_keyholder_is_asked_although_nobody_knows_where_the_house_is() -> None:
    town = Town(keys_first())
    town.elder(position=None)
    holder = with_key(town)
    town.press()
    assert holder.offer["distance_m"] is None


# By a need


def test_a_need_for_the_key_asks_the_keyholders_at_once_on_duty_or_not() -> None:
    town, incident, person, holder = at_the_door()
    assert not holder.was_asked()
    person.reports("need", need="key", note="the door is locked")
    assert holder.offer["need"] == "key"
    assert (holder.offer["distance_m"], holder.offer["eta_s"]) == (3000, 2272)
    ranked = town.facts(incident.id, "ranked")[-1]
    assert [one["responder"] for one in ranked.chosen] == ["K-1"]


def test_an_operator_says_the_need_for_somebody_on_the_telephone() -> None:
    town, incident, _, holder = at_the_door()
    town.act(incident.id, "need", responder="V-1", need="key")
    assert holder.offer["need"] == "key"
    assert [fact.action for fact in town.facts(incident.id, "acted_for")] == ["need"]


def test_another_need_asks_no_keyholder() -> None:
    _, _, person, holder = at_the_door()
    person.reports("need", need="ambulance")
    assert not holder.was_asked()


def test_without_a_keyholder_the_desk_is_called_and_nobody_is_ranked() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()
    person.reports("need", need="key")
    assert town.incident(incident.id).desk_call is not None
    assert len(town.facts(incident.id, "ranked")) == 1


def test_who_brings_the_key_has_that_role_and_whoever_waits_for_it_is_told() -> None:
    town, incident, person, holder = at_the_door()
    person.reports("need", need="key")
    holder.accepts()
    assert holder.told("assignment")[-1]["role"] == "key"
    assert holder.told("assignment")[-1]["fetch"] is None, "they hold it themselves"
    assert person.hears() == ["update responder_added", "update key_coming"]
    assert person.told("update")[-1]["responder"] == "K-1"
    assert town.incident(incident.id).state == "on_scene"


def test_the_key_is_sought_while_others_are_coming_and_no_longer_once_it_comes() -> None:
    town, incident, person, holder = at_the_door()
    second = with_key(town, "K-2", 4000)
    person.reports("need", need="key")
    town.advance(60)
    assert {o.state for o in town.incident(incident.id).live_offers} == {"silent"}, "a late yes is a yes"
    holder.accepts()
    assert second.told("stand_down")[-1]["reason"] == "filled"


def test_the_search_for_the_key_ends_with_the_case() -> None:
    town, incident, person, holder = at_the_door()
    person.reports("need", need="key")
    person.reports("cleared", outcome="helped")
    assert town.incident(incident.id).state == "resolved"
    assert holder.told("stand_down")[-1]["reason"] == "resolved"


def test_whoever_said_no_before_is_asked_again_when_the_key_is_needed() -> None:
    town = Town(keys_first())
    town.elder()
    holder, person = with_key(town), town.responder("V-1")
    town.press()
    holder.declines()
    person.accepts()
    person.reports("need", need="key")
    assert holder.offer["need"] == "key"
    assert holder.offers() == 2


def test_a_keyholder_who_is_asked_already_hears_that_it_is_for_the_key() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    person, holder = town.responder("V-1"), with_key(town, away_m=500)
    town.press()
    person.accepts()
    assert "need" not in holder.offer
    person.reports("need", need="key")
    assert (holder.offer["need"], holder.offer["reminder"], holder.offers()) == ("key", True, 1)
    person.reports("need", need="key")
    assert len(holder.told("offer")) == 2, "to say it again is no other question"
    holder.accepts()
    assert holder.told("assignment")[-1]["role"] == "key"


def test_who_comes_already_is_elsewhere_or_disabled_is_passed_over_with_a_reason() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    town.elder("E-2")
    busy = with_key(town, "K-1", 100)
    town.press("E-2", kind="smoke")
    busy.accepts()
    coming, gone = with_key(town, "K-2", 200), with_key(town, "K-3", on_duty=False)
    town.changes_responder("K-3", active=False)
    incident = town.press()
    coming.accepts()
    coming.reports("need", incident.id, need="key")
    passed = {one["responder"]: one["reason"] for one in town.facts(incident.id, "ranked")[-1].passed_over}
    assert passed == {"K-1": "busy", "K-2": "accepted", "K-3": "disabled"}
    assert not gone.was_asked()


def test_a_department_at_the_door_may_need_the_key_too() -> None:
    town, incident, _, holder = at_the_door()
    fire = town.responder("FIRE", kind=ResponderKind.DEPARTMENT, position=None, capacity=None, on_duty=False)
    town.act(incident.id, "whistle", departments=["FIRE"], report_in_s=600, finish_s=3600)
    fire.accepts()
    fire.reports("need", incident.id, need="key")
    assert holder.offer["need"] == "key"


def test_whoever_checks_a_home_after_a_gap_may_need_the_key_too() -> None:
    town = RollCallTown(homes=1)
    person, holder = town.responder("V-1"), with_key(town, on_duty=False)
    town.roll_call()
    town.advance(1)
    person.accepts()
    person.reports("need", town.check_of("E-1").id, need="key")
    assert holder.offer["need"] == "key"


def test_the_search_for_the_key_survives_a_restart() -> None:
    town, incident, person, holder = at_the_door()
    person.reports("need", need="key")
    town.restart(after_s=5)
    assert town.incident(incident.id).key_offers == (holder.offer["offer"],)
    town.advance(120)
    holder.accepts()
    assert holder.told("assignment")[-1]["role"] == "key"


def test_a_drill_asks_keyholders_as_the_real_emergency_would() -> None:
    town = Town(keys_first())
    town.elder()
    holder = with_key(town)
    who = Actor(ActorKind.USER, "anna", Role.OPERATOR)
    town.tell(e.DrillAsked(id=town.new_id(), actor=who, elder=town.elders["E-1"], kind="sos", reason="half-yearly"))
    assert holder.offer["drill"] is True


def test_a_keyholder_who_became_a_place_is_asked_for_no_key() -> None:
    town, _, person, holder = at_the_door()
    town.changes_responder("K-1", kind=ResponderKind.DEPARTMENT, area=AREA, capacity=None)
    person.reports("need", need="key")
    assert not holder.was_asked()
