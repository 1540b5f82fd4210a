"""``python -m callhub.bench.roll_call``: how long it takes to check every home of a district after a gap.

The real engine and the shipped ladders on a virtual clock; people answer by the shares that are given. Status 1 when
not every home is checked after ``GIVE_UP_S``.

Rules of this file: the engine decides everything; people only answer what they are told. What a person does about an
offer is drawn from the seed, the person and the home, so that it does not depend on anything else.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.geo import M_PER_DEGREE, distance_m
from callhub.dispatch.roll_calls import roll_call_of
from callhub.dispatch.rules import Rules
from callhub.domain import events as e
from callhub.domain.messages import MessageType
from callhub.domain.people import SYSTEM, Actor, ActorKind, Duty, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import PolicySet
from callhub.domain.roll_call import Cause, Gap, Home, Listed, RollCall
from callhub.intake.policy_files import policy_tables, read_policies
from callhub.settings import shipped
from callhub.store.base import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from callhub.domain.decision import Answer
    from callhub.domain.messages import Message

STARTED_AT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
CENTRE = Position(39.08, 117.22)
SIDE_M = 4000.0
"""Homes and people lie in a square of this side."""
GRID_WORKERS = 0.2
"""Share of the people who are grid workers; the others are volunteers. Assumed."""
PAIRED = 0.2
"""Share of the homes that are paired with the person who lives nearest. Assumed."""
SAYS_NO = 0.5
"""Of the offers not accepted, the share declined in words; the others stay silent. Assumed."""
ANSWER_S = (3.0, 15.0)
"""From the ring to the tap, seconds. Assumed, as in ``lab.behaviour``."""
WALK_M_S, DETOUR = 1.8, 1.3
"""Pace on foot and the way over the straight line, as in ``lab.behaviour``."""
AFTER_MIN = (15, 30, 45, 60)
GIVE_UP_S = 86_400.0
AREA = ("D", "S", "C")
LEVELS = ("district", "street", "community")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is played: shares 0 to 1, seconds."""

    homes: int = 2500
    people: int = 1000
    acceptance: float = 0.287
    call_s: float = 180
    visit_s: float = 600
    no_answer: float = 0.15
    away: float = 0.0
    seed: int = 1


@dataclass(slots=True)
class Result:
    """What came of it. ``checked_s``: when each home was checked, seconds from the begin."""

    checked_s: list[float] = field(default_factory=list)
    alerts: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    most_open: int = 0
    events: int = 0

    def figures(self, wanted: Wanted) -> dict[str, Any]:
        """The figures that are printed."""
        done = len(self.checked_s) == wanted.homes
        there = max(1, wanted.people - round(wanted.people * wanted.away))
        return {
            **asdict(wanted),
            "minutes": round(max(self.checked_s, default=0.0) / 60, 1) if done else None,
            "checked": len(self.checked_s),
            "share_after_min": {
                str(minutes): round(sum(at <= minutes * 60 for at in self.checked_s) / max(1, wanted.homes), 3)
                for minutes in AFTER_MIN
            },
            "alerts": self.alerts.total(),
            "alerts_per_home": round(self.alerts.total() / max(1, wanted.homes), 2),
            "alerts_per_person": round(self.alerts.total() / there, 2),
            "alerts_per_person_max": max(self.alerts.values(), default=0),
            "checks_per_person": round(self.checks.total() / there, 2),
            "checks_per_person_max": max(self.checks.values(), default=0),
            "open_at_once_max": self.most_open,
        }


