"""Objects as bytes and back: what every store keeps.

Rules of this file:
1. Canonical: the same object gives the same bytes, so that bytes can be hashed. Fields stand in the order in which
   their class names them; mappings keep their own order, which replaying facts reproduces.
2. A private field never enters a body. Bodies alone give the state of an incident.
3. Message bodies and answers are JSON already: texts, numbers, truth values, lists, objects.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from callhub.domain import facts, family, habits, incident, people, policy
from callhub.domain.facts import Fact, Row, private_fields
from callhub.domain.family import FamilyContact
from callhub.domain.habits import Habit
from callhub.domain.incident import Incident, Places
from callhub.domain.people import Actor, Area, Device, Duty, Elder, Position, Responder
from callhub.domain.policy import Policy, policy_from_table, policy_to_table
from callhub.errors import StoreCorrupt, StoreRefused

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Body:
    """A journal row as it stands in its body; as ``Row``, with the facts told apart by their code."""

    incident: str | None
    version: int
    at: datetime
    event: str
    actor: Actor
    facts: tuple[Annotated[Fact, Field(discriminator="fact")], ...]


# The classes may import names for their annotations only, where pydantic cannot find them by itself.
_NAMES: dict[str, Any] = {
    **vars(facts),
    **vars(family),
    **vars(habits),
    **vars(incident),
    **vars(people),
    **vars(policy),
    "datetime": datetime,
}
_RECORDS: tuple[type, ...] = (Incident, Places, Area, Elder, Device, Responder, Duty, Position, Habit, FamilyContact)


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    made = TypeAdapter(kind)
    made.rebuild(_types_namespace=_NAMES)
    return made


_BODY = _adapter(_Body)
_KINDS: dict[type, TypeAdapter[Any]] = {kind: _adapter(kind) for kind in _RECORDS}
ADDED = ("whistles", "call_back", "roll_call", "part_of", "family", "key_offers", "roles")
"""Fields of an incident that are newer than the first documents: left out while empty, so that those still verify."""
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode(record: object) -> bytes:
    """A record of the domain (incident, places, area, elder, device, responder, duty, position) as JSON; about 3 us.

    Raises:
        StoreRefused: It holds what JSON cannot say, such as a lone surrogate.
    """
    unused = {name for name in ADDED if not getattr(record, name)} if isinstance(record, Incident) else None
    try:
        written = _KINDS[type(record)].dump_json(record, exclude=unused, warnings="error")
    except ValueError as wrong:
        raise StoreRefused(f"a {type(record).__name__} cannot be written down: {_brief(wrong)}") from wrong
    return _placed(written)


def decode(kind: type[T], data: bytes | str) -> T:
    """The record of ``kind`` that ``encode`` wrote.

    Raises:
        StoreCorrupt: The bytes are not what was written.
    """
    try:
        record: T = _KINDS[kind].validate_json(data)
    except ValidationError as wrong:
        raise StoreCorrupt(f"a stored {kind.__name__} cannot be read: {_brief(wrong)}") from wrong
    return record


def encode_json(value: object) -> bytes:
    """JSON of a plain value; an instant becomes its RFC 3339 text.

    Raises:
        StoreRefused: It holds what JSON cannot say.
    """
    try:
        written = to_json(value, inf_nan_mode="null")
    except ValueError as wrong:
        raise StoreRefused(f"a body cannot be written down: {_brief(wrong)}") from wrong
    return _placed(written)


def _placed(written: bytes) -> bytes:
    """Refuse a position whose degrees are no numbers: JSON has none for them, and it could not be read again."""
    # Inside a text the quotes would be escaped, so nobody's words look like this.
    if b'"lat":null' in written or b'"lon":null' in written:
        raise StoreRefused("a position is not a number")
    return written


def decode_json(data: bytes | str) -> Any:  # noqa: ANN401  # JSON is anything
    """The plain value that ``encode_json`` wrote; ``StoreCorrupt`` when it is not."""
    try:
        return from_json(data)
    except ValueError as wrong:
        raise StoreCorrupt(f"a stored body cannot be read: {_brief(wrong)}") from wrong


def encode_time(at: datetime) -> int:
    """An aware instant as whole microseconds since 1970 in UTC, so that it sorts and compares."""
    return (at - _START) // _MICROSECOND


def decode_time(micros: int) -> datetime:
    """The instant that ``encode_time`` wrote, in UTC."""
    return _START + micros * _MICROSECOND


def encode_row(row: Row, salt: bytes) -> tuple[bytes, bytes | None]:
    """A journal row as (body, private). ``private`` is None when no fact holds anything private.

    Args:
        row: The row.
        salt: Fresh random bytes; without them a digest of the private part could be guessed from a list of names.

    Raises:
        StoreRefused: It holds what JSON cannot say.
    """
    hidden: dict[int, set[str]] = {}
    items: list[dict[str, Any]] = []
    for n, fact in enumerate(row.facts):
        kind: type = type(fact)
        names = private_fields(kind)
        if names:
            hidden[n] = set(names)
            values = {name: value for name in names if (value := getattr(fact, name)) is not None}
            if values:
                items.append({"fact": n, **values})
    body = _Body(row.incident, row.version, row.at, row.event, row.actor, row.facts)
    try:
        written = _BODY.dump_json(body, exclude={"facts": hidden} if hidden else None, warnings="error")
    except ValueError as wrong:
        raise StoreRefused(f"row {row.event} cannot be written down: {_brief(wrong)}") from wrong
    return written, encode_json({"salt": salt.hex(), "items": items}) if items else None


def decode_row(body: bytes, private: bytes | None = None) -> Row:
    """The row, its private fields filled in as far as ``private`` is there; about 10 us.

    Raises:
        StoreCorrupt: The bytes are not what was written.
    """
    try:
        read = _BODY.validate_json(body)
    except ValidationError as wrong:
        raise StoreCorrupt(f"a journal row cannot be read: {_brief(wrong)}") from wrong
    whole = read.facts if private is None else _with_private(read.facts, private)
    return Row(read.incident, read.version, read.at, read.event, read.actor, whole)


def _with_private(bare: tuple[Fact, ...], private: bytes) -> tuple[Fact, ...]:
    filled = list(bare)
    try:
        for item in decode_json(private)["items"]:
            n = item.pop("fact")
            values = {name: Position(**value) if isinstance(value, dict) else value for name, value in item.items()}
            filled[n] = replace(filled[n], **values)
    except (LookupError, TypeError, AttributeError) as wrong:
        raise StoreCorrupt("the private part of a journal row cannot be read") from wrong
    return tuple(filled)


def document_bytes(incident: Incident) -> bytes:
    """The document of an incident; replaying its facts gives the same bytes (law 8)."""
    return encode(incident)


def digest(incident: Incident) -> bytes:
    """SHA-256 of ``document_bytes``, 32 bytes."""
    return hashlib.sha256(document_bytes(incident)).digest()


def encode_policy(policy: Policy) -> bytes:
    """A policy as the JSON of its table."""
    return encode_json(policy_to_table(policy))


def decode_policy(data: bytes) -> Policy:
    """The policy that ``encode_policy`` wrote."""
    return policy_from_table(decode_json(data), "stored policy")


def _brief(wrong: ValueError) -> str:
    """What is wrong, without the value: it may be about a person."""
    if isinstance(wrong, ValidationError):
        first = wrong.errors(include_input=False, include_context=False, include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return type(wrong).__name__
