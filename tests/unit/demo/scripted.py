"""A server that a test writes line by line: real sockets, and nothing behind them."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from callhub.demo.link import Door

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from callhub.clock import ManualClock

PATIENCE_S = 10.0
GATEWAY_WELCOME = {"type": "welcome", "gateway": "GW-01", "seq": 0, "time": "2026-11-24T05:00:00Z"}
APP_WELCOME: dict[str, Any] = {"type": "welcome", "responder": "V-1", "seq": 0, "offers": [], "assignments": []}

Frame = dict[str, Any]


class ScriptedServer:
    """Hands each new link to the test; ``statuses`` are given to the next handshakes instead of a link."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.handshakes = 0
        self.port = 0
        self._links: asyncio.Queue[ServerConnection] = asyncio.Queue()

    @property
    def door(self) -> Door:
        """Where clients connect."""
        return Door.at("127.0.0.1", self.port)

    async def link(self) -> ServerConnection:
        """The next client that connects."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._links.get()

    async def welcomed(self, welcome: Frame) -> ServerConnection:
        """The next client, welcomed."""
        link = await self.link()
        await tell(link, welcome)
        return link

    async def _handle(self, link: ServerConnection) -> None:
        self._links.put_nowait(link)
        await link.wait_closed()


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """A server on a free port."""
    script = ScriptedServer()

    def answer(link: ServerConnection, _request: object) -> Any:  # noqa: ANN401  # a response, or None to go on
        script.handshakes += 1
        return link.respond(script.statuses.pop(0), "") if script.statuses else None

    async with serve(
        script._handle, "127.0.0.1", 0, subprotocols=[Subprotocol("callhub.v1")], process_request=answer
    ) as server:
        [listening] = server.sockets
        script.port = listening.getsockname()[1]
        yield script


async def tell(link: ServerConnection, frame: Frame) -> None:
    """Send one frame."""
    await link.send(json.dumps(frame))


async def hear(link: ServerConnection) -> Frame:
    """The next frame of the client."""
    async with asyncio.timeout(PATIENCE_S):
        frame: Frame = json.loads(await link.recv())
        return frame


async def heard(link: ServerConnection, type_: str) -> Frame:
    """The next frame of the client, which is of this type and gets a ``result``."""
    frame = await hear(link)
    assert frame["type"] == type_, frame
    await tell(link, {"type": "result", "id": frame["id"], "ok": True, "state": "on_duty"})
    return frame


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds: what is waited for here tells nobody when it happens."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  # see above
            await asyncio.sleep(0)


async def sleeping(clock: ManualClock) -> float:
    """Wait until somebody sleeps on the clock; how many seconds they sleep."""
    await until(lambda: clock.next_wake() is not None)
    at = clock.next_wake()
    assert at is not None
    return (at - clock.now()).total_seconds()


async def pass_time(clock: ManualClock) -> float:
    """Wait until somebody sleeps, and wake them; how many seconds it was."""
    seconds = await sleeping(clock)
    clock.advance(seconds)
    return seconds
