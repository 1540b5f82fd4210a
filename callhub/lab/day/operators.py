"""The console's people: they look at what changed, do one thing about it, and look again.

Rules of this file: what an operator does is the first line of ``_RULES`` that fits what REST shows. How one case goes
(what the elder says, whether a department is called, what is forgotten) is drawn once for it, in ``Plan``. Assumed, and
livelier than life.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from callhub.domain.events import OperatorActed, Request, RequestKey, WatchersChanged
from callhub.domain.incident import IncidentState, OwnerKind
from callhub.domain.people import SYSTEM, Actor, ActorKind, Role
from callhub.domain.policy import IncidentClass
from callhub.domain.whistle import WhistleState
from callhub.lab.day.town import DEPARTMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from callhub.domain.decision import Announcement, Answer
    from callhub.domain.incident import Incident
    from callhub.domain.people import Elder
    from callhub.lab.day.stage import Stage

    Act = tuple[str, dict[str, Any]]

NIGHT, ANNA, BO, LATE = (Actor(ActorKind.USER, name, Role.OPERATOR) for name in ("nie", "anna", "bo", "luo"))
BOSS = Actor(ActorKind.USER, "su", Role.SUPERVISOR)
TEAM = frozenset(actor.id for actor in (NIGHT, ANNA, BO, LATE, BOSS))

LOOKS_S, RINGING_S, STAYS_S = (20.0, 90.0), (8.0, 40.0), (75.0, 110.0)
LOOKS_AGAIN_S = 400.0
OVERLOOKS = 0.15
"""Share of looks after which nothing is done. Assumed."""
WHISTLES: Mapping[str, tuple[str, ...]] = {"smoke": ("FIRE", "HOUSING"), "gas": ("GAS", "FIRE")}
VOICES = ("spoke_ok",) * 6 + ("needs_help",) * 2 + ("silent", "no_answer")


@dataclass(slots=True)
class Plan:
    """How one case is going to go, and how far it has got."""

    voice: str
    departments: tuple[str, ...]
    returns: bool
    closes_s: float
    forgets: bool
    cancels: bool
    reopens: bool
    rates: bool
    by_hand: bool
    greets: bool
    steps: int = 0
    called: bool = False
    seen_resolved: Any = None
    closed: bool = False
    returned: set[str] = field(default_factory=set)


def draw_plan(seed: int, id: str, kind: str) -> Plan:
    """Draw how a case goes."""
    chance = random.Random(f"{seed}|case|{id}")
    called = WHISTLES.get(kind, ()) if chance.random() < 0.6 else ()
    if not called and chance.random() < 0.06:
        called = tuple(chance.sample(DEPARTMENTS, chance.choice((1, 2))))
    return Plan(
        voice=chance.choice(VOICES),
        departments=called,
        returns=chance.random() < 0.3,
        closes_s=chance.uniform(60, 900),
        forgets=chance.random() < 0.06,
        cancels=chance.random() < 0.06,
        reopens=chance.random() < 0.04,
        rates=chance.random() < 0.6,
        by_hand=chance.random() < 0.3,
        greets=chance.random() < 0.5,
    )


class Operators:
    """Everybody at a console."""

    def __init__(self, stage: Stage, elders: Sequence[Elder], seed: int) -> None:
        self._stage = stage
        self._elders = elders
        self._seed = seed
        self._chance = random.Random(f"{seed}|operators")
        self._watching: dict[str, tuple[Actor, str | None]] = {}
        self._looking: set[str] = set()
        self._plans: dict[str, Plan] = {}
        self._keys = 0
        stage.listeners.append(self._hear)

    # Shifts

    async def watch(self, actor: Actor, *, watching: bool, area: str | None = None) -> None:
        """Somebody opens their console, or leaves."""
        if watching:
            self._watching[actor.id] = (actor, area)
        else:
            self._watching.pop(actor.id, None)
        self._tell_watching(actor.id, area, watching=watching)

    def rewatch(self) -> None:
        """After a start: the consoles come back."""
        for actor, area in self._watching.values():
            self._tell_watching(actor.id, area, watching=True)

    def _tell_watching(self, user: str, area: str | None, *, watching: bool) -> None:
        stage = self._stage
        stage.hub.notice(WatchersChanged(id=stage.new_id(), actor=SYSTEM, user=user, area=area, watching=watching))

    # Looking

    def _hear(self, news: Announcement) -> None:
        for id in news.incidents:
            if id not in self._looking:
                self._look_in(id, self._first_look_s(id))

    def _first_look_s(self, id: str) -> float:
        incident = self._stage.incident(id)
        calls_back = incident is not None and incident.call_back is not None and not incident.call_back.held
        return self._chance.uniform(*(RINGING_S if calls_back else LOOKS_S))

    def _look_in(self, id: str, seconds: float) -> None:
        self._looking.add(id)
        self._stage.after(seconds, partial(self._look, id))

    async def _look(self, id: str) -> None:
        self._looking.discard(id)
        incident = self._stage.incident(id)
        if incident is None:
            return
        plan = self._plans.setdefault(id, draw_plan(self._seed, id, incident.kind))
        actor = self._on_shift()
        if actor is not None and self._chance.random() >= OVERLOOKS:
            for rule in _RULES:
                found = rule(self, incident, plan)
                if found is not None:
                    action, fields = found
                    await self.act(BOSS if action == "whistle-withdraw" else actor, incident, action, **fields)
                    break
        if id not in self._looking and (incident.is_open or not plan.closed):
            self._look_in(id, LOOKS_AGAIN_S)

    def _on_shift(self) -> Actor | None:
        there = [actor for actor, _ in self._watching.values()]
        return self._chance.choice(there) if there else None

    async def act(self, actor: Actor, incident: Incident, action: str, **fields: Any) -> Answer:
        """One action, as REST passes it on."""
        self._keys += 1
        named = next((elder for elder in self._elders if elder.id == fields.get("elder")), None)
        return await self._stage.tell(
            OperatorActed(
                id=self._stage.new_id(),
                actor=actor,
                request=Request(RequestKey(f"user:{actor.id}", f"k-{self._keys}"), f"{incident.id}|{action}"),
                incident=incident.id,
                action=action,
                fields=fields,
                if_match=incident.version if action in ("close", "cancel") else None,
                elder=named,
            )
        )

    # What fits, most pressing first

    def _call_back(self, incident: Incident, plan: Plan) -> Act | None:
        if incident.call_back is None or incident.call_back.held:
            return None
        return "contact", {"party": "elder", "result": plan.voice}

    def _departments(self, incident: Incident, plan: Plan) -> Act | None:
        for whistle in incident.whistles.values():
            if whistle.state is WhistleState.FINISHED:
                if plan.returns and whistle.id not in plan.returned:
                    plan.returned.add(whistle.id)
                    return "whistle-return", {"whistle": whistle.id, "finish_s": 1800, "reason": "still smells"}
                return "whistle-confirm", {"whistle": whistle.id, "reason": "seen"}
            is_lost = whistle.state in (WhistleState.REFUSED, WhistleState.MISSED)
            if is_lost and BOSS.id in self._watching and self._chance.random() < 0.3:
                return "whistle-withdraw", {"whistle": whistle.id, "reason": "others came"}
        return None

    def _greet(self, incident: Incident, plan: Plan) -> Act | None:
        """Speak to the elder while somebody is on the way."""
        if not plan.greets or not incident.is_open or incident.class_ is not IncidentClass.EMERGENCY:
            return None
        plan.greets = False
        return None if incident.answered_at is not None else ("contact", {"party": "elder", "result": plan.voice})

    def _whistle(self, incident: Incident, plan: Plan) -> Act | None:
        comes = incident.state in (IncidentState.ASSIGNED, IncidentState.ON_SCENE, IncidentState.UNANSWERED)
        if plan.called or not plan.departments or not comes:
            return None
        plan.called = True
        return "whistle", {"departments": plan.departments, "report_in_s": 900, "finish_s": 5400, "text": "come"}

    def _held(self, incident: Incident, plan: Plan) -> Act | None:
        is_held = incident.call_back is not None and incident.call_back.held
        return ("close", {"outcome": "false_alarm"}) if is_held and not plan.forgets else None

    def _ended(self, incident: Incident, plan: Plan) -> Act | None:
        if incident.is_open:
            return None
        if plan.reopens:
            plan.reopens = False
            return "reopen", {"reason": "fell again"}
        plan.closed = True
        return ("feedback", {"rating": self._chance.randint(2, 5)}) if plan.rates else None

    def _resolved(self, incident: Incident, plan: Plan) -> Act | None:
        if incident.state is not IncidentState.RESOLVED:
            plan.seen_resolved = None
            return None
        now = self._stage.now()
        plan.seen_resolved = plan.seen_resolved or now
        is_out = any(whistle.is_out for whistle in incident.whistles.values())
        if plan.forgets or is_out or (now - plan.seen_resolved).total_seconds() < plan.closes_s:
            return None
        return "close", {"outcome": "helped"}

    def _cancel(self, incident: Incident, plan: Plan) -> Act | None:
        waits = incident.state in (IncidentState.SEEKING, IncidentState.ASSIGNED)
        if not waits or not plan.cancels or incident.class_ is not IncidentClass.EMERGENCY:
            return None
        plan.steps += 1
        if plan.steps == 1:
            return "contact", {"party": "elder", "result": "spoke_ok"}
        return "cancel", {"reason": "pressed by mistake"}

    def _identify(self, incident: Incident, plan: Plan) -> Act | None:
        if incident.elder is not None or incident.class_ is IncidentClass.TECHNICAL:
            return None
        return "identify", {"elder": self._chance.choice(self._elders).id}

    def _take_over(self, incident: Incident, plan: Plan) -> Act | None:
        asks = incident.state is IncidentState.UNANSWERED or incident.desk_call is not None
        asks |= any(offer.kind.value == "desk" for offer in incident.live_offers)
        return ("take-over", {}) if incident.owner is None and asks else None

    def _own(self, incident: Incident, plan: Plan) -> Act | None:
        """The owner telephones, asks further, calls 120, and stays with it."""
        owner = incident.owner
        if owner is None or (owner.kind is OwnerKind.USER and owner.id not in TEAM):
            return None
        plan.steps += 1
        if incident.class_ is IncidentClass.TECHNICAL:
            return ("close", {"outcome": "mended"}) if plan.steps > 2 else ("note", {"text": "somebody looks"})
        late = [duty.responder for duty in incident.live if duty.late]
        if late and plan.by_hand:
            return "release", {"responder": late[0], "reason": "called in"}
        calls = _CALLS if not incident.live else _CALLS[:1]
        if plan.steps <= len(calls):
            return calls[plan.steps - 1]
        if not incident.live and plan.steps > 12:
            return "close", {"outcome": "emergency_services"}
        if self._chance.random() < 0.03:
            return "hand-over", {"to": self._chance.choice(sorted(TEAM))}
        return "note", {"text": "still with it"}


_CALLS: tuple[Act, ...] = (
    ("contact", {"party": "elder", "result": "needs_help"}),
    ("escalate", {}),
    ("contact", {"party": "family", "result": "no_answer"}),
    ("contact", {"party": "120", "result": "requested"}),
    ("note", {"text": "waiting for 120"}),
    ("note", {"text": "waiting for 120"}),
    ("contact", {"party": "120", "result": "arrived"}),
)
_RULES: tuple[Callable[[Operators, Incident, Plan], Act | None], ...] = (
    Operators._ended,
    Operators._call_back,
    Operators._departments,
    Operators._greet,
    Operators._whistle,
    Operators._held,
    Operators._resolved,
    Operators._cancel,
    Operators._identify,
    Operators._take_over,
    Operators._own,
)
