"""Pages of anything: bounded, newest or first first, and only what the caller may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query

from callhub.store.base import Page, Store

LIMIT_MAX = 200
READS_MAX = 50
"""Reads of the store for one page; a page that finds little in so many ends early, with a cursor."""

Limit = Annotated[int, Query(ge=1)]
Cursor = Annotated[str | None, Query(max_length=512)]


def collect(
    read: Callable[[int, str | None], Page], wanted: Callable[[Any], bool], limit: int, cursor: str | None
) -> Page:
    """A page of at most ``limit`` (200 at most) wanted items, in the order of ``read(count, cursor)``.

    Each read asks for no more than is missing, so the last cursor is exact.
    """
    limit = min(limit, LIMIT_MAX)
    items: list[Any] = []
    first: int | None = None
    for _ in range(READS_MAX):
        page = read(limit - len(items), cursor)
        first = page.as_of if first is None else first  # a change after the first read comes by the stream again
        items += [item for item in page.items if wanted(item)]
        cursor = page.next
        if cursor is None or len(items) >= limit:
            break
    return Page(tuple(items), cursor, first or 0)


def as_of(store: Store, seq: int) -> str:
    """The point of the stream at which a page is true: ``EPOCH-SEQ``."""
    return f"{store.head()[0]}-{seq}"
