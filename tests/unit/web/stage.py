"""A small stage for the web: the real hub and application over the memory store, and an engine that obeys a script.

The scripted engine opens an incident for each alarm and call, writes down what humans do, and refuses what it is told
to refuse. It decides nothing, so that a test of the web does not depend on how dispatch decides.
"""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from callhub.clock import ManualClock
from callhub.dispatch.replay import apply
from callhub.domain import facts as f
from callhub.domain.decision import Answer, Decision
from callhub.domain.events import (
    AlarmRaised,
    CallTaken,
    DrillAsked,
    Event,
    OfferAnswered,
    OperatorActed,
    WatchersChanged,
)
from callhub.domain.incident import Deadline, Incident, IncidentState, Owner, OwnerKind, Places, Source
from callhub.domain.people import SYSTEM, Area, Device, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import IncidentClass, Level, Policy, policy_from_table
from callhub.feed import Feed
from callhub.hub import Hub
from callhub.hub.ports import DueRef
from callhub.metrics import create_metrics
from callhub.settings import Settings
from callhub.store.base import Commit, DirectoryChange, Snapshot, Token, User
from callhub.store.memory import MemoryStore
from callhub.web import Tickets, Viewers, create_app
from callhub.web.auth import digest_of

START = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
PASSWORD = "correct horse"
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

HOME = Position(39.08, 117.22)
AREAS = (
    Area("D1", None, Level.DISTRICT, "河西区", HOME),
    Area("S1", "D1", Level.STREET, "友谊路街", HOME),
    Area("S2", "D1", Level.STREET, "桃园街", HOME),
)
ELDERS = (
    Elder("E-1", "李奶奶", ("D1", "S1"), "富源里 3 号楼 201", HOME, phone="13800000001", card="CARD1", access="钥匙"),
    Elder("E-2", "张爷爷", ("D1", "S2"), "桃园里 1 号楼", HOME, phone="13800000002"),
)
DEVICES = (Device("BTN-1", "E-1", "GW"), Device("BTN-2", "E-2", "GW"), Device("BTN-3"))
RESPONDERS = (
    Responder("V-1", "王师傅", ResponderKind.VOLUNTEER, ("D1", "S1"), phone="13900000001"),
    Responder("DESK-1", "友谊路街值班台", ResponderKind.DESK, ("D1", "S1"), "street", capacity=None),
)
USERS = (
    ("ann", "admin", None),
    ("olga", "operator", None),
    ("southern", "operator", "S2"),
    ("vera", "viewer", None),
)
TOKENS = (
    ("gateway", "GW", None, None),
    ("responder", "V-1", None, None),
    ("api", "duty", "operator", None),
    ("api", "wall", "viewer", "S1"),
)


class ScriptedEngine:
    """See the module. ``refusals`` maps an action to the answer it gets; ``seen`` holds every event."""

    def __init__(self) -> None:
        self.refusals: dict[str, Answer] = {}
        self.seen: list[Event] = []
        self._incidents: dict[str, Incident] = {}
        self._places: dict[str, Places] = {}
        self._number = 0

    def handle(self, event: Event, now: datetime) -> Decision:
        """Do what the script says."""
        self.seen.append(event)
        prior = event.request.prior if event.request else ()
        for earlier in prior:
            if event.request and earlier.fingerprint == event.request.fingerprint:
                return Decision(answer=Answer(earlier.answer, None, earlier.incident, repeat=True))
        match event:
            case AlarmRaised():
                elder = event.elder
                body = {"incident": event.id, "device_known": event.device_record is not None}
                return self._open(event, now, elder, event.kind, Source.DEVICE, body, event.device)
            case CallTaken():
                return self._open(event, now, event.elder, event.kind, Source.OPERATOR, {"incident": event.id}, None)
            case DrillAsked():
                return self._open(event, now, event.elder, event.kind, Source.OPERATOR, {"incident": event.id}, None)
            case OperatorActed():
                if event.action in self.refusals:
                    return Decision(answer=self.refusals[event.action])
                return self.write(event.incident, event, now, self._facts(event))
            case OfferAnswered():
                fact = f.OfferAccepted(offer=event.offer, via=event.via)
                return self.write(event.offer.rpartition("-")[0], event, now, (fact,))
            case _:
                return Decision()

    def write(self, id: str, event: Event, now: datetime, facts: tuple[f.Fact, ...]) -> Decision:
        """One row about an incident."""
        incident = self._incidents.get(id)
        row = f.Row(id, incident.version + 1 if incident else 1, now, event.id, event.actor, facts)
        self._incidents[id] = apply(incident.copy() if incident else None, row)
        self._places.setdefault(id, Places())
        return Decision(rows=(row,), answer=Answer({"ok": True}, None, id))

    def incident(self, id: str) -> Incident | None:
        """As the hub sees it."""
        return self._incidents.get(id)

    def open_incidents(self) -> Iterable[Incident]:
        """As the hub sees it."""
        return [incident for incident in self._incidents.values() if incident.is_open]

    def places(self, id: str) -> Places:
        """As the hub sees it."""
        return self._places[id]

    def on_duty(self, responder: str, now: datetime) -> bool:
        """Only V-1 is."""
        return responder == "V-1"

    def next_due(self) -> datetime | None:
        """Nothing is ever due."""
        return None

    def due(self, now: datetime) -> Sequence[DueRef]:
        """Nothing is ever due."""
        return ()

    def restore(self, snapshot: Snapshot, now: datetime) -> tuple[str, ...]:
        """It starts empty."""
        return ()

    def hold(self, incident: Incident, places: Places) -> None:
        """Never asked for."""

    def adopt(self, rows: Iterable[f.Row], places: dict[str, Places]) -> None:
        """Never asked for."""

    def _open(
        self,
        event: Event,
        now: datetime,
        elder: Elder | None,
        kind: str,
        source: Source,
        body: dict[str, object],
        device: str | None,
    ) -> Decision:
        self._number += 1
        self._places[event.id] = Places(home=elder.position, address=elder.address) if elder else Places()
        opened = f.IncidentOpened(
            number=self._number,
            class_=IncidentClass.EMERGENCY,
            kind=kind,
            urgency=1,
            source=source,
            policy="emergency",
            needed=1,
            device=device,
            elder=elder.id if elder else None,
            area=elder.area if elder else (),
            text=getattr(event, "text", None),
        )
        armed = f.DeadlinesChanged(armed={"step": Deadline(now + timedelta(seconds=60), "step_timeout")})
        offer = f.OfferMade(
            offer=f"{event.id}-1",
            responder="V-1",
            kind=ResponderKind.VOLUNTEER,
            step=0,
            respond_by=now + timedelta(seconds=20),
        )
        passed_over = ({"responder": "GONE", "distance_m": 90, "reason": "quiet"},)
        ranked = f.Ranked(step=0, chosen=({"responder": "V-1", "eta_s": 190},), passed_over=passed_over)
        decision = self.write(event.id, event, now, (opened, armed, ranked, offer))
        return replace(decision, answer=Answer(dict(body), None, event.id))

    def _facts(self, event: OperatorActed) -> tuple[f.Fact, ...]:
        actor = event.actor
        match event.action:
            case "take-over":
                return (f.OwnerTaken(owner=Owner(OwnerKind(actor.kind.value), actor.id)),)
            case "close":
                closed = f.StateChanged(event="close", state=IncidentState.CLOSED, outcome=event.fields["outcome"])
                return (closed, f.DeadlinesChanged(disarmed=("step",)))
            case "contact":
                said = event.fields
                return (f.ContactMade(party=said["party"], result=said["result"], note=said.get("note")),)
            case _:
                return (f.NoteAdded(what="note", text=event.fields.get("text")),)


