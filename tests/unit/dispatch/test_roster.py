"""Who can be asked now, and why the others cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from callhub.dispatch.roster import Load, Person, Roster
from callhub.dispatch.rules import Rules
from callhub.domain.people import Duty, Position, Responder, ResponderKind

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(seconds=61)
HOME = Position(39.08, 117.2)
VOLUNTEER = Responder("V", "V", ResponderKind.VOLUNTEER, area=("D", "S"), level="street", position=HOME)
DESK = Responder("DESK", "DESK", ResponderKind.DESK, area=("D", "S"), level="street", capacity=None)


def there(record: Responder, *, linked: bool = True, duty: Duty | None = None) -> tuple[Roster, Person]:
    roster = Roster(Rules(), NOON)
    person = roster.admit(record, NOON, known=False)
    person.link_up, person.duty = linked, duty
    return roster, person


ON = Duty("V", True)


@pytest.mark.parametrize(
    ("change", "linked", "duty", "load", "code"),
    [
        ({}, True, ON, None, None),
        ({"active": False}, True, ON, None, "disabled"),
        ({}, True, None, None, "off_duty"),
        ({}, True, Duty("V", False), None, "off_duty"),
        ({}, True, Duty("V", True, NOON), None, "off_duty"),
        ({"hours": "tue 11:00-13:00"}, True, None, None, None),
        ({"hours": "tue 11:00-13:00"}, True, Duty("V", False, NOON), None, None),
        ({"hours": "wed 11:00-13:00"}, True, None, None, "off_duty"),
        ({}, False, ON, None, "unreachable"),
        ({}, True, ON, Load(open=True), "busy"),
        ({}, True, ON, Load(1, live=True), "busy"),
        ({"capacity": 2}, True, ON, Load(1, live=True), None),
        ({"capacity": None}, True, ON, Load(None, live=True), None),
    ],
)
def test_standing_says_why(
    change: dict[str, object], linked: bool, duty: Duty | None, load: Load | None, code: str | None
) -> None:
    roster, person = there(replace(VOLUNTEER, **change), linked=linked, duty=duty)  # type: ignore[arg-type]  # by name
    if load is not None:
        person.loads["i"] = load
    assert roster.standing(person, LATER) == code
    # Services use no capacity.
    assert roster.standing(person, LATER, emergency=False) == (None if code == "busy" else code)


def test_on_leave_a_presence_counts_only_if_it_was_given_an_end() -> None:
    hours = "mon-sun 00:00-24:00; leave 2026-11-24"
    roster, person = there(replace(VOLUNTEER, hours=hours), duty=ON)
    assert roster.standing(person, LATER) == "leave"
    person.duty = Duty("V", True, LATER + timedelta(hours=1))
    assert roster.standing(person, LATER) is None
    person.duty = None
    assert roster.standing(person, LATER) == "leave"
    assert roster.next_duty_change(person, LATER) == NOON + timedelta(hours=12)
    assert roster.standing(person, NOON + timedelta(hours=12)) is None
    assert roster.standing(person, NOON - timedelta(hours=12, seconds=1)) is None, "also when a clock goes backwards"


def test_whoever_was_there_at_the_start_has_a_minute_to_link() -> None:
    roster = Roster(Rules(), NOON)
    person = roster.admit(VOLUNTEER, NOON, known=True)
    assert roster.reachable(person, NOON + timedelta(seconds=59))
    assert not roster.reachable(person, LATER)


def test_a_desk_is_on_duty_while_somebody_watches_its_area_and_a_minute_longer() -> None:
    roster, desk = there(DESK, linked=False)
    assert roster.standing(desk, NOON) is None, "patience after the start"
    assert roster.standing(desk, LATER) == "off_duty"
    assert roster.watch("anna", "D", True, LATER) == ["DESK"]
    assert roster.standing(desk, LATER) is None
    assert roster.watch("anna", "D", False, LATER) == ["DESK"]
    assert roster.standing(desk, LATER + timedelta(seconds=59)) is None
    assert roster.standing(desk, LATER + timedelta(seconds=61)) == "off_duty"


def test_a_desk_with_hours_needs_a_telephone() -> None:
    roster, desk = there(replace(DESK, hours="mon-sun 00:00-24:00"), linked=False)
    assert roster.standing(desk, LATER) == "off_duty"
    roster, desk = there(replace(DESK, hours="mon-sun 00:00-24:00", channels=("phone",)), linked=False)
    assert roster.standing(desk, LATER) is None


def test_somebody_who_watches_elsewhere_is_no_help() -> None:
    roster, desk = there(DESK, linked=False)
    assert roster.watch("bo", "OTHER", True, LATER) == []
    assert roster.standing(desk, LATER) == "off_duty"
    assert roster.is_watched(("OTHER", "S9"))
    assert not roster.is_watched(("D", "S"))
    assert roster.is_watched(()), "a case without an area is for all to see"


def test_the_lowest_free_slot_is_given() -> None:
    person = Person(replace(VOLUNTEER, capacity=3))
    assert person.free_slot() == 1
    person.loads = {"a": Load(1, live=True), "b": Load(3, live=True), "c": Load(open=True)}
    assert person.free_slot() == 2
    assert (person.live, person.used, person.is_full) == (2, 3, False)
    assert Person(replace(VOLUNTEER, capacity=None)).free_slot() is None


def test_a_fresh_position_wins_over_home_and_then_gives_way() -> None:
    roster, person = there(VOLUNTEER, duty=ON)
    away = Position(39.2, 117.2)
    roster.see("V", away, LATER)
    assert roster.position(person, LATER) == away
    assert [id for _, id in roster.near(ResponderKind.VOLUNTEER, away, 10)] == ["V"]
    old = LATER + timedelta(seconds=901)
    roster.refresh(old)
    assert roster.position(person, old) == HOME
    assert [id for _, id in roster.near(ResponderKind.VOLUNTEER, HOME, 10)] == ["V"]
    assert list(roster.near(ResponderKind.CAREGIVER, HOME, 10)) == []


def test_an_old_position_of_somebody_who_is_gone_is_no_error() -> None:
    roster, _ = there(VOLUNTEER)
    roster.see("V", HOME, NOON)
    roster.expel("V")
    roster.expel("V")
    roster.refresh(NOON + timedelta(days=1))
    assert roster.people == {}
    assert roster.living_in("D") == []


def test_people_are_found_by_area_and_desks_by_exactly_theirs() -> None:
    roster, _ = there(VOLUNTEER)
    roster.admit(DESK, NOON, known=False)
    roster.admit(replace(DESK, id="TOP", area=("D",)), NOON, known=False)
    roster.admit(replace(DESK, id="DEP", kind=ResponderKind.DEPARTMENT), NOON, known=False)
    assert roster.living_in("S") == ["V"]
    assert roster.desks_of("S") == ["DESK"]
    assert roster.top_desks() == ["TOP"]
    roster.admit(replace(DESK, area=("D", "S2")), NOON, known=False)
    assert (roster.desks_of("S"), roster.desks_of("S2")) == ([], ["DESK"])


def test_the_next_change_of_duty_is_the_end_of_presence_or_of_hours() -> None:
    roster, person = there(replace(VOLUNTEER, hours="tue 11:00-13:00"), duty=Duty("V", True, LATER))
    assert roster.next_duty_change(person, NOON) == LATER
    person.duty = None
    assert roster.next_duty_change(person, NOON) == NOON + timedelta(hours=1)
    person.record = replace(VOLUNTEER, hours="mon-sun 00:00-24:00")
    assert roster.next_duty_change(person, NOON) is None
    person.record = VOLUNTEER
    assert roster.next_duty_change(person, NOON) is None
