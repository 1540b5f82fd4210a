"""The simulated clients: gateways that pass presses on, and the apps of those who can come.

Rules of this file: a client knows what its token lets it hear, and the person behind it what anybody would know who
stands there; nothing is read from the server but over the link. All seconds are seconds of the demo's clock.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from callhub.demo.link import GATEWAY, RESPONDER, Door, Link, Wire
from callhub.logs import get_logger

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from callhub.clock import Clock
    from callhub.demo.rows import ResponderRow
    from callhub.lab.behaviour import Behaviour

RESEND_S = 5.0
"""A gateway sends again until a receipt comes: the protocol's figure."""
RESEND_REAL_S_MIN = 1.0
"""But never faster than this in real time: the network and the disk do not get faster with the demo."""

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = (22, 6)
"""Hours of the longer turnout, from and to, local time. Assumed."""

HELP_S = (300.0, 1200.0)
"""Time at the elder's, from and to. Assumed."""
RELEASES = 0.03
"""Share of those on the way who have to give it back. Assumed."""
NO_ACCESS = 0.02
"""Share who stand before a closed door. Assumed."""
OUTCOMES = ("helped",) * 8 + ("false_alarm", "hospital")
REASONS = ("busy", "too far", "not well")
UNKNOWN_WAY_M = 400.0
"""Straight line assumed when the place is not known."""
CLEAR_AGAIN_S = 10.0

_EARTH_M_PER_DEGREE = 111_195.0
_LIVE = ("assigned", "en_route", "on_scene")

log = get_logger(__name__)


async def pause(clock: Clock, seconds: float) -> None:
    """Wait so many seconds of the demo's clock."""
    await clock.sleep_until(clock.now() + timedelta(seconds=seconds))


class Gateway:
    """The gateway of a street: the buttons of its elders talk through it."""

    def __init__(self, id: str, door: Door, token: str, clock: Clock, rng: random.Random, speed: float = 1.0) -> None:
        self.id = id
        self.welcomed = asyncio.Event()
        self._clock = clock
        self._numbers = itertools.count(1)
        resend_s = max(RESEND_S / speed, RESEND_REAL_S_MIN)
        self._link = Link(door, GATEWAY, token, self._hear, rng, resend_s)

    async def run(self) -> None:
        """Hold the link."""
        await self._link.run()

    async def press(self, device: str, kind: str) -> Wire:
        """Pass an alarm on until there is a receipt (or an error), which is returned."""
        alarm = {
            "type": "alarm",
            "id": f"{self.id}-{next(self._numbers)}",
            "device": device,
            "kind": kind,
            "at": self._clock.now().isoformat(),
        }
        return await self._link.ask(alarm)

    def _hear(self, message: Wire) -> None:
        if message["type"] == "welcome":
            self.welcomed.set()


