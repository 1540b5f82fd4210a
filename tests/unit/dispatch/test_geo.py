"""The nearest among many: the same as looking at everybody, whatever the town looks like."""

from __future__ import annotations

import math
from itertools import islice
from random import Random

import pytest

from callhub.dispatch.geo import Grid, distance_m
from callhub.domain.people import Position


def brute(people: dict[str, Position], centre: Position, radius_m: float = math.inf) -> list[tuple[float, str]]:
    """Everybody within the radius, by looking at everybody."""
    away = ((distance_m(centre, position), id) for id, position in people.items())
    return sorted((away_m, id) for away_m, id in away if away_m <= radius_m)


def town(chance: Random, people: int, lat: float, lon: float, spread_km: float) -> dict[str, Position]:
    """People scattered around a place, some of them at the same spot."""
    found: dict[str, Position] = {}
    for n in range(people):
        spot = chance.choice([*found.values()]) if found and chance.random() < 0.1 else None
        d_lat, d_lon = (chance.gauss(0, spread_km / 111.2 / 2) for _ in range(2))
        found[f"V-{n:04d}"] = spot or Position(lat + d_lat, lon + d_lon / max(0.2, math.cos(math.radians(lat))))
    return found


def filled(people: dict[str, Position]) -> Grid:
    grid = Grid()
    for id, position in people.items():
        grid.put(id, position)
    return grid


@pytest.mark.parametrize("lat", [0.0, 39.08, -33.9, 54.9, 55.1, 59.99, 60.01, 71.0])
@pytest.mark.parametrize("seed", range(3))
def test_gives_what_brute_force_gives(lat: float, seed: int) -> None:
    chance = Random(seed)
    people = town(chance, 300, lat, 117.2, chance.choice([0.5, 5, 60]))
    grid = filled(people)
    for _ in range(8):
        centre = Position(lat + chance.uniform(-0.1, 0.1), 117.2 + chance.uniform(-0.1, 0.1))
        radius_m = chance.choice([math.inf, 800.0, 5_000.0])
        assert list(grid.nearest(centre, radius_m)) == brute(people, centre, radius_m)


def test_across_the_date_line_and_at_the_pole() -> None:
    people = {"east": Position(10, 179.999), "west": Position(10, -179.999), "far": Position(10, 179.9)}
    found = list(filled(people).nearest(Position(10, -179.9999)))
    assert [id for _, id in found] == ["west", "east", "far"]
    (over,) = filled({"n": Position(89.99, 0)}).nearest(Position(89.99, 180))
    assert over[0] < 2300


def test_a_hole_of_eight_kilometres_is_crossed() -> None:
    centre = Position(39.08, 117.2)
    people = {f"V-{n}": Position(39.08 + 0.072 + n * 0.001, 117.2) for n in range(50)}
    assert list(islice(filled(people).nearest(centre), 3)) == brute(people, centre)[:3]


def test_one_rare_person_far_away_is_found_without_walking_the_earth() -> None:
    centre = Position(39.08, 117.2)
    assert [id for _, id in filled({"rare": Position(31.2, 121.4)}).nearest(centre)] == ["rare"]
    assert list(Grid().nearest(centre)) == []


def test_people_at_the_same_distance_come_by_id() -> None:
    people = {id: Position(39.08, 117.2) for id in ("b", "a", "c")}
    assert [id for _, id in filled(people).nearest(Position(39.081, 117.2))] == ["a", "b", "c"]


def test_a_ring_without_anybody_in_reach_ends_the_search() -> None:
    people = {f"V-{n}": Position(39.08 + n * 0.01, 117.2) for n in range(100)}
    assert list(filled(people).nearest(Position(39.08, 117.2), 700)) == brute(people, Position(39.08, 117.2), 700)


def test_moving_and_removing_leave_nothing_behind() -> None:
    grid = filled({"a": Position(39.08, 117.2), "b": Position(39.08, 117.2)})
    grid.put("a", Position(39.5, 117.2))
    grid.put("a", Position(39.5001, 117.2))
    assert "a" in grid
    assert [id for _, id in grid.nearest(Position(39.08, 117.2), 1000)] == ["b"]
    grid.remove("a")
    grid.remove("a")
    assert len(grid) == 1
    grid.remove("b")
    assert list(grid.nearest(Position(39.08, 117.2))) == []


def test_a_degree_of_latitude_is_a_hundred_and_eleven_kilometres() -> None:
    assert distance_m(Position(0, 0), Position(1, 0)) == pytest.approx(111_195, abs=1)
    assert distance_m(Position(60, 0), Position(60, 1)) == pytest.approx(55_597, abs=5)
    assert distance_m(Position(0, 0), Position(0, 180)) == pytest.approx(math.pi * 6_371_008.8, rel=1e-6)


def test_distances_are_those_of_the_formula_to_the_bit() -> None:
    chance = Random(5)
    people = town(chance, 200, 39.08, 117.2, 3)
    for away_m, id in filled(people).nearest(Position(39.08, 117.2)):
        assert away_m == distance_m(Position(39.08, 117.2), people[id])


@pytest.mark.parametrize("most", [3, 40, 1000])
def test_counts_whom_brute_force_counts_up_to_a_bound(most: int) -> None:
    chance = Random(6)
    people = town(chance, 300, 39.08, 117.2, 4)
    grid = filled(people)
    for _ in range(20):
        centre = Position(39.08 + chance.uniform(-0.02, 0.02), 117.2 + chance.uniform(-0.02, 0.02))
        radius_m = chance.choice([300.0, 1000.0, 2500.0])
        assert grid.count(centre, radius_m, most) == min(most, len(brute(people, centre, radius_m)))


def test_counts_nobody_in_an_empty_grid() -> None:
    assert Grid().count(Position(39.08, 117.2), 1000, 5) == 0


def test_whoever_moves_within_a_cell_is_found_where_they_are_now() -> None:
    here, there = Position(39.08, 117.2), Position(39.0801, 117.2)
    grid = filled({"V-1": here})
    grid.put("V-1", here)
    grid.put("V-1", there)
    assert list(grid.nearest(there)) == [(0.0, "V-1")]
    assert len(grid) == 1


@pytest.mark.parametrize("seed", range(4))
def test_in_a_dense_town_the_first_few_are_the_nearest(seed: int) -> None:
    chance = Random(seed)
    people = town(chance, 2000, 39.08, 117.2, 3)
    grid = filled(people)
    for _ in range(30):
        centre = Position(39.08 + chance.uniform(-0.03, 0.03), 117.2 + chance.uniform(-0.03, 0.03))
        assert list(islice(grid.nearest(centre), 9)) == brute(people, centre)[:9]
