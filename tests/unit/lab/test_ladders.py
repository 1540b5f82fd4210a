"""The ladders that are compared differ in how they ask and in nothing else."""

import tomllib
from dataclasses import replace

import pytest

from callhub.domain.policy import Policy
from callhub.errors import ConfigError
from callhub.lab.ladders import NAMES, RING_M, compared, in_ring, read_ladder
from callhub.settings import shipped
from tests.unit.lab.builders import default, named


def asking_s(policy: Policy) -> float:
    return sum(step.step_timeout_s for step in policy.steps if step.asks_people)


def test_all_five_ask_in_the_ring_for_as_long_and_end_with_the_same_desks() -> None:
    ladders = compared(default())
    assert tuple(ladder.name for ladder in ladders) == NAMES
    desks = [step for step in default().policy.steps if not step.asks_people]
    for ladder in ladders:
        assert asking_s(ladder.policy) == asking_s(default().policy)
        assert all(step.radius_m == RING_M for step in ladder.policy.steps if step.asks_people)
        assert [step for step in ladder.policy.steps if not step.asks_people] == desks


def test_the_default_is_the_shipped_file_but_for_the_ring() -> None:
    steps = [replace(step, radius_m=None) for step in named("default").policy.steps]
    assert steps == [replace(step, radius_m=None) for step in default().policy.steps]


def test_a_ladder_that_asks_nearer_than_the_ring_stays_as_it_is() -> None:
    near = replace(
        default(), policy=replace(default().policy, steps=(replace(default().policy.steps[0], radius_m=400),))
    )
    assert in_ring(near) == near


@pytest.mark.parametrize(("file", "key"), [("meal.toml", "class"), ("technical.toml", "class")])
def test_only_ladders_for_emergencies_are_compared(file: str, key: str) -> None:
    table = tomllib.loads((shipped() / "policies" / file).read_text(encoding="utf-8"))
    with pytest.raises(ConfigError, match="emergencies") as refused:
        read_ladder("mine", table, file)
    assert refused.value.field == key


def test_a_ladder_that_asks_no_people_is_refused() -> None:
    desk = {"name": "desk", "ask": ["desk"], "level": "district"}
    table = {"id": "x", "class": "emergency", "kinds": ["sos"], "step": [desk]}
    with pytest.raises(ConfigError, match="no step asks people"):
        read_ladder("mine", table, "mine.toml")
