"""Who asks somebody that became able to come, when several cases could."""

from __future__ import annotations

from typing import Any

import pytest

from callhub.domain.people import ResponderKind
from callhub.domain.policy import policy_from_table
from tests.scenarios.town import AREA, FIRE, LADDER, Person, Town, ladder, metres_north


def street(*homes_m: float, **figures: Any) -> tuple[Town, list[str]]:
    """A case in each of these homes; nobody is there to be asked yet."""
    town = Town(ladder(**figures))
    for n, away_m in enumerate(homes_m, 1):
        town.elder(f"E-{n}", position=metres_north(away_m))
    return town, [town.press(f"E-{n}").id for n in range(1, len(homes_m) + 1)]


def cases(town: Town, person: Person) -> list[str]:
    """The cases that ask somebody, in the order in which they did."""
    return list(dict.fromkeys(body["incident"] for body in person.told("offer")))


def test_the_most_urgent_asks_first_though_it_is_farther_and_younger() -> None:
    town, _ = street(0)
    town.elder("E-2", position=metres_north(1500))
    fire = town.press("E-2", "smoke").id
    assert cases(town, town.responder("V-1", 0)) == [fire]


def test_who_has_fewest_people_asks_first_though_it_is_farther() -> None:
    town, (near, far) = street(0, 1500)
    town.responder("V-1", 0)
    assert cases(town, town.responder("V-2", 0)) == [far]
    assert len(town.incident(near).open_offers) == 1


def test_somebody_on_the_way_counts_as_well_as_somebody_asked() -> None:
    town, (near, far) = street(0, 1500, needed=2)
    town.responder("V-1", 0).accepts()
    assert town.incident(near).ladder_runs
    assert cases(town, town.responder("V-2", 0)) == [far]


def test_then_the_one_that_is_reached_soonest_and_then_the_oldest() -> None:
    town, (_, near) = street(1500, 300)
    assert cases(town, town.responder("V-1", 0)) == [near]
    town, (oldest, _) = street(300, 300)
    assert cases(town, town.responder("V-1", 0)) == [oldest]


def test_who_can_help_two_is_asked_by_two() -> None:
    town, ids = street(900, 300, 600)
    assert cases(town, town.responder("V-1", 0, capacity=2)) == [ids[1], ids[2]]


@pytest.mark.parametrize(
    ("who", "asked"),
    [
        ({"away_m": 1999}, True),
        ({"away_m": 2001}, False),
        ({"away_m": 2001, "id": "P-1"}, True),
        ({"position": None}, False),
        ({"position": None, "id": "P-1"}, True),
        ({"kind": ResponderKind.GRID_WORKER}, False),
        ({"skills": ()}, True),
    ],
)
def test_radius_pairs_and_kinds_hold(who: dict[str, Any], asked: bool) -> None:
    town = Town(ladder())
    town.elder("E-1", paired=("P-1",))
    town.press("E-1")
    assert town.responder(who.pop("id", "V-1"), **who).was_asked() is asked


def test_a_house_that_nobody_can_place_is_found_by_its_area() -> None:
    town = Town(ladder())
    town.elder("E-1", position=None)
    town.press("E-1")
    assert town.responder("V-1", 90_000).was_asked()
    assert not town.responder("V-2", area=("X",)).was_asked()


def test_a_desk_is_asked_again_only_while_nobody_owns_the_case() -> None:
    for owned in (True, False):
        town, (id,) = street(0)
        if owned:
            town.act(id, "take-over")
        desk = town.desk(AREA[:3], "community")
        town.watch("bo")
        assert desk.was_asked() is not owned


def test_a_full_step_asks_nobody_more_and_a_call_back_or_a_closed_window_nobody_at_all() -> None:
    meal = policy_from_table(
        {**LADDER, "id": "service", "class": "service", "kinds": ["meal"], "urgency": 4, "window": "00:00-01:00"},
        "test",
    )
    call = {"name": "call", "ask": ["call_back"], "step_timeout_s": 45}
    smoke = policy_from_table({**FIRE, "kinds": ["smoke"], "step": [call, *LADDER["step"]]}, "test")
    town = Town(ladder(), meal, smoke)
    for n in (1, 2, 3):
        town.elder(f"E-{n}")
    town.press("E-2", "meal")
    town.press("E-3", "smoke")
    assert not town.responder("V-1", 10).was_asked()
    full = town.press("E-1").id
    town.responder("V-2", 10)
    third = town.responder("V-3", 10)
    assert len(town.incident(full).open_offers) == 2
    assert not third.was_asked()


def test_of_those_on_their_way_the_busy_are_not_asked() -> None:
    town, _ = street(0)
    person = town.responder("V-1", 0)
    person.accepts()
    town.elder("E-2", position=metres_north(10))
    town.press("E-2")
    person.goes(on_duty=True)
    assert person.offers() == 1
