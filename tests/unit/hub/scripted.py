"""A small engine whose faults are scripted, a store that fails when told, and the events of these tests."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from callhub.clock import ManualClock
from callhub.dispatch.replay import apply
from callhub.domain import facts as f
from callhub.domain.decision import Answer, Decision
from callhub.domain.events import (
    AlarmRaised,
    DeadlineDue,
    DirectoryUpdated,
    Event,
    LinkChanged,
    OfferAnswered,
    PresenceSaid,
    Request,
    RequestKey,
    WatchersChanged,
)
from callhub.domain.incident import Deadline, Incident, Places, Source
from callhub.domain.messages import Addressee, AddresseeKind, Message, MessageType
from callhub.domain.people import SYSTEM, Actor, ActorKind
from callhub.domain.policy import Ask, IncidentClass, Level, Policy, Step, policy_key
from callhub.hub import Hub
from callhub.store.base import Commit, Committed, DirectoryChange, Found, Need, Snapshot
from callhub.store.memory import MemoryStore

START = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
STEP_S = 30.0
GATEWAY = Actor(ActorKind.GATEWAY, "GW")
LADDER = Policy(
    id="emergency",
    class_=IncidentClass.EMERGENCY,
    kinds=("sos", "fall", "unknown"),
    steps=(Step("desk", (Ask.DESK,), level=Level.DISTRICT),),
    repeat_s=40,
)


class ScriptedError(Exception):
    """What the tests make the engine or the store raise."""


@dataclass(frozen=True, slots=True)
class Due:
    at: datetime
    incident: str
    key: str = ""


class ScriptedEngine:
    """Opens an incident for each alarm with one deadline, and moves that on when it is due.

    ``fails`` decides which events raise; ``ignores`` are incidents whose deadlines it leaves as they are. ``lost``
    are what it says it cannot replay; it can hold none of them.
    """

    def __init__(self, fails: Callable[[Event], bool] = lambda _: False) -> None:
        self.fails = fails
        self.adopts = True
        self.ignores: set[str] = set()
        self.seen: list[Event] = []
        self.restarts = 0
        self.timer: Due | None = None
        self.duty = {"V-1"}
        self.lost: tuple[str, ...] = ()
        self.held: list[str] = []
        self._incidents: dict[str, Incident] = {}
        self._places: dict[str, Places] = {}
        self._number = 0

    def handle(self, event: Event, now: datetime) -> Decision:
        self.seen.append(event)
        if self.fails(event):
            raise ScriptedError(type(event).__name__)
        match event:
            case AlarmRaised():
                return self._alarm(event, now)
            case DeadlineDue(incident=str(id_)) if id_ not in self.ignores:
                armed = {"step": Deadline(now + timedelta(seconds=STEP_S), "step_timeout")}
                facts = (f.StepEntered(step=0, name="again", why="timeout"), f.DeadlinesChanged(armed=armed))
                return Decision(rows=(self._row(id_, event, now, facts),))
            case OfferAnswered():
                return Decision(answer=Answer(body={"code": "unknown_offer"}, code="unknown_offer"))
            case PresenceSaid():
                (self.duty.add if event.available else self.duty.discard)(event.responder)
                said = f.DutyChanged(responder=event.responder, available=event.available, until=None)
                return Decision(rows=(f.Row(None, 0, now, event.id, event.actor, (said,)),))
            case DirectoryUpdated():
                row = f.Row(None, 0, now, event.id, event.actor, (f.DirectoryChanged(what=event.what),))
                return Decision(rows=(row,))
            case _:
                return Decision()

    def _alarm(self, event: AlarmRaised, now: datetime) -> Decision:
        if event.request is not None:
            for prior in event.request.prior:
                if prior.fingerprint == event.request.fingerprint:
                    body = prior.answer | {"duplicate": True}
                    return Decision(answer=Answer(body, incident=prior.incident, repeat=True))
        self._number += 1
        opened = f.IncidentOpened(
            number=self._number,
            class_=IncidentClass.EMERGENCY,
            kind=event.kind,
            urgency=1,
            source=Source.DEVICE,
            policy=policy_key(LADDER),
            needed=1,
            gateway=event.gateway,
            device=event.device,
            elder=event.elder.id if event.elder else None,
        )
        alarm = f.AlarmRecorded(id=event.alarm, gateway=event.gateway, kind=event.kind, received_at=now, raw=event.raw)
        armed = f.DeadlinesChanged(armed={"step": Deadline(now + timedelta(seconds=STEP_S), "step_timeout")})
        row = self._row(event.id, event, now, (opened, alarm, armed))
        message = Message(Addressee(AddresseeKind.GATEWAY, event.gateway), MessageType.PROGRESS, event.id, event.id)
        body = {"incident": event.id, "duplicate": False}
        return Decision((row,), (message,), Answer(body, incident=event.id))

    def _row(self, id_: str, event: Event, now: datetime, facts: tuple[f.Fact, ...]) -> f.Row:
        before = self._incidents.get(id_)
        row = f.Row(id_, before.version + 1 if before else 1, now, event.id, event.actor, facts)
        self.adopt((row,), {})
        return row

    def next_due(self) -> datetime | None:
        return min((due.at for due in self._all()), default=None)

    def due(self, now: datetime) -> Sequence[Due]:
        return sorted((due for due in self._all() if due.at <= now), key=lambda due: due.at)

    def _all(self) -> list[Due]:
        deadlines = ((id_, i.next_deadline) for id_, i in self._incidents.items() if i.is_open)
        found = [Due(deadline.at, id_) for id_, deadline in deadlines if deadline is not None]
        return found + ([self.timer] if self.timer else [])

    def incident(self, id: str) -> Incident | None:
        return self._incidents.get(id)

    def open_incidents(self) -> Iterable[Incident]:
        return [incident for incident in self._incidents.values() if incident.is_open]

    def places(self, id: str) -> Places:
        return self._places.get(id, Places())

    def on_duty(self, responder: str, now: datetime) -> bool:
        return responder in self.duty

    def restore(self, snapshot: Snapshot, now: datetime) -> tuple[str, ...]:
        self.restarts += 1
        self.duty = {duty.responder for duty in snapshot.duties if duty.available} or {"V-1"}
        self._incidents.clear()
        self._places = dict(snapshot.places)
        self._number = snapshot.last_number
        self._apply(row for rows in snapshot.rows.values() for row in rows)
        return self.lost

    def hold(self, incident: Incident, places: Places) -> None:
        self.held.append(incident.id)
        raise ScriptedError("hold")

    def adopt(self, rows: Iterable[f.Row], places: dict[str, Places]) -> None:
        if not self.adopts:
            raise ScriptedError("adopt")
        self._apply(rows)
        self._places.update(places)

    def _apply(self, rows: Iterable[f.Row]) -> None:
        for row in rows:
            if row.incident is not None:
                before = self._incidents.get(row.incident)
                after = apply(before.copy() if before else None, row)
                self._incidents[row.incident] = after
                self._number = max(self._number, after.number)


class FailingStore(MemoryStore):
    """A memory store that raises what ``fails`` returns for a commit; ``commits`` are those that went through."""

    def __init__(self) -> None:
        super().__init__(epoch="test")
        self.fails: Callable[[Commit], Exception | None] = lambda _: None
        self.load_fails: list[Exception] = []
        self.lookup_fails: Callable[[Need], Exception | None] = lambda _: None
        self.commits: list[Commit] = []
        self.lookups: list[Need] = []

    async def commit(self, commit: Commit) -> Committed:
        if (error := self.fails(commit)) is not None:
            raise error
        committed = await super().commit(commit)
        self.commits.append(commit)
        return committed

    async def load(self) -> Snapshot:
        if self.load_fails:
            raise self.load_fails.pop(0)
        return await super().load()

    def lookup(self, need: Need) -> Found:
        self.lookups.append(need)
        if (error := self.lookup_fails(need)) is not None:
            raise error
        return super().lookup(need)


@dataclass(slots=True)
class Bench:
    """A hub over the two, with a clock that moves when told."""

    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    store: FailingStore = field(default_factory=FailingStore)
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    hub: Hub = field(init=False)
    _count: int = 0

    async def start(self, inbox_events_max: int = 100) -> Hub:
        """Recover, with the ladder in force; ``run`` is the caller's."""
        await self.store.open()
        await self.store.commit(Commit(changes=(DirectoryChange(policies=(LADDER,)),)))
        self.store.commits.clear()
        self.hub = Hub(self.engine, self.store, self.clock, inbox_events_max=inbox_events_max)
        await self.hub.recover()
        return self.hub

    def alarm(self, id: str = "", kind: str = "sos", device: str = "B-1", raw: str = "{}") -> AlarmRaised:
        """A press; each has its own id unless one is given."""
        self._count += 1
        id = id or f"a-{self._count}"
        request = Request(RequestKey("gateway:GW", id), f"alarm|{device}|{kind}|")
        return AlarmRaised(
            id=self.hub.new_id(), actor=GATEWAY, request=request, gateway="GW", alarm=id, device=device, kind=kind,
            raw=raw,
        )  # fmt: skip

    def answer(self, id: str) -> OfferAnswered:
        """An acceptance that is refused."""
        request = Request(RequestKey("responder:V-1", id), "accept|o")
        return OfferAnswered(id=self.hub.new_id(), actor=SYSTEM, request=request, offer="o", accept=True)

    def link(self, responder: str, up: bool) -> LinkChanged:
        """A responder's link."""
        return LinkChanged(id=self.hub.new_id(), actor=SYSTEM, responder=responder, up=up)

    def watch(self, user: str, watching: bool) -> WatchersChanged:
        """A console."""
        return WatchersChanged(id=self.hub.new_id(), actor=SYSTEM, user=user, area=None, watching=watching)


async def passes() -> None:
    """Let the event loop run until whatever could happen without the clock has happened."""
    for _ in range(50):
        await asyncio.sleep(0)
