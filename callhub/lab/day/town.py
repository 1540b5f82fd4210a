"""Who lives in the day's district, with which equipment, and who can be asked; made up from a seed.

Rules of this file: pure. Four streets of three communities of two grids; two gateways in each street. Figures without a
source are assumed.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callhub.dispatch.geo import M_PER_DEGREE
from callhub.domain.people import Area, Device, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import Level
from callhub.lab.behaviour import Behaviour, draw_behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DISTRICT = "D"
STREETS, COMMUNITIES, GRIDS = 4, 3, 2
GRID_M = 600.0
"""Side of a grid: the district is some 3 km across."""
CENTRE = Position(39.08, 117.22)
HEARTBEAT_S = 3600
SENSORS = {"smoke": 0.25, "inactivity": 0.3, "door": 0.1}
"""Share of homes with such a sensor beside the button."""
PAIRED_SHARE = 1 / 3

VOLUNTEERS_PER_GRID, CAREGIVERS, GRID_WORKERS_PER_COMMUNITY = 6, 24, 1
VOLUNTEER_HOURS = ("mon-sun 07:00-21:00", "mon-sun 06:00-22:00", "mon-fri 08:00-20:00", "mon-sun 00:00-24:00", "")
SHIFTS = ("mon-sun 08:00-20:00", "mon-sun 20:00-08:00")
DEPARTMENTS = ("WATER", "GAS", "FIRE", "POWER", "HEALTH", "HOUSING")


@dataclass(frozen=True, slots=True)
class Town:
    """Everything that is imported, and how people behave (by responder id; desks and departments have none)."""

    areas: tuple[Area, ...]
    elders: tuple[Elder, ...]
    devices: tuple[Device, ...]
    responders: tuple[Responder, ...]
    behaviours: Mapping[str, Behaviour]

    @property
    def gateways(self) -> tuple[str, ...]:
        """Their ids, in order."""
        return tuple(sorted({device.gateway or "" for device in self.devices}))

    def street_of(self, gateway: str) -> str:
        """The street that a gateway stands in."""
        return gateway.removeprefix("GW-")[:-1]


def make_town(seed: int, homes: int) -> Town:
    """Draw a town with so many homes, spread evenly over its grids."""
    chance = random.Random(f"{seed}|town")
    areas = tuple(_areas())
    paths = _paths(areas)
    grids = [area for area in areas if area.level is Level.GRID]
    people = tuple(_people(areas, paths, chance))
    volunteers = [person for person in people if person.kind is ResponderKind.VOLUNTEER]
    elders = tuple(_elder(n, grids[n % len(grids)], paths, volunteers, chance) for n in range(homes))
    return Town(
        areas=areas,
        elders=elders,
        devices=tuple(device for elder in elders for device in _devices(elder, chance)),
        responders=(*people, *_places(areas, paths)),
        behaviours={person.id: draw_behaviour(chance) for person in people},
    )


def _areas() -> Iterator[Area]:
    yield Area(DISTRICT, None, Level.DISTRICT, DISTRICT, CENTRE)
    number = 0
    for s in range(1, STREETS + 1):
        street = f"S{s}"
        yield Area(street, DISTRICT, Level.STREET, street, None)
        for c in range(1, COMMUNITIES + 1):
            community = f"{street}C{c}"
            yield Area(community, street, Level.COMMUNITY, community, None)
            for g in range(1, GRIDS + 1):
                yield Area(f"{community}G{g}", community, Level.GRID, f"{community}G{g}", _cell(number))
                number += 1


def _cell(number: int) -> Position:
    """The middle of a grid: five to a row, from the south-west on."""
    row, column = divmod(number, 5)
    return _offset(CENTRE, (column - 2) * GRID_M, (row - 2) * GRID_M)


def _offset(place: Position, east_m: float, north_m: float) -> Position:
    per_degree = M_PER_DEGREE * math.cos(math.radians(CENTRE.lat))
    return Position(round(place.lat + north_m / M_PER_DEGREE, 6), round(place.lon + east_m / per_degree, 6))


def _within(grid: Area, chance: random.Random) -> Position:
    middle = grid.position or CENTRE
    return _offset(middle, chance.uniform(-GRID_M / 2, GRID_M / 2), chance.uniform(-GRID_M / 2, GRID_M / 2))


def _paths(areas: tuple[Area, ...]) -> dict[str, tuple[str, ...]]:
    paths: dict[str, tuple[str, ...]] = {}
    for area in areas:
        paths[area.id] = (*paths.get(area.parent or "", ()), area.id)
    return paths


def _elder(
    n: int, grid: Area, paths: Mapping[str, tuple[str, ...]], volunteers: list[Responder], chance: random.Random
) -> Elder:
    id, neighbours = f"E-{n:04d}", [person for person in volunteers if grid.id in person.area]
    paired = tuple(person.id for person in chance.sample(neighbours, 2)) if chance.random() < PAIRED_SHARE else ()
    return Elder(id, id, paths[grid.id], f"{grid.name} {n}", _within(grid, chance), card=f"CARD-{n:04d}", paired=paired)


def _devices(elder: Elder, chance: random.Random) -> Iterator[Device]:
    """A button, and in some homes sensors; all of one home talk through one of the street's two gateways."""
    number = elder.id[2:]
    gateway = f"GW-{elder.area[1]}{chance.choice('ab')}"
    kinds = ("button", *(kind for kind, share in SENSORS.items() if chance.random() < share))
    for kind in kinds:
        id = f"BTN-{number}" if kind == "button" else f"{kind.upper()}-{number}"
        yield Device(id, elder.id, gateway, "button" if kind == "button" else "sensor", heartbeat_s=HEARTBEAT_S)


def _people(
    areas: tuple[Area, ...], paths: Mapping[str, tuple[str, ...]], chance: random.Random
) -> Iterator[Responder]:
    grids = [area for area in areas if area.level is Level.GRID]
    for n in range(VOLUNTEERS_PER_GRID * len(grids)):
        yield _person("V", n, ResponderKind.VOLUNTEER, grids[n % len(grids)], paths, chance)
    for n in range(CAREGIVERS):
        yield _person("C", n, ResponderKind.CAREGIVER, grids[n % len(grids)], paths, chance)
    for n in range(GRID_WORKERS_PER_COMMUNITY * len(grids) // GRIDS):
        yield _person("G", n, ResponderKind.GRID_WORKER, grids[n * GRIDS], paths, chance)


def _person(
    letter: str, n: int, kind: ResponderKind, grid: Area, paths: Mapping[str, tuple[str, ...]], chance: random.Random
) -> Responder:
    id = f"{letter}-{n:03d}"
    hours = chance.choice(VOLUNTEER_HOURS) if kind is ResponderKind.VOLUNTEER else SHIFTS[n % 4 == 3]
    if kind is ResponderKind.CAREGIVER:
        hours = SHIFTS[n % 2]
    return Responder(id, id, kind, paths[grid.id], "grid", _within(grid, chance), hours=hours)


def _places(areas: tuple[Area, ...], paths: Mapping[str, tuple[str, ...]]) -> Iterator[Responder]:
    """The duty desk of each area above the grids, there while somebody watches, and the district's departments."""
    for area in areas:
        if area.level is not Level.GRID:
            id = f"DESK-{area.id}"
            yield Responder(id, id, ResponderKind.DESK, paths[area.id], area.level.value, capacity=None)
    for name in DEPARTMENTS:
        yield Responder(name, name, ResponderKind.DEPARTMENT, (DISTRICT,), "district", capacity=None)
