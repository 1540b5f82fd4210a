"""A roll-call: after a gap in which presses may have been missed, every home it could concern is checked.

Rules of this file: records only. Homes are the ids of elders. How a roll-call is carried out is
``dispatch.roll_calls``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from callhub.domain.people import Elder

ROLL_CALL = "roll_call"
"""Kind of the technical incident that holds one roll-call."""
HOME_CHECK = "home_check"
"""Kind of the technical incident in which people see to one home of it."""
RISKY_DAYS = 30
"""An emergency that was open within so many days before the end of a gap makes a home more urgent to check."""


class Cause(StrEnum):
    """What the gap was: the server did not run, a gateway or an area was silent, or a person asks."""

    SERVER = "server"
    GATEWAY = "gateway"
    AREA = "area"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which presses may have been missed, and where: everywhere, behind one gateway, or in one area."""

    since: datetime
    until: datetime
    gateway: str | None = None
    area: str | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """One home as the directory knows it now. ``elder`` None: not there, or (not ``readable``) spoilt on disk."""

    id: str
    elder: Elder | None = None
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """The homes of a gap, most at risk first; ``pressed`` are those whose elder reached us since it ended."""

    waiting: tuple[str, ...] = ()
    pressed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RollCall:
    """How far a roll-call has got.

    ``listed``: its homes are known; not yet at first, and anew when the gap grows. ``waiting`` are homes to check, most
    at risk first; ``open`` those being checked, each with its incident; ``checked`` counts the others. A home that was
    checked before its gap grew is checked, and counted, again.
    """

    cause: Cause
    gap: Gap
    listed: bool = False
    waiting: tuple[str, ...] = ()
    open: tuple[tuple[str, str], ...] = ()
    checked: int = 0

    @property
    def homes(self) -> int:
        """How many homes there are to check, done or not."""
        return self.checked + len(self.open) + len(self.waiting)

    @property
    def is_done(self) -> bool:
        """Whether every home is checked."""
        return self.listed and not self.waiting and not self.open

    def check_of(self, home: str) -> str | None:
        """The incident in which people see to this home now, or None."""
        return next((check for id, check in self.open if id == home), None)
