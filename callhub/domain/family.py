"""The people around an elder: who is told of an emergency, and who of them has a key.

Rules of this file: a contact is a record as it was imported, with name and telephone number. What an incident keeps of
it is a ``Relative``: ids and codes alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class News(StrEnum):
    """What a contact can be told of an emergency."""

    OPENED = "opened"
    COMING = "coming"
    THERE = "there"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class FamilyContact:
    """Somebody around an elder.

    ``channels``: how they can be reached, first choice first. ``inform``: what they want to be told. ``responder``:
    their own record among the responders, which makes them a keyholder.
    """

    id: str
    elder: str
    name: str
    relation: str = ""
    phone: str = ""
    channels: tuple[str, ...] = ()
    inform: tuple[News, ...] = tuple(News)
    responder: str | None = None
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Relative:
    """A contact as an incident keeps it, by id, since it opened."""

    contact: str
    inform: tuple[News, ...] = ()
    responder: str | None = None


def keyholders(family: tuple[Relative, ...]) -> tuple[str, ...]:
    """The responders among an incident's contacts, each once."""
    return tuple(dict.fromkeys(one.responder for one in family if one.responder is not None))


def relatives(family: tuple[FamilyContact, ...]) -> tuple[Relative, ...]:
    """What an incident keeps of these contacts."""
    return tuple(Relative(one.id, one.inform, one.responder) for one in family)
