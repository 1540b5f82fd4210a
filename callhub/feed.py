"""What changed, for whoever wants to follow: committed incidents in the order of the journal, without a gap.

Rules of this file: the journal is the truth and an announcement only says when to read it, so a follower that was
away, or too slow, misses nothing. An incident that changed several times meanwhile is told once, at its last change.
A moment without the store is such a time away: a follower waits for it, and ends with the stream alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from callhub.errors import StoreCorrupt, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from callhub.domain.decision import Announcement
    from callhub.store.base import Document, Store

PAGE = 50
"""Changes read at a time; everybody else gets their turn in between."""
HINTS_MAX = 64
"""Announcements that may wait for one follower; beyond that it reads the journal once for all of them."""
AGAIN_S = 0.5
"""Seconds before a store that was away is read again."""

_log = structlog.get_logger(__name__)


class Following(Protocol):
    """A place in the stream of announcements; None: some were lost."""

    async def next(self) -> Announcement | None:
        """The next one; ``StopAsyncIteration`` at the end."""

    def close(self) -> None:
        """Get no more."""


class Committed(Protocol):
    """The stream of announcements: ``hub.committed``."""

    def subscribe(self, queued_max: int) -> Following:
        """Follow from the next commit on."""


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An incident as committed at ``seq`` or later, ``document`` None when it cannot be read.

    Both None: what came before is unknown, read the lists again.
    """

    seq: int
    incident: str | None = None
    document: Document | None = None


class Feed:
    """Follows the journal.

    Args:
        store: Where it is read.
        stream: Says when there is more.
    """

    def __init__(self, store: Store, stream: Committed) -> None:
        self._store = store
        self._stream = stream

    async def follow(self, after: int | None = None) -> AsyncIterator[FeedEvent]:
        """Changes after journal seq ``after``, then live ones until the stream ends.

        None: from now on. A seq that the journal does not know gives one event without an incident, and goes on from
        now. ``seq`` never gets smaller.
        """
        following = self._stream.subscribe(HINTS_MAX)
        seq = after
        try:
            while True:
                wait_s = None
                # Subscribed before the first read: a commit in between is read twice rather than never.
                try:
                    seq = self._store.head()[1] if seq is None else seq
                    page = self._page(seq)
                except StoreUnavailable as away:
                    _log.warning("feed_waits", why=away.message)
                    page, wait_s = None, AGAIN_S
                for event in page or ():
                    yield event
                    seq = event.seq
                if page is not None:
                    await asyncio.sleep(0)
                elif not await _told(following, wait_s):
                    return
        finally:
            following.close()

    def _page(self, after: int) -> list[FeedEvent] | None:
        """The next changes, each incident once at its last seq; None when there are none."""
        changes = self._store.changes_since(after, PAGE)
        if changes is None:
            return [FeedEvent(self._store.head()[1])]
        last = {id_: seq for seq, id_ in changes}
        return [FeedEvent(seq, id_, self._document(id_)) for seq, id_ in changes if last[id_] == seq] or None

    def _document(self, id_: str) -> Document | None:
        """The incident as committed; one that cannot be read hides no other."""
        try:
            return self._store.incident(id_)
        except StoreCorrupt:
            _log.exception("document_not_read", incident_id=id_)
            return None


async def _told(following: Following, wait_s: float | None) -> bool:
    """Wait for an announcement, at most ``wait_s``; False when the stream has ended."""
    try:
        async with asyncio.timeout(wait_s):
            await following.next()
    except TimeoutError:
        pass  # time to read again
    except StopAsyncIteration:
        return False
    return True
