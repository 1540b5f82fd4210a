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

    A deadline that is due again after it was handed out, of an incident that has not changed since, has done nothing:
    it is ``stuck``, and the caller takes the path for events that raise.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._handed: dict[_Key, int] = {}
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
        # At the very instant at which one fires, the next one may be due; a timer's key names what it is about.
        incident = self._engine.incident(ref.incident or ref.key.rpartition(":")[2])
        key, version = _key(ref), incident.version if incident is not None else 0
        stuck = self._handed.get(key) == version
        self._handed[key] = version
        return stuck

    def postpone(self, ref: DueRef, now: datetime) -> None:
        """Leave it alone for ``POSTPONED_S``; then it gets another chance."""
        self._postponed[_key(ref)] = now + timedelta(seconds=POSTPONED_S)
        self._handed.pop(_key(ref), None)

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
