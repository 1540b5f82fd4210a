"""How many events to take at once, so that a batch stays short whatever an event costs."""

from __future__ import annotations

DECIDE_S = 0.05
"""Deciding a batch should take no longer: whoever presses meanwhile waits for it."""
EVENTS_MIN = 8
_WEIGHT = 0.3
_FIRST_GUESS_S = 0.0002


class Pace:
    """Learns what deciding an event costs and bounds batches by it."""

    def __init__(self) -> None:
        self._event_s = _FIRST_GUESS_S

    def took(self, events: int, seconds: float) -> None:
        """Deciding so many events took so long."""
        if events:
            self._event_s += _WEIGHT * (seconds / events - self._event_s)

    def at_most(self, events_max: int) -> int:
        """How many to take: at least 8 (or ``events_max``), at most ``events_max``."""
        return min(events_max, max(EVENTS_MIN, int(DECIDE_S / max(self._event_s, 1e-6))))
