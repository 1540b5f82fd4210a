"""One-use tickets with which a browser opens a link, because it cannot send a header with a WebSocket handshake.

Rules of this file: a ticket lives in memory alone, for 30 s, and is worth nothing after its first use, or once the
token it was given for is revoked. Only the SHA-256 of it is kept.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

TICKET_S = 30
TICKETS_MAX = 10_000
"""Tickets out at the same time, about 200 bytes each; beyond, the oldest is worth nothing any more."""


class Tickets:
    """Gives out tickets and takes each back once.

    Args:
        now: Reads engine time, aware.
        holds: Whether the token with this digest still holds.
        draw: Gives a new secret of at least 128 bits; replaced in tests.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        holds: Callable[[str], bool],
        draw: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._now = now
        self._holds = holds
        self._draw = draw
        self._open: dict[str, tuple[datetime, str, str, str]] = {}

    def issue(self, kind: str, id: str, token: str) -> str:
        """A ticket for client ``id`` of ``kind`` (``gateway``, ``responder``), who showed the ``token`` digest."""
        self._forget_old()
        while len(self._open) >= TICKETS_MAX:
            del self._open[next(iter(self._open))]
        value = self._draw()
        self._open[_digest(value)] = (self._now() + timedelta(seconds=TICKET_S), kind, id, token)
        return value

    def redeem(self, value: str) -> tuple[str, str] | None:
        """(kind, id) of the client it was issued to, once, within 30 s and while their token holds; else None."""
        found = self._open.pop(_digest(value), None)
        if found is None:
            return None
        ends_at, kind, id, token = found
        return (kind, id) if ends_at > self._now() and self._holds(token) else None

    def _forget_old(self) -> None:
        now = self._now()
        while self._open and next(iter(self._open.values()))[0] <= now:  # in the order of their ends
            del self._open[next(iter(self._open))]


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
