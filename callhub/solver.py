"""The solver that shares people by least total cost, where scipy is installed (the extra ``sharing``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callhub.dispatch.sharing import Solve


def least_cost_solver() -> Solve | None:
    """A solver after Jonker and Volgenant; None without scipy: then the nearest are asked first."""
    try:
        # Here, because loading them takes longer than all the rest of a start.
        import numpy as np
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        return None

    def solve(costs: Sequence[Sequence[int]], /) -> Sequence[int]:
        rows, columns = linear_sum_assignment(np.array(costs, dtype=float))
        found = [-1] * len(costs)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            found[row] = column
        return found

    return solve
