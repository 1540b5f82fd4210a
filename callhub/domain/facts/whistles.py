"""Departments being called to an incident, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from callhub.domain.facts.fields import private


@dataclass(frozen=True, slots=True, kw_only=True)
class WhistleCalled:
    """A department was called; its two clocks in seconds, and when they end."""

    fact: Literal["whistle_called"] = "whistle_called"
    whistle: str
    department: str
    report_in_s: int
    finish_s: int
    report_in_by: datetime
    finish_by: datetime
    text: str | None = private()
    reason: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class WhistleReported:
    """The department reported in, late or not; ``via`` is ``app``, ``telephone`` or another way."""

    fact: Literal["whistle_reported"] = "whistle_reported"
    whistle: str
    department: str
    via: str = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhistleMissed:
    """A clock ran out: ``what`` is ``not_reported`` or ``not_finished``."""

    fact: Literal["whistle_missed"] = "whistle_missed"
    whistle: str
    department: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhistleRefused:
    """The department will not do it, or not any more."""

    fact: Literal["whistle_refused"] = "whistle_refused"
    whistle: str
    department: str
    via: str = "app"
    reason: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentMoved:
    """A department that reported in is ``en_route`` or ``on_scene``; told to people, it changes no state."""

    fact: Literal["department_moved"] = "department_moved"
    whistle: str
    department: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhistleFinished:
    """The department says that it is done; that counts once it is confirmed."""

    fact: Literal["whistle_finished"] = "whistle_finished"
    whistle: str
    department: str
    outcome: str
    note: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class WhistleConfirmed:
    """Whoever calls departments found it done."""

    fact: Literal["whistle_confirmed"] = "whistle_confirmed"
    whistle: str
    department: str
    reason: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class WhistleReturned:
    """Not done yet: the department has a new clock, in seconds, and when it ends."""

    fact: Literal["whistle_returned"] = "whistle_returned"
    whistle: str
    department: str
    finish_s: int
    finish_by: datetime
    reason: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class WhistleWithdrawn:
    """Called off, by a supervisor with a reason or by callhub with a ``code``: ``cancelled disabled``."""

    fact: Literal["whistle_withdrawn"] = "whistle_withdrawn"
    whistle: str
    department: str
    code: str | None = None
    reason: str | None = private()
