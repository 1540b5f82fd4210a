"""Every error callhub raises on purpose, in one tree.

    CallhubError
    ├── Refusal                what a caller did that cannot be done; answered, never logged as a fault
    │   ├── InvalidMessage     invalid_message     a field is missing, wrong or out of bounds
    │   ├── UnknownType        unknown_type        no such message
    │   ├── TooLarge           too_large           more bytes than allowed
    │   ├── UnknownOffer       unknown_offer       no such offer for this person
    │   ├── OfferNotOpen       offer_not_open      withdrawn or declined
    │   ├── NotAssigned        not_assigned        this person has no live assignment there
    │   ├── AlreadyAssigned    already_assigned    this person's capacity is full
    │   ├── IllegalTransition  illegal_transition  the state does not allow it
    │   ├── NotAllowed         not_allowed         known, but without the right
    │   ├── NotFound           not_found           no such thing, or outside the caller's area
    │   ├── Unauthenticated    unauthenticated     no or wrong credentials
    │   ├── Conflict           conflict            somebody was first, or something stands in the way
    │   ├── Overloaded         overloaded          try again later; never answers an alarm or an acceptance
    │   └── InternalError      internal            our own exception, told to a caller without details
    ├── ConfigError            a configuration or policy file cannot be used; names the file and the key
    ├── ImportRejected         rows of a CSV file are wrong; holds every one of them
    ├── StoreError             the store could not do its work
    │   ├── StoreUnavailable   it cannot be opened or reached; nothing was written
    │   ├── StoreRefused       a constraint refused the batch; nothing was written
    │   ├── StoreCorrupt       stored bytes are not what was written
    │   └── DatabaseHeld       another server holds the database; names its process
    └── EngineFault            the engine broke its own rules: a defect, not something a caller did

Rules of this file: errors carry data (``data``, ``field``) and compose ``message`` from it; codes are stable and are
the only part a program may compare. ``message`` is English for logs and integrators; people read the catalogue's
text for ``error.<code>``. Names, phones and positions never go into ``data``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ErrorCode(StrEnum):
    """The stable codes on links, in problem documents, in logs and as metric labels."""

    INVALID_MESSAGE = "invalid_message"
    UNKNOWN_TYPE = "unknown_type"
    TOO_LARGE = "too_large"
    UNKNOWN_OFFER = "unknown_offer"
    OFFER_NOT_OPEN = "offer_not_open"
    NOT_ASSIGNED = "not_assigned"
    ALREADY_ASSIGNED = "already_assigned"
    ILLEGAL_TRANSITION = "illegal_transition"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    UNAUTHENTICATED = "unauthenticated"
    CONFLICT = "conflict"
    OVERLOADED = "overloaded"
    INTERNAL = "internal"


HTTP_STATUS: Mapping[ErrorCode, int] = MappingProxyType(
    {
        ErrorCode.UNAUTHENTICATED: 401,
        ErrorCode.NOT_ALLOWED: 403,
        ErrorCode.NOT_FOUND: 404,
        ErrorCode.UNKNOWN_OFFER: 404,
        ErrorCode.ILLEGAL_TRANSITION: 409,
        ErrorCode.OFFER_NOT_OPEN: 409,
        ErrorCode.NOT_ASSIGNED: 409,
        ErrorCode.ALREADY_ASSIGNED: 409,
        ErrorCode.CONFLICT: 409,
        ErrorCode.TOO_LARGE: 413,
        ErrorCode.INVALID_MESSAGE: 422,
        ErrorCode.UNKNOWN_TYPE: 422,
        ErrorCode.INTERNAL: 500,
        ErrorCode.OVERLOADED: 503,
    }
)
"""HTTP status of each code. A ``Conflict`` with a precondition answers 412 or 428: use ``error.http_status``."""


class CallhubError(Exception):
    """Base of the tree.

    Attributes:
        code: Stable code; ``internal`` for errors that never answer a caller.
        message: One English line composed from ``data``.
        field: Dotted name of the wrong field or key (``position.lat``, ``step[2].level``), or None.
        data: What the message was composed from, by name.
    """

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(self, message: str, *, field: str | None = None, **data: object) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.data: Mapping[str, object] = data

    @property
    def http_status(self) -> int:
        """The HTTP status that answers this error."""
        return HTTP_STATUS[self.code]


class Refusal(CallhubError):
    """What a caller did that cannot be done. It changed nothing; the caller is answered with ``code``."""


class InvalidMessage(Refusal):
    """A field is missing, wrong or out of bounds: ``device: field required``."""

    code = ErrorCode.INVALID_MESSAGE

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}", field=field, why=why)


class UnknownType(Refusal):
    """A message of a type that this link does not know."""

    code = ErrorCode.UNKNOWN_TYPE

    def __init__(self, type_: str) -> None:
        super().__init__(f"unknown message type {type_!r}", field="type", type=type_)


class TooLarge(Refusal):
    """More bytes than allowed."""

    code = ErrorCode.TOO_LARGE

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"larger than the {bytes_max} bytes allowed", bytes_max=bytes_max)


class UnknownOffer(Refusal):
    """No such offer was made to this person."""

    code = ErrorCode.UNKNOWN_OFFER

    def __init__(self, offer: str) -> None:
        super().__init__(f"no offer {offer} for this responder", field="offer", offer=offer)


class OfferNotOpen(Refusal):
    """The offer was withdrawn or declined, so it can no longer be answered."""

    code = ErrorCode.OFFER_NOT_OPEN

    def __init__(self, offer: str, state: str) -> None:
        super().__init__(f"offer {offer} is {state}, it cannot be answered any more", offer=offer, state=state)


class NotAssigned(Refusal):
    """The responder has no live assignment in that incident."""

    code = ErrorCode.NOT_ASSIGNED

    def __init__(self, incident: str, responder: str) -> None:
        super().__init__(
            f"responder {responder} has no live assignment in incident {incident}",
            incident=incident,
            responder=responder,
        )


class AlreadyAssigned(Refusal):
    """The responder's capacity is full."""

    code = ErrorCode.ALREADY_ASSIGNED

    def __init__(self, responder: str) -> None:
        super().__init__(f"responder {responder} already holds as many assignments as allowed", responder=responder)


