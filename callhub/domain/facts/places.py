"""Whose case it is and where, when that became known or moved later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callhub.domain.facts.fields import private
from callhub.domain.family import Relative
from callhub.domain.people import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class ElderIdentified:
    """An incident without an elder got one."""

    fact: Literal["elder_identified"] = "elder_identified"
    elder: str
    area: tuple[str, ...]
    paired: tuple[str, ...] = ()
    family: tuple[Relative, ...] = ()
    address: str | None = private()
    home: Position | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeMoved:
    """An import changed the elder's home, or whose device it is, while the case is open; both are shown."""

    fact: Literal["home_moved"] = "home_moved"
    what: str
    address: str | None = private()
    home: Position | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyChanged:
    """An import changed the elder's contacts while the case is open; ``family`` are those it has now."""

    fact: Literal["family_changed"] = "family_changed"
    family: tuple[Relative, ...] = ()
