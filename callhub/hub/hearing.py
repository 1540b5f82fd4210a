"""Devices that were heard, collected for a moment: a thousand heartbeats are one event, however many frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from callhub.domain.supervision import DeviceSaid

if TYPE_CHECKING:
    from datetime import datetime

HEARD_S = 0.2
"""The engine hears of a sign of life at the latest after this, and always before it decides that a device is silent."""


class Hearing:
    """The newest word of each device. ``since`` is when the oldest of them came, or None; grows with devices only."""

    def __init__(self) -> None:
        self._said: dict[str, DeviceSaid] = {}
        self.since: datetime | None = None

    def seen(self, id: str, at: datetime) -> None:
        """A device was heard."""
        said = self._said.get(id)
        self._said[id] = DeviceSaid(id, at) if said is None else replace(said, at=at)
        self.since = self.since or at

    def health(self, id: str, health: dict[str, Any], at: datetime) -> None:
        """And this it said of itself; what it left out stays as it said it before."""
        self.seen(id, at)
        said = self._said[id]
        battery, faults = health.get("battery", said.battery), health.get("faults", said.faults)
        self._said[id] = replace(said, battery=battery, faults=None if faults is None else tuple(faults))

    def take(self) -> tuple[DeviceSaid, ...]:
        """Everything since the last time."""
        taken, self._said, self.since = tuple(self._said.values()), {}, None
        return taken
