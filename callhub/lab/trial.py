"""One ladder over one district: the real engine on a virtual clock, with people around it.

Rules of this file:
1. The engine decides everything; people only answer what they are told. Due deadlines come before what people do at
   the same moment, as in the server.
2. What a person does about a press does not depend on the ladder (``behaviour.react``), only when it happens does.
3. An incident that nobody accepted ends with its ladder: the operator closes it. An accepted one ends when the first
   visitor has left.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from callhub.dispatch.engine import DispatchEngine
from callhub.domain import events as e
from callhub.domain.incident import IncidentState
from callhub.domain.messages import MessageType
from callhub.domain.people import SYSTEM, Actor, ActorKind, Duty, Position, Responder, Role
from callhub.domain.policy import Policy, PolicySet
from callhub.errors import EngineFault
from callhub.lab.behaviour import NEWS_S, Reaction, Reply, react
from callhub.lab.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from callhub.domain.decision import Answer
    from callhub.domain.facts import Row
    from callhub.domain.habits import Habit
    from callhub.domain.incident import Incident, Places
    from callhub.domain.messages import Message
    from callhub.domain.people import Supervised
    from callhub.lab.district import District, Press

OPERATOR = Actor(ActorKind.USER, "lab", Role.OPERATOR)
NIGHT = (22, 6)
"""Local hours in which turnout is slow."""
BY_AREA_M = 500.0
"""How far somebody is taken to be whom the engine found by area alone: one cell of its grid."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the engine starts from: people, no incident."""

    policies: Sequence[Policy]
    responders: Sequence[Responder]
    duties: Sequence[Duty]
    positions: Mapping[str, tuple[Position, datetime]] = field(default_factory=dict)
    last_number: int = 0
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    places: Mapping[str, Places] = field(default_factory=dict)
    policies_known: Mapping[str, Policy] = field(default_factory=dict)
    supervised: Sequence[Supervised] = ()
    runs: Sequence[tuple[datetime, datetime]] = ()
    marks: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    habits: Sequence[Habit] = ()


@dataclass(slots=True)
class Course:
    """One press on its way: who was invited, who set out."""

    press: Press
    answered: bool = False
    set_out: int = 0
    taken_back: dict[str, tuple[datetime, str]] = field(default_factory=dict)


