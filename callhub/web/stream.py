"""``GET /stream``: what changes, as server-sent events.

Rules of this file: a connection that takes nothing for 10 s is dead; together with the comment every 15 s a lost
browser is noticed within 30 s.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from callhub.errors import Refusal
from callhub.web.access import Caller
from callhub.web.auth import Reader, identify
from callhub.web.parts import Parts, With
from callhub.web.viewers import Viewer

COMMENT_S = 15.0
SEND_S = 10.0
FINISH_S = 1.0
RETRY_MS = 1000

router = APIRouter()


class EventStream(Response):
    """Sends a viewer's frames until it ends or the browser goes; then closes the viewer."""

    media_type = "text/event-stream"

    def __init__(self, request: Request, parts: Parts, caller: Caller, after: str | None) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]  # there is no end to count to
        self._request = request
        self._parts = parts
        self._caller = caller
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream."""
        viewer = self._parts.viewers.open(self._caller, self._after)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with asyncio.TaskGroup() as group:
                tasks = {
                    group.create_task(self._pump(viewer, send)),
                    group.create_task(_disconnected(receive)),
                    group.create_task(_ended(viewer)),
                }
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
        finally:
            self._parts.viewers.close(viewer)
        await _sent(send, b"", more=False)

    async def _pump(self, viewer: Viewer, send: Send) -> None:
        chunk: bytes | None = format_sse_event(data_str=None, comment="callhub", retry=RETRY_MS)
        while chunk is not None and await _sent(send, chunk, more=True):
            try:
                async with asyncio.timeout(COMMENT_S):
                    chunk = await viewer.next()
            except TimeoutError:
                chunk = format_sse_event(data_str=None, comment="") if self._is_still_allowed() else None

    def _is_still_allowed(self) -> bool:
        """Whether the session or token still holds, with the same role and area."""
        try:
            return identify(self._request, self._parts) == self._caller
        except Refusal:
            return False


async def _ended(viewer: Viewer) -> None:
    await viewer.ended.wait()


async def _sent(send: Send, chunk: bytes, *, more: bool) -> bool:
    """Whether the browser took it in time."""
    try:
        async with asyncio.timeout(SEND_S if more else FINISH_S):
            await send({"type": "http.response.body", "body": chunk, "more_body": more})
    except (TimeoutError, OSError):
        return False
    return True


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@router.get("/stream")
async def stream(
    request: Request,
    parts: With,
    caller: Reader,
    after: Annotated[str | None, Query()] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Follow live; ``Last-Event-ID`` (or ``after``) resumes without a gap."""
    return EventStream(request, parts, caller, last_event_id or after)
