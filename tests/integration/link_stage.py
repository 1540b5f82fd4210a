"""The real listener over the real hub, engine and memory store, on a loopback port; and clients that wait."""

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from callhub.clock import SystemClock
from callhub.delivery.courier import Courier
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.domain.decision import Answer
from callhub.domain.events import DirectoryUpdated, Event, LinkChanged
from callhub.domain.people import SYSTEM, Area, Device, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import Ask, IncidentClass, Level, Policy, PolicySet, Step
from callhub.hub import Hub
from callhub.links.limits import Limits
from callhub.links.registry import Registry
from callhub.links.server import LinkServer
from callhub.metrics import Metrics, create_metrics
from callhub.store.base import Commit, DirectoryChange, Document, Filter, Token
from callhub.store.memory import MemoryStore
from callhub.web.tickets import Tickets

WAIT_S = 10.0
HOME = Position(39.08, 117.22)
PATH = ("D", "S", "C")
LADDER = Policy(
    id="emergency",
    class_=IncidentClass.EMERGENCY,
    kinds=("sos", "fall", "unknown"),
    steps=(
        Step("neighbours", (Ask.VOLUNTEER,), offer_timeout_s=600, step_timeout_s=600),
        Step("desk", (Ask.DESK,), level=Level.COMMUNITY, offer_timeout_s=600, step_timeout_s=600),
    ),
)


class WatchedHub(Hub):
    """The hub, with a gate before ``submit`` that is open unless a test closes it, and notices written down."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gates: dict[str, asyncio.Event] = {}
        self.under_way = 0
        self.links: list[tuple[str, bool]] = []
        self._link_changed = asyncio.Event()
        self.changed = asyncio.Condition()

    async def submit(self, event: Event) -> Answer:
        """Wait at the gate of the message's own id, or the one for all (``*``)."""
        own = event.request.key.id if event.request else ""
        await self._move(1)
        try:
            for name in ("*", own):
                if name in self.gates:
                    await self.gates[name].wait()
            return await super().submit(event)
        finally:
            await self._move(-1)

    def notice(self, event: Event) -> None:
        if isinstance(event, LinkChanged):
            self.links.append((event.responder, event.up))
            self._link_changed.set()
        super().notice(event)

    async def was_told(self, responder: str, *, up: bool) -> None:
        """Return once the hub heard that this responder's link came up or went down."""
        async with asyncio.timeout(WAIT_S):
            while (responder, up) not in self.links:
                self._link_changed.clear()
                await self._link_changed.wait()

    async def _move(self, by: int) -> None:
        async with self.changed:
            self.under_way += by
            self.changed.notify_all()

    async def has_under_way(self, events: int) -> None:
        """Return once exactly that many events are being decided."""
        async with asyncio.timeout(WAIT_S), self.changed:
            await self.changed.wait_for(lambda: self.under_way == events)


