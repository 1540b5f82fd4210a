"""What is not a fact: last signs of life, positions, health of devices, confirmed messages.

They are collected between commits, so that ten thousand heartbeats cost one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.store.base import Marks

if TYPE_CHECKING:
    from datetime import datetime

    from callhub.domain.messages import Addressee
    from callhub.domain.people import Position


class MarkBook:
    """The newest mark of each thing since the last flush. ``since`` is when the oldest of them came, or None."""

    def __init__(self) -> None:
        self._marks = Marks()
        self._confirmed_before: dict[Addressee, int] = {}
        self.since: datetime | None = None

    def seen(self, kind: str, id: str, at: datetime) -> None:
        """A ``device``, ``gateway`` or ``responder`` was heard."""
        self._marks.seen[kind, id] = at
        self._touch(at)

    def position(self, responder: str, position: Position, at: datetime) -> None:
        """A responder's app gave a position."""
        self._marks.positions[responder] = (position, at)
        self._touch(at)

    def device(self, id: str, health: dict[str, Any], at: datetime) -> None:
        """A device reported its health; what it does not mention stays as it was."""
        self._marks.device_health[id] = self._marks.device_health.get(id, {}) | health
        self._touch(at)

    def confirmed(self, addressee: Addressee, seq: int, at: datetime) -> None:
        """An addressee has everything up to ``seq``; an older confirmation changes nothing."""
        self._marks.confirmed[addressee] = max(seq, self._marks.confirmed.get(addressee, 0))
        self._touch(at)

    def confirmed_up_to(self, addressee: Addressee) -> int:
        """What an addressee confirmed and the store may not have yet, also while a flush is under way; 0: nothing."""
        return max(self._marks.confirmed.get(addressee, 0), self._confirmed_before.get(addressee, 0))

    def take(self) -> Marks:
        """Everything collected; the book is empty afterwards."""
        taken, self._marks, self.since = self._marks, Marks(), None
        self._confirmed_before = taken.confirmed
        return taken

    def put_back(self, marks: Marks, at: datetime) -> None:
        """What could not be flushed; newer marks win."""
        newer, self._marks = self._marks, marks
        self._marks.seen.update(newer.seen)
        self._marks.positions.update(newer.positions)
        for id_, health in newer.device_health.items():
            self._marks.device_health[id_] = self._marks.device_health.get(id_, {}) | health
        for addressee, seq in newer.confirmed.items():
            self._marks.confirmed[addressee] = max(seq, self._marks.confirmed.get(addressee, 0))
        if not is_empty(self._marks):
            self._touch(at)

    def _touch(self, at: datetime) -> None:
        if self.since is None:
            self.since = at


def is_empty(marks: Marks) -> bool:
    """Whether there is nothing to flush."""
    return not (marks.seen or marks.positions or marks.confirmed or marks.device_health)