class IllegalTransition(Refusal):
    """The state of an entity does not allow an event. ``entity``: ``incident offer assignment whistle``."""

    code = ErrorCode.ILLEGAL_TRANSITION

    def __init__(self, entity: str, state: str, event: str) -> None:
        super().__init__(
            f"{event} is not possible while the {entity} is {state}", entity=entity, state=state, event=event
        )


class NotAllowed(Refusal):
    """The caller is known but has not the right. ``why`` names the right that is missing."""

    code = ErrorCode.NOT_ALLOWED

    def __init__(self, why: str) -> None:
        super().__init__(f"not allowed: {why}", why=why)


class NotFound(Refusal):
    """No such thing, or it lies outside what the caller may see; the two are not told apart."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, what: str, id_: str) -> None:
        super().__init__(f"no {what} {id_}", what=what, id=id_)


class Unauthenticated(Refusal):
    """No or wrong credentials. ``why`` never contains them."""

    code = ErrorCode.UNAUTHENTICATED

    def __init__(self, why: str = "a valid token or session is needed") -> None:
        super().__init__(why, why=why)


class Conflict(Refusal):
    """Somebody was first, or something stands in the way.

    Args:
        reason: What stands in the way, as a sentence.
        by: Who was first, as the caller may see them, or None.
        version: The version that holds now, or None.
        precondition: ``"version"``: the version named by the caller is old (HTTP 412); ``"needed"``: a version must
            be named and was not (HTTP 428); None: any other conflict (HTTP 409).
    """

    code = ErrorCode.CONFLICT

    def __init__(
        self,
        reason: str,
        *,
        by: str | None = None,
        version: int | None = None,
        precondition: Literal["version", "needed"] | None = None,
    ) -> None:
        first = f" (by {by})" if by else ""
        holds = f"; the version is now {version}" if version is not None else ""
        super().__init__(f"{reason}{first}{holds}", reason=reason, by=by, version=version)
        self.precondition = precondition

    @property
    def http_status(self) -> int:
        """409, or 412 and 428 where a precondition failed or was missing."""
        return {"version": 412, "needed": 428, None: 409}[self.precondition]


class Overloaded(Refusal):
    """Too much work at once; try again after ``retry_after_s`` seconds. Never answers an alarm or an acceptance."""

    code = ErrorCode.OVERLOADED

    def __init__(self, retry_after_s: float = 1.0) -> None:
        super().__init__(f"too busy, try again in {retry_after_s:g} s", retry_after_s=retry_after_s)


class InternalError(Refusal):
    """Our own exception, told to a caller without its details; ``reference`` finds it in the log."""

    code = ErrorCode.INTERNAL

    def __init__(self, reference: str | None = None) -> None:
        where = f", reference {reference}" if reference else ""
        super().__init__(f"callhub failed to do this{where}; the administrator's log says why", reference=reference)


class ConfigError(CallhubError):
    """A configuration or policy file cannot be used.

    Args:
        file: The file as the administrator named it, or ``environment``.
        key: The key in it (``step[2].level``); empty when the whole file is meant.
        why: What is wrong and what to write instead.
    """

    def __init__(self, file: str, key: str, why: str) -> None:
        where = f"{file}: {key}" if key else file
        super().__init__(f"{where}: {why}", field=key or None, file=file, key=key, why=why)


@dataclass(frozen=True, slots=True)
class RowError:
    """One bad cell of a CSV file: ``line`` counts from 1 with the header, ``column`` is the header's name."""

    line: int
    column: str
    why: str


class ImportRejected(CallhubError):
    """Rows of a CSV file are wrong, and nothing was imported. ``rows`` has every bad cell, in the file's order."""

    code = ErrorCode.INVALID_MESSAGE

    def __init__(self, file: str, rows: Sequence[RowError]) -> None:
        self.rows = tuple(rows)
        cells = "1 cell needs" if len(self.rows) == 1 else f"{len(self.rows)} cells need"
        lines = [f"{file}: nothing was imported, {cells} a correction"]
        lines += [f"  line {row.line}, {row.column}: {row.why}" for row in self.rows]
        super().__init__("\n".join(lines), file=file)


class StoreError(CallhubError):
    """The store could not do its work. ``why`` is the database's own words, without data of people."""

    def __init__(self, why: str, **data: object) -> None:
        super().__init__(why, field=None, why=why, **data)


class StoreUnavailable(StoreError):
    """The store cannot be opened or reached; nothing was written."""


class StoreRefused(StoreError):
    """A constraint refused the batch; nothing of it was written."""


class StoreCorrupt(StoreError):
    """Stored bytes are not what was written, or cannot be read back."""


class DatabaseHeld(StoreError):
    """Another server holds the database; a second one would answer the same alarms twice."""

    code = ErrorCode.CONFLICT

    def __init__(self, pid: int) -> None:
        super().__init__(f"the database is held by process {pid}; stop that server first", pid=pid)


class EngineFault(CallhubError):
    """The engine broke one of its own rules: a defect in callhub, to be reported with the log."""

    def __init__(self, why: str, **data: object) -> None:
        super().__init__(f"engine fault: {why}", field=None, why=why, **data)
