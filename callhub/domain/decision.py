"""What the engine decided about one event.

Rules of this file: a decision is complete. The hub commits all of it in one transaction and speaks only afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from callhub.domain.facts import Row
from callhub.domain.habits import Habit
from callhub.domain.messages import Message, Stored


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told once the decision is durable.

    ``body`` has the fields of the wire answer (receipt, result, action), or of the error when ``code`` is set.
    ``incident`` is the incident it is about, if any. ``repeat``: it was given before and is not stored again.
    """

    body: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    incident: str | None = None
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Rows for the journal, messages for the outbox, and the caller's answer.

    At most one row for each incident, in the order they were touched. ``marks`` are (kind, id) of what is no fact but
    must be as durable as the rows: they are kept with the time of the decision. ``habits`` are those that the rows
    changed, as they are now.
    """

    rows: tuple[Row, ...] = ()
    messages: tuple[Message, ...] = ()
    answer: Answer = field(default_factory=Answer)
    marks: tuple[tuple[str, str], ...] = ()
    habits: tuple[Habit, ...] = ()

    @property
    def touched(self) -> tuple[str, ...]:
        """The ids of the incidents this decision changed."""
        return tuple(r.incident for r in self.rows if r.incident is not None)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the hub says after a commit, to whoever follows ``hub.committed``.

    ``seq`` is the journal seq after it, ``incidents`` the ids it touched, ``stored`` the messages with their seq.
    ``revoked`` are ``(kind, id)`` of clients whose links must end (kinds ``gateway responder api session``),
    ``removed_users`` names of users whose sessions and streams must end.
    """

    seq: int
    incidents: tuple[str, ...] = ()
    stored: tuple[Stored, ...] = ()
    revoked: tuple[tuple[str, str], ...] = ()
    removed_users: tuple[str, ...] = ()
