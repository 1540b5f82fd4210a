"""Desks and departments: whoever sits there takes over, reports in, refuses, or lets it ring."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from callhub.domain.messages import MessageType
from callhub.lab.day.apps import instant

if TYPE_CHECKING:
    from callhub.domain.messages import Message
    from callhub.lab.day.apps import Apps
    from callhub.lab.day.stage import Stage

DESK_ACCEPTS, DESK_DECLINES = 0.5, 0.1
DESK_S = (5.0, 28.0)
REFUSES, SILENT, LATE_IN, GIVES_UP, LATE_DONE = 0.15, 0.15, 0.15, 0.1, 0.2
"""Of the departments called. Assumed."""


class Desks:
    """Duty desks."""

    def __init__(self, stage: Stage, apps: Apps, seed: int) -> None:
        self._stage = stage
        self._apps = apps
        self._chance = random.Random(f"{seed}|desks")

    def hear(self, responder: str, message: Message) -> None:
        """An offer asks the desk to take over."""
        roll = self._chance.random()
        if message.type is MessageType.OFFER and roll < DESK_ACCEPTS + DESK_DECLINES:
            type = "accept" if roll < DESK_ACCEPTS else "decline"
            answer = partial(self._apps.say, responder, type, offer=message.body["offer"])
            self._stage.after(self._chance.uniform(*DESK_S), answer)


class Departments:
    """Those who are whistled for."""

    def __init__(self, stage: Stage, apps: Apps, seed: int) -> None:
        self._stage = stage
        self._apps = apps
        self._seed = seed
        self._working: set[tuple[str, str]] = set()

    def hear(self, department: str, message: Message) -> None:
        """A call, a new clock, or that it is called off."""
        key = (department, message.incident)
        if message.type is MessageType.OFFER:
            self._called(department, message)
        elif message.type is MessageType.STAND_DOWN:
            self._working.discard(key)
        elif message.type is MessageType.ASSIGNMENT:
            if message.body["state"] != "assigned":
                self._working.discard(key)
            elif not message.body["late"]:
                self._work(department, message)

    def _called(self, department: str, message: Message) -> None:
        whistle = message.body["whistle"]
        chance = random.Random(f"{self._seed}|{whistle['id']}")
        left_s = (instant(whistle["report_in_by"]) - self._stage.now()).total_seconds()
        roll, offer = chance.random(), whistle["id"]
        if roll < REFUSES:
            reason = {"reason": "no crew free"}
            self._stage.after(
                chance.uniform(60, 300), partial(self._apps.say, department, "decline", offer=offer, **reason)
            )
        elif roll >= REFUSES + SILENT:
            late_s = (
                chance.uniform(60, 600) if roll < REFUSES + SILENT + LATE_IN else -chance.uniform(0.2, 0.8) * left_s
            )
            self._stage.after(left_s + late_s, partial(self._apps.say, department, "accept", offer=offer))

    def _work(self, department: str, message: Message) -> None:
        """Reported in, or sent back to work, with a clock to finish."""
        whistle, key = message.body["whistle"], (department, message.incident)
        self._working.add(key)
        chance = random.Random(f"{self._seed}|{whistle['id']}|{message.body['version']}")
        left_s = max(60.0, (instant(whistle["finish_by"]) - self._stage.now()).total_seconds())
        self._stage.after(0.2 * left_s, partial(self._say, key, "en_route"))
        self._stage.after(0.4 * left_s, partial(self._say, key, "on_scene"))
        if chance.random() < GIVES_UP:
            self._stage.after(0.5 * left_s, partial(self._say, key, "release", reason="other orders"))
        else:
            part = chance.uniform(1.05, 1.4) if chance.random() < LATE_DONE else chance.uniform(0.5, 0.95)
            self._stage.after(part * left_s, partial(self._finish, key))

    async def _say(self, key: tuple[str, str], type: str, **fields: object) -> None:
        if key in self._working:
            await self._apps.say(key[0], type, incident=key[1], **fields)

    async def _finish(self, key: tuple[str, str]) -> None:
        incident = self._stage.incident(key[1])
        if incident is not None:
            await self._say(key, "cleared", outcome="helped", version=incident.version)
            self._working.discard(key)
