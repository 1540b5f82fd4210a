"""People, their devices and the areas they live in.

Rules of this file: records only, frozen, exactly as an administrator imported them; nothing here decides.
Positions are WGS 84 degrees; "no position" is ``None``, never 0,0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from callhub.domain.call_back import CallFirst
from callhub.domain.family import FamilyContact

if TYPE_CHECKING:
    from datetime import datetime

    from callhub.domain.policy import Level


class ResponderKind(StrEnum):
    """What a responder is; a kind, not a subclass."""

    VOLUNTEER = "volunteer"
    CAREGIVER = "caregiver"
    GRID_WORKER = "grid_worker"
    DESK = "desk"
    DEPARTMENT = "department"


class ActorKind(StrEnum):
    """Who or what caused an event."""

    USER = "user"
    API = "api"
    RESPONDER = "responder"
    GATEWAY = "gateway"
    SYSTEM = "system"


class Role(StrEnum):
    """What a console user or an ``api`` token may do, weakest first."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Position in the order viewer < operator < supervisor < admin, 0..3."""
        return list(Role).index(self)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted: kind and id, and for people the role and the area whose subtree they see (None: all)."""

    kind: ActorKind
    id: str
    role: Role | None = None
    area: str | None = None

    @property
    def is_human(self) -> bool:
        """A user, or an ``api`` token of role operator or above, whose acts count as human."""
        if self.kind is ActorKind.API:
            return self.role is not None and self.role.rank >= Role.OPERATOR.rank
        return self.kind is ActorKind.USER

    def covers(self, area: tuple[str, ...]) -> bool:
        """Whether an incident with this area path lies in the actor's subtree; no area is visible to all."""
        return self.area is None or not area or self.area in area


SYSTEM = Actor(ActorKind.SYSTEM, "callhub")


@dataclass(frozen=True, slots=True)
class Position:
    """A place on earth: WGS 84 degrees, accuracy in metres or None when unknown."""

    lat: float
    lon: float
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """A node of the tree district > street > community > grid; ``parent`` is None at the top."""

    id: str
    parent: str | None
    level: Level
    name: str
    position: Position | None


@dataclass(frozen=True, slots=True)
class Elder:
    """The person protected.

    ``area`` is the path of area ids from the district down. ``position`` is the home; when the import had none it is
    the nearest ancestor area's centre and ``position_source`` says ``grid`` instead of ``home``. ``call_first`` is
    what a person set; an import neither brings nor removes it. ``family`` is filled by the hub for events alone: it
    is no part of the record.
    """

    id: str
    name: str
    area: tuple[str, ...] = ()
    address: str = ""
    position: Position | None = None
    position_source: str = "home"
    phone: str = ""
    card: str = ""
    language: str = "zh"
    paired: tuple[str, ...] = ()
    access: str = ""
    notes: str = ""
    active: bool = True
    call_first: CallFirst | None = None
    family: tuple[FamilyContact, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """A button or sensor. ``test_until``: alarms that say ``test`` are quiet until then."""

    id: str
    elder: str | None = None
    gateway: str | None = None
    kind: str = "button"
    phone: str = ""
    heartbeat_s: int = 0
    mobile: bool = False
    active: bool = True
    test_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Supervised:
    """What supervision needs to know of a device: where it belongs and how long it may be silent.

    ``area`` is the path of its elder's areas from the district down. ``heartbeat_s`` 0: not supervised any more.
    ``heard_at`` is its last sign of life, ``watched_at`` the instant from which its silence counts at the earliest,
    ``lost_at`` when its silence was last reported; each None when that never happened.
    """

    device: str
    heartbeat_s: int
    gateway: str | None = None
    elder: str | None = None
    area: tuple[str, ...] = ()
    heard_at: datetime | None = None
    watched_at: datetime | None = None
    lost_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Responder:
    """Somebody (or a desk, or a department) who can be asked.

    ``area`` is the path of area ids from the district down, ``level`` the level of its last one. ``capacity`` is the
    number of live emergency assignments at the same time; None means no limit (desks, departments).
    """

    id: str
    name: str
    kind: ResponderKind
    area: tuple[str, ...] = ()
    level: str | None = None
    position: Position | None = None
    position_source: str = "home"
    phone: str = ""
    skills: tuple[str, ...] = ()
    capacity: int | None = 1
    hours: str = ""
    channels: tuple[str, ...] = ("app",)
    language: str = "zh"
    active: bool = True


@dataclass(frozen=True, slots=True)
class Duty:
    """What a responder said of being available; lasts through link loss and restarts. ``until`` is aware, or None."""

    responder: str
    available: bool
    until: datetime | None = None
