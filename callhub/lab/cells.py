"""The cells of the table, one ladder at one density each, on as many cores as there are."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from callhub.lab.district import make_district
from callhub.lab.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callhub.lab.district import District
    from callhub.lab.ladders import Ladder
    from callhub.lab.tally import Result


@dataclass(frozen=True, slots=True)
class Cell:
    """All that one process needs to know."""

    ladder: Ladder
    density_per_km2: float
    incidents: int
    seed: int


def play(cell: Cell) -> Result:
    """One cell; depends on nothing but its arguments."""
    return compare(make_district(cell.seed, cell.incidents, cell.density_per_km2), cell.ladder, cell.seed)


def compare(district: District, ladder: Ladder, seed: int) -> Result:
    """One ladder over one district."""
    trial = Trial(district, [*ladder.beside, ladder.policy], seed, hears_no=ladder.hears_no)
    return trial.run().result(ladder.name, district.density_per_km2, list(district.behaviours))


def fill_table(
    ladders: Sequence[Ladder], densities: Sequence[float], incidents: int, seed: int, processes: int | None = None
) -> list[Result]:
    """Every ladder at every density, in this order: by density, then as the ladders are given.

    Args:
        ladders: What is compared.
        densities: Volunteers on a square kilometre.
        incidents: Presses in each cell.
        seed: The same seed gives the same results, on however many processes.
        processes: None: one for each core; 1: all in this one.
    """
    cells = [Cell(ladder, density, incidents, seed) for density in densities for ladder in ladders]
    most = min(len(cells), processes or os.cpu_count() or 1)
    if most <= 1:
        return [play(cell) for cell in cells]
    # Where many are asked a cell takes longest: it must not be the last to begin.
    order = sorted(range(len(cells)), key=lambda n: -cells[n].density_per_km2 * cells[n].ladder.policy.steps[0].fan_out)
    # A forked copy of a process with threads may hang; a fresh one costs half a second.
    with ProcessPoolExecutor(most, mp_context=get_context("spawn")) as pool:
        played = dict(zip(order, pool.map(play, [cells[n] for n in order]), strict=True))
    return [played[n] for n in range(len(cells))]
