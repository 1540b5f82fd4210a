"""Logging: structlog, one line per event, without anything that tells who somebody is or where they are.

Rules of this file:
1. Whatever a caller passes, names, telephones, addresses, texts and secrets are replaced, and positions are rounded to
   two decimals (about a kilometre), at any depth. Objects are shown by their type: a repr may hold a name.
2. An exception is logged as types and places in the code. Its message is kept only where callhub or the system wrote
   it; what others write may quote the data they choked on.
3. Records of other libraries go through the same processors.

Bind ``incident_id`` with ``structlog.contextvars.bound_contextvars(incident_id=...)``.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO, cast

import structlog

from callhub.errors import CallhubError

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

HIDDEN = "[hidden]"
POSITION_DECIMALS = 2

_PERSONAL = frozenset(
    {
        "name",
        "phone",
        "address",
        "text",
        "note",
        "notes",
        "card",
        "access",
        "raw",
        "frame",
        "body",
        "private",
        "password",
        "token",
        "ticket",
        "secret",
        "authorization",
        "cookie",
    }
)
_POSITION = frozenset({"lat", "lon", "latitude", "longitude", "position", "fix", "home"})
_PLAIN = (str, bytes, bool, int, float, Enum, date, timedelta, Path, type(None))
_OWN_WORDS = (CallhubError, OSError, TypeError, AttributeError, ImportError, RuntimeError, AssertionError)
_DEPTH_MAX = 6


def configure_logs(
    level: str = "info",
    form: Literal["auto", "json", "console"] = "auto",
    stream: TextIO | None = None,
) -> None:
    """Set up logging for the process; calling it again replaces the set-up.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        form: ``console`` for people, ``json`` for machines; ``auto``: console if ``stream`` is a terminal.
        stream: Where to; standard error if None.
    """
    out = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        describe_exception,
        hide_personal,
    ]
    render: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if form == "console" or (form == "auto" and out.isatty()):
        render = structlog.dev.ConsoleRenderer(colors=out.isatty())
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for chatty in ("aiosqlite", "websockets", "uvicorn.access", "httpx", "httpcore"):
        # On debug they write statements, frames and paths word by word.
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))


def get_logger(name: str) -> FilteringBoundLogger:
    """The logger of a module, by ``__name__``. May be made before ``configure_logs`` is called."""
    return cast("FilteringBoundLogger", structlog.stdlib.get_logger(name))


def hide_personal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Processor: hide what is personal in every value, by the key it stands under."""
    kept = {key: event[key] for key in ("_record", "_from_structlog") if key in event}  # the formatter's own
    return {key: _hide(str(key), value, 0) for key, value in event.items() if key not in kept} | kept


def _hide(key: str, value: object, depth: int) -> object:
    word = key.lower().rsplit("_", 1)[-1]
    if word in _PERSONAL and value is not None and not isinstance(value, bool):
        return HIDDEN
    if isinstance(value, float | int) and not isinstance(value, bool) and word in _POSITION:
        return round(value, POSITION_DECIMALS)
    if depth < _DEPTH_MAX:
        if isinstance(value, Mapping):
            return {str(inner): _hide(str(inner), item, depth + 1) for inner, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [_hide(key, item, depth + 1) for item in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, _PLAIN):
        return value
    return f"<{type(value).__name__}>"


def describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Processor: turn ``exc_info`` into ``exception``, a text of types and places in the code."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()[1]
    elif isinstance(given, tuple):
        given = given[1]
    if isinstance(given, BaseException):
        event["exception"] = "\n".join(_exception_lines(given))
    return event


def _exception_lines(error: BaseException, indent: str = "") -> Iterator[str]:
    """The innermost cause first, as Python prints it; the members of a group are indented."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _exception_lines(before, indent)
        yield f"{indent}-- which led to --"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{indent}{frame.filename}:{frame.lineno} in {frame.name}"
    words = f": {error}" if isinstance(error, _OWN_WORDS) else ""
    yield f"{indent}{type(error).__name__}{words}"
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _exception_lines(member, f"{indent}  ")
