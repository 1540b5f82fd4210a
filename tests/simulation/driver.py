"""A district of a few houses around the real engine: makes complete events, keeps the journal and the outbox.

Rules of this file: it decides nothing and judges nothing. Time is a number that only moves forward; a restart begins
from the journal, with links and consoles lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn
from unittest import mock

from callhub.dispatch import turn as turn_module
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.replay import apply, apply_fact
from callhub.dispatch.rules import Rules
from callhub.domain import events as e
from callhub.domain.people import (
    SYSTEM,
    Actor,
    ActorKind,
    Device,
    Duty,
    Elder,
    Position,
    Responder,
    ResponderKind,
    Role,
    Supervised,
)
from callhub.domain.policy import Policy, PolicySet, policy_from_table
from callhub.solver import least_cost_solver

if TYPE_CHECKING:
    from callhub.domain.decision import Decision
    from callhub.domain.facts import Row
    from callhub.domain.habits import Habit
    from callhub.domain.incident import Incident, Places
    from callhub.domain.messages import Message

START = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
AREA = ("D", "S", "C", "G")
RULES = Rules(position_fresh_s=10_000_000)
GATEWAY = "GW"
OPERATOR = Actor(ActorKind.USER, "anna", Role.OPERATOR)
COMMAND = Actor(ActorKind.SYSTEM, "command")

_DESK = {"ask": ["desk"], "fan_out": 1, "offer_timeout_s": 20, "step_timeout_s": 40}
_PEOPLE = {"ask": ["paired", "volunteer"], "fan_out": 2, "radius_m": 1500, "offer_timeout_s": 20, "step_timeout_s": 50}
_FIGURES = {
    "repeat_s": 60, "owner_check_s": 90, "desk_call_s": 45, "service_check_s": 120, "arrival_min_s": 100,
    "resolution_s": 150, "follow_up_s": 200,
}  # fmt: skip
TABLES: tuple[dict[str, Any], ...] = (
    {
        "id": "emergency", "class": "emergency", "kinds": ["sos", "unknown"], "urgency": 2, **_FIGURES,
        "step": [
            {"name": "near", **_PEOPLE},
            {"name": "community", **_DESK, "level": "community"},
            {"name": "carers", **_PEOPLE, "ask": ["caregiver", "desk"], "level": "district", "radius_m": 9000},
        ],
    },
    {
        "id": "fire", "class": "emergency", "kinds": ["smoke"], "urgency": 1, "needed": 2, **_FIGURES,
        "step": [
            {"name": "all", **_PEOPLE, "ask": ["volunteer", "caregiver"], "fan_out": 3, "radius_m": 9000},
            {"name": "district", **_DESK, "level": "district"},
        ],
    },
    {
        "id": "service", "class": "service", "kinds": ["meal"], **_FIGURES,
        "step": [{"name": "carers", **_PEOPLE, "ask": ["caregiver", "desk"], "level": "community"}],
    },
    {
        "id": "sensor", "class": "emergency", "kinds": ["inactivity"], "urgency": 3, **_FIGURES,
        "step": [
            {"name": "call", "ask": ["call_back"], "step_timeout_s": 30},
            {"name": "near", **_PEOPLE},
            {"name": "district", **_DESK, "level": "district"},
        ],
    },
    {
        "id": "cleaning", "class": "service", "kinds": ["cleaning"], "window": "04:05-04:08, 04:20-04:30, 05:00-06:00",
        **_FIGURES, "step": [{"name": "carers", **_PEOPLE, "ask": ["caregiver", "desk"], "level": "community"}],
    },
    {
        "id": "technical", "class": "technical", "kinds": ["gateway_fault"], **_FIGURES,
        "step": [{"name": "district", **_DESK, "level": "district"}],
    },
)  # fmt: skip
LADDERS: dict[str, Policy] = {str(table["id"]): policy_from_table(table, "test") for table in TABLES}


def north(metres: float) -> Position:
    """A position that many metres north of the first house."""
    return Position(39.08 + metres / 111_195.0, 117.22)


ELDERS = {
    "E-1": Elder("E-1", "Li", area=AREA, address="1", position=north(0), card="CARD-1", paired=("V-3",)),
    "E-2": Elder("E-2", "Wu", area=AREA, address="2", position=north(400), card="CARD-2"),
    "E-3": Elder("E-3", "Ma", area=("D", "S2"), address="3"),
}
DEVICES = {f"BTN-{id[2:]}": Device(f"BTN-{id[2:]}", elder=id, gateway=GATEWAY) for id in ELDERS}


def _person(id: str, metres: float | None, kind: ResponderKind, capacity: int = 1) -> Responder:
    position = north(metres) if metres is not None else None
    return Responder(id, id, kind, area=AREA, level="grid", position=position, capacity=capacity)


PEOPLE = {
    "V-1": _person("V-1", 50, ResponderKind.VOLUNTEER),
    "V-2": _person("V-2", 250, ResponderKind.VOLUNTEER, 2),
    "V-3": _person("V-3", 1800, ResponderKind.VOLUNTEER),
    "C-1": _person("C-1", 900, ResponderKind.CAREGIVER, 2),
    "C-2": _person("C-2", None, ResponderKind.CAREGIVER),
    "DESK-C": Responder("DESK-C", "DESK-C", ResponderKind.DESK, area=AREA[:3], level="community", capacity=None),
    "DESK-D": Responder("DESK-D", "DESK-D", ResponderKind.DESK, area=AREA[:1], level="district", capacity=None),
}
"""Somebody near, somebody for two at once, a pair, somebody nobody can place, and desks on two levels."""


@dataclass
class Memory:
    """What a store would give back after a restart."""

    last_number: int
    rows: dict[str, list[Row]]
    places: dict[str, Places]
    responders: list[Responder]
    duties: list[Duty]
    positions: dict[str, tuple[Position, datetime]]
    policies: list[Policy]
    policies_known: dict[str, Policy] = field(default_factory=dict)
    supervised: tuple[Supervised, ...] = ()
    runs: tuple[tuple[datetime, datetime], ...] = ()
    marks: dict[tuple[str, str], datetime] = field(default_factory=dict)
    habits: tuple[Habit, ...] = ()


class Town:
    """The engine with a clock, a journal and an outbox around it."""

    def __init__(self, policies: PolicySet | None = None) -> None:
        self.now = START
        self.policies = policies or PolicySet(LADDERS.values())
        self.engine = DispatchEngine(RULES, self.policies, START, least_cost_solver())
        self.people = dict(PEOPLE)
        self.journal: list[Row] = []
        self.outbox: list[Message] = []
        self.answers: dict[tuple[str, str], list[e.PriorAnswer]] = {}
        self.ended: dict[str, tuple[Incident, Places]] = {}
        self.count = 0

    # What is known

    def id(self) -> str:
        """Time-ordered ids."""
        self.count += 1
        return f"{self.count:05d}"

    def incidents(self) -> list[Incident]:
        """Every incident of the journal, by id."""
        ids = dict.fromkeys(row.incident for row in self.journal if row.incident is not None)
        return [incident for id in ids if (incident := self.incident(id)) is not None]

    def incident(self, id: str) -> Incident | None:
        """One incident, in memory or ended."""
        held = self.engine.incident(id)
        return held if held is not None else self.ended.get(id, (None, None))[0]

    def _ended(self, id: str) -> dict[str, Any]:
        """What the hub adds to an event about an incident that the engine no longer holds."""
        if self.engine.incident(id) is not None or id not in self.ended:
            return {}
        return {"ended": self.ended[id][0], "ended_places": self.ended[id][1]}

    def _elder_of(self, incident: str) -> Elder | None:
        held = self.incident(incident)
        return ELDERS.get(held.elder or "") if held is not None else None

    # What happens

    def tell(self, event: e.Event) -> Decision:
        """Decide one event and keep what came of it."""
        decision = self.engine.handle(event, self.now)
        self.journal += decision.rows
        self.outbox += decision.messages
        for id in decision.touched:
            held = self.engine.incident(id)
            if held is not None and not held.is_open:
                self.ended[id] = (held.copy(), self.engine.places(id))
        if event.request is not None and not decision.answer.repeat:
            answer, key = decision.answer, (event.request.key.sender, event.request.key.id)
            prior = e.PriorAnswer(
                event.request.fingerprint, self.now, answer.incident, answer.body, answer.code is not None
            )
            self.answers.setdefault(key, []).append(prior)
        return decision

    def fail(self, event: e.Event, after_facts: int) -> None:
        """Let the engine break in the middle of an event: after so many facts, or at the end when there are fewer."""
        left, finish = [after_facts], turn_module.Turn.finish

        def breaking(*args: Any) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise ZeroDivisionError
            apply_fact(*args)

        def ending(*args: Any) -> NoReturn:
            finish(*args)
            raise ZeroDivisionError

        patched = mock.patch.multiple
        with patched(turn_module, apply_fact=breaking), patched(turn_module.Turn, finish=ending):
            try:
                self.engine.handle(event, self.now)
            except ZeroDivisionError:
                return

    def _request(self, sender: str, id: str, fingerprint: str) -> e.Request:
        return e.Request(e.RequestKey(sender, id), fingerprint, tuple(self.answers.get((sender, id), ())))

    def alarm(self, device: str, kind: str = "sos", id: str | None = None, *, says_test: bool = False) -> e.AlarmRaised:
        """A press of a known or unknown button."""
        alarm, record = id or f"a-{self.count + 1}", DEVICES.get(device)
        return e.AlarmRaised(
            id=self.id(),
            actor=Actor(ActorKind.GATEWAY, GATEWAY),
            request=self._request(f"gateway:{GATEWAY}", alarm, f"alarm|{device}|{kind}|"),
            gateway=GATEWAY,
            alarm=alarm,
            device=device,
            kind=kind,
            says_test=says_test,
            device_record=record,
            elder=ELDERS.get(record.elder or "") if record is not None else None,
        )

    def together(self, *presses: tuple[str, str]) -> tuple[list[e.AlarmRaised], e.CasesGathered]:
        """Presses (device, kind) of one batch, and its end."""
        alarms = [replace(self.alarm(device, kind), gathered=True) for device, kind in presses]
        return alarms, e.CasesGathered(id=self.id(), actor=SYSTEM, incidents=tuple(alarm.id for alarm in alarms))

    def cancel(self, device: str, alarm: str | None) -> e.CancelAsked:
        """A button asks for a cancel."""
        actor = Actor(ActorKind.GATEWAY, GATEWAY)
        return e.CancelAsked(id=self.id(), actor=actor, gateway=GATEWAY, alarm=alarm, device=device)

    def signal(self, device: str, signal: str, card: str | None = None) -> e.SignalSent:
        """A device says something beside its alarm."""
        record = DEVICES.get(device)
        elder = ELDERS.get(record.elder or "") if record is not None else None
        actor = Actor(ActorKind.GATEWAY, GATEWAY)
        return e.SignalSent(
            id=self.id(), actor=actor, gateway=GATEWAY, device=device, signal=signal, card=card, elder=elder
        )

    def call(self, elder: str | None, kind: str = "sos") -> e.CallTaken:
        """A call by telephone."""
        found = ELDERS.get(elder or "")
        return e.CallTaken(id=self.id(), actor=OPERATOR, source="operator", kind=kind, elder=found, text="help")

    def faulty(self, *, wants_help: bool) -> e.FrameFaulty:
        """A frame that cannot be read."""
        actor = Actor(ActorKind.GATEWAY, GATEWAY)
        code = "invalid_message"
        return e.FrameFaulty(id=self.id(), actor=actor, gateway=GATEWAY, wants_help=wants_help, code=code, raw="?")

    def answer(self, offer: str, *, accept: bool, responder: str) -> e.OfferAnswered:
        """A responder's yes or no."""
        actor = Actor(ActorKind.RESPONDER, responder)
        more = self._ended(offer.rpartition("-")[0])
        return e.OfferAnswered(id=self.id(), actor=actor, offer=offer, accept=accept, responder=responder, **more)

    def duty(self, incident: str, responder: str, action: str, **fields: Any) -> e.DutyMoved:
        """A responder's report."""
        actor = Actor(ActorKind.RESPONDER, responder)
        return e.DutyMoved(
            id=self.id(),
            actor=actor,
            incident=incident,
            responder=responder,
            action=action,
            fields=fields,
            elder=self._elder_of(incident),
            **self._ended(incident),
        )

    def presence(self, responder: str, *, available: bool, for_s: float | None = None) -> e.PresenceSaid:
        """On or off duty, for a while or until they say otherwise."""
        until = self.now + timedelta(seconds=for_s) if for_s is not None else None
        actor = Actor(ActorKind.RESPONDER, responder)
        return e.PresenceSaid(id=self.id(), actor=actor, responder=responder, available=available, until=until)

    def link(self, responder: str, *, up: bool) -> e.LinkChanged:
        """A link comes up or is lost."""
        return e.LinkChanged(id=self.id(), actor=SYSTEM, responder=responder, up=up)

    def seen(self, responder: str, metres: float) -> e.PositionSeen:
        """An app gives a position."""
        return e.PositionSeen(id=self.id(), actor=SYSTEM, responder=responder, position=north(metres))

    def watch(self, user: str, *, watching: bool, area: str | None = None) -> e.WatchersChanged:
        """A console opens or goes away."""
        return e.WatchersChanged(id=self.id(), actor=SYSTEM, user=user, area=area, watching=watching)

    def act(self, incident: str, action: str, user: Actor = OPERATOR, **fields: Any) -> e.OperatorActed:
        """An operator's action; ``if_match`` and ``elder`` go to the event."""
        if_match = fields.pop("if_match", None)
        named = ELDERS.get(str(fields.get("elder")))
        return e.OperatorActed(
            id=self.id(),
            actor=user,
            incident=incident,
            action=action,
            fields=fields,
            if_match=if_match,
            elder=named or self._elder_of(incident),
            **self._ended(incident),
        )

    def record(self, responder: str, **changes: Any) -> e.DirectoryUpdated:
        """A responder's record is new or different."""
        self.people[responder] = replace(self.people[responder], **changes)
        changed = (self.people[responder],)
        return e.DirectoryUpdated(id=self.id(), actor=COMMAND, what="responders", responders=changed)

    def revoke(self, responder: str) -> e.DirectoryUpdated:
        """All tokens of a responder are gone."""
        return e.DirectoryUpdated(id=self.id(), actor=COMMAND, what="tokens", revoked=(("responder", responder),))

    def remove(self, user: str) -> e.DirectoryUpdated:
        """A console user is gone."""
        return e.DirectoryUpdated(id=self.id(), actor=COMMAND, what="users", removed_users=(user,))

    def due(self) -> list[e.DeadlineDue]:
        """What is due now, as the hub would tell it."""
        refs = self.engine.due(self.now)
        return [e.DeadlineDue(id=self.id(), actor=SYSTEM, incident=r.incident or None, key=r.key or None) for r in refs]

    # A restart

    def memory(self, rows: list[Row] | None = None) -> Memory:
        """What the store holds, or held when only ``rows`` were there."""
        per: dict[str, list[Row]] = {}
        duties: dict[str, Duty] = {}
        for row in self.journal if rows is None else rows:
            if row.incident is not None:
                per.setdefault(row.incident, []).append(row)
            for fact in row.facts:
                if fact.fact == "duty_changed":
                    duties[fact.responder] = Duty(fact.responder, fact.available, fact.until)
        numbers = [fact.number for rows_ in per.values() for fact in rows_[0].facts if fact.fact == "incident_opened"]
        places = {id: self.engine.places(id) for id in per}
        return Memory(
            max(numbers, default=0),
            per,
            places,
            list(self.people.values()),
            list(duties.values()),
            {},
            list(self.policies.by_id.values()),
        )

    def restart(self, rows: list[Row] | None = None) -> None:
        """A new process begins from the journal, or from what was committed of it."""
        memory = self.memory(rows)
        memory.rows = {id: rows_ for id, rows_ in memory.rows.items() if replayed(rows_).is_open}
        self.engine = DispatchEngine(RULES, self.policies, self.now, least_cost_solver())
        self.engine.restore(memory, self.now)