class Trial:
    """Runs once. ``hears_no``: whether a refusal reaches the engine."""

    def __init__(self, district: District, policies: Sequence[Policy], seed: int, *, hears_no: bool = True) -> None:
        self.now = district.started_at
        self.tally = Tally()
        self._district = district
        self._seed = seed
        self._hears_no = hears_no
        self._engine = DispatchEngine(district.rules, PolicySet(policies), self.now)
        self._courses: dict[str, Course] = {}
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0
        self._presses = iter(district.presses)
        self._set_up(policies)

    def _set_up(self, policies: Sequence[Policy]) -> None:
        district = self._district
        self._engine.restore(Memory(policies, district.responders, district.duties), self.now)
        for id in district.behaviours:
            self._tell(e.LinkChanged(id=self._new_id(), actor=SYSTEM, responder=id, up=True))
        self._tell(e.WatchersChanged(id=self._new_id(), actor=SYSTEM, user=OPERATOR.id, area=None, watching=True))
        for at, duty in district.changes:
            self._at(at, partial(self._change_duty, duty))

    def run(self) -> Tally:
        """Play every press to its end."""
        self._expect_next()
        while self._queue or self._courses:
            due = self._engine.next_due()
            if due is not None and (not self._queue or due <= self._queue[0][0]):
                self.now = max(self.now, due)
                for ref in self._engine.due(self.now):
                    key, incident = ref.key or None, ref.incident or None
                    self._tell(e.DeadlineDue(id=self._new_id(), actor=SYSTEM, incident=incident, key=key))
                continue
            if not self._queue:
                raise EngineFault(f"{len(self._courses)} incidents are open and wait for nothing")
            self.now, _, happens = heapq.heappop(self._queue)
            happens()
        return self.tally

    # What happens

    def _expect_next(self) -> None:
        press = next(self._presses, None)
        if press is not None:
            self._at(press.at, partial(self._press, press))

    def _press(self, press: Press) -> None:
        self._expect_next()
        # The incident gets the event's id: it must be known before its offers go out.
        self._courses[press.id] = Course(press)
        answer = self._tell(
            e.AlarmRaised(
                id=press.id,
                actor=Actor(ActorKind.GATEWAY, press.gateway),
                gateway=press.gateway,
                alarm=press.id,
                device=press.device,
                kind=press.kind,
                position=press.position,
                elder=press.elder,
            )
        )
        if answer.incident != press.id:  # it joined an open case of the same elder
            del self._courses[press.id]

    def _change_duty(self, duty: Duty) -> None:
        actor = Actor(ActorKind.RESPONDER, duty.responder)
        said: dict[str, Any] = {"available": duty.available, "until": duty.until}
        self._tell(e.PresenceSaid(id=self._new_id(), actor=actor, responder=duty.responder, **said))

    def _hear(self, message: Message) -> None:
        """An app gets a message."""
        person = self._district.behaviours.get(message.addressee.id)
        course = self._courses.get(message.incident)
        if person is None or course is None:
            return
        body = message.body
        if message.type is MessageType.OFFER and not body["reminder"]:
            self.tally.alerts[message.addressee.id] += 1
            reaction = react(person, self._seed, message.addressee.id, course.press.id)
            if reaction.reply is Reply.YES or (reaction.reply is Reply.NO and self._hears_no):
                answers = partial(self._answer, course, message.addressee.id, body, reaction)
                self._at(self.now + timedelta(seconds=reaction.answer_delay_s), answers)
        elif message.type is MessageType.STAND_DOWN:
            course.taken_back[body["offer"]] = (self.now, body["reason"])

    def _answer(self, course: Course, responder: str, offer: dict[str, Any], reaction: Reaction) -> None:
        """Somebody taps yes or no, unless they have seen that it is over."""
        taken_back = course.taken_back.get(offer["offer"])
        accepts = reaction.reply is Reply.YES
        if taken_back is not None:
            at, reason = taken_back
            if accepts and reason == "filled" and (self.now - at).total_seconds() <= NEWS_S:
                course.set_out += 1
            return
        actor = Actor(ActorKind.RESPONDER, responder)
        answer = self._tell(e.OfferAnswered(id=self._new_id(), actor=actor, offer=offer["offer"], accept=accepts))
        if not accepts or answer.code is not None:
            return
        course.set_out += 1
        self.tally.acceptances += 1
        if not course.answered:
            course.answered = True
            self.tally.waits_s.append((self.now - course.press.at).total_seconds())
        away_m = BY_AREA_M if offer["distance_m"] is None else float(offer["distance_m"])
        person = self._district.behaviours[responder]
        travel_s = reaction.travel_s(person, away_m, night=self._is_night())
        self._at(self.now + timedelta(seconds=travel_s), partial(self._arrive, course, responder, reaction))

    def _is_night(self) -> bool:
        hour = self.now.astimezone(self._district.rules.timezone).hour
        return hour >= NIGHT[0] or hour < NIGHT[1]

    def _arrive(self, course: Course, responder: str, reaction: Reaction) -> None:
        if self._reports(course, responder, "on_scene"):
            self._at(self.now + timedelta(seconds=reaction.visit_s), partial(self._leave, course, responder))

    def _leave(self, course: Course, responder: str) -> None:
        self._reports(course, responder, "cleared", outcome="helped")
        incident = self._engine.incident(course.press.id)
        if incident is not None and incident.state is IncidentState.RESOLVED:
            self._close(course, incident)

    def _reports(self, course: Course, responder: str, action: str, **fields: Any) -> bool:
        """Whether the engine took it; who is late may have been released meanwhile."""
        incident = self._engine.incident(course.press.id)
        version = incident.version if incident is not None else 0
        actor = Actor(ActorKind.RESPONDER, responder)
        answer = self._tell(
            e.DutyMoved(
                id=self._new_id(),
                actor=actor,
                incident=course.press.id,
                responder=responder,
                action=action,
                fields={"version": version, **fields},
            )
        )
        return answer.code is None

    def _close(self, course: Course, incident: Incident) -> None:
        """The operator ends the case."""
        self._courses.pop(incident.id)
        self.tally.redundant += max(0, course.set_out - incident.needed)
        fields = {"outcome": "helped" if course.answered else "other"}
        self._tell(
            e.OperatorActed(
                id=self._new_id(),
                actor=OPERATOR,
                incident=incident.id,
                action="close",
                fields=fields,
                if_match=incident.version,
            )
        )

    # The engine

    def _new_id(self) -> str:
        self._count += 1
        return f"{self._count:09d}"

    def _at(self, at: datetime, happens: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, happens))

    def _tell(self, event: e.Event) -> Answer:
        decision = self._engine.handle(event, self.now)
        for message in decision.messages:
            self._hear(message)
        for id in decision.touched:
            course = self._courses.get(id)
            incident = self._engine.incident(id)
            if course is not None and not course.answered and incident is not None and incident.exhausted:
                self.tally.waits_s.append((self.now - course.press.at).total_seconds())
                self.tally.unanswered += 1
                self._close(course, incident)
        return decision.answer
