"""What devices and people said beside asking for help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callhub.domain.facts.fields import private


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """A button asked for a cancel: shown to people, never a cancel."""

    fact: Literal["cancel_requested"] = "cancel_requested"
    id: str
    gateway: str
    device: str | None
    alarm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSignalled:
    """A device said ``arrived``, ``card`` or ``confirm``; shown as "device says".

    ``matches``: the card is the elder's.
    """

    fact: Literal["device_signalled"] = "device_signalled"
    id: str
    gateway: str
    device: str
    signal: str
    matches: bool | None = None
    card: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMade:
    """Somebody was spoken to, or 120/110/119 was asked for or came."""

    fact: Literal["contact_made"] = "contact_made"
    party: str
    result: str
    note: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """A line for the timeline. ``what``: ``note``, ``feedback`` or ``report``; ``rating`` 1..5 for feedback."""

    fact: Literal["note_added"] = "note_added"
    what: str = "note"
    rating: int | None = None
    text: str | None = private()
