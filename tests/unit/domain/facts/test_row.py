"""A row holds every type of fact, each with a code of its own."""

import dataclasses
from typing import get_args

import pytest

from callhub.domain import facts
from callhub.domain.facts import Fact, Row
from callhub.domain.people import SYSTEM
from tests.simulation.driver import START


def test_every_fact_is_in_the_union_under_its_own_code() -> None:
    kinds = {kind for name in facts.__all__ if isinstance(kind := getattr(facts, name), type) and kind is not Row}
    assert kinds == set(get_args(Fact))
    codes = [kind.__dataclass_fields__["fact"].default for kind in kinds]
    assert len(set(codes)) == len(codes)


def test_what_happened_cannot_be_changed() -> None:
    row = Row("1", 1, START, "e", SYSTEM, (facts.FollowUpMissed(),))
    for thing in (row, *row.facts):
        with pytest.raises(dataclasses.FrozenInstanceError):
            thing.at = None  # type: ignore[misc, union-attr, assignment]  # what the test is about
