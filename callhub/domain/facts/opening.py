"""How a case began, and each signal that asked for help."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from callhub.domain.facts.fields import private
from callhub.domain.family import Relative
from callhub.domain.incident import Source
from callhub.domain.people import Position
from callhub.domain.policy import IncidentClass


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOpened:
    """A case began. ``policy`` is the id of the frozen ladder; ``reason`` is a code such as ``engine_error``.

    ``part_of``: the roll-call that a home check belongs to.
    """

    fact: Literal["incident_opened"] = "incident_opened"
    number: int
    class_: IncidentClass
    kind: str
    urgency: int
    source: Source
    policy: str
    needed: int
    gateway: str | None = None
    device: str | None = None
    device_known: bool | None = None
    elder: str | None = None
    area: tuple[str, ...] = ()
    paired: tuple[str, ...] = ()
    family: tuple[Relative, ...] = ()
    says_test: bool = False
    follows: str | None = None
    part_of: str | None = None
    reason: str | None = None
    text: str | None = private()
    phone: str | None = private()
    address: str | None = private()
    home: Position | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRecorded:
    """A signal that asks for help became part of this incident; ``joined`` when the incident was there before."""

    fact: Literal["alarm_recorded"] = "alarm_recorded"
    id: str
    gateway: str | None = None
    device: str | None = None
    kind: str
    received_at: datetime
    at: datetime | None = None
    joined: bool = False
    says_test: bool = False
    device_known: bool | None = None
    battery: float | None = None
    ignored: tuple[str, ...] = ()
    text: str | None = private()
    position: Position | None = private()
    raw: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMadeUrgent:
    """A more urgent alarm put the incident on its own ladder, at the first step."""

    fact: Literal["alarm_made_urgent"] = "alarm_made_urgent"
    kind: str
    urgency: int
    policy: str
    needed: int
    class_: IncidentClass
