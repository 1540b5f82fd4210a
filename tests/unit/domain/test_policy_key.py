"""The name of a very ladder."""

from callhub.domain.policy import policy_from_table, policy_key, policy_to_table
from tests.contract.builders import policy


def test_the_name_begins_with_the_id() -> None:
    name, _, digest = policy_key(policy("night")).partition("@")
    assert name == "night"
    assert len(digest) == 16


def test_equal_ladders_have_one_name() -> None:
    ladder = policy(repeat_s=90)
    again = policy_from_table({**policy_to_table(ladder), "repeat_s": 90.0}, "test")
    assert again == ladder
    assert policy_key(again) == policy_key(ladder)


def test_another_figure_is_another_ladder() -> None:
    keys = {policy_key(policy(repeat_s=seconds)) for seconds in (90, 90.5, 91)} | {policy_key(policy(needed=2))}
    assert len(keys) == 4
