"""The error tree: stable codes, statuses, data and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from callhub import errors
from callhub.errors import (
    HTTP_STATUS,
    AlreadyAssigned,
    CallhubError,
    ConfigError,
    Conflict,
    DatabaseHeld,
    EngineFault,
    ErrorCode,
    IllegalTransition,
    ImportRejected,
    InternalError,
    InvalidMessage,
    NotAllowed,
    NotAssigned,
    NotFound,
    OfferNotOpen,
    Overloaded,
    Refusal,
    RowError,
    StoreCorrupt,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    TooLarge,
    Unauthenticated,
    UnknownOffer,
    UnknownType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTRACT = [
    "invalid_message",
    "unknown_type",
    "too_large",
    "unknown_offer",
    "offer_not_open",
    "not_assigned",
    "already_assigned",
    "illegal_transition",
    "not_allowed",
    "not_found",
    "unauthenticated",
    "conflict",
    "overloaded",
    "internal",
]

REFUSALS: list[Refusal] = [
    InvalidMessage("position.lat", "must be within -90 and 90"),
    UnknownType("alram"),
    TooLarge(16384),
    UnknownOffer("i-1-2"),
    OfferNotOpen("i-1-2", "withdrawn"),
    NotAssigned("i-1", "V-1"),
    AlreadyAssigned("V-1"),
    IllegalTransition("incident", "closed", "cancel"),
    NotAllowed("role operator is needed"),
    NotFound("incident", "i-9"),
    Unauthenticated(),
    Conflict("an alarm has joined"),
    Overloaded(2.5),
    InternalError("i-7"),
]


def _descendants(of: type[CallhubError]) -> Iterator[type[CallhubError]]:
    for child in of.__subclasses__():
        yield child
        yield from _descendants(child)


def test_codes_are_exactly_those_of_the_protocol() -> None:
    assert [str(code) for code in ErrorCode] == CONTRACT


def test_each_code_has_exactly_one_refusal() -> None:
    assert sorted(type(error).code for error in REFUSALS) == sorted(ErrorCode)
    assert {type(error) for error in REFUSALS} == set(_descendants(Refusal))


def test_each_code_has_a_status() -> None:
    assert set(HTTP_STATUS) == set(ErrorCode)
    assert [HTTP_STATUS[ErrorCode(code)] for code in ("conflict", "invalid_message", "overloaded")] == [409, 422, 503]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_message_is_composed_from_the_data(error: Refusal) -> None:
    assert str(error) == error.message
    for value in error.data.values():
        if value is not None:
            assert f"{value:g}" in error.message if isinstance(value, float) else str(value) in error.message
    assert error.http_status == HTTP_STATUS[error.code]


def test_invalid_message_names_its_field() -> None:
    error = InvalidMessage("device", "field required")
    assert (error.field, error.message) == ("device", "device: field required")


@pytest.mark.parametrize(("precondition", "status"), [("version", 412), ("needed", 428), (None, 409)])
def test_conflict_status_follows_its_precondition(precondition: object, status: int) -> None:
    assert Conflict("late", precondition=precondition).http_status == status  # type: ignore[arg-type]  # parametrised


def test_conflict_says_who_was_first_and_what_holds_now() -> None:
    assert (
        Conflict("already taken over", by="wang", version=7).message
        == "already taken over (by wang); the version is now 7"
    )
    assert Conflict("a whistle is open").message == "a whistle is open"


def test_internal_error_tells_a_reference_and_no_details() -> None:
    assert InternalError().message == "callhub failed to do this; the administrator's log says why"
    assert "reference i-7" in InternalError("i-7").message


def test_config_error_names_file_and_key() -> None:
    error = ConfigError("policies/night.toml", "step[2].level", "write one of district, street, community, grid")
    assert error.message.startswith("policies/night.toml: step[2].level: ")
    assert error.field == "step[2].level"
    assert ConfigError("callhub.toml", "", "cannot be read").message == "callhub.toml: cannot be read"


def test_import_rejected_lists_every_cell() -> None:
    error = ImportRejected("elders.csv", [RowError(2, "lat", "not a number"), RowError(9, "area", "no area HX-9")])
    assert [row.line for row in error.rows] == [2, 9]
    assert error.message.splitlines()[1:] == ["  line 2, lat: not a number", "  line 9, area: no area HX-9"]


def test_store_errors_share_a_parent_and_are_no_refusals() -> None:
    for kind in (StoreUnavailable, StoreRefused, StoreCorrupt):
        assert isinstance(kind("disk I/O error"), StoreError)
    assert DatabaseHeld(4711).data["pid"] == 4711
    assert "4711" in DatabaseHeld(4711).message
    assert not issubclass(StoreError, Refusal)
    assert EngineFault("no deadline", incident="i-1").http_status == 500


def test_the_docstring_is_the_tree() -> None:
    text = errors.__doc__ or ""
    for kind in _descendants(CallhubError):
        if kind.__module__ == errors.__name__:
            assert f" {kind.__name__} " in text, kind
