"""The sockets of a server, and uvicorn on one of them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

from callhub.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from fastapi import FastAPI

BACKLOG = 2048
"""Connections the kernel holds for each listener: every gateway of a district comes back at the same moment."""
WEB_STOP_S = 2
LOST_BROWSER_MS = 12_000
"""What a browser has not acknowledged for so long ends its connection (inherited by each): together with the stream's
comment every 15 s, one that vanished without a word stops counting as watching within 30 s."""


def listen(key: str, host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet; ``port`` 0: any free one.

    Raises:
        ConfigError: The address cannot be used; ``key`` names its section.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, number)
    except OSError as wrong:
        raise ConfigError("settings", f"{key}.host", f"{host!r} is no address of this machine: {wrong}") from wrong
    try:
        # Connections of a server that was killed linger in the kernel; they are no reason to wait.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if key == "web" and hasattr(socket, "TCP_USER_TIMEOUT"):  # not everywhere
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST_BROWSER_MS)
        listening.bind(address)
        listening.setblocking(False)
    except OSError as wrong:
        listening.close()
        why = f"{host} port {port} cannot be used: {wrong.strerror}; stop who holds it, or choose another"
        raise ConfigError("settings", f"{key}.port", why) from wrong
    return listening


class WebServer(uvicorn.Server):
    """uvicorn on a socket of ours, without its signal handlers. ``up`` is set once it accepts."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the server: the order of a stop is its business."""
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Nothing: see ``capture_signals``."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.up.set()

    def stop_accepting(self) -> None:
        """Take no new connections; those that are open go on."""
        for listener in self.servers:
            listener.close()


def web_server(app: FastAPI) -> WebServer:
    """Uvicorn for ``app``: no log of its own, no lifespan, no WebSocket."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        backlog=BACKLOG,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=WEB_STOP_S,
    )
    return WebServer(config)
