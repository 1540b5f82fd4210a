"""Open streams: who follows live, what each gets, and who counts as watching.

Rules of this file:
1. A viewer never holds up another or the hub: what waits for each is bounded, and whoever is too slow is ended. The
   browser comes back and resumes where it was.
2. A stream ends at once when its user is removed, its tokens are revoked, its session ends or the server stops.
3. The first stream of a signed-in operator or above, and the end of the last one, are told to the hub.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING

import structlog

from callhub.domain.events import WatchersChanged
from callhub.web.access import SESSION
from callhub.web.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from callhub.domain.decision import Announcement
    from callhub.feed import Feed, FeedEvent
    from callhub.hub import Hub
    from callhub.store.base import Store
    from callhub.web.access import Caller

CHUNK_FRAMES = 100
"""Frames rendered at a time while a viewer resumes, so that the loop serves others in between."""

log = structlog.get_logger()


class Viewer:
    """One open stream. ``floor`` is the journal seq up to which its past is told by ``resume``, not by live frames."""

    def __init__(self, caller: Caller, store: Store, frames: Frames, floor: int, queued_max: int) -> None:
        self.caller = caller
        self.floor = floor
        self.ended = asyncio.Event()
        self._store = store
        self._frames = frames
        self._queued_max = queued_max
        self._resume: deque[tuple[int, str]] = deque()
        self._queue: deque[bytes] = deque()
        self._filled = asyncio.Event()

    def resume(self, changes: list[tuple[int, str]]) -> None:
        """Send these (seq, incident) first, in this order."""
        self._resume.extend(changes)
        self._filled.set()

    def put(self, frame: bytes | None) -> None:
        """Queue a frame, if there is one; a viewer with too many is ended."""
        if frame is None:
            return
        if len(self._queue) >= self._queued_max:
            log.info("viewer_too_slow", user=self.caller.id)
            self.end()
            return
        self._queue.append(frame)
        self._filled.set()

    def end(self) -> None:
        """End the stream now; what is queued is lost, the browser resumes. Safe to call twice."""
        self.ended.set()
        self._filled.set()

    async def next(self) -> bytes | None:
        """The next frames, joined; None when the stream has ended."""
        while not self._resume and not self._queue and not self.ended.is_set():
            self._filled.clear()
            await self._filled.wait()
        if self.ended.is_set():
            return None
        if self._resume:
            part = [self._resume.popleft() for _ in range(min(CHUNK_FRAMES, len(self._resume)))]
            return b"".join(self._frame(seq, id) for seq, id in part)
        chunk = b"".join(self._queue)
        self._queue.clear()
        return chunk

    def _frame(self, seq: int, id: str) -> bytes:
        document = self._store.incident(id)
        return (document and self._frames.of(seq, document, self.caller)) or b""


class Viewers:
    """All open streams, fed by what the hub commits.

    Args:
        hub: Is told who watches.
        store: Committed documents.
        feed: Says what changed.
        queued_max: Frames that may wait for one viewer.
        resume_max: Changes that a viewer may have missed; more is a reset.
    """

    def __init__(self, hub: Hub, store: Store, feed: Feed, queued_max: int = 1000, resume_max: int = 10_000) -> None:
        self._hub = hub
        self._store = store
        self._feed = feed
        self._queued_max = queued_max
        self._resume_max = resume_max
        self._frames = Frames(store)
        self._open: set[Viewer] = set()
        self._watching: Counter[str] = Counter()
        self._stopped = False

    async def run(self) -> None:
        """Follow what is committed until that ends, then end every viewer."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow_changes())
                tasks.create_task(self._follow_people())
        finally:
            self.stop()

    async def _follow_changes(self) -> None:
        async for event in self._feed.follow():
            try:
                self._spread(event)
            except Exception:
                # A console that misses a change is bad, a dispatch server that ends because of it is worse.
                log.exception("change_not_shown", incident_id=event.incident)
                self._end_if(lambda _: True)

    def _spread(self, event: FeedEvent) -> None:
        for viewer in self._open:
            if event.incident is None:
                viewer.put(self._frames.reset())
            elif event.document is not None and event.seq > viewer.floor:
                viewer.put(self._frames.of(event.seq, event.document, viewer.caller))

    async def _follow_people(self) -> None:
        """End the streams of whoever was removed or revoked."""
        following = self._hub.committed.subscribe()
        try:
            async for announcement in following:
                if announcement is None:  # some were lost: everybody comes back, if they still may
                    self._end_if(lambda _: True)
                elif not announcement.incidents:  # a change of the directory: names may be other ones now
                    self._frames.forget()
                if announcement is not None:
                    self._end_gone(announcement)
        finally:
            following.close()

    def stop(self) -> None:
        """End every viewer and admit no more; safe to call twice."""
        self._stopped = True
        self._end_if(lambda _: True)

    def end_session(self, digest: str) -> None:
        """End the streams of one session or token."""
        self._end_if(lambda viewer: viewer.caller.digest == digest)

    def open(self, caller: Caller, after: str | None) -> Viewer:
        """A new stream: from now on, or without a gap from ``after`` (``EPOCH-SEQ``); a reset when that is unknown."""
        epoch, head = self._store.head()
        viewer = Viewer(caller, self._store, self._frames, head, self._queued_max)
        if self._stopped:
            viewer.end()
        elif after is not None:
            changes = self._missed(epoch, head, after)
            if changes is None:
                viewer.put(self._frames.reset())
            else:
                viewer.resume(changes)
        self._open.add(viewer)
        if caller.watches:
            self._watching[caller.id] += 1
            if self._watching[caller.id] == 1:
                self._tell(caller, watching=True)
        return viewer

    def close(self, viewer: Viewer) -> None:
        """The stream is gone."""
        viewer.end()
        self._open.discard(viewer)
        if viewer.caller.watches:
            self._watching[viewer.caller.id] -= 1
            if self._watching[viewer.caller.id] == 0:
                del self._watching[viewer.caller.id]
                self._tell(viewer.caller, watching=False)

    def __len__(self) -> int:
        return len(self._open)

    def _missed(self, epoch: str, head: int, after: str) -> list[tuple[int, str]] | None:
        """What changed after, each incident once at its last seq; None when that cannot be told."""
        known, _, said = after.rpartition("-")
        if known != epoch or not (said.isascii() and said.isdecimal()) or len(said) > 18 or int(said) > head:
            return None
        changes = self._store.changes_since(int(said), self._resume_max + 1)
        if changes is None or len(changes) > self._resume_max:
            return None
        last = {id: seq for seq, id in changes}
        return sorted((seq, id) for id, seq in last.items())

    def _end_gone(self, announcement: Announcement) -> None:
        users = {*announcement.removed_users, *(id for kind, id in announcement.revoked if kind == SESSION)}
        clients = {id for kind, id in announcement.revoked if kind == "api"}
        if users or clients:
            self._end_if(lambda viewer: viewer.caller.id in (users if viewer.caller.kind == SESSION else clients))

    def _end_if(self, condition: Callable[[Viewer], bool]) -> None:
        for viewer in self._open:
            if condition(viewer):
                viewer.end()

    def _tell(self, caller: Caller, *, watching: bool) -> None:
        event = WatchersChanged(
            id=self._hub.new_id(), actor=caller.actor, user=caller.id, area=caller.area, watching=watching
        )
        self._hub.notice(event)