@dataclass(slots=True)
class Stage:
    """A running listener and everything behind it. Tokens are ``<kind>-<id>``, as in ``gateway-GW``."""

    limits: Limits = field(default_factory=Limits)
    origins: tuple[str, ...] = ("https://app.example",)
    send_buffer_bytes: int = 0
    volunteers: int = 3
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: SystemClock = field(default_factory=SystemClock)
    metrics: Metrics = field(default_factory=create_metrics)
    engine: DispatchEngine = field(init=False)
    hub: WatchedHub = field(init=False)
    registry: Registry = field(init=False)
    server: LinkServer = field(init=False)
    tickets: Tickets = field(init=False)
    port: int = field(init=False)
    clients: list["Client"] = field(default_factory=list)

    async def settle_in(self) -> None:
        """Fill the directory: one elder with a button, volunteers near by, two gateways."""
        ids = [f"V-{n}" for n in range(1, self.volunteers + 1)]
        clients = [("gateway", "GW"), ("gateway", "GW-2"), ("api", "DATA"), *(("responder", id_) for id_ in ids)]
        change = DirectoryChange(
            areas=(
                Area("D", None, Level.DISTRICT, "河西区", None),
                Area("S", "D", Level.STREET, "友谊路街道", None),
                Area("C", "S", Level.COMMUNITY, "富源里", None),
            ),
            elders=(Elder("E-1", "李奶奶", area=PATH, position=HOME, address="富源里 3 号楼 101", phone="022-1"),),
            devices=(Device("B-1", elder="E-1"),),
            responders=tuple(self.volunteer(id_, n) for n, id_ in enumerate(ids, 1)),
            tokens=tuple(self.token(kind, id_) for kind, id_ in clients),
            policies=(LADDER,),
        )
        await self.store.open()
        await self.store.commit(Commit(changes=(change,)))

    @staticmethod
    def volunteer(id_: str, n: int = 1, *, active: bool = True) -> Responder:
        place = Position(HOME.lat + n / 1000, HOME.lon)
        return Responder(
            id_, f"王师傅{n}", ResponderKind.VOLUNTEER, area=PATH, level="community", position=place, active=active
        )

    @staticmethod
    def token(kind: str, id_: str) -> Token:
        digest = hashlib.sha256(f"{kind}-{id_}".encode()).hexdigest()
        return Token(digest, kind, id_, "operator" if kind == "api" else None, None, datetime(2026, 11, 24, tzinfo=UTC))

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Stage"]:
        """The server from its start to its stop, in the order of the real one."""
        await self.settle_in()
        self.engine = DispatchEngine(Rules(), PolicySet((LADDER,)), self.clock.now())
        self.hub = WatchedHub(self.engine, self.store, self.clock)
        await self.hub.recover()
        self.registry = Registry(self.hub, self.metrics)
        courier = Courier(self.store, self.hub.committed, [self.registry])
        self.tickets = Tickets(self.clock.now, lambda digest: self.store.token(digest) is not None)
        self.server = LinkServer(
            self.hub,
            self.store,
            courier,
            self.registry,
            self.tickets,
            now=self.clock.now,
            on_duty=lambda id_: self.engine.on_duty(id_, self.clock.now()),
            origins=self.origins,
            fallback_phone="022-8910",
            limits=self.limits,
        )
        listener = socket.create_server(("127.0.0.1", 0))
        if self.send_buffer_bytes:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.send_buffer_bytes)
        self.port = listener.getsockname()[1]
        await self.server.start(listener)
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            for part in (self.hub.run(), courier.run(), self.server.run()):
                tasks.create_task(part)
            try:
                yield self
            finally:
                self.server.refuse_new()
                self.hub.stop()
                await self.server.stop()
                for client in self.clients:
                    client.socket.transport.abort()
                    await client.socket.wait_closed()

    def url(self, kind: str) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/{kind}"

    async def _narrow(self, receive_buffer_bytes: int) -> socket.socket:
        """A connected socket that takes little before the other side must wait."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        return sock

    async def connect(self, kind: str, id_: str, receive_buffer_bytes: int = 0, **options: Any) -> "Client":
        """A client of its own, with its token; the welcome is already read."""
        options.setdefault("additional_headers", {"Authorization": f"Bearer {kind}-{id_}"})
        if receive_buffer_bytes:
            options["sock"] = await self._narrow(receive_buffer_bytes)
        options.setdefault("subprotocols", [Subprotocol("callhub.v1")])
        client = Client(await connect(self.url(kind), proxy=None, compression=None, **options))
        self.clients.append(client)
        client.welcome = await client.read()
        assert client.welcome["type"] == "welcome"
        return client

    async def on_duty(self, id_: str) -> "Client":
        """A responder's app that said it is available."""
        client = await self.connect("responder", id_)
        said = await client.ask({"type": "presence", "id": "p", "available": True})
        assert said == {"type": "result", "id": "p", "ok": True, "state": "on_duty"}
        return client

    async def change(self, change: DirectoryChange) -> None:
        """Change the directory as a command would."""
        event = DirectoryUpdated(
            id=self.hub.new_id(),
            actor=SYSTEM,
            what="test",
            responders=change.responders,
            revoked=change.revoked,
            change=change,
        )
        assert (await self.hub.submit(event)).code is None

    def incidents(self, state: str | None = "open") -> list[Document]:
        return list(self.store.incidents(Filter(state=state), 50, None).items)


@dataclass(slots=True)
class Client:
    """A well-behaved client: every wait is bounded, and what it did not ask for is kept in ``heard``."""

    socket: ClientConnection
    welcome: dict[str, Any] = field(default_factory=dict)
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, frame: dict[str, Any] | str | bytes) -> None:
        await self.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def read(self) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            message: dict[str, Any] = json.loads(await self.socket.recv())
        return message

    async def until(self, **wanted: object) -> dict[str, Any]:
        """The first message with these fields, among those already heard or still to come."""

        def fits(message: dict[str, Any]) -> bool:
            return all(message.get(name) == value for name, value in wanted.items())

        for message in self.heard:
            if fits(message):
                self.heard.remove(message)
                return message
        while not fits(message := await self.read()):
            self.heard.append(message)
        return message

    async def ask(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Send a frame and wait for the answer with its id."""
        await self.say(frame)
        return await self.until(id=frame["id"])

    async def closed(self, within_s: float = WAIT_S) -> int | None:
        """Wait for the server to close; the code."""
        async with asyncio.timeout(within_s):
            async for text in self.socket_messages():
                self.heard.append(json.loads(text))
        return self.socket.close_code

    async def socket_messages(self) -> AsyncIterator[str | bytes]:
        """All messages up to the end, however it comes."""
        try:
            while True:
                yield await self.socket.recv()
        except ConnectionClosed:
            return


PRESS = {"type": "alarm", "id": "a-1", "device": "B-1", "kind": "sos"}
