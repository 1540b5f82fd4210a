"""What people read and what programs read are the same figures."""

import json
from dataclasses import fields

from rich.console import Console

from callhub.lab.table import as_json, as_table
from callhub.lab.tally import Result

ROWS = [
    Result("parallel_replace", 5.0, 10_000, 8.25, 26.0, 185.18, 123_457, 0.543, 1),
    Result("mine", 10.0, 10, 300.0, 300.0, None, 0, 0.0, 9),
]


def test_json_has_exactly_the_promised_names() -> None:
    (first, second) = json.loads(as_json(ROWS))["rows"]
    assert list(first) == [
        "policy", "density_per_km2", "incidents", "first_acceptance_p50_s", "first_acceptance_p90_s",
        "alerts_per_acceptance", "redundant_arrivals", "gini", "unanswered",
    ]  # fmt: skip
    assert list(first.values()) == [getattr(ROWS[0], field.name) for field in fields(Result)]
    assert second["alerts_per_acceptance"] is None


def test_the_table_fits_eighty_columns_and_loses_nothing() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(as_table(ROWS))
    shown = captured.get()
    assert "…" not in shown
    first, second = (line.split() for line in shown.splitlines() if line.startswith(("parallel_replace ", "mine ")))
    assert first == ["parallel_replace", "5", "10000", "8.2", "26.0", "185.18", "123457", "0.543", "1"]
    assert second == ["mine", "10", "10", "300.0", "300.0", "-", "0", "0.000", "9"]


def test_no_results_are_an_empty_table() -> None:
    assert as_table([]).row_count == 0
