"""Who lives where and who presses when: the same for every ladder.

Rules of this file: the presses depend on the seed alone, the people on the seed and the density.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from callhub.dispatch.geo import M_PER_DEGREE
from callhub.dispatch.rules import Rules
from callhub.domain.people import Duty, Elder, Position, Responder, ResponderKind
from callhub.lab.behaviour import Behaviour, draw_behaviour
from callhub.lab.ladders import RING_M

if TYPE_CHECKING:
    from collections.abc import Mapping

CENTRE = Position(39.08, 117.22)
"""Somewhere in Hexi; only the latitude matters."""
SIDE_M = 4000.0
"""Homes lie in a square of this side, responders in one that is wider by the ring on each side."""
GAP_S = 600.0
"""Mean time between two presses, exponential. Assumed: about nine a day on a square kilometre, busy for a district."""
STARTED_AT = datetime(2026, 11, 24, tzinfo=UTC)
RULES = Rules(timezone=ZoneInfo("Asia/Shanghai"))
AREA = ("D", "S", "C")
LEVELS = ("district", "street", "community")


@dataclass(frozen=True, slots=True)
class Press:
    """One press of a button. ``position`` is the device's own; ``elder`` is whom it belongs to."""

    id: str
    at: datetime
    kind: str = "sos"
    elder: Elder | None = None
    device: str = ""
    gateway: str = "GW"
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class District:
    """Presses in order of time, the people around them, and how those behave (by id; desks have no behaviour).

    ``duties`` hold at ``started_at``; ``changes`` are what people said later, in order of time.
    """

    started_at: datetime
    density_per_km2: float
    presses: tuple[Press, ...]
    responders: tuple[Responder, ...]
    behaviours: Mapping[str, Behaviour]
    duties: tuple[Duty, ...] = ()
    changes: tuple[tuple[datetime, Duty], ...] = ()
    rules: Rules = RULES


def make_district(seed: int, incidents: int, density_per_km2: float) -> District:
    """Draw a district.

    Args:
        seed: The same seed gives the same district.
        incidents: Presses, one in each home.
        density_per_km2: Volunteers on a square kilometre, all on duty.
    """
    chance = random.Random(f"{seed}|people|{density_per_km2:g}")
    across_m = SIDE_M + 2 * RING_M
    people = tuple(
        Responder(
            id=f"V-{n:05d}",
            name=f"V-{n:05d}",
            kind=ResponderKind.VOLUNTEER,
            area=AREA,
            level=LEVELS[-1],
            position=_somewhere(chance, across_m),
        )
        for n in range(max(1, round(density_per_km2 * across_m**2 / 1e6)))
    )
    return District(
        started_at=STARTED_AT,
        density_per_km2=density_per_km2,
        presses=tuple(_presses(random.Random(f"{seed}|presses"), incidents)),
        responders=(*people, *desks()),
        behaviours={person.id: draw_behaviour(chance) for person in people},
        duties=tuple(Duty(person.id, available=True) for person in people),
    )


def desks() -> tuple[Responder, ...]:
    """The duty desks above every home; they are there, and nobody at them answers."""
    return tuple(
        Responder(
            id=f"DESK-{AREA[n]}",
            name=f"DESK-{AREA[n]}",
            kind=ResponderKind.DESK,
            area=AREA[: n + 1],
            level=level,
            capacity=None,
        )
        for n, level in enumerate(LEVELS)
    )


def _presses(chance: random.Random, incidents: int) -> list[Press]:
    at = STARTED_AT
    presses: list[Press] = []
    for n in range(1, incidents + 1):
        at += timedelta(seconds=chance.expovariate(1 / GAP_S))
        home = Elder(id=f"E-{n:06d}", name=f"E-{n:06d}", area=AREA, position=_somewhere(chance, SIDE_M))
        presses.append(Press(id=f"P-{n:06d}", at=at, elder=home, device=f"BTN-{n:06d}"))
    return presses


def _somewhere(chance: random.Random, side_m: float) -> Position:
    """Anywhere in a square around the centre."""
    north_m, east_m = (chance.uniform(-side_m / 2, side_m / 2) for _ in range(2))
    per_degree = M_PER_DEGREE * math.cos(math.radians(CENTRE.lat))
    return Position(CENTRE.lat + north_m / M_PER_DEGREE, CENTRE.lon + east_m / per_degree)
