"""Volunteers, caregivers and grid workers: they accept, decline, say nothing, come, come late, and cannot get in.

Rules of this file: whether and how soon somebody answers and walks is ``behaviour``'s; what else happens to them is the
table here, assumed, and far more of it than in life, so that a day shows all of it.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from callhub.domain.messages import MessageType
from callhub.lab.behaviour import NEWS_S, Reaction, Reply, react

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from callhub.domain.messages import Message
    from callhub.lab.behaviour import Behaviour
    from callhub.lab.day.apps import Apps, Wire
    from callhub.lab.day.stage import Stage

LATE, RELEASES, LOCKED_OUT, NEEDS, STAYS, SAYS_EN_ROUTE, SHOWS_CARD, WRONG_CARD = (
    0.08,
    0.05,
    0.05,
    0.04,
    0.04,
    0.8,
    0.5,
    0.05,
)
LATE_TIMES, STAY_S, KEY_S = 8.0, 4500.0, 300.0
UNKNOWN_WAY_M = 500.0
OUTCOMES = ("helped",) * 8 + ("false_alarm", "hospital")
LIVE = frozenset({"assigned", "en_route", "on_scene"})


@dataclass(eq=False)
class Duty:
    """An accepted duty as the app knows it; ``version`` is the newest the person was told."""

    responder: str
    incident: str
    version: int
    reaction: Reaction
    luck: random.Random
    way_m: float


class Neighbours:
    """Everybody who goes out."""

    def __init__(
        self, stage: Stage, apps: Apps, behaviours: Mapping[str, Behaviour], cards: Mapping[str, str], seed: int
    ) -> None:
        self._stage = stage
        self._apps = apps
        self._behaviours = behaviours
        self._cards = cards
        self._seed = seed
        self._rung: Counter[str] = Counter()
        self._taken_back: dict[str, datetime] = {}
        self._away_m: dict[tuple[str, str], float] = {}
        self._duties: dict[tuple[str, str], Duty] = {}

    def hear(self, responder: str, message: Message) -> None:
        """An offer rings, a stand-down ends it, an assignment sends somebody out."""
        body, key = message.body, (responder, message.incident)
        if message.type is MessageType.OFFER:
            self._ring(responder, message)
        elif message.type is MessageType.STAND_DOWN:
            self._taken_back[body["offer"]] = self._stage.now()
            self._duties.pop(key, None)
        elif message.type is MessageType.ASSIGNMENT:
            self._assigned(responder, message)
        elif key in self._duties:
            if body["what"] == "released":
                still = self._stage.incident(message.incident)
                if still is None or still.assignment_of(responder) is None:
                    del self._duties[key]
            elif body["version"] is not None:
                self._duties[key].version = max(self._duties[key].version, body["version"])

    # Asked

    def _ring(self, responder: str, message: Message) -> None:
        offer, incident = message.body["offer"], message.incident
        self._rung[offer] += 1
        self._taken_back.pop(offer, None)
        if message.body["distance_m"] is not None:
            self._away_m[responder, incident] = float(message.body["distance_m"])
        reaction = react(self._behaviours[responder], self._seed, responder, f"{offer}|{self._rung[offer]}")
        if reaction.reply is not Reply.SILENCE:
            accepts = reaction.reply is Reply.YES
            self._stage.after(reaction.answer_delay_s, partial(self._answer, responder, offer, accepts=accepts))

    async def _answer(self, responder: str, offer: str, *, accepts: bool) -> None:
        taken_back = self._taken_back.get(offer)
        if taken_back is not None and (self._stage.now() - taken_back).total_seconds() > NEWS_S:
            return
        if accepts and not any(who == responder for who, _ in self._duties):
            await self._apps.say(responder, "accept", offer=offer)
        else:
            await self._apps.say(responder, "decline", offer=offer, reason="busy")

    # On duty

    def _assigned(self, responder: str, message: Message) -> None:
        body, key = message.body, (responder, message.incident)
        if body["state"] not in LIVE:
            self._duties.pop(key, None)
            return
        held = self._duties.get(key)
        if held is not None:
            held.version = max(held.version, body["version"])
            return
        press = f"{message.incident}|{body['version']}"
        reaction = react(self._behaviours[responder], self._seed, responder, press)
        luck = random.Random(f"{self._seed}|{responder}|{press}")
        duty = Duty(responder, message.incident, body["version"], reaction, luck, self._away_m.get(key, UNKNOWN_WAY_M))
        self._duties[key] = duty
        if body["state"] == "on_scene":
            self._stage.after(reaction.visit_s, partial(self._leave, duty))
            return
        turnout_s = reaction.travel_s(self._behaviours[responder], 0, night=False)
        self._stage.after(turnout_s, partial(self._set_out, duty))

    def _is_on(self, duty: Duty) -> bool:
        return self._duties.get((duty.responder, duty.incident)) is duty

    async def _set_out(self, duty: Duty) -> None:
        if not self._is_on(duty):
            return
        if duty.luck.random() < SAYS_EN_ROUTE:
            await self._say(duty, "en_route")
        person = self._behaviours[duty.responder]
        way_s = person.travel_s(duty.way_m, night=False) - person.travel_s(0, night=False)
        if duty.luck.random() < RELEASES:
            self._stage.after(way_s / 2, partial(self._give_up, duty))
            return
        times = LATE_TIMES if duty.luck.random() < LATE else 1.0
        self._stage.after(way_s * times + (600 if times > 1 else 0), partial(self._arrive, duty))

    async def _give_up(self, duty: Duty) -> None:
        if self._is_on(duty):
            await self._say(duty, "release", reason="hurt a foot")
            self._duties.pop((duty.responder, duty.incident), None)

    async def _arrive(self, duty: Duty) -> None:
        if not self._is_on(duty):
            return
        proof = {}
        if duty.luck.random() < SHOWS_CARD:
            incident = self._stage.incident(duty.incident)
            card = self._cards.get((incident and incident.elder) or "", "CARD-0")
            proof = {"proof": {"card": "CARD-X" if duty.luck.random() < WRONG_CARD else card}}
        await self._say(duty, "on_scene", **proof)
        roll = duty.luck.random()
        if roll < LOCKED_OUT:
            await self._say(duty, "need", need="key", note="nobody opens")
            self._stage.after(KEY_S, partial(self._leave, duty, "no_access"))
            return
        if roll < LOCKED_OUT + NEEDS:
            await self._say(
                duty, "need", need=duty.luck.choice(("second_person", "ambulance")), note="too heavy for one"
            )
        stays_s = STAY_S if duty.luck.random() < STAYS else 0.0
        self._stage.after(duty.reaction.visit_s + stays_s, partial(self._leave, duty))

    async def _leave(self, duty: Duty, outcome: str | None = None) -> None:
        if not self._is_on(duty):
            return
        outcome = outcome or duty.luck.choice(OUTCOMES)
        answer = await self._say(duty, "cleared", outcome=outcome, version=duty.version)
        if answer.get("code") == "conflict":  # another alarm joined: look, and say it again
            duty.version = int(answer["version"])
            self._stage.after(30, partial(self._leave, duty, outcome))
            return
        self._duties.pop((duty.responder, duty.incident), None)

    async def _say(self, duty: Duty, type: str, **fields: object) -> Wire:
        return await self._apps.say(duty.responder, type, incident=duty.incident, **fields)
