"""What the hub needs of the engine, as protocols, so that tests can script it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from callhub.domain.decision import Decision
    from callhub.domain.events import Event
    from callhub.domain.facts import Row
    from callhub.domain.incident import Incident, Places
    from callhub.store.base import Snapshot


class DueRef(Protocol):
    """Something that is due: the next deadline of an incident, or (``incident`` empty) a timer called ``key``."""

    @property
    def at(self) -> datetime:
        """When it was due, aware UTC."""

    @property
    def incident(self) -> str:
        """The incident's id, or empty."""

    @property
    def key(self) -> str:
        """The timer's name, or empty."""


class Engine(Protocol):
    """The pure engine, as the hub sees it."""

    def handle(self, event: Event, now: datetime) -> Decision:
        """Decide and apply. A refusal is an answer with a code; any other exception changed nothing."""

    def next_due(self) -> datetime | None:
        """The earliest deadline, or None."""

    def due(self, now: datetime) -> Sequence[DueRef]:
        """What is due at ``now``, most overdue first; it stays due until it is handled."""

    def incident(self, id: str) -> Incident | None:
        """An incident in memory, also one that ended just now."""

    def places(self, id: str) -> Places:
        """The private companion of an incident in memory."""

    def open_incidents(self) -> Iterable[Incident]:
        """All open incidents."""

    def on_duty(self, responder: str, now: datetime) -> bool:
        """Whether a responder is on duty now."""

    def restore(self, snapshot: Snapshot, now: datetime) -> tuple[str, ...]:
        """Forget everything and start from what the store holds; ids of incidents that cannot be replayed."""

    def hold(self, incident: Incident, places: Places) -> None:
        """Take an incident as it was committed, where it cannot be replayed."""

    def adopt(self, rows: Iterable[Row], places: dict[str, Places]) -> None:
        """Apply rows that were decided elsewhere."""
