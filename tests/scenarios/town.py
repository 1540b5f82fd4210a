"""A small town on a virtual clock, driving the real engine: press, expect an offer, advance the clock.

Every event is checked from outside: no open incident without a deadline, nobody twice, and the journal replays to the
same incident, field by field.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.domain import events as e
from callhub.domain.decision import Answer, Decision
from callhub.domain.family import FamilyContact
from callhub.domain.incident import LIVE_ASSIGNMENTS, Incident
from callhub.domain.messages import AddresseeKind, Message
from callhub.domain.people import (
    SYSTEM,
    Actor,
    ActorKind,
    Device,
    Elder,
    Position,
    Responder,
    ResponderKind,
    Role,
)
from callhub.domain.policy import IncidentClass, Policy, PolicySet, policy_from_table
from tests.scenarios.memory import replayed, restored

if TYPE_CHECKING:
    from callhub.dispatch.sharing import Solve
    from callhub.domain.facts import Row

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
HOME = Position(39.08, 117.22)
AREA = ("D", "S", "C", "G")
M_PER_DEGREE = 111_195.0


def metres_north(metres: float, of: Position = HOME) -> Position:
    """A position that many metres to the north."""
    return Position(of.lat + metres / M_PER_DEGREE, of.lon)


LADDER: dict[str, Any] = {
    "id": "emergency",
    "class": "emergency",
    "kinds": ["sos", "fall", "medical", "unknown"],
    "urgency": 2,
    "step": [
        {
            "name": "neighbours",
            "ask": ["paired", "volunteer", "caregiver"],
            "fan_out": 2,
            "fan_out_max": 2,
            "radius_m": 2000,
            "offer_timeout_s": 20,
            "step_timeout_s": 60,
        },
        {"name": "community", "ask": ["desk"], "level": "community", "offer_timeout_s": 30, "step_timeout_s": 60},
        {"name": "district", "ask": ["desk"], "level": "district", "offer_timeout_s": 30, "step_timeout_s": 60},
    ],
}
FIRE = {**LADDER, "id": "fire", "kinds": ["smoke", "gas"], "urgency": 1}
SERVICE = {**LADDER, "id": "service", "class": "service", "kinds": ["meal", "visit"], "urgency": 4}
TECHNICAL = {
    "id": "technical",
    "class": "technical",
    "kinds": ["gateway_fault", "clock"],
    "step": [{"name": "district", "ask": ["desk"], "level": "district", "offer_timeout_s": 30, "step_timeout_s": 60}],
}


def ladder(**changes: Any) -> Policy:
    """The test ladder for emergencies with other figures; ``step=0`` style keys are not changed here."""
    return policy_from_table({**LADDER, **changes}, "test")


class Person:
    """A responder, from outside: what they were told and what they say."""

    def __init__(self, town: Town, id: str) -> None:
        self.town = town
        self.id = id

    @property
    def inbox(self) -> list[Message]:
        """All messages so far, oldest first."""
        return [m for m in self.town.sent if m.addressee.id == self.id and m.addressee.kind is AddresseeKind.RESPONDER]

    def told(self, type: str) -> list[dict[str, Any]]:
        """Bodies of messages of one type."""
        return [m.body for m in self.inbox if m.type.value == type]

    @property
    def offer(self) -> dict[str, Any]:
        """The newest offer, which must be there."""
        offers = self.told("offer")
        assert offers, f"{self.id} was not asked"
        return offers[-1]

    def was_asked(self) -> bool:
        """Whether any offer came."""
        return bool(self.told("offer"))

    def says(self, event: type[e.Event], **fields: Any) -> Answer:
        """Any message of theirs."""
        actor = Actor(ActorKind.RESPONDER, self.id)
        return self.town.tell(event(id=self.town.new_id(), actor=actor, **fields))

    def accepts(self, offer: str | None = None) -> Answer:
        """Yes to the newest offer, or to a named one."""
        return self.says(e.OfferAnswered, offer=offer or self.offer["offer"], accept=True)

    def declines(self, offer: str | None = None) -> Answer:
        """No to the newest offer, or to a named one."""
        return self.says(e.OfferAnswered, offer=offer or self.offer["offer"], accept=False)

    def hears(self) -> list[str]:
        """What came with the last event: ``offer``, ``stand_down filled``, ``update note``, ``assignment assigned``."""
        mine = [m for m in self.town.last.messages if m.addressee.id == self.id]
        said = [(m.type.value, m.body.get("reason") or m.body.get("what") or m.body.get("state")) for m in mine]
        return [f"{type} {more}" if more else type for type, more in said]

    def offers(self) -> int:
        """How many different offers came."""
        return len({body["offer"] for body in self.told("offer")})

    def reports(self, action: str, incident: str | None = None, **fields: Any) -> Answer:
        """En route, on scene, cleared, release, need."""
        incident = incident or self.told("assignment")[-1]["incident"]
        held = self.town.engine.incident(incident)
        elder = self.town.elders.get(held.elder or "") if held is not None else None
        said: dict[str, Any] = {"incident": incident, "responder": self.id, "action": action, "fields": fields}
        return self.says(e.DutyMoved, elder=elder, **said)

    def goes(self, *, on_duty: bool, until: datetime | None = None, at: Position | None = None) -> Answer:
        """On or off duty."""
        return self.says(e.PresenceSaid, responder=self.id, available=on_duty, until=until, position=at)


class Town:
    """The engine with people around it; ``policies`` replace test ladders by id, or (``only``) all of them."""

    def __init__(
        self, *policies: Policy, only: bool = False, rules: Rules | None = None, solve: Solve | None = None
    ) -> None:
        self.now = NOON
        self.count = 0
        self.sent: list[Message] = []
        self.rows: dict[str, list[Row]] = {}
        self.notes: list[Row] = []
        self.answers: dict[tuple[str, str], list[e.PriorAnswer]] = {}
        self.marks: dict[tuple[str, str], datetime] = {}
        self.runs: list[tuple[datetime, datetime]] = []
        self.started_at = NOON
        self.elders: dict[str, Elder] = {}
        self.devices: dict[str, Device] = {}
        tables = [policy_from_table(table, "test") for table in (LADDER, FIRE, SERVICE, TECHNICAL)]
        named = {policy.id: policy for policy in (*(() if only else tables), *policies)}
        self.policies = PolicySet(named.values())
        self.rules = rules or Rules(night="")  # tests of the night say so
        self.engine = DispatchEngine(self.rules, self.policies, NOON, solve)
        self.last = Decision()

    # Making a town

    def new_id(self) -> str:
        """Time-ordered ids."""
        self.count += 1
        return f"{self.count:06d}"

    def elder(self, id: str = "E-1", **fields: Any) -> Elder:
        """An elder with a button called ``BTN-`` and their id, behind gateway GW."""
        base = Elder(id=id, name="Li", area=AREA, address="Fuyuanli 3", position=HOME, card=f"CARD-{id}")
        self.elders[id] = replace(base, **fields)
        self.devices[f"BTN-{id}"] = Device(f"BTN-{id}", elder=id, gateway="GW")
        return self.elders[id]

    def contact(self, id: str, elder: str = "E-1", **fields: Any) -> FamilyContact:
        """Somebody around an elder, imported now; ``responder`` makes them a keyholder."""
        contact = FamilyContact(id, elder, name=id, **fields)
        others = tuple(one for one in self.elders[elder].family if one.id != id)
        self.elders[elder] = replace(self.elders[elder], family=(*others, contact))
        self.changes("contacts", families=((elder, self.elders[elder].family),))
        return contact

    def responder(
        self, id: str, away_m: float = 100, *, on_duty: bool = True, linked: bool = True, **fields: Any
    ) -> Person:
        """A volunteer that many metres to the north of home, on duty and linked."""
        base = Responder(
            id=id, name=id, kind=ResponderKind.VOLUNTEER, area=AREA, level="grid", position=metres_north(away_m)
        )
        record = replace(base, **fields)
        self.tell(e.DirectoryUpdated(id=self.new_id(), actor=SYSTEM, what="responders", responders=(record,)))
        person = Person(self, id)
        if linked:
            self.link(id, up=True)
        if on_duty:
            person.goes(on_duty=True)
        return person

    def desk(self, area: tuple[str, ...], level: str) -> Person:
        """The duty desk of an area; on duty while somebody watches."""
        return self.responder(
            f"DESK-{area[-1]}",
            kind=ResponderKind.DESK,
            area=area,
            level=level,
            position=None,
            capacity=None,
            on_duty=False,
            linked=False,
        )

    def link(self, id: str, *, up: bool) -> None:
        """A responder's link comes up or is lost."""
        self.tell(e.LinkChanged(id=self.new_id(), actor=SYSTEM, responder=id, up=up))

    def watch(self, user: str = "anna", area: str | None = None, *, watching: bool = True) -> None:
        """An operator opens a console, or loses the last one."""
        self.tell(e.WatchersChanged(id=self.new_id(), actor=SYSTEM, user=user, area=area, watching=watching))

    # What happens

    def press(self, elder: str = "E-1", kind: str = "sos", **fields: Any) -> Incident:
        """A press; the incident it opened or joined."""
        answer = self.alarm(elder, kind, **fields)
        incident = self.engine.incident(answer.body["incident"])
        assert incident is not None
        return incident

    def press_at_once(self, *presses: str | tuple[str, str]) -> list[Incident]:
        """Presses that reach the hub in one batch, each by an elder or (elder, kind); their incidents."""
        named = [(press, "sos") if isinstance(press, str) else press for press in presses]
        opened = [self.press(elder, kind, gathered=True).id for elder, kind in named]
        self.tell(e.CasesGathered(id=self.new_id(), actor=SYSTEM, incidents=tuple(opened)))
        return [self.incident(id) for id in opened]

    def alarm(self, elder: str = "E-1", kind: str = "sos", **fields: Any) -> Answer:
        """A press and its receipt; ``alarm``, ``device``, ``gateway`` and every field of the event can be given."""
        gateway = fields.pop("gateway", "GW")
        device = fields.pop("device", f"BTN-{elder}")
        alarm = fields.pop("alarm", None) or f"a-{self.count + 1}"
        at = fields.get("at")
        known = self.devices.get(device)
        person = self.elders.get(known.elder or "") if known is not None else None
        print_ = f"alarm|{device}|{kind}|{at.isoformat() if at else ''}"
        event = e.AlarmRaised(
            id=self.new_id(),
            actor=Actor(ActorKind.GATEWAY, gateway),
            request=self.request(f"gateway:{gateway}", alarm, print_),
            gateway=gateway,
            alarm=alarm,
            device=device,
            kind=kind,
            device_record=fields.pop("device_record", known),
            elder=person,
            **fields,
        )
        return self.tell(event)

    def request(self, sender: str, id: str, fingerprint: str) -> e.Request:
        """A caller's message with what was answered before."""
        return e.Request(e.RequestKey(sender, id), fingerprint, tuple(self.answers.get((sender, id), ())))

    def act(
        self,
        incident: str,
        action: str,
        user: str = "anna",
        if_match: int | None = None,
        by: Actor | None = None,
        key: str | None = None,
        **fields: Any,
    ) -> Answer:
        """An operator's action, or somebody else's (``by``); ``key`` is its idempotency key."""
        actor = by or Actor(ActorKind.USER, user, Role.OPERATOR)
        elder = self.elders.get(str(fields.get("elder")))
        held = self.engine.incident(incident)
        card = self.elders.get(held.elder or "") if held is not None else None
        return self.tell(
            e.OperatorActed(
                id=self.new_id(),
                actor=actor,
                request=self.request(f"user:{user}", key, f"{action} {incident}|{fields}") if key else None,
                incident=incident,
                action=action,
                fields=fields,
                if_match=if_match,
                elder=elder or card,
            )
        )

    def answers_for(self, offer: str, *, accept: bool, user: str = "anna") -> Answer:
        """An operator answers an offer for somebody on the telephone."""
        actor = Actor(ActorKind.USER, user, Role.OPERATOR)
        return self.tell(e.OfferAnswered(id=self.new_id(), actor=actor, offer=offer, accept=accept, via="telephone"))

    def cancels(self, alarm: str | None = None, elder: str = "E-1", id: str = "c-1", **fields: Any) -> Answer:
        """The button asks for a cancel; ``device`` and ``gateway`` can be given."""
        return self.device_says(e.CancelAsked, "cancel", id, elder, alarm=alarm, **fields)

    def signals(self, signal: str, card: str | None = None, elder: str = "E-1", id: str = "s-1", **f: Any) -> Answer:
        """The device at the elder's home says ``arrived``, ``card`` or ``confirm``."""
        return self.device_says(e.SignalSent, "signal", id, elder, signal=signal, card=card, **f)

    def device_says(self, event: type[e.Event], type_: str, id: str, elder: str, **fields: Any) -> Answer:
        """A message of a device that is no alarm."""
        gateway = fields.pop("gateway", "GW")
        device = fields.pop("device", f"BTN-{elder}")
        known = self.devices.get(device)
        request = self.request(f"gateway:{gateway}", id, f"{type_}|{device}")
        actor = Actor(ActorKind.GATEWAY, gateway)
        person = self.elders.get(known.elder or "") if known is not None else None
        more: dict[str, Any] = {"gateway": gateway, "device": device, "device_record": known, "elder": person, **fields}
        return self.tell(event(id=self.new_id(), actor=actor, request=request, **more))

    def changes(self, what: str = "import", **fields: Any) -> Answer:
        """The directory changes."""
        return self.tell(e.DirectoryUpdated(id=self.new_id(), actor=SYSTEM, what=what, **fields))

    def changes_responder(self, id: str, **fields: Any) -> None:
        """An import changes a responder; ``active=False`` disables them."""
        record = self.engine._world.roster.people[id].record
        self.changes("responders", responders=(replace(record, **fields),))

    def call(self, kind: str = "unknown", elder: str | None = None, source: str = "operator", **fields: Any) -> Answer:
        """Somebody telephones the operator, or a responder reports."""
        kind_of = ActorKind.USER if source == "operator" else ActorKind.RESPONDER
        person = self.elders.get(elder or "")
        actor = Actor(kind_of, "anna", Role.OPERATOR)
        return self.tell(e.CallTaken(id=self.new_id(), actor=actor, source=source, kind=kind, elder=person, **fields))

    def waits_for(self, incident: str) -> str | None:
        """What the incident waits for next, and in how many seconds: ``step in 60``."""
        deadline = self.incident(incident).next_deadline
        return None if deadline is None else f"{deadline.why} in {(deadline.at - self.now).total_seconds():g}"

    def advance(self, seconds: float) -> None:
        """Let time pass; deadlines fire at their moment, in order."""
        end = self.now + timedelta(seconds=seconds)
        for _ in range(100_000):
            due = self.engine.next_due()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            for ref in self.engine.due(self.now):
                event = e.DeadlineDue(
                    id=self.new_id(), actor=SYSTEM, incident=ref.incident or None, key=ref.key or None
                )
                self.tell(event)
        else:
            raise AssertionError("deadlines fire without end")
        self.now = end

    def tell(self, event: e.Event) -> Answer:
        """Decide an event, keep what came of it, and check the laws."""
        decision = self.engine.handle(event, self.now)
        self.last = decision
        self.sent += decision.messages
        self.marks.update(dict.fromkeys(decision.marks, self.now))
        for row in decision.rows:
            if row.incident is None:
                self.notes.append(row)
            else:
                self.rows.setdefault(row.incident, []).append(row)
        if event.request is not None and not decision.answer.repeat:
            key = (event.request.key.sender, event.request.key.id)
            answer = decision.answer
            prior = e.PriorAnswer(
                event.request.fingerprint, self.now, answer.incident, answer.body, answer.code is not None
            )
            self.answers.setdefault(key, []).append(prior)
        self.check(decision)
        return decision.answer

    def restart(self, after_s: float = 0) -> None:
        """Begin anew from the journal, as a restarted process would."""
        self.runs.append((self.started_at, self.now))
        self.now += timedelta(seconds=after_s)
        self.started_at = self.now
        self.engine = restored(self)

    # What is so

    def incident(self, id: str) -> Incident:
        """An incident in memory."""
        found = self.engine.incident(id)
        assert found is not None
        return found

    def facts(self, incident: str, kind: str | None = None) -> list[Any]:
        """The facts of an incident so far, of one kind or all."""
        return [f for row in self.rows[incident] for f in row.facts if kind is None or f.fact == kind]

    def news(self, contact: str) -> list[str]:
        """What a contact was told, in order."""
        kind = AddresseeKind.CONTACT
        return [m.body["what"] for m in self.sent if m.addressee.kind is kind and m.addressee.id == contact]

    def progress(self, gateway: str = "GW") -> list[str]:
        """The states a gateway was told, in order."""
        return [m.body["state"] for m in self.sent if m.addressee.id == gateway and m.type.value == "progress"]

    def check(self, decision: Decision) -> None:
        """The laws, from outside."""
        for id in decision.touched:
            incident = self.incident(id)
            assert not incident.is_open or incident.deadlines, f"{id} is open and nothing is due"
            asked = [o.responder for o in incident.live_offers]
            assert len(asked) == len(set(asked)), f"somebody is asked twice for {id}: {asked}"
            over = not incident.is_open or incident.state == "resolved"
            assert not (over and asked), f"{id} is over and {asked} are still asked"
            assert replayed(self.rows[id]) == asdict(incident)
        busy: dict[str, int] = {}
        for incident in self.engine.open_incidents():
            if incident.class_ is IncidentClass.EMERGENCY:
                for assignment in incident.assignments.values():
                    if assignment.state in LIVE_ASSIGNMENTS:
                        busy[assignment.responder] = busy.get(assignment.responder, 0) + 1
        people = self.engine._world.roster.people
        for id, count in busy.items():
            limit = people[id].record.capacity
            assert limit is None or count <= limit, f"{id} has {count}"
