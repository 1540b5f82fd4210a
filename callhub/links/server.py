"""The listener for gateways and responders' apps."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.asyncio.server import Server, serve
from websockets.typing import Subprotocol

from callhub.errors import Refusal
from callhub.links.admission import SUBPROTOCOL, Doorkeeper, Tickets, offered_subprotocols
from callhub.links.connection import Connection, Hub
from callhub.links.limits import Limits
from callhub.links.socket import LinkSocket, library_logger, socket_class
from callhub.links.welcome import Welcomer
from callhub.logs import get_logger
from callhub.protocol.close_codes import CloseCode
from callhub.texts import LANGUAGES

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Collection
    from datetime import datetime

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from callhub.delivery.courier import Courier
    from callhub.links.registry import Registry
    from callhub.store.base import Store

log = get_logger(__name__)

_INTERNAL_ERROR = 1011
_STOP_S_MAX = 5.0
"""After this, links that do not finish their closing handshake are cut."""


class LinkServer:
    """Accepts links: ``start``, then ``run`` beside it; ``refuse_new``, then ``stop``.

    Args:
        hub: Takes events.
        store: Holds tokens, devices, messages.
        courier: Gives what is pending; must have ``registry`` among its channels.
        registry: Knows who is connected.
        tickets: Takes browsers' tickets back.
        now: Engine time.
        on_duty: Whether a responder is on duty now.
        origins: Origins of web pages that may connect.
        fallback_phone: Told to gateways.
        language: For those who have none of their own.
        limits: How much and how long.
    """

    def __init__(
        self,
        hub: Hub,
        store: Store,
        courier: Courier,
        registry: Registry,
        tickets: Tickets,
        *,
        now: Callable[[], datetime],
        on_duty: Callable[[str], bool],
        origins: Collection[str] = (),
        fallback_phone: str = "",
        language: str = LANGUAGES[0],
        limits: Limits | None = None,
    ) -> None:
        self._hub = hub
        self._store = store
        self._courier = courier
        self._registry = registry
        self._limits = limits or Limits()
        self._door = Doorkeeper(store, tickets, origins, registry.revocations)
        self._welcomer = Welcomer(store, now, on_duty, fallback_phone, language)
        self._sockets: set[LinkSocket] = set()
        self._server: Server | None = None

    @property
    def is_accepting(self) -> bool:
        """Whether new links are accepted."""
        return self._server is not None and self._server.is_serving()

    async def start(self, sock: socket.socket) -> None:
        """Accept links on a bound socket, which this server closes when it stops."""
        limits = self._limits
        self._server = await serve(
            self._serve,
            sock=sock,
            process_request=self._admit,
            select_subprotocol=_select_subprotocol,
            create_connection=socket_class(self._sockets),
            compression=None,
            server_header=None,
            open_timeout=limits.open_timeout_s,
            ping_interval=None,  # a link looks after its peer itself: any frame is a sign of life, not only a pong
            close_timeout=limits.close_timeout_s,
            max_size=limits.frame_bytes_max,
            write_limit=limits.write_bytes_max,
            logger=library_logger(),
        )

    async def run(self) -> None:
        """End links of whoever is revoked, until the hub ends its stream."""
        await self._registry.follow(self._door.is_valid)

    def refuse_new(self) -> None:
        """Accept nothing more; links that are up stay."""
        if self._server is not None:
            self._server.close(close_connections=False)

    async def stop(self) -> None:
        """Close every link (4000), what is pending first; cut what is not gone after 5 s. Safe to call twice."""
        if self._server is None:
            return
        self.refuse_new()
        self._registry.end_all(CloseCode.RESTARTING)
        for half_open in [link for link in self._sockets if link.admission is None]:
            half_open.cut()
        try:
            async with asyncio.timeout(_STOP_S_MAX):
                await self._server.wait_closed()
        except TimeoutError:
            log.warning("links_cut", links=len(self._sockets))
            for link in tuple(self._sockets):
                link.cut()
            await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """The library's hook before the upgrade: None goes on, a response refuses."""
        assert isinstance(connection, LinkSocket)
        try:
            connection.admission = self._door.admit(request)
        except Refusal as refusal:
            status = HTTPStatus(refusal.http_status)
            log.info("link_refused", code=refusal.code.value, why=refusal.message)
            response = connection.respond(status, f"{refusal.code.value}: {refusal.message}\n")
            if status is HTTPStatus.UNAUTHORIZED:
                response.headers["WWW-Authenticate"] = "Bearer"
            return response
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        """One link's life; what goes wrong in it is ours, is logged whole, and ends this link alone."""
        assert isinstance(connection, LinkSocket)
        assert connection.admission is not None
        link = Connection(
            connection,
            connection.admission,
            hub=self._hub,
            store=self._store,
            courier=self._courier,
            welcomer=self._welcomer,
            registry=self._registry,
            limits=self._limits,
        )
        try:
            await link.run()
        except Exception:
            log.exception("link_failed", kind=link.admission.addressee.kind.value, id=link.admission.addressee.id)
            await connection.finish(_INTERNAL_ERROR)


def _select_subprotocol(connection: ServerConnection, _offered: object) -> Subprotocol | None:
    """Ours, if it was offered; a ticket is never echoed. Equipment that offers none is served as well."""
    assert connection.request is not None
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered_subprotocols(connection.request.headers) else None
