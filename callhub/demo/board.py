"""What the demo knows of the incidents, from the list items that the server's stream tells.

Rules of this file: pure. An incident counts once, whatever becomes of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

Item = dict[str, Any]
"""An incident as REST shows it in a list."""

ENDED = ("closed", "cancelled")
_LIVE = ("assigned", "en_route", "on_scene")


class Counts(NamedTuple):
    """Incidents that presses opened: all, those somebody accepted, those somebody arrived at."""

    presses: int
    accepted: int
    arrived: int

    def __str__(self) -> str:
        return f"presses={self.presses} accepted={self.accepted} arrived={self.arrived}"


@dataclass(slots=True)
class Board:
    """The open incidents by id, and the counts of all there ever were."""

    open: dict[str, Item] = field(default_factory=dict)
    closed: int = 0
    _versions: dict[str, int] = field(default_factory=dict)
    _accepted: set[str] = field(default_factory=set)
    _arrived: set[str] = field(default_factory=set)
    _presses: set[str] = field(default_factory=set)

    def note(self, item: Item) -> bool:
        """Take an incident as it is now; whether that is news."""
        id, version = item["id"], item["version"]
        if version <= self._versions.get(id, -1):
            return False
        self._versions[id] = version
        self._count(item)
        if item["state"] in ENDED:
            if self.open.pop(id, None) is not None:
                self.closed += 1
        else:
            self.open[id] = item
        return True

    def keep(self, ids: set[str]) -> None:
        """Only these are still open: the others ended unseen."""
        for id in set(self.open) - ids:
            del self.open[id]
            self.closed += 1

    @property
    def counts(self) -> Counts:
        """How many so far."""
        return Counts(len(self._presses), len(self._accepted), len(self._arrived))

    def ordered(self) -> list[Item]:
        """The open incidents: unanswered ones first, then those still looking for somebody, then the newest."""
        rank = {"unanswered": 0, "seeking": 1, "assigned": 2, "on_scene": 3}
        return sorted(self.open.values(), key=lambda item: (rank.get(item["state"], 4), -item["number"]))

    def _count(self, item: Item) -> None:
        if item["source"] != "device":
            return
        self._presses.add(item["id"])
        if item["assignments"]:
            self._accepted.add(item["id"])
        if any(assignment["on_scene_at"] for assignment in item["assignments"]):
            self._arrived.add(item["id"])


def asked(item: Item) -> list[Item]:
    """The offers that still wait for an answer, open ones first."""
    offers = [offer for offer in item["offers"] if offer["state"] in ("open", "silent")]
    return sorted(offers, key=lambda offer: bool(offer["state"] == "silent"))


def coming(item: Item) -> list[Item]:
    """The assignments of those on the way or there."""
    return [assignment for assignment in item["assignments"] if assignment["state"] in _LIVE]


def rest_s(at: str | None, now: datetime) -> int | None:
    """Whole seconds until ``at``, negative when it has passed; None without one."""
    return None if at is None else round((datetime.fromisoformat(at) - now).total_seconds())


def arrives_s(assignment: Item, now: datetime) -> int | None:
    """Whole seconds until somebody is expected, by what was expected when they said yes; None when unknown."""
    since_s = rest_s(assignment["assigned_at"], now)
    return None if assignment["eta_s"] is None or since_s is None else int(assignment["eta_s"]) + since_s
