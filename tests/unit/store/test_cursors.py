"""Cursors are opaque, safe in a URL, and good for their own list only."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callhub.errors import InvalidMessage
from callhub.store.cursors import read_cursor, read_number, write_cursor


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_cursor_is_read_back(last: str) -> None:
    cursor = write_cursor("elders", last)
    assert re.fullmatch(r"[\w=-]+", cursor, re.ASCII)
    assert read_cursor("elders", cursor) == last
    with pytest.raises(InvalidMessage):
        read_cursor("devices", cursor)


def test_the_first_page_has_none() -> None:
    assert read_cursor("elders", None) is None
    assert read_number("incidents", None) is None


@given(st.text())
def test_nothing_else_is_read(cursor: str) -> None:
    with pytest.raises(InvalidMessage):
        read_cursor("elders", cursor)


@pytest.mark.parametrize("last", ["-1", "1.5", "x", "9" * 19, "²"])
def test_a_number_is_a_number(last: str) -> None:
    assert read_number("incidents", write_cursor("incidents", "17")) == 17
    with pytest.raises(InvalidMessage):
        read_number("incidents", write_cursor("incidents", last))
