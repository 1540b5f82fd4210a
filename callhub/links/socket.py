"""The library's connection with what a link needs beside it: when the peer was last heard, and who it is."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, ClassVar

from websockets.asyncio.server import ServerConnection

from callhub.logs import get_logger

if TYPE_CHECKING:
    from callhub.links.admission import Admission

log = get_logger(__name__)

BUFFERED_BYTES_MAX = 1_048_576
"""Bytes a peer may leave unread: our writer stops long before, but the library answers every ping at once."""


class LinkSocket(ServerConnection):
    """A WebSocket connection of the listener.

    Attributes:
        sockets: Every connection of one listener, from its first byte to its end; see ``socket_class``.
        heard_at_s: Loop time at which the last bytes came, be they a message, a pong or a piece of either.
        admission: Who this is, once the handshake was allowed.
    """

    sockets: ClassVar[set[LinkSocket]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # the library's own arguments, passed on
        super().__init__(*args, **kwargs)
        self.heard_at_s = self.loop.time()
        self.admission: Admission | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be known as open."""
        self.sockets.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Be forgotten."""
        self.sockets.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note the time, then let the library read."""
        self.heard_at_s = self.loop.time()
        super().data_received(data)
        if self.transport.get_write_buffer_size() > BUFFERED_BYTES_MAX:
            log.info("link_cut", why="asks without listening")
            self.cut()

    @property
    def silent_s(self) -> float:
        """Seconds since anything came."""
        return self.loop.time() - self.heard_at_s

    async def taken(self, timeout_s: float) -> bool:
        """Wait until the peer has taken what was sent, up to the lower mark of the buffer; False after the timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.drain()
        except TimeoutError:
            return False
        return True

    async def finish(self, code: int, reason: str = "") -> None:
        """Close with a code; a peer that does not take even that is cut off after the close timeout.

        The library's own ``close`` waits without a limit for room in a full buffer before its timeout begins.
        """
        try:
            async with asyncio.timeout(self.close_timeout):
                await self.close(code, reason)
        except TimeoutError:
            self.cut()

    def cut(self) -> None:
        """End the connection at once, without a closing handshake."""
        self.transport.abort()


def socket_class(known: set[LinkSocket]) -> type[LinkSocket]:
    """The class of one listener's connections, which keep ``known`` up to date. The library wants a class."""

    class KnownSocket(LinkSocket):
        sockets = known

    return KnownSocket


class OneLine(logging.Handler):
    """Turns what the library logs into one line without a traceback: a peer's behaviour is no fault of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log its message and the type of its exception."""
        error = record.exc_info[1] if record.exc_info else None
        log.info("link_library", what=record.getMessage(), error=type(error).__name__ if error else None)


def library_logger() -> logging.Logger:
    """The logger to hand to the library."""
    logger = logging.getLogger("callhub.links.library")
    logger.handlers[:] = [OneLine()]
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    return logger
