"""What is to be told to whom: the rows of the outbox.

Rules of this file: a message is machine data only (ids, codes, times, distances; a position only inside ``go_to``).
Names and sentences are joined when it is rendered for the wire, in the reader's language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class AddresseeKind(StrEnum):
    """Who gets messages. A ``contact`` has no link: what it is told waits for a channel."""

    GATEWAY = "gateway"
    RESPONDER = "responder"
    CONTACT = "contact"


class MessageType(StrEnum):
    """The messages with a ``seq``, by their wire names."""

    OFFER = "offer"
    STAND_DOWN = "stand_down"
    ASSIGNMENT = "assignment"
    UPDATE = "update"
    PROGRESS = "progress"
    FAMILY = "family"


@dataclass(frozen=True, slots=True, order=True)
class Addressee:
    """A client by kind and id."""

    kind: AddresseeKind
    id: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one addressee.

    ``key``: an unconfirmed older message to the same addressee with the same key is replaced by this one; None never
    replaces and is never replaced. Progress of an incident, an assignment, an offer and its stand-down share keys.
    """

    addressee: Addressee
    type: MessageType
    incident: str
    key: str | None
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """A message with its ``seq`` in the outbox; ``seq`` grows per addressee, gaps are normal."""

    seq: int
    message: Message
