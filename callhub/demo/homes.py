"""The homes of a demo town: who lives where, with which button, and which volunteers are paired with them.

Rules of this file: an address decides the position. A grid has so many buildings, a building so many doors and so
on, and each door has its place well inside the grid's cell, so a home always lies nearest to its own grid.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from callhub.demo import names
from callhub.demo.areas import offset
from callhub.demo.names import draw_name, phone
from callhub.demo.rows import ContactRow, DeviceRow, ElderRow

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from callhub.demo.rows import AreaRow, ResponderRow

PAIRED_SHARE = 1 / 3
"""Elders with one or two volunteers of their own. Assumed."""
CHILD_OF = 3
"""Of so many elders one has a child who is to be told. Assumed; there are more, and a page shows these as well."""

BUILDINGS, DOORS, FLOORS, FLATS = 2, 4, 6, 2
"""Buildings in a grid, doors of a building, floors behind a door, flats on a floor. Assumed: walk-ups."""

HOMES = BUILDINGS * DOORS * FLOORS * FLATS
"""Homes in a grid: 96."""


def draw_elders(
    areas: Sequence[AreaRow], rng: random.Random, count: int, volunteers: Sequence[ResponderRow]
) -> Iterator[ElderRow]:
    """Move one elder into each of ``count`` homes, none twice, in the order of the grids.

    Raises:
        ValueError: more elders than homes.
    """
    by_id = {area.id: area for area in areas}
    grids = [area for area in areas if area.level == "grid"]
    neighbours = _by_street(volunteers, by_id)
    buildings_before = _buildings_before(grids)
    for n, number in enumerate(sorted(rng.sample(range(len(grids) * HOMES), count)), 1):
        grid = grids[number // HOMES]
        building, door, floor, flat = _home(number % HOMES)
        estate = by_id[grid.parent].name.removesuffix("社区")
        lat, lon = offset(grid.lat, grid.lon, 70.0 * building - 35.0, 30.0 * door - 45.0)
        yield ElderRow(
            id=f"E-{n:05d}",
            name=draw_name(rng, names.ELDER_GIVEN),
            area=grid.id,
            address=f"{estate} {buildings_before[grid.id] + building + 1} 号楼 {door + 1} 门 {floor + 1}{flat + 1:02d}",
            lat=lat,
            lon=lon,
            phone=phone(1, n),
            card=f"CARD-{n:05d}",
            language="zh",
            paired=_paired(rng, lat, lon, neighbours.get(_street(grid, by_id).id, ())),
            access=rng.choice(names.ACCESS),
            notes=rng.choice(names.NOTES),
        )


def give_buttons(areas: Sequence[AreaRow], elders: Sequence[ElderRow]) -> Iterator[DeviceRow]:
    """Give each home one button, connected through the gateway of its street: ``GW-01`` is the first street's."""
    by_id = {area.id: area for area in areas}
    streets = [area.id for area in areas if area.level == "street"]
    gateways = {street: f"GW-{number:02d}" for number, street in enumerate(streets, 1)}
    for n, elder in enumerate(elders, 1):
        yield DeviceRow(
            id=f"BTN-{n:05d}",
            elder=elder.id,
            gateway=gateways[_street(by_id[elder.area], by_id).id],
            kind="button",
            phone=phone(2, n),
            heartbeat_s=None,
            mobile=False,
        )


def name_contacts(elders: Sequence[ElderRow], people: Sequence[ResponderRow]) -> Iterator[ContactRow]:
    """A child for every third elder; the first of those paired with an elder holds a key."""
    by_id = {person.id: person for person in people}
    for n, elder in enumerate(elders, 1):
        if n % CHILD_OF == 0:
            yield ContactRow(f"C-{elder.id}-1", elder.id, f"{elder.name[0]}家子女", "子女", phone(8, n), "")
        if elder.paired:
            holder = by_id[elder.paired[0]]
            yield ContactRow(f"C-{elder.id}-2", elder.id, holder.name, "邻居", holder.phone, holder.id)


def _home(number: int) -> tuple[int, int, int, int]:
    """Split a home's number within its grid into building, door, floor and flat, each from 0."""
    number, flat = divmod(number, FLATS)
    number, floor = divmod(number, FLOORS)
    building, door = divmod(number, DOORS)
    return building, door, floor, flat


def _buildings_before(grids: Sequence[AreaRow]) -> dict[str, int]:
    """Count, for each grid, the buildings of its community in the grids before it: an estate numbers them through."""
    seen: dict[str, int] = {}
    before = {}
    for grid in grids:
        before[grid.id] = seen.get(grid.parent, 0)
        seen[grid.parent] = before[grid.id] + BUILDINGS
    return before


def _paired(rng: random.Random, lat: float, lon: float, neighbours: Sequence[ResponderRow]) -> tuple[str, ...]:
    """Choose the nearest one or two volunteers of the street for about a third of the elders."""
    if rng.random() >= PAIRED_SHARE:
        return ()
    shrink = math.cos(math.radians(lat))

    def distance(person: ResponderRow) -> float:
        return math.hypot((person.lat or 0.0) - lat, ((person.lon or 0.0) - lon) * shrink)

    return tuple(person.id for person in sorted(neighbours, key=distance)[: rng.choice((1, 2))])


def _by_street(people: Sequence[ResponderRow], by_id: Mapping[str, AreaRow]) -> dict[str, list[ResponderRow]]:
    """Group people by the id of the street that their area lies in."""
    groups: dict[str, list[ResponderRow]] = {}
    for person in people:
        groups.setdefault(_street(by_id[person.area], by_id).id, []).append(person)
    return groups


def _street(area: AreaRow, by_id: Mapping[str, AreaRow]) -> AreaRow:
    """Climb from a grid or a community to its street."""
    while area.level != "street":
        area = by_id[area.parent]
    return area
