"""The table is the same on one core and on two."""

import json

from callhub.lab.cells import fill_table
from callhub.lab.ladders import NAMES, compared
from callhub.lab.table import as_json
from tests.unit.lab.builders import default


def test_the_table_does_not_depend_on_the_processes() -> None:
    ladders = compared(default())
    alone, shared = (as_json(fill_table(ladders, [5, 8], 12, 4, processes)) for processes in (1, 2))
    assert alone == shared
    rows = json.loads(alone)["rows"]
    assert [(row["density_per_km2"], row["policy"]) for row in rows] == [(d, name) for d in (5, 8) for name in NAMES]


def test_the_default_is_between_the_extremes() -> None:
    rows = {row.policy: row for row in fill_table(compared(default()), [12], 400, 1, processes=1)}
    one, everybody, shipped = rows["one_at_a_time"], rows["all_at_once"], rows["default"]
    assert shipped.first_acceptance_p90_s <= 0.8 * one.first_acceptance_p90_s
    assert (shipped.alerts_per_acceptance or 0) <= 0.75 * (everybody.alerts_per_acceptance or 0)
    assert shipped.redundant_arrivals < everybody.redundant_arrivals
    for name in ("one_at_a_time", "all_at_once", "fixed_waves", "parallel_replace"):
        row = rows[name]
        faster = row.first_acceptance_p90_s < shipped.first_acceptance_p90_s
        assert not (faster and (row.alerts_per_acceptance or 0) < (shipped.alerts_per_acceptance or 0)), name
