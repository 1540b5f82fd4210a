"""Distances, and the exact nearest among many.

Rules of this file: positions are WGS 84 degrees, distances metres in a straight line (great circle). ``Grid.nearest``
is exact: it gives what brute force would, for any predicate.
"""

from __future__ import annotations

import math
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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

        Rings of cells around the centre are opened outward; an id is given out once no unopened ring can hold a nearer
        one. When the rings visited outnumber the occupied cells, all of those are opened at once, so that a search
        for somebody rare costs no more than a scan.
        """
        found: list[tuple[float, str]] = []
        for bound_m, cells in self._rings(centre):
            while found and found[0][0] < bound_m:
                yield heappop(found)
            if bound_m > radius_m:
                break
            for cell in cells:
                inside = self._cells.get(cell)
                if inside:
                    for away_m, id in _measured(centre, inside):
                        if away_m <= radius_m:
                            heappush(found, (away_m, id))
        while found:
            yield heappop(found)

    def count(self, centre: Position, radius_m: float, most: int) -> int:
        """How many lie within ``radius_m``, counted up to ``most``; nothing is sorted."""
        found = 0
        for bound_m, cells in self._rings(centre):
            if bound_m > radius_m:
                break
            for cell in cells:
                if found >= most:
                    return most
                inside = self._cells.get(cell)
                if inside:
                    found += sum(1 for away_m, _ in _measured(centre, inside) if away_m <= radius_m)
        return min(found, most)

    def _rings(self, centre: Position) -> Iterator[tuple[float, list[Cell]]]:
        """(least distance of anything in this or a later ring, cells of this ring); the last holds all that is left."""
        row, column = _cell_of(centre)
        edge_m = _edge_m(centre, row, column)
        seen: set[Cell] = set()
        ring = 0
        in_reach = abs(centre.lat) < LAT_MAX - 5 and abs(centre.lon) < 175
        while in_reach and ring < RINGS_MAX and len(seen) <= len(self._cells):
            cells = list(_ring_cells(row, column, ring))
            seen.update(cells)
            yield _bound_m(ring, edge_m), cells
            ring += 1
        yield _bound_m(ring, edge_m), [cell for cell in self._cells if cell not in seen]


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


def _edge_m(centre: Position, row: int, column: int) -> float:
    """How far it is at least from the centre to the edge of its own cell."""
    up = centre.lat * M_PER_DEGREE / CELL_M - row
    right = centre.lon / COLUMN_DEGREES - column
    return max(0.0, min(up, 1 - up, right, 1 - right)) * CELL_M


def _bound_m(ring: int, edge_m: float) -> float:
    # 1 % for the bend of a great circle over 200 km.
    return (edge_m + (ring - 1) * CELL_M) * 0.99 if ring else 0.0


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
