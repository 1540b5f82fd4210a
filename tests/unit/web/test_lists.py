"""Pages of what a caller may see: exact cursors whatever is left out."""

import pytest

from callhub.store.base import Page
from callhub.web.lists import LIMIT_MAX, READS_MAX, collect


class Numbers:
    """A store of numbers 0, 1, 2 ...; a cursor is the last one given out. ``counts``: how many each read asked for."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.counts: list[int] = []

    def read(self, count: int, cursor: str | None) -> Page:
        self.counts.append(count)
        first = 0 if cursor is None else int(cursor) + 1
        items = tuple(range(first, min(first + count, self.last + 1)))
        more = bool(items) and items[-1] < self.last
        return Page(items, str(items[-1]) if more else None, 7)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_pages_put_together_are_everything_wanted_once(limit: int) -> None:
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = collect(Numbers(40).read, lambda n: n % 3 == 0, limit, cursor)
        assert len(page.items) <= limit
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
    assert seen == list(range(0, 41, 3))


def test_a_page_holds_200_at_most() -> None:
    numbers = Numbers(1000)
    assert len(collect(numbers.read, lambda _: True, 10_000, None).items) == LIMIT_MAX
    assert numbers.counts == [LIMIT_MAX]


def test_a_page_that_finds_nothing_ends_early_with_a_cursor() -> None:
    numbers = Numbers(10_000)
    page = collect(numbers.read, lambda _: False, 10, None)
    assert (page.items, page.next, len(numbers.counts)) == ((), str(10 * READS_MAX - 1), READS_MAX)
