"""Roles of a ladder: one for each who is needed, the elder's first, one key; every mistake is named."""

from __future__ import annotations

import pytest

from callhub.domain.roles import HelpRole, read_roles
from callhub.domain.tables import TableReader
from callhub.errors import ConfigError


def roles(needed: int, **table: object) -> tuple[HelpRole, ...]:
    return read_roles(TableReader(table, "fall.toml"), needed)


def test_without_the_key_nobody_has_a_role() -> None:
    assert roles(2) == ()


def test_one_role_for_each_who_is_needed() -> None:
    assert roles(1, roles=["elder"]) == (HelpRole.ELDER,)
    assert roles(3, roles=["elder", "elder", "key"]) == (HelpRole.ELDER, HelpRole.ELDER, HelpRole.KEY)


@pytest.mark.parametrize(
    ("needed", "wrong", "key", "says"),
    [
        (1, ["elder", "key"], "roles", "has 2 for 1 needed"),
        (3, ["elder", "key"], "roles", "has 2 for 3 needed"),
        (2, ["key", "elder"], "roles[0]", "whoever says yes first goes to the elder"),
        (3, ["elder", "key", "key"], "roles", "has key 2 times"),
        (2, ["elder", "car"], "roles[1]", "write one of elder, key, not 'car'"),
        (2, "elder", "roles", "write a list"),
        (2, [], "roles", "write a list"),
        (2, ["elder", 5], "roles[1]", "write a text"),
    ],
)
def test_refuses_and_names_the_place(needed: int, wrong: object, key: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        roles(needed, roles=wrong)
    assert caught.value.field == key
    assert says in caught.value.message
