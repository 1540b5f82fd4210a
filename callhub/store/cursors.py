"""Opaque cursors of pages: where the next page goes on."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from callhub.errors import InvalidMessage


def write_cursor(kind: str, last: str) -> str:
    """A cursor of lists of ``kind`` that goes on after the item ``last``; safe in a URL."""
    return urlsafe_b64encode(f"{kind}:{last}".encode()).decode()


def read_cursor(kind: str, cursor: str | None) -> str | None:
    """The item after which the page begins; None for the first page.

    Raises:
        InvalidMessage: It is no cursor, or one of another list.
    """
    if cursor is None:
        return None
    try:
        named, _, last = urlsafe_b64decode(cursor.encode("ascii")).decode().partition(":")
    except ValueError as wrong:
        raise InvalidMessage("cursor", "is none of ours; leave it out to begin at the top") from wrong
    if named != kind or not last:
        raise InvalidMessage("cursor", f"is not one of the list of {kind}")
    return last


def read_number(kind: str, cursor: str | None) -> int | None:
    """As ``read_cursor``, where the item is a whole number."""
    last = read_cursor(kind, cursor)
    if last is not None and not (last.isascii() and last.isdigit() and len(last) <= 18):
        raise InvalidMessage("cursor", "is none of ours; leave it out to begin at the top")
    return None if last is None else int(last)
