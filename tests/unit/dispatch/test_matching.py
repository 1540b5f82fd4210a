"""Who is asked, in which order, and why the others were passed over."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from callhub.dispatch.learning import PRIOR
from callhub.dispatch.matching import LISTED_MAX, Search
from callhub.domain.habits import Habit
from callhub.domain.incident import Places
from callhub.domain.people import Position, Responder, ResponderKind
from callhub.domain.policy import Ask, Level, Step
from tests.simulation.driver import AREA, north
from tests.unit.dispatch.stage import Stage

PEOPLE = Step("near", (Ask.PAIRED, Ask.VOLUNTEER, Ask.CAREGIVER), radius_m=2000)


def search(stage: Stage, id: str, step: Step = PEOPLE, places: Places | None = None) -> Search:
    return Search(stage.engine._world, stage.of(id), places or stage.engine.places(id), step, stage.now)


def names(found: Search) -> list[str]:
    return [candidate.responder for candidate in found.candidates()]


def case(stage: Stage, device: str = "BTN-1", kind: str = "sos") -> str:
    """A case nobody was asked for: whoever is asked later comes later."""
    return stage.press(device, kind)


def later(stage: Stage, id: str, **changes: Any) -> None:
    """Somebody who is there, and is not asked by themselves."""
    base = stage.people.get(id, Responder(id, id, ResponderKind.VOLUNTEER, area=AREA, level="grid", position=north(0)))
    stage.people[id] = replace(base, **changes)
    stage.tell(stage.record(id))
    world = stage.engine._world
    person = world.roster.people[id]
    person.link_up = True
    stage.tell(stage.presence(id, available=True))


def quiet(**people: dict[str, Any]) -> tuple[Stage, str]:
    """A case whose ladder rests, as somebody is assigned, with these people around."""
    stage = Stage("C-2")
    id = stage.press()
    stage.does(id, "assign", responder="C-2", confirmed_by="telephone")
    for who, changes in people.items():
        later(stage, who, **changes)
    return stage, id


def test_paired_people_first_then_the_nearest_then_load_then_id() -> None:
    at = north(300)
    stage, id = quiet(b={"position": at}, a={"position": at}, near={"position": north(50)}, c={"position": at})
    stage.ready("V-3")
    stage.engine._world.habits["a"] = Habit("a", stage.now, load=2)
    assert names(search(stage, id)) == ["V-3", "near", "b", "c", "a"]


def test_whole_seconds_decide_and_kinds_differ_in_speed() -> None:
    stage, id = quiet(z={"position": north(100.6)}, y={"position": north(101.4)}, x={"position": north(101.9)})
    assert names(search(stage, id)) == ["y", "z", "x"], "within the same second the id decides"


def test_who_is_too_far_or_lacks_a_skill_is_not_asked() -> None:
    stage, id = quiet(near={"position": north(1999)}, far={"position": north(2001)}, able={"skills": ("aed",)})
    assert names(search(stage, id)) == ["able", "near"]
    assert names(search(stage, id, replace(PEOPLE, skills=("aed",)))) == ["able"]
    assert names(search(stage, id, replace(PEOPLE, radius_m=None))) == ["able", "near", "far"]


def test_a_house_without_a_position_is_served_by_area_the_deepest_first() -> None:
    stage, id = quiet(
        street={"area": ("D", "S")},
        grid={},
        community={"area": AREA[:3]},
        other={"area": ("D", "S9")},
        out={"area": ("X",)},
    )
    nowhere = search(stage, id, places=Places(address="1"))
    assert names(nowhere) == ["grid", "community", "street", "other"]
    people = stage.engine._world.roster.people
    assert nowhere.matches(people["street"]) is not None
    assert nowhere.matches(people["out"]) is None
    assert nowhere.explain(0, []).passed_over == ()


def test_a_case_of_nobody_nowhere_asks_desks_alone() -> None:
    stage = Stage("V-1", "DESK-C", "DESK-D", watched=True)
    id = stage.press("UNKNOWN")
    desk = Step("desk", (Ask.VOLUNTEER, Ask.DESK), level=Level.DISTRICT)
    stage.no(id, "DESK-D")
    stage.no(stage.press("UNKNOWN-2"), "DESK-D")
    fresh = stage.tell(stage.call(None)).answer.incident or ""
    assert stage.of(fresh).live_offers[0].responder == "DESK-D"
    assert names(search(stage, id, desk)) == [], "a desk that said no is asked with the next repeat"
    again = search(stage, id, desk)
    again.again = True
    assert names(again) == ["DESK-D"]


def test_a_person_without_a_position_is_not_asked_by_a_house_that_has_one_unless_paired() -> None:
    stage, id = quiet(lost={"position": None})
    found = search(stage, id)
    person = stage.engine._world.roster.people["lost"]
    assert "lost" not in names(found)
    assert found.matches(person) is None
    later(stage, "V-3", position=None)
    paired = stage.engine._world.roster.people["V-3"]
    candidate = found.matches(paired)
    assert candidate is not None
    assert (candidate.paired, candidate.distance_m) == (True, None)
    assert names(found)[0] == "V-3"


def test_one_person_is_matched_as_all_are() -> None:
    stage, id = quiet(near={}, far={"position": north(9000)}, grid={"kind": ResponderKind.GRID_WORKER})
    stage.ready("DESK-C", "DESK-D")
    stage.tell(stage.watch("anna", watching=True))
    people = stage.engine._world.roster.people
    desks = Step("desk", (Ask.DESK,), level=Level.COMMUNITY)
    for step in (PEOPLE, desks):
        found = search(stage, id, step)
        assert {who for who in people if found.matches(people[who]) is not None} == set(names(found))


def test_whoever_was_asked_accepted_or_said_no_is_not_asked_again() -> None:
    stage = Stage("V-1", "V-2", "V-3")
    id = stage.press()
    stage.no(id, "V-1")
    found, people = search(stage, id), stage.engine._world.roster.people
    assert [found.refusal(people[who]) for who in ("V-1", "V-2")] == ["declined", "asked"]
    stage.yes(id, "V-3")
    stage.reports(id, "V-3", "release")
    assert search(stage, id).refusal(people["V-3"]) == "accepted"
    stage.now = stage.now.replace(minute=30)
    stage.does(id, "close", outcome="helped")
    stage.does(id, "reopen")
    assert {o.responder for o in stage.of(id).open_offers} >= {"V-3", "V-1"}, "everyone may be asked again"


def test_the_ranking_says_why() -> None:
    crowd = {f"p{n:02d}": {"position": north(n * 10)} for n in range(30)}
    stage, id = quiet(**crowd, far={"position": north(5000)}, off={"position": north(1)})
    stage.tell(stage.presence("off", available=False))
    found = search(stage, id)
    chosen = list(found.candidates())[:3]
    ranked = found.explain(0, chosen)
    assert [c["responder"] for c in ranked.chosen] == ["p00", "p01", "p02"]
    assert ranked.passed_over[0] == {"responder": "off", "distance_m": 1, "reason": "off_duty"}
    assert ranked.passed_over[1]["reason"] == "farther"
    assert len(ranked.passed_over) == LISTED_MAX
    assert ranked.counts["active"] == 32
    assert ranked.counts["not_listed"] == 32 - 20 - 3


def test_few_people_are_all_explained_and_far_ones_are_too_far() -> None:
    stage, id = quiet(near={}, far={"position": north(5000)})
    found = search(stage, id)
    assert [p["reason"] for p in found.explain(0, []).passed_over] == ["farther", "too_far"]


def test_only_so_many_of_a_crowd_are_looked_at() -> None:
    crowd = {f"p{n:03d}": {"position": north(n)} for n in range(70)}
    stage, id = quiet(**crowd)
    found = search(stage, id)
    assert len(found.explain(0, list(found.candidates())).passed_over) == 0


@pytest.mark.parametrize("seed", range(6))
def test_the_same_as_looking_at_everybody(seed: int) -> None:
    chance = Random(seed)
    crowd: dict[str, dict[str, Any]] = {
        f"p{n:02d}": {
            "position": Position(39.08 + chance.gauss(0, 0.01), 117.22 + chance.gauss(0, 0.01)),
            "kind": chance.choice([ResponderKind.VOLUNTEER, ResponderKind.CAREGIVER, ResponderKind.GRID_WORKER]),
            "active": chance.random() < 0.8,
            "skills": chance.choice([(), ("aed",)]),
        }
        for n in range(40)
    }
    stage, id = quiet(**crowd)
    step = replace(PEOPLE, skills=chance.choice([(), ("aed",)]), radius_m=chance.choice([None, 900.0]))
    found = search(stage, id, step)
    every = [c for p in stage.engine._world.roster.people.values() if (c := found.matches(p)) is not None]
    assert list(found.candidates()) == sorted(every, key=lambda c: (c.eta_s, c.responder))


def test_a_service_may_ask_somebody_busy_with_an_emergency() -> None:
    stage = Stage("C-1", "V-1")
    stage.people["C-1"] = replace(stage.people["C-1"], capacity=1)
    stage.tell(stage.record("C-1"))
    id = stage.press("BTN-2")
    stage.does(id, "assign", responder="C-1", confirmed_by="telephone")
    meal = stage.press("BTN-2", "meal")
    assert [o.responder for o in stage.of(meal).open_offers] == ["C-1"]


def serves(**people: dict[str, Any]) -> tuple[Stage, Search]:
    """A search for somebody to bring a meal, with these people around."""
    stage, _ = quiet(**people)
    return stage, search(stage, stage.press("BTN-2", "meal"))


def test_outside_emergencies_people_are_left_in_peace_one_reason_each() -> None:
    stage, found = serves(tired={}, often={}, well={}, late={"kind": ResponderKind.CAREGIVER})
    world = stage.engine._world
    day = world.rules.local(stage.now).date()
    world.rules = replace(
        world.rules,
        quiet_hours={ResponderKind.CAREGIVER: "00:00-24:00"},
        services_per_day_max={ResponderKind.VOLUNTEER: 5},
    )
    world.habits["tired"] = Habit("tired", stage.now, back_at=stage.now)
    world.habits["often"] = Habit("often", stage.now, day=day, services=5)
    world.habits["well"] = Habit("well", stage.now, day=day, services=4)
    found.incident.offers.clear()
    refusals = {who: found.refusal(world.roster.people[who]) for who in ("tired", "often", "late", "well")}
    assert refusals == {"tired": "rest", "often": "cap", "late": "quiet", "well": None}
    stage.ready("DESK-C")
    assert found._spared(world.roster.people["DESK-C"]) is None, "a place needs no rest"
    urgent = search(stage, stage.press())
    assert {urgent.refusal(world.roster.people[who]) for who in ("often", "late", "well")} <= {None, "asked", "busy"}


def test_a_service_goes_to_the_least_loaded_of_the_nearest() -> None:
    stage, found = serves(a={"position": north(100)}, b={"position": north(200)}, c={"position": north(300)})
    found.incident.offers.clear()
    stage.engine._world.habits |= {"a": Habit("a", stage.now, load=3), "b": Habit("b", stage.now, load=1)}
    stage.engine._world.habits["c"] = Habit("c", stage.now, load=2)
    assert [who for who in names(found) if who in "abc"] == ["b", "c", "a"]
    chosen = next(c for c in found.candidates() if c.responder == "b")
    ranked = found.explain(0, [chosen])
    reasons = {one["responder"]: one["reason"] for one in ranked.passed_over}
    assert (reasons["c"], reasons["a"]) == ("load", "farther"), "this home is nearest to c, and farthest from a"
    assert ranked.chosen[0]["load"] == 1.0


def test_a_desk_that_was_not_asked_is_explained_too() -> None:
    stage, id = quiet()
    stage.ready("DESK-C")
    step = Step("desks", (Ask.VOLUNTEER, Ask.DESK), level=Level.COMMUNITY, radius_m=2000)
    away = {"responder": "DESK-C", "distance_m": None, "reason": "off_duty"}
    assert search(stage, id, step).explain(0, []).passed_over == (away,)
    assert search(stage, id, step).explain(0, []).counts["not_listed"] == 0
    stage.tell(stage.watch("anna", watching=True))
    assert search(stage, id, step).explain(0, []).passed_over == ({**away, "reason": "enough"},)
    assert search(stage, id, step).explain(0, list(search(stage, id, step).candidates())).passed_over == ()
    assert search(stage, id).explain(0, []).passed_over == (), "this step asks no desk"


def test_in_an_emergency_whoever_has_just_come_back_comes_last_and_the_chance_is_told() -> None:
    stage, id = quiet(a={"position": north(100)}, b={"position": north(200)}, c={"position": north(300)})
    habit = Habit("a", stage.now, no=(3.0,) * 4, back_at=stage.now)
    stage.engine._world.habits["a"] = habit
    found = search(stage, id)
    assert names(found) == ["b", "c", "a"]
    ranked = found.explain(0, list(found.candidates())[:1])
    assert ranked.passed_over[0] == {"responder": "a", "distance_m": 100, "reason": "rest"}
    assert (found.chance("a") < found.chance("b"), found.chance("b")) == (True, PRIOR)
    assert ranked.chosen[0]["chance"] == round(PRIOR, 3)
    assert found.chances(0) == [PRIOR for offer in found.incident.open_offers if offer.step == 0]


def test_people_around_are_counted_up_to_a_limit_and_none_where_nobody_knows_the_place() -> None:
    stage, id = quiet(a={}, b={}, c={"kind": ResponderKind.CAREGIVER}, far={"position": north(3000)})
    found = search(stage, id)
    assert (found.around(1000, 10), found.around(1000, 1)) == (3, 1)
    assert search(stage, id, places=Places()).around(1000, 10) == 0
