"""What a turn changes beside incidents, and how each change is put back when the turn fails.

Rules of this file: whoever changes a person, a timer, the watchers or the counters while deciding does it here, or
leaves a way back with ``on_undo``. Incidents have a way of their own, in ``turn``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from callhub.dispatch.roster import Person
    from callhub.dispatch.world import World
    from callhub.domain.people import Responder
    from callhub.domain.policy import PolicySet


@dataclass(slots=True)
class Changes:
    """The changes of one turn at one time."""

    world: World
    now: datetime
    _undo: list[Callable[[], None]] = field(default_factory=list)
    _people: set[str] = field(default_factory=set)

    def on_undo(self, restore: Callable[[], None]) -> None:
        """Run ``restore`` if the turn fails; the last one given runs first."""
        self._undo.append(restore)

    def undo(self) -> None:
        """Put everything back."""
        for restore in reversed(self._undo):
            restore()

    def person(self, id: str) -> Person | None:
        """A responder whose duty, link or position is about to change; None when unknown."""
        person = self.world.roster.people.get(id)
        if person is None or id in self._people:
            return person
        self._people.add(id)
        known: Person = person
        record, duty = person.record, person.duty
        link, position = (person.link_up, person.reachable_until), (person.fix, person.fix_at)

        def restore() -> None:
            known.duty = duty
            known.link_up, known.reachable_until = link
            known.fix, known.fix_at = position
            self.world.roster.admit(record, self.now, known=False)

        self.on_undo(restore)
        return person

    def admit(self, record: Responder) -> Person:
        """Add or change a responder's record."""
        roster = self.world.roster
        if self.person(record.id) is None:
            self._people.add(record.id)
            self.on_undo(lambda: roster.expel(record.id))
        person = roster.admit(record, self.now, known=False)
        self.set_timer(f"duty:{record.id}", roster.next_duty_change(person, self.now))
        return person

    def set_timer(self, key: str, at: datetime | None) -> None:
        """Arm or disarm a timer that is no fact."""
        old = self.world.timers.get(key)
        self.on_undo(lambda: self.world.set_timer(key, old))
        self.world.set_timer(key, at)

    def watch(self, user: str, area: str | None, *, watching: bool) -> list[str]:
        """Somebody opened their first console or lost their last one; the desks they cover."""
        self._keep_watchers()
        return self.world.roster.watch(user, area, watching, self.now)

    def dismiss(self, user: str) -> None:
        """A user is gone for good: they watch nothing, and nobody waits for them."""
        self._keep_watchers()
        self.world.roster.watchers.pop(user, None)

    def _keep_watchers(self) -> None:
        roster = self.world.roster
        watchers, patience = dict(roster.watchers), dict(roster.desk_patience)

        def restore() -> None:
            roster.watchers, roster.desk_patience = watchers, patience

        self.on_undo(restore)

    def choose_from(self, policies: PolicySet) -> None:
        """Put other ladders in force for new incidents."""
        old = self.world.policies

        def restore() -> None:
            self.world.policies = old

        self.on_undo(restore)
        self.world.policies = policies

    def expect_alarm(self, gateway: str, alarm: str, device: str, cancel: str) -> None:
        """Remember a cancel that came before its alarm."""
        early, key = self.world.early_cancels, (gateway, alarm, device)
        old = early.get(key)
        self.world.expect_alarm(gateway, alarm, device, cancel)

        def restore() -> None:
            del early[key]
            if old is not None:
                early[key] = old

        self.on_undo(restore)

    def early_cancel(self, gateway: str, alarm: str, device: str) -> str | None:
        """The cancel that came before this alarm, which is forgotten with it; None when there was none."""
        cancel = self.world.early_cancels.pop((gateway, alarm, device), None)
        if cancel is not None:
            self.on_undo(lambda: self.world.expect_alarm(gateway, alarm, device, cancel))
        return cancel