def replayed(rows: list[Row]) -> Incident:
    """The incident that these rows make."""
    incident: Incident | None = None
    for row in rows:
        incident = apply(incident, row)
    assert incident is not None
    return incident


def state(engine: DispatchEngine, now: datetime) -> dict[str, Any]:
    """Everything the engine remembers that a decision may depend on, to be compared."""
    world = engine._world
    roster = world.roster
    people = [(p, *(getattr(p, name) for name in _MOVING)) for p in roster.people.values()]
    return {
        "incidents": {id: incident.copy() for id, incident in world.incidents.items()},
        "ended": {id: incident.copy() for id, (incident, _) in world.ended.items()},
        "places": {id: replace(places) for id, places in world.places.items()},
        "elders": {key: set(ids) for key, ids in world.by_elder.items()},
        "devices": {key: set(ids) for key, ids in world.by_device.items()},
        "seeking": set(world.seeking),
        "number": world.number,
        "early": dict(world.early_cancels),
        "policies": sorted(world.policies.by_id),
        "timers": dict(world.timers),
        "queued": dict(world._queued),
        "next": engine.next_due(),
        "people": [tuple(set(x) if isinstance(x, set) else x for x in moving[1:]) for moving in people],
        "loads": {id: {key: replace(load) for key, load in p.loads.items()} for id, p in roster.people.items()},
        "watchers": (dict(roster.watchers), dict(roster.desk_patience)),
        # Whoever cannot come any more because time passed may still be filed, and is passed over by a search.
        "eligible": {
            id: grid._where[id]
            for id, p in roster.people.items()
            if (grid := roster._eligible.get(p.record.kind)) and id in grid and roster.standing(p, now) is None
        },
        "everyone": {kind: dict(grid._where) for kind, grid in roster._everyone.items() if len(grid)},
        "areas": {key: set(ids) for key, ids in (*roster._desks.items(), *roster._in_area.items()) if ids},
    }


_MOVING = ("record", "duty", "link_up", "reachable_until", "fix", "fix_at", "asked", "duties")
