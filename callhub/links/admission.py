"""Who may open a link: decided from the handshake, before the upgrade.

Rules of this file: a foreign ``Origin`` is refused first, then whoever shows no valid token or ticket (401), then
whoever has one of the wrong kind, or is disabled (403). Nothing here waits.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from callhub.domain.messages import Addressee, AddresseeKind
from callhub.errors import NotAllowed, NotFound, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from websockets.datastructures import Headers
    from websockets.http11 import Request

    from callhub.store.base import Store

SUBPROTOCOL = "callhub.v1"
_TICKET = "ticket."
_BEARER = "bearer "
_PATHS = {"/v1/gateway": AddresseeKind.GATEWAY, "/v1/responder": AddresseeKind.RESPONDER}


class Tickets(Protocol):
    """One-use tickets of browsers."""

    def redeem(self, value: str) -> tuple[str, str] | None:
        """(kind, id) of the client it was given to, once; else None."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A client that may open a link.

    ``digest`` is its token's, None when it came with a ticket; ``revocations``: how often it had been revoked by then.
    """

    addressee: Addressee
    digest: str | None
    revocations: int = 0


class Doorkeeper:
    """Admits clients.

    Args:
        store: Holds tokens by SHA-256, and responders.
        tickets: Takes a ticket back.
        origins: Origins of web pages that may connect.
        revocations: How often a client was revoked since the start.
    """

    def __init__(
        self, store: Store, tickets: Tickets, origins: Collection[str], revocations: Callable[[Addressee], int]
    ) -> None:
        self._store = store
        self._tickets = tickets
        self._origins = frozenset(origins)
        self._revocations = revocations

    def admit(self, request: Request) -> Admission:
        """Who wants to open this link, and that they may.

        Raises:
            NotFound: no such path.
            NotAllowed: a foreign origin, a client of another kind, a disabled responder.
            Unauthenticated: no token and no ticket, or a wrong one.
        """
        kind = _PATHS.get(request.path.partition("?")[0])
        if kind is None:
            raise NotFound("path", "here; links are /v1/gateway and /v1/responder")
        if not self._origins.issuperset(request.headers.get_all("Origin")):
            raise NotAllowed("this origin is not one of links.origins")
        shown_kind, id_, digest = self._identify(request.headers)
        if shown_kind != kind:
            raise NotAllowed(f"a {shown_kind} token opens no {kind} link")
        addressee = Addressee(kind, id_)
        if not self._is_enabled(addressee):
            raise NotAllowed("this responder is disabled")
        return Admission(addressee, digest, self._revocations(addressee))

    def is_valid(self, admission: Admission) -> bool:
        """Whether a link may stay: its token holds, its person is not disabled.

        A ticket's token cannot be looked up again, so it does not.
        """
        holds = admission.digest is not None and self._store.token(admission.digest) is not None
        return holds and self._is_enabled(admission.addressee)

    def _is_enabled(self, addressee: Addressee) -> bool:
        if addressee.kind is not AddresseeKind.RESPONDER:
            return True
        responder = self._store.person("responders", addressee.id)
        return responder is not None and responder.active

    def _identify(self, headers: Headers) -> tuple[str, str, str | None]:
        """Kind and id of the client, and the digest of the token it showed, if it was one."""
        for value in headers.get_all("Authorization"):
            if value[: len(_BEARER)].lower() == _BEARER:
                digest = hashlib.sha256(value[len(_BEARER) :].strip().encode("utf-8", "surrogateescape")).hexdigest()
                token = self._store.token(digest)
                if token is None:
                    raise Unauthenticated("the token is not valid")
                return token.kind, token.id, digest
        for offered in offered_subprotocols(headers):
            if offered.startswith(_TICKET):
                client = self._tickets.redeem(offered.removeprefix(_TICKET))
                if client is None:
                    raise Unauthenticated("the ticket is not valid (any more)")
                return *client, None
        raise Unauthenticated("a bearer token or a ticket is needed")


def offered_subprotocols(headers: Headers) -> Iterable[str]:
    """The subprotocols a client offers, in its order."""
    for value in headers.get_all("Sec-WebSocket-Protocol"):
        for part in value.split(","):
            yield part.strip()
