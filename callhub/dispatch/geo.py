"""Distances, and the exact nearest among many.

Rules of this file: positions are WGS 84 degrees, distances metres in a straight line (great circle). ``Grid.nearest``
is exact: it gives what brute force would, for any predicate.
"""

from __future__ import annotations

import math
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from callhub.domain.people import Position

EARTH_M = 6_371_008.8
"""Mean radius of the earth, IUGG 1980."""
CELL_M = 500.0
"""Half a kilometre: measured best for dense towns and mostly busy people (performance notes, 100,000 people)."""
M_PER_DEGREE = math.pi * EARTH_M / 180


def distance_m(a: Position, b: Position) -> float:
    """Great-circle distance in metres, haversine form (R. W. Sinnott, Sky and Telescope 68, 1984)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    up, right = math.sin((lat_b - lat_a) / 2), math.sin(math.radians(b.lon - a.lon) / 2)
    h = up * up + math.cos(lat_a) * math.cos(lat_b) * (right * right)
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(h)))


LAT_MAX = 60.0
COLUMN_DEGREES = CELL_M / (M_PER_DEGREE * math.cos(math.radians(LAT_MAX)))
RINGS_MAX = 400
"""Two hundred kilometres; beyond, the occupied cells are scanned."""

Cell = tuple[int, int]
Spot = tuple[float, float, float]
"""A position as distances need it: latitude in radians, its cosine, longitude in degrees."""


class Grid:
    """Ids by position in cells of about half a kilometre.

    Cells are ``CELL_M`` high and, up to ``LAT_MAX`` degrees of latitude, at least as wide; the ring search bounds
    distances with that, and scans where it does not hold. Moving an id costs about 2 us.
    """

    def __init__(self) -> None:
        self._cells: dict[Cell, dict[str, Spot]] = {}
        self._where: dict[str, tuple[Cell, Position]] = {}

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, id: str) -> bool:
        return id in self._where

    def put(self, id: str, position: Position) -> None:
        """Place an id, or move it."""
        old = self._where.get(id)
        if old is not None and old[1] is position:
            return  # most of those who are filed anew did not move
        cell = _cell_of(position)
        if old is not None and old[0] != cell:
            self._take(id, old[0])
        self._where[id] = (cell, position)
        lat = math.radians(position.lat)
        self._cells.setdefault(cell, {})[id] = (lat, math.cos(lat), position.lon)

    def remove(self, id: str) -> None:
        """Take an id out; no error when it is not there."""
        old = self._where.pop(id, None)
        if old is not None:
            self._take(id, old[0])

    def _take(self, id: str, cell: Cell) -> None:
        inside = self._cells[cell]
        del inside[id]
        if not inside:
            del self._cells[cell]

    def nearest(self, centre: Position, radius_m: float = math.inf) -> Iterator[tuple[float, str]]:
        """Ids within ``radius_m`` in order of (distance in metres, id), lazily: take as many as you need.

        Cells around the centre are opened outward, the nearest first; an id is given out once no unopened cell can hold
        a nearer one. When the cells looked at outnumber the occupied ones, all of those are opened at once, so that a
        search for somebody rare costs no more than a scan.
        """
        found: list[tuple[float, str]] = []
        for bound_m, cells in self._outward(centre):
            while found and found[0][0] < bound_m:
                yield heappop(found)
            if bound_m > radius_m:
                break
            for cell in cells:
                for away_m, id in _measured(centre, self._cells.get(cell, {})):
                    if away_m <= radius_m:
                        heappush(found, (away_m, id))
        while found:
            yield heappop(found)

    def count(self, centre: Position, radius_m: float, most: int) -> int:
        """How many lie within ``radius_m``, counted up to ``most``; nothing is sorted."""
        found = 0
        for bound_m, cells in self._outward(centre):
            if bound_m > radius_m:
                break
            for cell in cells:
                if found >= most:
                    return most
                found += sum(1 for away_m, _ in _measured(centre, self._cells.get(cell, {})) if away_m <= radius_m)
        return min(found, most)

    def _outward(self, centre: Position) -> Iterator[tuple[float, Sequence[Cell]]]:
        """(least distance of anything in these or later cells, cells), nearest first; the last holds all that is left.

        A batch without cells says only how far the search has come, so that whoever has enough can stop.
        """
        y, x = _in_cells(centre)
        row, column = math.floor(y), math.floor(x)
        edge_m = max(0.0, min(y - row, row + 1 - y, x - column, column + 1 - x)) * CELL_M
        waiting: list[tuple[float, Cell]] = []
        ring = looked_at = 0
        in_reach = abs(centre.lat) < LAT_MAX - 5 and abs(centre.lon) < 175
        while in_reach and ring < RINGS_MAX and looked_at <= len(self._cells):
            bound_m = _bound_m(ring, edge_m)
            while waiting and waiting[0][0] <= bound_m:
                nearest_m, cell = heappop(waiting)
                yield nearest_m, (cell,)
            yield bound_m, ()
            for cell in _ring_cells(row, column, ring):
                looked_at += 1
                if cell in self._cells:
                    heappush(waiting, (_away_m(y, x, cell), cell))
            ring += 1
        beyond = [cell for cell in self._cells if max(abs(cell[0] - row), abs(cell[1] - column)) >= ring]
        left = [cell for _, cell in waiting]
        yield min([_bound_m(ring, edge_m), *(away_m for away_m, _ in waiting)]), left + beyond


def _measured(centre: Position, inside: dict[str, Spot]) -> list[tuple[float, str]]:
    """(metres, id) of everybody in a cell; to the bit what ``distance_m`` gives, which a call each would cost twice."""
    sin, asin, sqrt, radians = math.sin, math.asin, math.sqrt, math.radians
    lat_a, lon_a = radians(centre.lat), centre.lon
    cos_a = math.cos(lat_a)
    across_m = 2 * EARTH_M
    return [
        (across_m * asin(sqrt(h) if (h := up * up + cos_a * cos_b * (right * right)) < 1 else 1.0), id)
        for id, (lat_b, cos_b, lon_b) in inside.items()
        for up, right in ((sin((lat_b - lat_a) / 2), sin(radians(lon_b - lon_a) / 2)),)
    ]


def _away_m(y: float, x: float, cell: Cell) -> float:
    """How far it is at least to anybody in a cell, from a place in cells."""
    up = cell[0] - y if cell[0] > y else max(0.0, y - cell[0] - 1)
    right = cell[1] - x if cell[1] > x else max(0.0, x - cell[1] - 1)
    return math.hypot(up, right) * CELL_M * 0.99


def _bound_m(ring: int, edge_m: float) -> float:
    # 1 % for the bend of a great circle over 200 km.
    return (edge_m + (ring - 1) * CELL_M) * 0.99 if ring else 0.0


def _in_cells(position: Position) -> tuple[float, float]:
    """A position counted in cells, northward and eastward."""
    return position.lat * M_PER_DEGREE / CELL_M, position.lon / COLUMN_DEGREES


def _cell_of(position: Position) -> Cell:
    return math.floor(position.lat * M_PER_DEGREE / CELL_M), math.floor(position.lon / COLUMN_DEGREES)


def _ring_cells(row: int, column: int, ring: int) -> Iterator[Cell]:
    if ring == 0:
        yield row, column
        return
    for c in range(column - ring, column + ring + 1):
        yield row - ring, c
        yield row + ring, c
    for r in range(row - ring + 1, row + ring):
        yield r, column - ring
        yield r, column + ring
