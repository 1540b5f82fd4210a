"""The figures of a period."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callhub.domain.kpi import Asked, Case, Sending, Wanted, figures, report
from callhub.domain.kpi.report import below, gini, loads, nearest_rank
from callhub.domain.policy import IncidentClass
from tests.unit.domain.kpi.rows import at

HOUR = 3600.0
ALL = Wanted(at(0), at(24 * HOUR))
TIANJIN = ZoneInfo("Asia/Shanghai")
NOW = at(30 * HOUR)


def case(seconds: float = 0, **changes: Any) -> Case:
    """One that opened then; ``answered``, ``accepted``, ``arrived`` and ``ended`` are seconds after that."""
    for name in ("answered", "accepted", "arrived", "ended"):
        if (value := changes.pop(name, None)) is not None:
            changes[f"{name}_at"] = at(seconds + value)
    given: dict[str, Any] = {"class_": IncidentClass.EMERGENCY, "kind": "sos", "area": ("D", "S", "C"), **changes}
    return Case(opened_at=at(seconds), **given)


def made(cases: Iterable[Case], wanted: Wanted = ALL) -> dict[str, Any]:
    return report(cases, wanted, NOW, TIANJIN)


@pytest.mark.parametrize(
    ("answered", "in_60", "in_180"), [(60, 1, 1), (60.000001, 0, 1), (180, 0, 1), (180.000001, 0, 0), (None, 0, 0)]
)
def test_answered_in_time_means_up_to_the_limit(answered: float | None, in_60: int, in_180: int) -> None:
    said = figures([case(answered=answered)], NOW)["answered"]
    assert said["count"] == (answered is not None)
    assert said["within_60_s"] == {"count": in_60, "of": 1, "share": float(in_60)}
    assert said["within_180_s"] == {"count": in_180, "of": 1, "share": float(in_180)}


def test_whose_time_is_not_over_is_neither_in_time_nor_late() -> None:
    said = figures([case()], at(61))["answered"]
    assert said["within_60_s"] == {"count": 0, "of": 1, "share": 0.0}
    assert said["within_180_s"] == {"count": 0, "of": 0, "share": None}
    assert figures([case()], at(60))["answered"]["within_60_s"]["of"] == 0


def test_what_ended_without_an_answer_was_not_answered_in_time() -> None:
    assert figures([case(ended=5)], at(6))["answered"]["within_60_s"] == {"count": 0, "of": 1, "share": 0.0}


def test_times_are_exact_percentiles_of_those_who_came() -> None:
    cases = [case(accepted=n, arrived=10 * n) for n in range(1, 21)] + [case()]
    said = figures(cases, NOW)
    assert said["acceptance"] == {"count": 20, "p50_s": 10.0, "p90_s": 18.0, "p95_s": 19.0}
    assert said["arrival"] == {"count": 20, "p50_s": 100.0, "p90_s": 180.0, "p95_s": 190.0}


def test_times_are_told_to_the_millisecond_and_nobody_has_none() -> None:
    assert figures([case(accepted=1.234567)], NOW)["acceptance"]["p50_s"] == 1.235
    assert figures([case()], NOW)["arrival"] == {"count": 0, "p50_s": None, "p90_s": None, "p95_s": None}


@pytest.mark.parametrize(("percent", "found"), [(1, 1), (25, 1), (26, 2), (50, 2), (75, 3), (76, 4), (100, 4)])
def test_nearest_rank(percent: int, found: int) -> None:
    assert nearest_rank([1, 2, 3, 4], percent) == found


def test_unclosed_tells_how_long() -> None:
    ages = [10.0, HOUR, HOUR + 1, 24 * HOUR, 24 * HOUR + 1]
    cases = [case((30 * HOUR) - age) for age in ages] + [case(ended=5)]
    assert figures(cases, NOW)["unclosed"] == {"count": 5, "over_3600_s": 3, "over_86400_s": 1}


def test_unanswered_is_counted() -> None:
    assert figures([case(unanswered=True), case()], NOW)["unanswered"] == 1


def test_first_time_delivery_is_of_the_offers_that_told_something() -> None:
    asked = tuple((f"I-{n}", "V", "volunteer", sending.value, 0) for n, sending in enumerate(Sending))
    assert figures([case(asked=asked)], NOW)["first_time_delivery"] == {"count": 1, "of": 4, "share": 0.25}
    assert figures([case()], NOW)["first_time_delivery"] == {"count": 0, "of": 0, "share": None}


def test_a_period_has_its_begin_and_not_its_end() -> None:
    cases = [case(-0.000001), case(0), case(10), case(24 * HOUR)]
    assert made(cases)["incidents"] == 2


def test_an_area_is_its_subtree_and_a_class_itself() -> None:
    cases = [case(area=("D", "S", "C")), case(area=("D", "S2")), case(area=()), case(class_=IncidentClass.SERVICE)]
    assert made(cases)["incidents"] == 4
    assert made(cases, Wanted(ALL.since, ALL.until, area="D"))["incidents"] == 3
    assert made(cases, Wanted(ALL.since, ALL.until, area="S"))["incidents"] == 2
    assert made(cases, Wanted(ALL.since, ALL.until, area="S", class_=IncidentClass.SERVICE))["incidents"] == 1


def test_groups_are_listed_in_order_with_the_same_figures() -> None:
    cases = [case(kind="smoke", answered=10), case(kind="gas"), case(kind="smoke")]
    said = made(cases)["by_kind"]
    assert [group["kind"] for group in said] == ["gas", "smoke"]
    assert said[1] == {"kind": "smoke", **figures([cases[0], cases[2]], NOW)}
    assert [group["class"] for group in made(cases)["by_class"]] == ["emergency"]


def test_areas_are_told_one_level_below_the_one_asked_for() -> None:
    cases = [case(area=("D", "S", "C")), case(area=("D", "S2")), case(area=("D",)), case(area=())]
    assert [(g["area"], g["incidents"]) for g in made(cases)["by_area"]] == [("D", 3), (None, 1)]
    below_d = made(cases, Wanted(ALL.since, ALL.until, area="D"))["by_area"]
    assert [(g["area"], g["incidents"]) for g in below_d] == [("S", 1), ("S2", 1), (None, 1)]


@pytest.mark.parametrize(("area", "found"), [(None, "D"), ("D", "S"), ("S", None)])
def test_one_level_below(area: str | None, found: str | None) -> None:
    assert below(("D", "S"), area) == found


def test_hours_are_local() -> None:
    cases = [case(0), case(3599), case(11 * HOUR)]  # 12:00 and 23:00 in UTC
    assert [(g["hour"], g["incidents"]) for g in made(cases)["by_hour"]] == [(7, 1), (20, 2)]


def test_load_counts_everybody_who_was_asked() -> None:
    def ask(responder: str, assignments: int, kind: str = "volunteer") -> Asked:
        return "I", responder, kind, "waiting", assignments

    cases = [
        case(asked=(ask("V-1", 1), ask("V-2", 0), ask("G-1", 0, "grid_worker"))),
        case(asked=(ask("V-1", 2), ask("V-3", 1))),
    ]
    assert loads(cases) == made(cases)["load"]
    assert loads(cases) == [
        {"kind": "grid_worker", "asked": 1, "assignments": 0, "most": 0, "gini": None},
        {"kind": "volunteer", "asked": 3, "assignments": 4, "most": 3, "gini": 0.5},
    ]


@pytest.mark.parametrize(
    ("counts", "found"),
    [([], None), ([0, 0], None), ([3], 0.0), ([2, 2, 2], 0.0), ([0, 0, 0, 7], 0.75), ([3, 1], 0.25)],
)
def test_gini(counts: list[int], found: float | None) -> None:
    assert gini(counts) == found


def test_the_example_that_the_page_works_out_by_hand() -> None:
    """As in docs/kpi.md."""
    asked = [("V-1", 1)] * 3 + [("V-2", 1), ("V-2", 0), ("V-3", 0), ("V-3", 0), ("V-3", 0), ("V-3", 0)]
    offers = tuple((f"I-{n}", who, "volunteer", "waiting", count) for n, (who, count) in enumerate(asked))
    cases = [
        case(0, answered=20, accepted=12),
        case(HOUR, answered=60, accepted=30),
        case(2 * HOUR, answered=200, accepted=95),
        case(3 * HOUR, ended=30, asked=offers),
    ]
    said = made(cases)
    half = {"count": 2, "of": 4, "share": 0.5}
    assert said["answered"] == {"count": 3, "within_60_s": half, "within_180_s": half}
    assert said["acceptance"] == {"count": 3, "p50_s": 30.0, "p90_s": 95.0, "p95_s": 95.0}
    assert said["load"] == [{"kind": "volunteer", "asked": 3, "assignments": 4, "most": 3, "gini": 0.5}]


def test_without_a_row_there_is_nothing_to_tell() -> None:
    said = report([], ALL, None, TIANJIN)
    assert (said["incidents"], said["by_hour"], said["load"]) == (0, [], [])


def test_only_the_journal_tells_how_late_it_is() -> None:
    young = case(0)
    assert report([young], ALL, at(30), TIANJIN)["answered"]["within_60_s"]["of"] == 0
    assert report([young], ALL, at(0) + timedelta(seconds=90), TIANJIN)["answered"]["within_60_s"]["of"] == 1
