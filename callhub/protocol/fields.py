"""The field types that gateway and responder messages share, and how a bad field is dropped.

Rules of this file: a field says its own bounds, so that the strict and the lenient way cannot differ; what a caller
is told is one English phrase without library jargon.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from callhub.domain.people import Position
from callhub.domain.policy import EMERGENCY_KINDS, SERVICE_KINDS
from callhub.errors import InvalidMessage
from callhub.protocol.coordinates import bd09_to_wgs84, gcj02_to_wgs84

if TYPE_CHECKING:
    from collections.abc import Iterator

ID_CHARACTERS_MAX = 64
TEXT_CHARACTERS_MAX = 500
FAULTS_MAX = 16
_INSTANT_CHARACTERS_MAX = 40
_WHOLE_MAX = 2**53 - 1
"""Largest whole number that every JSON implementation reads exactly (RFC 8259, section 6)."""
_KINDS = frozenset(EMERGENCY_KINDS + SERVICE_KINDS)
_CONVERSIONS = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}


def _readable(value: str) -> str:
    if not (0 < len(value) <= ID_CHARACTERS_MAX and value.isprintable()):
        raise PydanticCustomError("readable", "1 to 64 printable characters expected")
    return value


def _instant(value: object) -> datetime:
    """An aware UTC instant from RFC 3339 text. However far away it is, it is kept: whoever reads it may judge."""
    if not isinstance(value, str) or len(value) > _INSTANT_CHARACTERS_MAX:
        raise PydanticCustomError("instant", "a time such as 2026-11-24T05:00:00Z expected")
    try:
        at = datetime.fromisoformat(value.upper())
        if at.tzinfo is None:
            raise PydanticCustomError("instant_naive", "the time needs a zone, such as Z or +08:00")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("instant", "a time such as 2026-11-24T05:00:00Z expected") from None


def _kind(value: str) -> str:
    if value not in _KINDS:
        raise PydanticCustomError("kind", "no such kind")
    return value


def _crs(value: str) -> str:
    if value not in ("wgs84", *_CONVERSIONS):
        raise PydanticCustomError("crs", "wgs84, gcj02 or bd09 expected")
    return value


Readable = Annotated[str, AfterValidator(_readable)]
"""An id: 1 to 64 printable characters."""
Instant = Annotated[datetime, PlainValidator(_instant)]
"""RFC 3339 with a zone, as aware UTC."""
Kind = Annotated[str, AfterValidator(_kind)]
"""A kind of emergency or service."""
Text = Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX)]
"""Free text, at most 500 characters."""
Whole = Annotated[int, Field(ge=0, le=_WHOLE_MAX)]
"""A count, a seq or a version."""
Battery = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""Charge from 0 (empty) to 1 (full)."""
SignalStrength = Annotated[float, Field(ge=-200, le=100, allow_inf_nan=False)]
"""Received signal strength in dBm."""


class Wire(BaseModel):
    """Base of everything that is read from a link: unknown fields are ignored, no type is guessed."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Fix(Wire):
    """A position as sent: degrees in ``crs``. 0,0 is what devices send that have no fix, so it is none."""

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    accuracy_m: Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)] | None = None
    crs: Annotated[str, AfterValidator(_crs)] | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if self.lat == 0 and self.lon == 0:
            raise PydanticCustomError("no_fix", "0,0 is no fix; send null")
        return self

    def position(self) -> Position:
        """The same place in WGS 84 degrees."""
        if self.crs in _CONVERSIONS:
            lat, lon = _CONVERSIONS[self.crs](self.lat, self.lon)
            return Position(lat, lon, self.accuracy_m)
        return Position(self.lat, self.lon, self.accuracy_m)


W = TypeVar("W", bound=Wire)


def validate_dropping(model: type[W], values: dict[str, Any], droppable: frozenset[str]) -> tuple[W, tuple[str, ...]]:
    """Validate ``values``; each wrong field that may be dropped is dropped and named, dotted, in order.

    ``droppable`` holds dotted names. Of a wrong ``position.lat`` the longest droppable part goes: ``position`` here,
    because half a position is none; but of a wrong ``position.accuracy_m`` only that, when it is listed itself.

    Raises:
        InvalidMessage: a field is wrong or missing that may not be dropped; names it.
    """
    dropped: list[str] = []
    while True:
        try:
            return model.model_validate(values), tuple(dropped)
        except ValidationError as refused:
            for name, why in _complaints(refused):
                parts = name.split(".")
                heads = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
                gone = next((head for head in heads if head in droppable), None)
                if gone is None:
                    raise InvalidMessage(name, why) from None
                dropped.append(name)
                values = _without(values, gone.split("."))


def _complaints(refused: ValidationError) -> Iterator[tuple[str, str]]:
    for error in refused.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(part) for part in error["loc"])
        yield name, error["msg"][:1].lower() + error["msg"][1:]


def _without(values: dict[str, Any], path: list[str]) -> dict[str, Any]:
    """A copy without the field at ``path``; what is not there is already gone."""
    head, rest = path[0], path[1:]
    copy = dict(values)
    if rest and isinstance(copy.get(head), dict):
        copy[head] = _without(copy[head], rest)
    else:
        copy.pop(head, None)
    return copy
