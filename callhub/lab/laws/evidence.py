"""What anybody can see of a server: what it stored, what it sent and what it answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from callhub.domain.facts import Row
    from callhub.domain.incident import Incident
    from callhub.domain.messages import Message
    from callhub.domain.people import Responder


@dataclass(frozen=True, slots=True)
class Entry:
    """What became durable together, and what was to be sent because of it.

    ``seq`` is that of the last row; ``stored`` is up to where the journal was durable when the messages were there.
    """

    at: datetime
    rows: Sequence[Row]
    messages: Sequence[Message] = ()
    seq: int = 0
    stored: int = 0


@dataclass(slots=True)
class Receipt:
    """An alarm that was sent, and what was answered; ``stored``: up to where the journal was durable then.

    ``quiet``: it said that it is a test.
    """

    gateway: str
    id: str
    device: str
    kind: str
    at: datetime | None = None
    quiet: bool = False
    answered: bool = False
    code: str | None = None
    incident: str | None = None
    duplicate: bool = False
    stored: int = 0

    def note(self, answer: Mapping[str, Any], stored: int) -> None:
        """The answer came."""
        self.answered, self.stored = True, stored
        self.code = answer.get("code")
        self.incident, self.duplicate = answer.get("incident"), bool(answer.get("duplicate"))


@dataclass(slots=True)
class Evidence:
    """A whole history.

    ``runs`` are the times in which a server ran, from and until; ``incidents`` the documents as they are at the end.
    """

    entries: Sequence[Entry]
    people: Mapping[str, Responder]
    receipts: Sequence[Receipt] = ()
    runs: Sequence[tuple[datetime, datetime]] = ()
    incidents: Sequence[Incident] = field(default_factory=tuple)
