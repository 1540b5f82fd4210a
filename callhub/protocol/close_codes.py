"""Why a link was closed, as WebSocket close codes.

Rules of this file: 4000 to 4099 mean "come back with back-off", 4100 to 4199 mean "do not come back by yourself". The
library's own codes are standard: 1002 protocol error, 1007 no UTF-8, 1009 too large.
"""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """The close codes that callhub itself gives."""

    RESTARTING = 4000
    TOO_SLOW = 4002
    REVOKED = 4100
    REPLACED = 4101


def may_reconnect(code: int) -> bool:
    """Whether a client should try again by itself, with back-off; standard codes (below 4000) all say yes."""
    return not 4100 <= code <= 4199
