"""A row holds every type of fact, each with a code of its own."""

import dataclasses
from typing import get_args

import pytest

from callhub.domain import facts
from callhub.domain.facts import Fact, Row
from callhub.domain.people import SYSTEM
from tests.simulation.driver import START
from tests.unit.domain.facts.codes import code_and_private


def test_every_fact_is_in_the_union_under_its_own_code() -> None:
    kinds = {kind for name in facts.__all__ if isinstance(kind := getattr(facts, name), type) and kind is not Row}
    assert kinds == set(get_args(Fact))
    codes = {code_and_private(kind)[0] for kind in kinds}
    assert len(codes) == len(kinds)


def test_what_happened_cannot_be_changed() -> None:
    row = Row("1", 1, START, "e", SYSTEM, (facts.FollowUpMissed(),))
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.version = 2  # type: ignore[misc]  # what the test is about
    for kind in get_args(Fact):
        assert kind.__dataclass_params__.frozen
