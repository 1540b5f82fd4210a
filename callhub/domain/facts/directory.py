"""What happened to people, devices and records; never part of an incident."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyChanged:
    """A responder went on or off duty; not part of any incident. ``cause``: ``presence until_over disabled import``."""

    fact: Literal["duty_changed"] = "duty_changed"
    responder: str
    available: bool
    until: datetime | None = None
    cause: str = "presence"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRecorded:
    """A quiet test of a device that is on test; not part of any incident."""

    fact: Literal["test_recorded"] = "test_recorded"
    gateway: str
    device: str
    alarm: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TestWindowOpened:
    """A device is on test until then; not part of any incident."""

    fact: Literal["test_window_opened"] = "test_window_opened"
    device: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryChanged:
    """People, devices, areas, users, tokens or policies changed; not part of any incident. ``counts`` by kind."""

    fact: Literal["directory_changed"] = "directory_changed"
    what: str
    counts: dict[str, int] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
