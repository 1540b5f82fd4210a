"""What callhub is told of equipment that should be heard, and the words for what can be wrong with it.

Rules of this file: nothing here is a fact. Signs of life and links only move marks; what follows from them (somebody is
asked to look after a device, or need not any more) is decided and recorded elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callhub.domain.events import Event

SUPERVISION_LOST = "supervision_lost"
GATEWAY_LOST = "gateway_lost"
AREA_LOST = "area_lost"
LOW_BATTERY = "low_battery"
TAMPER = "tamper"
MAINS_LOST = "mains_lost"
FAULTS = (LOW_BATTERY, TAMPER, MAINS_LOST)
"""What a device says of itself; also the words in the ``faults`` of a heartbeat."""
SILENCES = (GATEWAY_LOST, SUPERVISION_LOST, AREA_LOST)
"""What nobody says: it shows by silence."""

WATCHED = "watched"
"""Mark: from here a device's silence counts, at the earliest."""
LINKED = "linked"
"""Mark: a gateway's first link came up."""
UNLINKED = "unlinked"
"""Mark: a gateway's last link was lost."""
RUN = "run"
"""Mark: a run of the server, by its start; the instant is the last at which it was certainly alive."""


def reported(kind: str) -> str:
    """The mark of when something was last reported as wrong; newer than its ``mended``: nobody need be told again."""
    return f"reported.{kind}"


def mended(kind: str) -> str:
    """The mark of when that was last well again."""
    return f"mended.{kind}"


@dataclass(frozen=True, slots=True)
class DeviceSaid:
    """One sign of life, at an aware instant.

    ``battery`` is 0 to 1; ``faults`` what it says is wrong, empty when it says that nothing is, None when it says
    nothing of them.
    """

    device: str
    at: datetime
    battery: float | None = None
    faults: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesHeard(Event):
    """Known devices that were heard, all since the last such event."""

    devices: tuple[DeviceSaid, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLinkChanged(Event):
    """A gateway's first link came up, or its last one went down."""

    gateway: str
    up: bool