@dataclass(slots=True)
class Duty:
    """Somebody's accepted duty as their app knows it; ``version`` is the newest they were told."""

    incident: str
    state: str
    version: int
    way_m: float
    card: str | None
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class App:
    """A responder's app, and the person holding it.

    Args:
        person: Who.
        behaviour: How they are.
        door: The server.
        token: Theirs.
        clock: The demo's.
        rng: Theirs alone.
        cards: The service card that lies in a home, by the telephone of the home: what a helper finds there.
    """

    def __init__(
        self,
        person: ResponderRow,
        behaviour: Behaviour,
        door: Door,
        token: str,
        clock: Clock,
        rng: random.Random,
        cards: Mapping[str, str],
    ) -> None:
        self.person = person
        self._behaviour = behaviour
        self._clock = clock
        self._rng = rng
        self._cards = cards
        self._link = Link(door, RESPONDER, token, self._hear, rng)
        self._numbers = itertools.count(1)
        self._tasks = asyncio.TaskGroup()
        self._rung: set[str] = set()
        self._answers: dict[str, asyncio.Task[None]] = {}
        self._duties: dict[str, Duty] = {}

    async def run(self) -> None:
        """Be there until the server wants this app no more."""
        async with self._tasks:
            await self._link.run()
            for task in (*self._answers.values(), *(duty.task for duty in self._duties.values())):
                if task is not None:
                    task.cancel()

    async def _say(self, type: str, **fields: object) -> Wire:
        return await self._link.ask({"type": type, "id": f"{self.person.id}-{next(self._numbers)}", **fields})

    def _hear(self, message: Wire) -> None:
        match message["type"]:
            case "welcome":
                self._welcomed(message)
            case "offer":
                self._offered(message)
            case "stand_down":
                self._stood_down(message["offer"], message["incident"])
            case "assignment":
                self._assigned(message)
            case "update":
                self._updated(message)

    def _welcomed(self, welcome: Wire) -> None:
        """Say that we are there, and take the server's word for what is going on."""
        self._tasks.create_task(self._present())
        live = {assignment["incident"] for assignment in welcome["assignments"]}
        for incident in set(self._duties) - live:
            self._end_duty(incident)
        for assignment in welcome["assignments"]:
            self._assigned(assignment)
        for offer in welcome["offers"]:
            self._offered(offer)

    async def _present(self) -> None:
        position = {"lat": self.person.lat, "lon": self.person.lon}
        await self._say("presence", available=True, position=position)

    def _offered(self, offer: Wire) -> None:
        """The telephone rings: once, and again for a reminder, which is a new chance to say yes."""
        id = offer["offer"]
        is_new = id not in self._rung or offer["reminder"]
        self._rung.add(id)
        if is_new and id not in self._answers:
            self._answers[id] = self._tasks.create_task(self._answer(id))

    async def _answer(self, offer: str) -> None:
        try:
            await pause(self._clock, self._behaviour.answer_delay_s)
            roll = self._rng.random()
            if self._duties:
                await self._say("decline", offer=offer, reason="busy")
            elif roll < self._behaviour.accepts:
                answer = await self._say("accept", offer=offer)
                log.info("app_accepted", responder=self.person.id, offer=offer, code=answer.get("code"))
            elif roll < self._behaviour.accepts + self._behaviour.declines:
                await self._say("decline", offer=offer, reason=self._rng.choice(REASONS))
        finally:
            self._answers.pop(offer, None)

    def _stood_down(self, offer: str | None, incident: str) -> None:
        self._rung.discard(offer or "")
        answer = self._answers.pop(offer or "", None)
        if answer is not None:
            answer.cancel()
        self._end_duty(incident)

    def _assigned(self, assignment: Wire) -> None:
        """A new duty, or news of one we have."""
        incident, state = assignment["incident"], assignment["state"]
        if state not in _LIVE:
            self._end_duty(incident)
            return
        duty = self._duties.get(incident)
        if duty is not None:
            duty.version = max(duty.version, assignment["version"])
            return
        card = self._cards.get((assignment["elder"] or {}).get("phone", ""))
        duty = Duty(incident, state, assignment["version"], self._way_m(assignment), card)
        self._duties[incident] = duty
        duty.task = self._tasks.create_task(self._go(duty))

    def _updated(self, update: Wire) -> None:
        duty = self._duties.get(update["incident"])
        if duty is None:
            return
        if update["what"] == "released":
            self._end_duty(duty.incident)
        elif update["version"] is not None:
            duty.version = max(duty.version, update["version"])

    def _end_duty(self, incident: str) -> None:
        duty = self._duties.pop(incident, None)
        if duty is not None and duty.task is not None and duty.task is not asyncio.current_task():
            duty.task.cancel()

    async def _go(self, duty: Duty) -> None:
        """Turn out, walk, help, and say each as it happens."""
        try:
            is_night = self._is_night()
            turnout_s = self._behaviour.travel_s(0, night=is_night)
            if duty.state == "assigned":
                await pause(self._clock, turnout_s)
                if not await self._did("en_route", duty):
                    return
            if duty.state != "on_scene":
                if self._rng.random() < RELEASES:
                    await self._did("release", duty, reason="hurt a foot")
                    return
                await pause(self._clock, self._behaviour.travel_s(duty.way_m, night=is_night) - turnout_s)
                proof = {} if duty.card is None else {"proof": {"card": duty.card}}
                if not await self._did("on_scene", duty, **proof):
                    return
            await pause(self._clock, self._rng.uniform(*HELP_S))
            await self._clear(duty)
        finally:
            if self._duties.get(duty.incident) is duty:
                del self._duties[duty.incident]

    async def _clear(self, duty: Duty) -> None:
        outcome = "no_access" if self._rng.random() < NO_ACCESS else self._rng.choice(OUTCOMES)
        for _ in range(5):  # another alarm may have joined meanwhile; then look, and say it again
            answer = await self._say("cleared", incident=duty.incident, outcome=outcome, version=duty.version)
            if answer.get("code") != "conflict":
                return
            await pause(self._clock, CLEAR_AGAIN_S)

    async def _did(self, type: str, duty: Duty, **fields: object) -> bool:
        """Say it; whether the server took it."""
        answer = await self._say(type, incident=duty.incident, **fields)
        if answer["type"] == "error":
            log.info("app_refused", responder=self.person.id, incident_id=duty.incident, code=answer["code"])
            return False
        return True

    def _way_m(self, assignment: Wire) -> float:
        """The straight line from this person's home to where they are wanted, metres."""
        position = (assignment["go_to"] or {}).get("position")
        if position is None or self.person.lat is None or self.person.lon is None:
            return UNKNOWN_WAY_M
        north = position["lat"] - self.person.lat
        east = (position["lon"] - self.person.lon) * math.cos(math.radians(self.person.lat))
        return math.hypot(north, east) * _EARTH_M_PER_DEGREE

    def _is_night(self) -> bool:
        hour = self._clock.now().astimezone(ZONE).hour
        return hour >= NIGHT[0] or hour < NIGHT[1]
