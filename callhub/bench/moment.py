"""One moment of a town: homes that press at once, people around them, and who is asked for which of them."""

from __future__ import annotations

import gc
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random
from time import thread_time
from typing import TYPE_CHECKING, Any
from unittest import mock

from callhub.dispatch import gathering
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.geo import M_PER_DEGREE, distance_m
from callhub.dispatch.rules import Rules
from callhub.dispatch.sharing import LATE, NOBODY, Solve
from callhub.domain import events as e
from callhub.domain.people import SYSTEM, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import PolicySet
from callhub.intake.policy_files import policy_tables, read_policies
from callhub.settings import shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
RULES = Rules(night="")
SIDE_M = 4000.0
"""Homes and people lie in a square of this side: a district's streets at 125 people a square kilometre."""
POLICIES = PolicySet(read_policies(policy_tables(shipped() / "policies")))
LADDER = POLICIES.choose("sos", NOON)
AREA = ("D",)


@dataclass(slots=True)
class Timed:
    """A function, and how long each of its calls took in seconds."""

    function: Callable[..., Any]
    took_s: list[float] = field(default_factory=list)

    def __call__(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401  # whatever it gives
        """Call it, whatever comes of it."""
        began_s = thread_time()
        try:
            return self.function(*args, **named)
        finally:
            self.took_s.append(thread_time() - began_s)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that one joint decision took: in the solver, to find who is asked, and with all facts and messages."""

    solver_s: float
    decision_s: float
    event_s: float


class Moment:
    """Draws a moment.

    Args:
        seed: The same seed gives the same moment.
        homes: How many press.
        people: How many volunteers can be asked.
        accept: The share of those asked who come, 0..1.
    """

    def __init__(self, seed: int, homes: int, people: int, accept: float) -> None:
        chance = Random(f"{seed}|{homes}|{people}")
        self._seed, self._accept = seed, accept
        self.elders = [Elder(f"E-{n:04}", "", area=AREA, position=_somewhere(chance)) for n in range(homes)]
        self.people = [
            Responder(f"V-{n:05}", "", ResponderKind.VOLUNTEER, AREA, "district", _somewhere(chance))
            for n in range(people)
        ]
        self._places = {person.id: person.position for person in self.people}

    def arrival_s(self, home: int, responder: str) -> float:
        """When somebody is at a home, expected, in whole seconds; infinite when they do not come."""
        drawn = blake2b(f"{self._seed}|{home}|{responder}".encode(), digest_size=8).digest()
        if int.from_bytes(drawn) / 2**64 >= self._accept:
            return math.inf
        here, there = self.elders[home].position, self._places[responder]
        assert here is not None
        assert there is not None
        return RULES.eta_s(ResponderKind.VOLUNTEER, distance_m(here, there))

    def one_by_one(self) -> list[float]:
        """First come first served: when the first is at each home."""
        engine = self._engine(None)
        for alarm in self._alarms():
            engine.handle(alarm, NOON)
        return self._arrivals_s(engine)

    def together(self, solve: Solve | None) -> tuple[list[float], Cost]:
        """As one batch."""
        solver = Timed(solve) if solve is not None else None
        engine = self._engine(solver)
        alarms = [replace(alarm, gathered=True) for alarm in self._alarms()]
        for alarm in alarms:
            engine.handle(alarm, NOON)
        end = e.CasesGathered(id="end", actor=SYSTEM, incidents=tuple(alarm.id for alarm in alarms))
        gc.collect()
        gc.freeze()  # as a server does once it is warm
        deciding, event = Timed(gathering.decide), Timed(engine.handle)
        with mock.patch.object(gathering, "decide", deciding):
            event(end, NOON)
        in_solver_s = sum(solver.took_s) if solver is not None else 0.0
        return self._arrivals_s(engine), Cost(in_solver_s, sum(deciding.took_s), sum(event.took_s))

    def offline(self, solve: Solve) -> list[float]:
        """With everything known beforehand: who comes, and all presses; one person to each home."""
        ways = [[self.arrival_s(home, person.id) for person in self.people] for home in range(len(self.elders))]
        weighed = [
            [NOBODY if way == math.inf else round(way) + LATE * (way > LADDER.arrival_min_s) for way in row]
            for row in ways
        ]
        return [row[n] if n >= 0 else math.inf for row, n in zip(ways, solve(weighed), strict=True)]

    def _engine(self, solve: Solve | None) -> DispatchEngine:
        engine = DispatchEngine(RULES, POLICIES, NOON, solve)
        people = tuple(self.people)
        engine.handle(e.DirectoryUpdated(id="people", actor=SYSTEM, what="responders", responders=people), NOON)
        for person in people:
            engine.handle(e.LinkChanged(id="link", actor=SYSTEM, responder=person.id, up=True), NOON)
            engine.handle(e.PresenceSaid(id="duty", actor=SYSTEM, responder=person.id, available=True), NOON)
        return engine

    def _alarms(self) -> list[e.AlarmRaised]:
        return [
            e.AlarmRaised(
                id=f"{n:04}", actor=SYSTEM, gateway="GW", alarm=f"{n}", device=f"B-{n}", kind="sos", elder=elder
            )
            for n, elder in enumerate(self.elders)
        ]

    def _arrivals_s(self, engine: DispatchEngine) -> list[float]:
        found = []
        for home in range(len(self.elders)):
            incident = engine.incident(f"{home:04}")
            assert incident is not None
            asked: Sequence[str] = [offer.responder for offer in incident.open_offers]
            found.append(min((self.arrival_s(home, who) for who in asked), default=math.inf))
        return found


def _somewhere(chance: Random) -> Position:
    """Anywhere in a square at the latitude of Tianjin."""
    north_m, east_m = (chance.uniform(-SIDE_M / 2, SIDE_M / 2) for _ in range(2))
    return Position(39.08 + north_m / M_PER_DEGREE, 117.22 + east_m / M_PER_DEGREE / math.cos(math.radians(39.08)))
