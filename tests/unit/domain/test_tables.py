"""Reading tables: what is accepted, and that every refusal names the file and the key."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import pytest

from callhub.domain.tables import SECONDS_MAX, TableReader, digest_of
from callhub.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def reader(**table: object) -> TableReader:
    return TableReader(table, "night.toml", "step[2].")


def test_reads_what_is_there_and_defaults_for_what_is_not() -> None:
    read = reader(a="x", b=["p", "q"], c="red", d=["green", "red"], e=4, f=2.5, g=30, h=[{"k": 1}], i="")
    assert read.word("a") == "x"
    assert read.word("i", "default") == ""
    assert read.word("absent", "default") == "default"
    assert read.words("b") == ("p", "q")
    assert read.words("absent", ()) == ()
    assert read.choice("c", Colour) is Colour.RED
    assert read.choices("d", Colour) == (Colour.GREEN, Colour.RED)
    assert read.count("e", 1, 9) == 4
    assert read.count("absent", 1, 9) == 1
    assert read.number("f", 1, 0, 9) == 2.5
    assert read.seconds("g", 60) == 30
    assert isinstance(read.seconds("g", 60), int)
    assert read.seconds("absent", 60) == 60
    assert read.tables("h") == [{"k": 1}]
    assert read.has("a")
    assert not read.has("absent")
    read.finish()


@pytest.mark.parametrize(
    ("value", "ask"),
    [
        (5, lambda read: read.word("key")),
        ("  ", lambda read: read.word("key")),
        (5, lambda read: read.word("key", "default")),
        ("red", lambda read: read.words("key")),
        ([], lambda read: read.words("key")),
        ("pink", lambda read: read.choice("key", Colour)),
        (["red"], lambda read: read.choice("key", Colour)),
        (0, lambda read: read.count("key", 1, 9)),
        (10, lambda read: read.count("key", 1, 9)),
        (True, lambda read: read.count("key", 1, 9)),
        (2.0, lambda read: read.count("key", 1, 9)),
        ("2", lambda read: read.seconds("key", 60)),
        (True, lambda read: read.seconds("key", 60)),
        (float("nan"), lambda read: read.seconds("key", 60)),
        (float("inf"), lambda read: read.seconds("key", 60)),
        (0.99, lambda read: read.seconds("key", 60)),
        (SECONDS_MAX + 1, lambda read: read.seconds("key", 60)),
        ("x", lambda read: read.tables("key")),
        (["x"], lambda read: read.tables("key")),
        ([], lambda read: read.tables("key")),
    ],
)
def test_refuses_a_wrong_value(value: object, ask: Callable[[TableReader], object]) -> None:
    with pytest.raises(ConfigError) as caught:
        ask(reader(key=value))
    assert caught.value.field == "step[2].key"
    assert caught.value.message.startswith("night.toml: step[2].key: ")


def test_words_may_be_there_twice_where_that_means_something() -> None:
    assert reader(key=["red", "red"]).choices("key", Colour, repeated=True) == (Colour.RED, Colour.RED)


def test_a_digest_does_not_depend_on_order_or_on_how_a_whole_number_is_written() -> None:
    one = digest_of({"a": 60, "step": [{"b": 1.5, "c": True}]})
    assert digest_of({"step": [{"c": True, "b": 1.5}], "a": 60.0}) == one
    assert digest_of({"a": 61, "step": [{"b": 1.5, "c": True}]}) != one
    assert len(one) == 16


@pytest.mark.parametrize(("items", "index"), [(["a", 5], 1), ([" "], 0), (["a", "b", "a"], 2)])
def test_refuses_a_wrong_item_by_its_place(items: list[object], index: int) -> None:
    with pytest.raises(ConfigError) as caught:
        reader(key=items).words("key")
    assert caught.value.field == f"step[2].key[{index}]"


def test_refuses_an_unknown_word_by_its_place() -> None:
    with pytest.raises(ConfigError, match="write one of red, green, not 'pink'") as caught:
        reader(key=["red", "pink"]).choices("key", Colour)
    assert caught.value.field == "step[2].key[1]"


@pytest.mark.parametrize(
    "ask",
    [
        lambda read: read.word("key"),
        lambda read: read.words("key"),
        lambda read: read.choice("key", Colour),
        lambda read: read.choices("key", Colour),
        lambda read: read.tables("key"),
    ],
)
def test_refuses_what_is_missing(ask: Callable[[TableReader], object]) -> None:
    with pytest.raises(ConfigError, match=r"step\[2\]\.key: is missing"):
        ask(reader())


def test_refuses_a_key_that_nobody_knows_and_lists_those_known() -> None:
    read = reader(name="x", nmae="y")
    read.word("name")
    read.word("name")
    read.has("radius_m")
    with pytest.raises(ConfigError, match=r"unknown key; known are name, radius_m$") as caught:
        read.finish()
    assert caught.value.field == "step[2].nmae"
