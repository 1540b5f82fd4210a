"""Who can be asked in a demo town: volunteers, caregivers and grid workers who go out, desks and departments.

Rules of this file: the density is even, so that no place is left bare; everyone who goes out has one position, one
telephone and the app, and takes one emergency at a time; desks and departments have no position and no limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.demo import names
from callhub.demo.areas import offset
from callhub.demo.names import draw_name, phone
from callhub.demo.rows import ResponderRow

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from callhub.demo.rows import AreaRow

CENTRES = 30
"""Home-care centres where caregivers are based: "over 30" in Guangming Daily, 19 March 2021."""

CAREGIVER_SHARE = 0.2
GRID_WORKER_SHARE = 0.2
"""Shares of those who go out; the rest are volunteers. Assumed: mostly volunteers, two caregivers a centre at 300."""

HOURS = ("mon-sun 07:00-21:00", "mon-sun 06:00-22:00", "mon-fri 08:00-20:00", "")
"""When volunteers are on duty unless they say otherwise; empty: only when they say so."""

SHIFTS = ("mon-sun 08:00-20:00", "mon-sun 20:00-08:00")
"""Day and night shift of a centre."""

CAREGIVER_SKILLS = (("first_aid", "nursing", "bathing"), ("first_aid", "meal", "cleaning"))
"""A centre's caregivers have the first and the second set in turn."""


def draw_people(areas: Sequence[AreaRow], rng: random.Random, count: int) -> Iterator[ResponderRow]:
    """Make up ``count`` people who go out: volunteers first, then caregivers, then grid workers."""
    grids = [area for area in areas if area.level == "grid"]
    caregivers = round(count * CAREGIVER_SHARE)
    grid_workers = round(count * GRID_WORKER_SHARE)
    yield from _volunteers(grids, rng, count - caregivers - grid_workers)
    yield from _caregivers(areas, rng, caregivers)
    yield from _grid_workers(grids, rng, grid_workers)


def set_up_places(areas: Sequence[AreaRow]) -> Iterator[ResponderRow]:
    """Set up the duty desk of each area above the grids, then the departments that a street can whistle for.

    Desks have no hours: they are on duty while somebody watches.
    """
    for n, area in enumerate((area for area in areas if area.level != "grid"), 1):
        yield _place(f"DESK-{area.id}", f"{area.name}值班室", "desk", area.id, phone(6, n), ())
    district = next(area for area in areas if area.level == "district")
    for n, (code, name) in enumerate(names.DEPARTMENTS, 1):
        yield _place(f"DEPT-{district.id}-{code}", name, "department", district.id, phone(7, n), ("app",))


def _volunteers(grids: Sequence[AreaRow], rng: random.Random, count: int) -> Iterator[ResponderRow]:
    """Volunteers in their sixties, at home all over the district; a third has learnt first aid."""
    for n, grid in enumerate(_spread(grids, rng, count), 1):
        position = offset(grid.lat, grid.lon, rng.uniform(-60, 60), rng.uniform(-60, 60))
        skills = ("first_aid",) if rng.random() < 1 / 3 else ()
        yield _person(rng, "volunteer", n, grid.id, position, skills, rng.choice(HOURS))


def _caregivers(areas: Sequence[AreaRow], rng: random.Random, count: int) -> Iterator[ResponderRow]:
    """Caregivers, dealt out to the home-care centres; each centre has both shifts and both sets of skills in turn."""
    communities = [area for area in areas if area.level == "community"]
    for n in range(count):
        turn, centre = divmod(n, CENTRES)
        base = communities[centre * len(communities) // CENTRES]
        skills = CAREGIVER_SKILLS[turn % 2]
        yield _person(rng, "caregiver", n + 1, base.id, (base.lat, base.lon), skills, SHIFTS[(turn + centre) % 2])


def _grid_workers(grids: Sequence[AreaRow], rng: random.Random, count: int) -> Iterator[ResponderRow]:
    """Grid workers, each on the round of a few neighbouring grids, listed under the community they start in."""
    for n, grid in enumerate(_spread(grids, rng, count), 1):
        yield _person(rng, "grid_worker", n, grid.parent, (grid.lat, grid.lon), (), SHIFTS[0])


def _spread(grids: Sequence[AreaRow], rng: random.Random, count: int) -> Iterator[AreaRow]:
    """Choose one grid at random from each of ``count`` equal runs of ``grids``, so that no place is left bare."""
    for n in range(count):
        yield grids[int((n + rng.random()) * len(grids) / count)]


def _person(
    rng: random.Random,
    kind: str,
    number: int,
    area: str,
    position: tuple[float, float],
    skills: tuple[str, ...],
    hours: str,
) -> ResponderRow:
    """Make up someone who goes out: one emergency at a time, reached by the app."""
    letter, group = {"volunteer": ("V", 3), "caregiver": ("C", 4), "grid_worker": ("G", 5)}[kind]
    return ResponderRow(
        id=f"{letter}-{number:04d}",
        name=draw_name(rng, names.RESPONDER_GIVEN),
        kind=kind,
        area=area,
        lat=position[0],
        lon=position[1],
        phone=phone(group, number),
        skills=skills,
        capacity=1,
        hours=hours,
        channels=("app",),
        language="zh",
    )


def _place(place_id: str, name: str, kind: str, area: str, telephone: str, channels: tuple[str, ...]) -> ResponderRow:
    """Return a desk or department: no position, no limit of capacity, no hours of its own."""
    return ResponderRow(
        id=place_id,
        name=name,
        kind=kind,
        area=area,
        lat=None,
        lon=None,
        phone=telephone,
        skills=(),
        capacity=None,
        hours="",
        channels=channels,
        language="zh",
    )
