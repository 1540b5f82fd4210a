"""The results as people and programs read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callhub.lab.tally import Result

_COLUMNS = ("policy", "/km2", "presses", "p50 s", "p90 s", "alerts", "extra", "gini", "no yes")
_BELOW = """\
/km2: people on a square kilometre. p50, p90: press to first yes.
alerts: for each yes. extra: set out for nothing.
no yes: nobody accepted, counted at the end of the ladder."""


def as_json(results: Sequence[Result]) -> str:
    """One line; the same results give the same bytes."""
    return json.dumps({"rows": [result.row() for result in results]}, ensure_ascii=False)


def as_table(results: Sequence[Result]) -> Table:
    """A table with a line between densities."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=0, caption=_BELOW, caption_justify="left")
    for number, title in enumerate(_COLUMNS):
        table.add_column(title, justify="right" if number else "left", no_wrap=True)
    density = results[0].density_per_km2 if results else 0
    for result in results:
        if result.density_per_km2 != density:
            table.add_section()
            density = result.density_per_km2
        alerts = "-" if result.alerts_per_acceptance is None else f"{result.alerts_per_acceptance:.2f}"
        table.add_row(
            result.policy,
            f"{result.density_per_km2:g}",
            str(result.incidents),
            f"{result.first_acceptance_p50_s:.1f}",
            f"{result.first_acceptance_p90_s:.1f}",
            alerts,
            str(result.redundant_arrivals),
            f"{result.gini:.3f}",
            str(result.unanswered),
        )
    return table
