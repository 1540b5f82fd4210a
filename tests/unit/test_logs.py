"""Logs: one line per event, and nothing in them that tells who somebody is or where they are."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from callhub.errors import NotAssigned
from callhub.logs import HIDDEN, configure_logs, get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = ("李奶奶", "13820000000", "富源里", "door code 4711", "CARD1", "s3cret", "39.0812", "117.2277")
EMPTY: dict[str, int] = {}


@dataclass
class Person:
    name: str


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def out() -> io.StringIO:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    return stream


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_json_with_what_was_bound(out: io.StringIO) -> None:
    log = get_logger("callhub.hub")
    with structlog.contextvars.bound_contextvars(incident_id="i-1"):
        log.info("offer_made", responder="V-1", distance_m=230, ok=True, none=None)
    log.info("idle")
    first, second = lines(out)
    assert first | {"timestamp": ""} == {
        "event": "offer_made",
        "level": "info",
        "logger": "callhub.hub",
        "incident_id": "i-1",
        "responder": "V-1",
        "distance_m": 230,
        "ok": True,
        "none": None,
        "timestamp": "",
    }
    assert first["timestamp"].endswith("Z")
    assert "incident_id" not in second


def test_nothing_personal_is_written_at_any_depth(out: io.StringIO) -> None:
    elder = {"name": "李奶奶", "phone": "13820000000", "address": "富源里 3", "access": "door code 4711", "id": "E-1"}
    get_logger("t").warning(
        "everything",
        elder=elder,
        alarms=[{"raw": "李奶奶", "text": "李奶奶", "position": {"lat": 39.0812, "lon": 117.2277}}],
        elder_name="李奶奶",
        proof={"card": "CARD1"},
        password="s3cret",
        api_token="s3cret",
        home=(39.0812, 117.2277),
        lat=39.0812,
        person=Person("李奶奶"),
        blob="李奶奶".encode(),
        deep={"a": {"b": {"c": {"d": {"e": {"f": {"g": "李奶奶"}}}}}}},
    )
    written = out.getvalue()
    for secret in SECRETS:
        assert secret not in written
    line = lines(out)[0]
    assert line["elder"] == dict.fromkeys(elder, HIDDEN) | {"id": "E-1"}
    assert line["alarms"][0]["position"] == {"lat": 39.08, "lon": 117.23}
    assert line["home"] == [39.08, 117.23]
    assert (line["person"], line["blob"]) == ("<Person>", "9 bytes")


def test_an_exception_shows_types_and_places_but_no_foreign_words(out: io.StringIO) -> None:
    def look_up() -> None:
        try:
            EMPTY["李奶奶"]
        except KeyError as missing:
            raise ExceptionGroup("of 李奶奶", [NotAssigned("i-1", "V-1"), ValueError("13820000000")]) from missing

    try:
        look_up()
    except ExceptionGroup:
        get_logger("t").exception("failed")
    (line,) = lines(out)
    told = line["exception"].splitlines()
    assert [part for part in told if ".py:" not in part] == [
        "KeyError",
        "-- which led to --",
        "ExceptionGroup",
        "  NotAssigned: responder V-1 has no live assignment in incident i-1",
        "  ValueError",
    ]
    assert any("test_logs.py" in part and part.endswith("in look_up") for part in told)
    assert not any(secret in out.getvalue() for secret in SECRETS)


def test_an_exception_may_be_handed_over(out: io.StringIO) -> None:
    error = OSError(5, "Input/output error")
    get_logger("t").error("failed", exc_info=error)
    get_logger("t").error("nothing under way", exc_info=True)
    first, second = lines(out)
    assert first["exception"] == "OSError: [Errno 5] Input/output error"
    assert "exception" not in second


def test_a_suppressed_context_is_not_shown(out: io.StringIO) -> None:
    try:
        try:
            EMPTY["x"]
        except KeyError:
            raise RuntimeError("clean") from None
    except RuntimeError:
        get_logger("t").exception("failed")
    assert "KeyError" not in lines(out)[0]["exception"]


def test_records_of_other_libraries_take_the_same_way(out: io.StringIO) -> None:
    foreign = logging.getLogger("websockets.server")
    foreign.info("too chatty")
    foreign.warning("closed %d links", 3)
    try:
        raise ValueError("李奶奶")
    except ValueError:
        foreign.exception("handler failed", extra={"name_of": 1})
    closed, failed = lines(out)
    assert (closed["event"], closed["level"], closed["logger"]) == ("closed 3 links", "warning", "websockets.server")
    assert failed["exception"].endswith("ValueError")
    assert "李奶奶" not in out.getvalue()


def test_level_and_form() -> None:
    stream = io.StringIO()
    configure_logs("warning", "auto", stream)
    log = get_logger("t")
    log.info("quiet")
    log.warning("loud %s", "word")
    assert [line["event"] for line in lines(stream)] == ["loud word"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_people_at_a_terminal_get_a_readable_line() -> None:
    stream = Terminal()
    configure_logs(stream=stream)
    get_logger("t").info("ready", port=8701, elder_name="李奶奶")
    assert "ready" in stream.getvalue()
    assert "李奶奶" not in stream.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(stream.getvalue())