@dataclass
class Checked:
    """An auditor that says what it is told."""

    ok: bool = True


@dataclass
class Stage:
    """All parts, running."""

    engine: ScriptedEngine
    hub: Hub
    store: MemoryStore
    viewers: Viewers
    clock: ManualClock
    tickets: Tickets
    app: FastAPI
    auditor: Checked = field(default_factory=Checked)
    links: bool = True

    def browser(self, base: str = "http://console.test") -> httpx.AsyncClient:
        """A client with a cookie jar and no token."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=base)

    def bearer(self, token: str) -> httpx.AsyncClient:
        """A program with this token."""
        client = self.browser()
        client.headers["authorization"] = f"Bearer {token}"
        return client

    async def signed_in(self, name: str) -> httpx.AsyncClient:
        """A program that signed in as this user."""
        async with self.browser() as browser:
            answer = await browser.post("/api/v1/login", json={"user": name, "password": PASSWORD})
        return self.bearer(answer.json()["token"])

    async def press(self, device: str = "BTN-1", id: str = "a-1") -> str:
        """One alarm by HTTP; the incident's id."""
        async with self.bearer("gateway-GW") as gateway:
            frame = {"type": "alarm", "id": id, "device": device, "kind": "sos"}
            answer = await gateway.post("/api/v1/alarms", json=frame)
        return str(answer.json()["incident"])

    async def tell(self, id: str, *facts: f.Fact) -> None:
        """Commit facts about an incident that nobody asked for, as a deadline would."""
        await self.hub.submit(_Told(id=self.hub.new_id(), actor=SYSTEM, incident=id, facts=facts))

    def watching(self) -> list[tuple[str, bool]]:
        """(user, watching) of what the hub was told, in order."""
        return [(e.user, e.watching) for e in self.engine.seen if isinstance(e, WatchersChanged)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told(Event):
    incident: str
    facts: tuple[f.Fact, ...]


class _TellingEngine(ScriptedEngine):
    def handle(self, event: Event, now: datetime) -> Decision:
        if isinstance(event, _Told):
            return self.write(event.incident, event, now, event.facts)
        return super().handle(event, now)


def _emergency_policy() -> Policy:
    file = Path(__file__).parents[3] / "config" / "policies" / "emergency.toml"
    return policy_from_table(tomllib.loads(file.read_text(encoding="utf-8")), file.name)


@asynccontextmanager
async def running(settings: Settings | None = None, queued_max: int = 1000) -> AsyncIterator[Stage]:
    """The stage, with a small directory, running until the block ends."""
    engine, store, clock = _TellingEngine(), MemoryStore(), ManualClock(START)
    await store.open()
    users = tuple(User(name, role, area, _HASH) for name, role, area in USERS)
    tokens = tuple(Token(digest_of(f"{kind}-{id}"), kind, id, role, area, START) for kind, id, role, area in TOKENS)
    change = DirectoryChange(
        AREAS, ELDERS, DEVICES, RESPONDERS, users=users, tokens=tokens, policies=(_emergency_policy(),)
    )
    await store.commit(Commit(changes=(change,)))
    hub = Hub(engine, store, clock)
    viewers, tickets = (
        Viewers(hub, store, Feed(store, hub.committed), queued_max),
        Tickets(hub.now, lambda digest: store.token(digest) is not None),
    )
    stage = Stage(engine, hub, store, viewers, clock, tickets, FastAPI())
    stage.app = create_app(
        hub,
        store,
        viewers,
        create_metrics(),
        stage.auditor,
        settings or Settings(),
        tickets,
        lambda: stage.links,
    )
    await hub.recover()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(viewers.run())
        loop = tasks.create_task(hub.run())
        yield stage
        hub.stop()
        await loop
