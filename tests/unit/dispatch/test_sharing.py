"""The rounds of sharing, one rule at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from callhub.dispatch import sharing
from callhub.dispatch.sharing import Contender, Solve, share
from callhub.solver import least_cost_solver
from tests.unit.dispatch.wishes import UNKNOWN, Wish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callhub.dispatch.asking import Asking


class Noting:
    """The real solver, or one that ``says`` the same each time; ``sizes`` are those of the tables it was given."""

    def __init__(self, says: Sequence[int] | None = None) -> None:
        real = least_cost_solver()
        assert real is not None
        self.real: Solve = real
        self.says = says
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, costs: Sequence[Sequence[int]], /) -> Sequence[int]:
        self.sizes.append((len(costs), len(costs[0])))
        return self.real(costs) if self.says is None else self.says


def shared(*wishes: Wish, solve: Solve | None = None, guarded: bool = False, late_after_s: float = 300) -> list[str]:
    """Who is chosen for each case, as words."""
    cases = [Contender(f"{n:02}", cast("Asking", wish), late_after_s) for n, wish in enumerate(wishes)]
    share(cases, lambda _: 1, solve, guarded=guarded)
    return [" ".join(candidate.responder for candidate in wish.chosen) for wish in wishes]


def test_the_sum_decides_where_all_are_in_time() -> None:
    assert shared(Wish({"a": 100, "b": 150}), Wish({"a": 110, "b": 290}), solve=Noting()) == ["b", "a"]
    assert shared(Wish({"a": 100, "b": 150}), Wish({"a": 110, "b": 290})) == ["a", "b"], "the nearest first"


def test_fewer_late_arrivals_come_before_the_sum() -> None:
    first, second = {"a": 100, "b": 299}, {"a": 120, "b": 310}
    assert shared(Wish(first), Wish(second), solve=Noting(), late_after_s=1000) == ["a", "b"]
    assert shared(Wish(first), Wish(second), solve=Noting()) == ["b", "a"]


def test_a_life_threat_is_not_late_for_fewer_late_ones_but_shared_by_the_sum_instead() -> None:
    """Fewer late ones would cost the sum of life threats; then only what makes nothing worse is taken."""
    first, second = {"a": 100, "b": 299}, {"a": 120, "b": 310}
    assert shared(Wish(first), Wish(second), solve=Noting(), guarded=True) == ["a", "b"]


def test_a_life_threat_never_makes_the_last_one_later() -> None:
    first, second = {"a": 100, "c": 310}, {"a": 50, "b": 300}
    assert shared(Wish(first), Wish(second), solve=Noting(), late_after_s=1000) == ["c", "a"]
    assert shared(Wish(first), Wish(second), solve=Noting(), late_after_s=1000, guarded=True) == ["a", "b"]


def test_everybody_has_somebody_before_anything_else_counts() -> None:
    assert shared(Wish({"a": 100, "b": 2000}), Wish({"a": 100}), solve=Noting()) == ["b", "a"]
    assert shared(Wish({"a": 100, "b": 2000}), Wish({"a": 100}), solve=Noting(), guarded=True) == ["b", "a"]
    assert shared(Wish({"a": 100}), Wish({"a": 100}), Wish({}), solve=Noting()) in (["a", "", ""], ["", "a", ""])


@pytest.mark.parametrize("guarded", [True, False])
def test_a_solver_that_leaves_somebody_with_nobody_is_not_believed(guarded: bool) -> None:
    wishes = Wish({"a": 100, "b": 150}), Wish({"a": 110, "b": 290})
    assert shared(*wishes, solve=Noting(says=[-1, -1]), guarded=guarded) == ["a", "b"]


def test_whoever_rests_comes_after_those_who_do_not_and_before_nobody() -> None:
    tired = frozenset({"a"})
    assert shared(Wish({"a": 10, "b": 500}, resting=tired), Wish({"b": 600}), solve=Noting()) == ["a", "b"]
    assert shared(Wish({"a": 10, "b": 500}, resting=tired), Wish({"b": 600, "c": 900}), solve=Noting()) == ["b", "c"]


def test_who_is_found_by_area_comes_last_in_the_order_of_the_search() -> None:
    by_area = {"x": UNKNOWN, "y": UNKNOWN}
    assert shared(Wish(by_area), Wish({"x": 100, "z": 101}), solve=Noting()) == ["y", "x"]
    assert shared(Wish(by_area), Wish({"z": 101}), solve=Noting()) == ["x", "z"]


def test_a_desk_is_a_place_and_can_be_asked_by_all() -> None:
    desk = {"DESK": UNKNOWN}
    assert shared(Wish(desk), Wish({"a": 100, **desk}, enough=2), Wish(desk)) == ["DESK", "a DESK", "DESK"]


def test_cases_that_want_different_people_are_solved_apart_and_each_looks_only_as_far_as_it_must() -> None:
    solve = Noting()
    street = {f"s{n}": 100 + n for n in range(30)}
    village = {f"v{n}": 100 + n for n in range(30)}
    assert shared(Wish(street), Wish(village), Wish(dict(street)), solve=solve) == ["s0", "v0", "s1"]
    assert solve.sizes == [(2, 2)]


def test_cases_in_a_chain_are_solved_together() -> None:
    solve = Noting()
    chain = [{"a": 100, "b": 101, "x": 500}, {"b": 100, "c": 101, "y": 500}, {"a": 100, "c": 105, "z": 500}]
    assert shared(*map(Wish, chain), solve=solve) == ["b", "c", "a"]
    assert solve.sizes == [(3, 6)]


def test_beyond_the_bounds_the_nearest_are_first(monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = [{"a": 100, "b": 150}, {"a": 110, "b": 290}]
    for bound in ("CASES_MAX", "PEOPLE_MAX"):
        with monkeypatch.context() as patch:
            patch.setattr(sharing, bound, 1)
            assert shared(*map(Wish, wishes), solve=Noting()) == ["a", "b"]
