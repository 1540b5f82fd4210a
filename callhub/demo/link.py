"""One simulated client's link: connects, comes back, asks until it is answered, confirms what it has seen.

Rules of this file: it knows the wire alone. Delivery is at least once, so what was seen before is confirmed again and
not heard twice; a message of ours is sent again on every new link until its answer comes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from callhub.logs import get_logger
from callhub.protocol.close_codes import may_reconnect

if TYPE_CHECKING:
    import random

SUBPROTOCOL = Subprotocol("callhub.v1")
GATEWAY, RESPONDER = "/v1/gateway", "/v1/responder"
HANDSHAKES_AT_ONCE = 20
"""So that 300 apps that start together leave the server room for presses."""
BACK_OFF_S, BACK_OFF_S_MAX = 0.2, 5.0
"""First and longest wait before the next attempt, real seconds: it spares a machine, so it is not scaled."""
CLOSE_S = 1.0

Wire = dict[str, Any]
Hear = Callable[[Wire], None]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """Where clients connect: ``url`` without a path, and how many handshakes are under way at once."""

    url: str
    handshakes: asyncio.Semaphore

    @classmethod
    def at(cls, host: str, port: int) -> Door:
        """The door of the server whose links are there."""
        return cls(f"ws://{host}:{port}", asyncio.Semaphore(HANDSHAKES_AT_ONCE))


class Link:
    """A client's side of a link.

    Args:
        door: The server.
        path: ``GATEWAY`` or ``RESPONDER``.
        token: The client's own.
        hear: Is given each ``welcome``, and each message with a ``seq`` once.
        rng: Spreads the attempts of many clients.
        resend_s: Send what is not answered again after so many real seconds; None: only on a new link.
    """

    def __init__(
        self, door: Door, path: str, token: str, hear: Hear, rng: random.Random, resend_s: float | None = None
    ) -> None:
        self._door = door
        self._url = door.url + path
        self._token = token
        self._hear = hear
        self._rng = rng
        self._resend_s = resend_s
        self._connection: ClientConnection | None = None
        self._asked: dict[str, tuple[str, asyncio.Future[Wire]]] = {}
        self._seen = 0

    async def run(self) -> None:
        """Hold the link, over as many connections as it takes; returns when the server wants this client no more."""
        delay_s = BACK_OFF_S
        while True:
            try:
                async with self._door.handshakes:
                    connection = await _connected(self._url, self._token)
            except InvalidStatus as refused:
                status = refused.response.status_code
                log.warning("client_refused", url=self._url, status=status)
                if status in (401, 403):
                    return
            except (OSError, InvalidHandshake, TimeoutError) as wrong:
                log.info("client_not_connected", url=self._url, why=type(wrong).__name__)
            else:
                code = await self._talk(connection)
                if not may_reconnect(code):
                    log.warning("client_sent_away", url=self._url, code=code)
                    return
                delay_s = BACK_OFF_S
            await asyncio.sleep(delay_s * self._rng.uniform(0.5, 1.5))
            delay_s = min(delay_s * 2, BACK_OFF_S_MAX)

    async def ask(self, frame: Wire) -> Wire:
        """Send ``frame``, which has an ``id`` of its own, and return its receipt, result or error."""
        text = json.dumps(frame, ensure_ascii=False)
        answer: asyncio.Future[Wire] = asyncio.get_running_loop().create_future()
        self._asked[frame["id"]] = (text, answer)
        try:
            while not answer.done():
                await self._send(text)
                await asyncio.wait([answer], timeout=self._resend_s)
            return answer.result()
        finally:
            del self._asked[frame["id"]]

    async def _talk(self, connection: ClientConnection) -> int:
        """Receive until the connection ends; the close code."""
        try:
            async with connection:
                async for text in connection:
                    await self._receive(connection, json.loads(text))
        except ConnectionClosed:
            log.info("client_link_closed", url=self._url, code=connection.close_code)
        finally:
            self._connection = None
        return connection.close_code or 1006

    async def _receive(self, connection: ClientConnection, message: Wire) -> None:
        match message:
            case {"type": "welcome"}:
                self._connection = connection
                self._hear(message)
                for text, _ in list(self._asked.values()):
                    await self._send(text)
            case {"seq": int(seq)}:
                if seq > self._seen:
                    self._seen = seq
                    self._hear(message)
                await self._send(json.dumps({"type": "received", "seq": seq}))
            case {"id": str(id)} if id in self._asked:
                answer = self._asked[id][1]
                if not answer.done():  # an answer to something sent twice comes twice
                    answer.set_result(message)
            case {"type": "error", "code": code}:
                log.info("client_told_error", url=self._url, code=code)

    async def _send(self, text: str) -> None:
        """Send now; without a connection it goes out on the next one."""
        if self._connection is None:
            return
        try:
            await self._connection.send(text)
        except ConnectionClosed:
            self._connection = None


async def server_time(door: Door, token: str) -> datetime:
    """The server's time as it tells it in a gateway's ``welcome``: devices set their clocks by it.

    Raises:
        OSError: It cannot be reached.
        InvalidHandshake: It does not take the token.
    """
    async with await _connected(door.url + GATEWAY, token) as connection:
        return datetime.fromisoformat(json.loads(await connection.recv())["time"])


async def _connected(url: str, token: str) -> ClientConnection:
    return await connect(
        url,
        subprotocols=[SUBPROTOCOL],
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        proxy=None,
        ping_interval=None,  # the server asks for signs of life; twice would be double the work
        close_timeout=CLOSE_S,
    )
