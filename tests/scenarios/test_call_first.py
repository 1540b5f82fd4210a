"""Call-first: for an elder who often presses by accident, somebody asks before people run, and never for long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from callhub.domain import events as e
from callhub.domain.call_back import CallFirst
from callhub.domain.people import Actor, ActorKind, Role
from tests.scenarios.town import Person, Town

if TYPE_CHECKING:
    from callhub.domain.decision import Answer
    from callhub.domain.facts import CallFirstChanged

BOSS = Actor(ActorKind.USER, "boss", Role.SUPERVISOR)


def ask(town: Town, seconds: int = 30, days: float | None = 30, elder: str = "E-1") -> Answer:
    """A supervisor asks for it; the store then shows it on the elder's record, as it does here."""
    until = None if days is None else town.now + timedelta(days=days)
    answer = town.tell(
        e.CallFirstAsked(
            id=town.new_id(), actor=BOSS, elder=elder, seconds=seconds, until=until, reason="sits on the button"
        )
    )
    if answer.code is None:
        kept = CallFirst(seconds, until) if seconds and until else None
        town.elders[elder] = replace(town.elders[elder], call_first=kept)
    return answer


def pressing(seconds: int = 30, days: float = 30) -> tuple[Town, Person]:
    town = Town()
    town.elder()
    ask(town, seconds, days)
    return town, town.responder("V-1")


def noted(town: Town) -> list[CallFirstChanged]:
    return [fact for row in town.notes for fact in row.facts if fact.fact == "call_first_changed"]


def test_a_press_is_called_back_first_and_goes_without_a_clear_word() -> None:
    town, person = pressing()
    incident = town.press()
    assert incident.rings
    assert town.waits_for(incident.id) == "call_back in 30"
    town.advance(29)
    assert not person.was_asked()
    town.advance(1)
    assert person.was_asked()
    assert town.incident(incident.id).step == 0


def test_the_elder_hears_that_somebody_rings_back_and_not_that_people_are_asked() -> None:
    town = Town()
    town.elder(call_first=CallFirst(30, town.now + timedelta(days=1)))
    town.press()
    (progress,) = [m.body for m in town.sent if m.type.value == "progress"]
    assert (progress["state"], progress["manner"]) == ("seeking", "call_back")


def test_a_second_press_ends_it_at_once() -> None:
    town, person = pressing()
    incident = town.press()
    assert town.press(alarm="again").id == incident.id
    assert person.was_asked()
    assert town.facts(incident.id, "call_back_ended")[0].why == "pressed"


def test_a_clear_spoken_fine_holds_it_for_a_human_to_close() -> None:
    town, person = pressing()
    incident = town.press()
    town.act(incident.id, "contact", party="elder", result="spoke_ok")
    town.advance(100)
    assert not person.was_asked()
    assert town.act(incident.id, "close", outcome="false_alarm").code is None


@pytest.mark.parametrize("result", ["silent", "no_answer", "needs_help"])
def test_anything_but_fine_means_go(result: str) -> None:
    town, person = pressing()
    incident = town.press()
    town.act(incident.id, "contact", party="elder", result=result)
    assert person.was_asked()


def test_escalating_goes_to_the_first_step_and_not_over_it() -> None:
    town, person = pressing()
    incident = town.press()
    town.act(incident.id, "escalate")
    assert person.was_asked()
    assert town.incident(incident.id).step == 0


def test_whoever_comes_on_duty_meanwhile_is_not_asked() -> None:
    town, _ = pressing()
    town.press()
    assert not town.responder("V-2").was_asked()


@pytest.mark.parametrize("kind", ["fall", "medical", "unknown", "smoke"])
def test_only_presses_are_called_back(kind: str) -> None:
    town, person = pressing()
    town.press(kind=kind)
    assert person.was_asked()


def test_it_ends_by_itself_at_its_expiry() -> None:
    town, person = pressing(days=1)
    town.advance(86_400)
    town.press()
    assert person.was_asked()


def test_it_holds_for_that_elder_alone() -> None:
    town, person = pressing()
    town.elder("E-2")
    town.press("E-2")
    assert person.was_asked()


def test_a_person_ends_it_and_that_is_a_fact_too() -> None:
    town, person = pressing()
    ask(town, 0, None)
    town.press()
    assert person.was_asked()
    assert [(fact.seconds, fact.until is None, fact.reason) for fact in noted(town)] == [
        (30, False, "sits on the button"),
        (0, True, "sits on the button"),
    ]


def test_what_was_stored_longer_than_the_bound_is_cut_to_it() -> None:
    town, _ = pressing()
    town.elders["E-1"] = replace(town.elders["E-1"], call_first=CallFirst(600, town.now + timedelta(days=1)))
    assert town.waits_for(town.press().id) == "call_back in 45"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"seconds": 46}, "seconds"),
        ({"seconds": -1}, "seconds"),
        ({"days": None}, "until"),
        ({"days": 0}, "until"),
        ({"days": -1}, "until"),
        ({"days": 91}, "until"),
    ],
)
def test_it_is_never_long_and_never_for_good(wrong: dict[str, Any], field: str) -> None:
    town = Town()
    town.elder()
    answer = ask(town, **wrong)
    assert (answer.code, answer.body["field"]) == ("invalid_message", field)
    assert noted(town) == []
