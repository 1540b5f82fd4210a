"""The bounded, ordered stream of what was committed.

Rules of this file: publishing never waits and never fails. A follower that is too slow loses its queue, not its place
in the order: it gets ``None`` once, rereads the store, and goes on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callhub.domain.decision import Announcement

QUEUED_MAX = 1024
"""Announcements a follower may be behind; one is about 1 KB, so a stuck follower costs 1 MB."""


class Subscription:
    """One follower's queue, in the order of commits. Iterate it, or call ``next``; one reader at a time.

    ``overflowed`` is True while announcements were lost that the reader has not been told about.
    """

    def __init__(self, stream: Stream, queued_max: int) -> None:
        self._stream = stream
        self._queued_max = queued_max
        self._queue: deque[Announcement] = deque()
        self._filled = asyncio.Event()
        self._closed = False
        self.overflowed = False

    async def next(self) -> Announcement | None:
        """The next announcement; None once after some were lost: reread the store, later ones follow.

        Raises:
            StopAsyncIteration: The stream or this subscription was closed, and everything queued was read.
        """
        while not self._queue and not self.overflowed:
            if self._closed:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        if self.overflowed:
            self.overflowed = False
            return None
        return self._queue.popleft()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Announcement | None:
        return await self.next()

    def close(self) -> None:
        """Get nothing more; a waiting reader ends. Safe to call twice."""
        self._closed = True
        self._stream._drop(self)
        self._filled.set()

    def _put(self, announcement: Announcement) -> None:
        if len(self._queue) >= self._queued_max:
            self._queue.clear()
            self.overflowed = True
        self._queue.append(announcement)
        self._filled.set()


class Stream:
    """What the hub publishes after each commit; any number of followers."""

    def __init__(self) -> None:
        self._followers: set[Subscription] = set()
        self._closed = False

    def subscribe(self, queued_max: int = QUEUED_MAX) -> Subscription:
        """Follow from the next commit on; ``queued_max`` announcements (1 or more) are kept for a slow reader."""
        subscription = Subscription(self, queued_max)
        if self._closed:
            subscription.close()
        else:
            self._followers.add(subscription)
        return subscription

    def publish(self, announcement: Announcement) -> None:
        """Hand it to every follower; never waits."""
        for follower in self._followers:
            follower._put(announcement)

    def close(self) -> None:
        """End every follower once it has read what is queued."""
        self._closed = True
        for follower in tuple(self._followers):
            follower.close()

    def _drop(self, subscription: Subscription) -> None:
        self._followers.discard(subscription)
