"""Turns due deadlines into events, and keeps one that cannot be handled from keeping everything else waiting."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from callhub.domain.events import DeadlineDue
from callhub.domain.people import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from callhub.hub.ports import DueRef, Engine

_Key = tuple[str, str, datetime]

POSTPONED_S = 60
"""A deadline that nothing can be done about is tried again after this."""


class Deadlines:
    """The engine's deadlines as events, most overdue first.

    A deadline that is due again unchanged after it was handed out has changed nothing: it is ``stuck``, and the
    caller takes the path for events that raise.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._handed: set[_Key] = set()
        self._postponed: dict[_Key, datetime] = {}

    def take(self, now: datetime, new_id: Callable[[datetime], str], at_most: int) -> list[tuple[DeadlineDue, DueRef]]:
        """At most ``at_most`` deadlines due at ``now``, as events, each with what was due."""
        if (due_at := self._engine.next_due()) is None or due_at > now:
            self._handed.clear()
            return []
        self._postponed = {key: until for key, until in self._postponed.items() if until > now}
        due = [ref for ref in self._engine.due(now) if _key(ref) not in self._postponed][:at_most]
        return [(_event(ref, new_id(now)), ref) for ref in due]

    def is_stuck(self, ref: DueRef) -> bool:
        """Whether this very deadline was handed out before, in vain; remembers it for the next time."""
        key = _key(ref)
        if key in self._handed:
            return True
        self._handed.add(key)
        return False

    def postpone(self, ref: DueRef, now: datetime) -> None:
        """Leave it alone for ``POSTPONED_S``."""
        self._postponed[_key(ref)] = now + timedelta(seconds=POSTPONED_S)

    def wake_at(self, now: datetime) -> datetime | None:
        """When the loop must run for the next deadline, or None."""
        due_at = self._engine.next_due()
        if due_at is None or due_at > now or not self._postponed:
            return due_at
        if any(_key(ref) not in self._postponed for ref in self._engine.due(now)):
            return due_at
        # Behind a postponed one the engine does not tell what is next.
        return min(*self._postponed.values(), now + timedelta(seconds=1))


def _key(ref: DueRef) -> _Key:
    return ref.incident, ref.key, ref.at


def _event(ref: DueRef, id_: str) -> DeadlineDue:
    return DeadlineDue(id=id_, actor=SYSTEM, incident=ref.incident or None, key=ref.key or None)