class Ward:
    """Homes and people around one engine; plays once."""

    def __init__(self, wanted: Wanted) -> None:
        self.now = STARTED_AT
        self.result = Result()
        self._wanted = wanted
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0
        draw = Random(f"{wanted.seed}|ward")
        people = [_person(draw, n) for n in range(wanted.people)]
        away = {person.id for person in draw.sample(people, round(len(people) * wanted.away))}
        self._elders = {elder.id: elder for elder in (_elder(draw, n, people) for n in range(wanted.homes))}
        self._engine = _engine([*people, *_desks()], away)
        for person in people:
            if person.id not in away:
                self._tell(e.LinkChanged(id=self._id(), actor=SYSTEM, responder=person.id, up=True))
        self._tell(e.WatchersChanged(id=self._id(), actor=SYSTEM, user="bench", area=None, watching=True))

    def run(self) -> Result:
        """Check every home after a gap of an hour."""
        gap = Gap(self.now - timedelta(hours=1), self.now)
        self._roll_call = self._tell(e.RollCallAsked(id=self._id(), actor=SYSTEM, cause=Cause.ASKED, gap=gap)).incident
        end = self.now + timedelta(seconds=GIVE_UP_S)
        while self._call is not None and self.now < end:
            due = self._engine.next_due()
            if due is not None and (not self._queue or due <= self._queue[0][0]):
                self.now = max(self.now, due)
                for ref in self._engine.due(self.now):
                    self._tell(self._completed(ref.incident or None, ref.key or None))
            elif self._queue:
                self.now, _, happens = heapq.heappop(self._queue)
                happens()
            else:
                break
        return self.result

    @property
    def _call(self) -> RollCall | None:
        """The roll-call while it is open."""
        incident = self._engine.incident(self._roll_call or "")
        return incident.roll_call if incident is not None and incident.is_open else None

    def _completed(self, incident: str | None, key: str | None) -> e.DeadlineDue:
        """As the hub does: a roll-call's timer comes with what it needs to know of homes."""
        listed, home, call = None, None, self._call
        if roll_call_of(key) is not None and call is not None:
            listed = None if call.listed else Listed(tuple(self._elders))
            home = Home(call.waiting[0], self._elders[call.waiting[0]]) if call.waiting else None
        return e.DeadlineDue(id=self._id(), actor=SYSTEM, incident=incident, key=key, listed=listed, home=home)

    # People

    def _hear(self, message: Message) -> None:
        who, body = message.addressee.id, message.body
        if message.type is not MessageType.OFFER or body["kind"] != "home_check" or who.startswith("DESK"):
            return
        self.result.alerts[who] += not body["reminder"]
        draw = Random(f"{self._wanted.seed}|{who}|{body['elder']}")
        said, no_answer = draw.random(), draw.random() < self._wanted.no_answer
        accepts = said < self._wanted.acceptance
        if accepts or said < self._wanted.acceptance + (1 - self._wanted.acceptance) * SAYS_NO:
            self._in(draw.uniform(*ANSWER_S), partial(self._answer, who, body, accepts, no_answer))

    def _answer(self, who: str, offer: dict[str, Any], accepts: bool, no_answer: bool) -> None:
        actor = Actor(ActorKind.RESPONDER, who)
        answer = self._tell(e.OfferAnswered(id=self._id(), actor=actor, offer=offer["offer"], accept=accepts))
        if not accepts or answer.code is not None:
            return
        walk_s = (offer["distance_m"] or 0) * DETOUR / WALK_M_S
        if no_answer:
            self._in(self._wanted.call_s, partial(self._report, who, offer, "en_route"))
            self._in(self._wanted.call_s + walk_s, partial(self._report, who, offer, "on_scene"))
        takes_s = self._wanted.call_s + (walk_s + self._wanted.visit_s if no_answer else 0)
        self._in(takes_s, partial(self._report, who, offer, "cleared", outcome="helped"))

    def _report(self, who: str, offer: dict[str, Any], action: str, **fields: Any) -> None:
        event = e.DutyMoved(
            id=self._id(),
            actor=Actor(ActorKind.RESPONDER, who),
            incident=offer["incident"],
            responder=who,
            action=action,
            fields=fields,
        )
        if self._tell(event).code is None and action == "cleared":
            self.result.checks[who] += 1

    # The engine

    def _id(self) -> str:
        self._count += 1
        return f"{self._count:09d}"

    def _in(self, seconds: float, happens: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now + timedelta(seconds=seconds), self._count, happens))

    def _tell(self, event: e.Event) -> Answer:
        decision = self._engine.handle(event, self.now)
        self.result.events += 1
        for row in decision.rows:
            for fact in row.facts:
                if fact.fact == "home_checked":
                    self.result.checked_s.append((self.now - STARTED_AT).total_seconds())
                elif fact.fact == "home_check_began" and (call := self._call) is not None:
                    self.result.most_open = max(self.result.most_open, len(call.open))
        for message in decision.messages:
            self._hear(message)
        return decision.answer


def _engine(responders: list[Responder], away: set[str]) -> DispatchEngine:
    policies = read_policies(policy_tables(shipped() / "policies"))
    engine = DispatchEngine(Rules(timezone=ZoneInfo("Asia/Shanghai")), PolicySet(policies), STARTED_AT)
    duties = [Duty(person.id, available=person.id not in away) for person in responders if person.capacity is not None]
    engine.restore(
        Snapshot("bench", 0, None, 0, {}, {}, tuple(responders), tuple(duties), {}, tuple(policies), {}), STARTED_AT
    )
    return engine


def _somewhere(draw: Random) -> Position:
    north_m, east_m = (draw.uniform(-SIDE_M / 2, SIDE_M / 2) for _ in range(2))
    per_degree = M_PER_DEGREE * math.cos(math.radians(CENTRE.lat))
    return Position(CENTRE.lat + north_m / M_PER_DEGREE, CENTRE.lon + east_m / per_degree)


def _person(draw: Random, n: int) -> Responder:
    kind = ResponderKind.GRID_WORKER if draw.random() < GRID_WORKERS else ResponderKind.VOLUNTEER
    return Responder(f"V-{n:05d}", f"V-{n:05d}", kind, AREA, LEVELS[-1], _somewhere(draw))


def _elder(draw: Random, n: int, people: list[Responder]) -> Elder:
    home = _somewhere(draw)
    paired: tuple[str, ...] = ()
    if people and draw.random() < PAIRED:
        near = min(people, key=lambda person: distance_m(home, person.position or CENTRE))
        paired = (near.id,)
    return Elder(f"E-{n:05d}", f"E-{n:05d}", AREA, position=home, paired=paired)


def _desks() -> list[Responder]:
    """Duty desks that are there and let it ring."""
    return [
        Responder(f"DESK-{AREA[n]}", AREA[n], ResponderKind.DESK, AREA[: n + 1], level, capacity=None)
        for n, level in enumerate(LEVELS)
    ]


def main(arguments: list[str] | None = None) -> int:
    """Play one roll-call and print its figures; 0 when every home was checked."""
    parser = argparse.ArgumentParser(prog="python -m callhub.bench.roll_call", description=__doc__)
    for name, default in asdict(Wanted()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    parser.add_argument("--json", action="store_true")
    options = vars(parser.parse_args(arguments))
    as_json = options.pop("json")
    wanted = Wanted(**options)
    began_s = time.perf_counter()
    result = Ward(wanted).run()
    figures = {**result.figures(wanted), "events": result.events, "took_s": round(time.perf_counter() - began_s, 1)}
    if as_json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>24} {value}")
    return 0 if figures["minutes"] is not None else 1


if __name__ == "__main__":
    sys.exit(main())
