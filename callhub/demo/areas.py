"""Lays the areas of the Hexi district out on the ground: ``config/hexi/streets.csv`` to ``areas.csv``.

The names of the streets and communities and the three counts are facts. Every position is made up: the streets'
centres in ``streets.csv`` by hand, all others by the rule below (``config/hexi/README.md``).

The rule: the ground is a square lattice, and a grid is one of its cells. Each community starts from a seed near its
street's centre; in rounds, in the order of the file, each takes the free cell nearest to its seed until it has its
share. So no two grids overlap, and a point less than half a cell from a grid's centre, east and north, lies in it.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from callhub.demo.rows import AreaRow, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DISTRICT_ID = "HX"
DISTRICT_NAME = "河西区"
DISTRICT_LAT = 39.0804
DISTRICT_LON = 117.2365
GRIDS = 1475
"""Grids in the district: Guangming Daily, 19 March 2021."""

GRID_SIDE_M = 150.0
"""Side of a cell, metres: 1,475 of them cover 33 square kilometres, most of a district of about 5 km by 8 km."""

_LATTICE_CELLS = 36
"""Cells from the district's centre to the edge of the lattice, east and north: room for all, and some to spare."""

_EARTH_M_PER_DEGREE = 111_195.0
"""Length of one degree on a sphere of radius 6,371 km, metres."""

_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
"""Turn between two seeds: puts any number of points evenly on a disc (Vogel 1979)."""

Cell = tuple[int, int]
"""A place on the lattice: cells east and north of the district's centre."""


@dataclass(frozen=True, slots=True)
class Street:
    """One line of ``streets.csv``: a street, its made-up centre in degrees, the names of its communities."""

    name: str
    lat: float
    lon: float
    communities: tuple[str, ...]


def offset(lat: float, lon: float, east_m: float, north_m: float) -> tuple[float, float]:
    """Return the position that lies so many metres east and north, on flat ground, rounded to five decimals."""
    per_degree_lon = _EARTH_M_PER_DEGREE * math.cos(math.radians(DISTRICT_LAT))
    return round(lat + north_m / _EARTH_M_PER_DEGREE, 5), round(lon + east_m / per_degree_lon, 5)


def read_streets(path: Path) -> tuple[Street, ...]:
    """Read ``streets.csv``.

    Raises:
        KeyError: a column is missing.
        ValueError: a position is no number.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Street(row["name"], float(row["lat"]), float(row["lon"]), tuple(row["communities"].split(";")))
            for row in csv.DictReader(file)
        )


def lay_out(streets: Sequence[Street], grids: int = GRIDS) -> tuple[AreaRow, ...]:
    """Place every area. Same arguments, same rows; exactly ``grids`` grids, shared out as evenly as whole numbers go.

    Returns:
        Parents before children; a community's position is the middle of its grids.
    """
    seeds = [seed for street in streets for seed in _seeds(street)]
    shares = [(n + 1) * grids // len(seeds) - n * grids // len(seeds) for n in range(len(seeds))]
    cells = iter(_share_out(seeds, shares))
    rows = [AreaRow(DISTRICT_ID, "", "district", DISTRICT_NAME, DISTRICT_LAT, DISTRICT_LON)]
    for s, street in enumerate(streets, 1):
        street_id = f"{DISTRICT_ID}-S{s:02d}"
        rows.append(AreaRow(street_id, DISTRICT_ID, "street", street.name, street.lat, street.lon))
        for c, name in enumerate(street.communities, 1):
            rows += _community(f"{street_id}-C{c:02d}", street_id, name, next(cells))
    return tuple(rows)


def rebuild(directory: str | Path) -> None:
    """Write ``areas.csv`` anew from the ``streets.csv`` in the same directory; about a second."""
    folder = Path(directory)
    write_rows(folder / "areas.csv", AreaRow, lay_out(read_streets(folder / "streets.csv")))


def _seeds(street: Street) -> Iterator[tuple[float, float]]:
    """Yield where each community of a street starts from, in cells east and north of the district's centre."""
    per_degree_lon = _EARTH_M_PER_DEGREE * math.cos(math.radians(DISTRICT_LAT))
    east = (street.lon - DISTRICT_LON) * per_degree_lon / GRID_SIDE_M
    north = (street.lat - DISTRICT_LAT) * _EARTH_M_PER_DEGREE / GRID_SIDE_M
    spread = math.sqrt(10 / math.pi)  # a disc with room for the ten cells of a community has this radius
    for n in range(len(street.communities)):
        radius, angle = spread * math.sqrt(n + 0.5), n * _GOLDEN_ANGLE
        yield east + radius * math.cos(angle), north + radius * math.sin(angle)


def _share_out(seeds: Sequence[tuple[float, float]], shares: Sequence[int]) -> list[list[Cell]]:
    """Give seed ``n`` its ``shares[n]`` cells, one a round, always the nearest free one."""
    side = range(-_LATTICE_CELLS, _LATTICE_CELLS + 1)
    lattice = [(east, north) for north in side for east in side]
    nearest = [iter(sorted(lattice, key=partial(math.dist, seed))) for seed in seeds]
    given: list[list[Cell]] = [[] for _ in seeds]
    taken: set[Cell] = set()
    for number in range(max(shares)):
        for mine, share, candidates in zip(given, shares, nearest, strict=True):
            if number < share:
                cell = next(cell for cell in candidates if cell not in taken)
                taken.add(cell)
                mine.append(cell)
    return given


def _community(community_id: str, street_id: str, name: str, cells: Sequence[Cell]) -> list[AreaRow]:
    """Return the rows of one community and its grids, numbered from north to south, west to east."""
    middle_east = sum(east for east, _ in cells) / len(cells)
    middle_north = sum(north for _, north in cells) / len(cells)
    rows = [AreaRow(community_id, street_id, "community", name, *_position(middle_east, middle_north))]
    for g, (east, north) in enumerate(sorted(cells, key=lambda cell: (-cell[1], cell[0])), 1):
        rows.append(AreaRow(f"{community_id}-G{g:02d}", community_id, "grid", f"第{g}网格", *_position(east, north)))
    return rows


def _position(east: float, north: float) -> tuple[float, float]:
    """Return the degrees of a place on the lattice."""
    return offset(DISTRICT_LAT, DISTRICT_LON, east * GRID_SIDE_M, north * GRID_SIDE_M)
