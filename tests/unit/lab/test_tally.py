"""The figures of a row, by hand."""

import pytest

from callhub.lab.tally import Tally, gini, percentile


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.9, 9), (0.91, 10), (1.0, 10), (0.0, 1)])
def test_a_percentile_is_a_value_that_occurred(share: float, value: int) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == value


def test_nobody_waited() -> None:
    assert percentile([], 0.9) == 0


@pytest.mark.parametrize(
    ("loads", "uneven"), [([], 0), ([0, 0], 0), ([3, 3, 3], 0), ([0, 0, 0, 8], 0.75), ([1, 3], 0.25)]
)
def test_gini_is_nought_when_all_bear_the_same(loads: list[float], uneven: float) -> None:
    assert gini(loads) == pytest.approx(uneven)


def test_those_who_were_never_asked_count_for_fairness() -> None:
    tally = Tally(waits_s=[10.0, 20.0], acceptances=2, redundant=1)
    tally.alerts.update({"V-1": 3, "V-2": 3})
    result = tally.result("mine", 5.0, ["V-1", "V-2", "V-3", "V-4"])
    assert result.row() == {
        "policy": "mine",
        "density_per_km2": 5.0,
        "incidents": 2,
        "first_acceptance_p50_s": 10.0,
        "first_acceptance_p90_s": 20.0,
        "alerts_per_acceptance": 3.0,
        "redundant_arrivals": 1,
        "gini": 0.5,
        "unanswered": 0,
    }


def test_without_an_acceptance_there_is_no_ratio() -> None:
    assert Tally(waits_s=[300.0], unanswered=1).result("mine", 5.0, ["V-1"]).alerts_per_acceptance is None
