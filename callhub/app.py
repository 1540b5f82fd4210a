"""The composition root: builds every part from the settings, runs them in one task group, and stops them in order.

Rules of this file:
1. It knows every part; no part knows it.
2. A part that ends unexpectedly ends the process with a status other than 0: half a server would keep silent about
   what it lost, and whatever supervises the process starts it again.
3. The stop has an order: stop accepting, drain, commit, close links, end viewers, stop the web, close the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
import uvicorn

from callhub.auditor import OVERDUE_S_MAX, PERIOD_S, Auditor
from callhub.clock import SystemClock
from callhub.delivery.courier import Courier
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.domain.people import ResponderKind
from callhub.domain.policy import PolicySet
from callhub.errors import ConfigError
from callhub.feed import Feed
from callhub.hub import Hub
from callhub.hub.divergence import watch_clock
from callhub.intake.alone import put_first_ladders
from callhub.intake.control import ControlServer
from callhub.intake.directory import Directory
from callhub.links.limits import Limits
from callhub.links.registry import Registry
from callhub.links.server import LinkServer
from callhub.logs import configure_logs
from callhub.metrics import create_metrics
from callhub.store.sqlite import SqliteStore
from callhub.texts import text
from callhub.web.application import create_app
from callhub.web.tickets import Tickets
from callhub.web.viewers import Viewers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import FrameType

    from callhub.settings import Settings

BACKLOG = 2048
"""Connections the kernel holds for each listener: every gateway of a district comes back at the same moment."""
DRAIN_S_MAX = 8.0
"""How long a stop waits for what was submitted to be committed."""
WEB_STOP_S = 2
LEAVE_S_MAX = 10.0
"""After a failure the process ends within this, whatever still holds it."""
LOST_BROWSER_MS = 12_000
"""What a browser has not acknowledged for so long ends its connection (inherited by each): together with the stream's
comment every 15 s, one that vanished without a word stops counting as watching within 30 s."""
KEEP_MESSAGES_S = 86_400.0
"""Messages of an incident that ended go after this, as PROTOCOL section 1 says."""
PURGE_PERIOD_S = 600.0

_log = structlog.get_logger(__name__)


def rules_of(settings: Settings) -> Rules:
    """The engine's figures, from the settings."""
    figures = settings.dispatch
    return Rules(
        timezone=settings.place.zone,
        link_patience_s=figures.link_patience_s,
        turnout_s=figures.turnout_s,
        speed_m_s={ResponderKind(kind): speed for kind, speed in figures.speed_m_s.model_dump().items()},
        position_fresh_s=figures.position_fresh_s,
        fix_fresh_s=figures.fix_fresh_s,
        fix_accuracy_m_max=figures.fix_accuracy_m_max,
    )


def listen(key: str, host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet; ``port`` 0: any free one.

    Raises:
        ConfigError: The address cannot be used; ``key`` names its section.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, number)
    except OSError as wrong:
        raise ConfigError("settings", f"{key}.host", f"{host!r} is no address of this machine: {wrong}") from wrong
    try:
        # Connections of a server that was killed linger in the kernel; they are no reason to wait.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if key == "web" and hasattr(socket, "TCP_USER_TIMEOUT"):  # not everywhere
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST_BROWSER_MS)
        listening.bind(address)
        listening.setblocking(False)
    except OSError as wrong:
        listening.close()
        why = f"{host} port {port} cannot be used: {wrong.strerror}; stop who holds it, or choose another"
        raise ConfigError("settings", f"{key}.port", why) from wrong
    return listening


class WebServer(uvicorn.Server):
    """uvicorn on a socket of ours, without its signal handlers. ``up`` is set once it accepts."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the server: the order of a stop is its business."""
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Nothing: see ``capture_signals``."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.up.set()

    def stop_accepting(self) -> None:
        """Take no new connections; those that are open go on."""
        for listener in self.servers:
            listener.close()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What runs, once it is built."""

    clock: SystemClock
    hub: Hub
    courier: Courier
    viewers: Viewers
    auditor: Auditor
    control: ControlServer
    links: LinkServer
    web: WebServer


class Server:
    """The whole server.

    Args:
        settings: Complete.
        speed: Engine seconds per real second; the demo runs scaled.
    """

    def __init__(self, settings: Settings, speed: float = 1.0) -> None:
        self.settings = settings
        self._speed = speed
        self._stopping = asyncio.Event()
        self._ready = asyncio.Event()
        self._store = SqliteStore(settings.database)
        self._sockets: list[socket.socket] = []

    @property
    def web_port(self) -> int:
        """The port of the web, known once ``ready`` returned."""
        return self._port(0)

    @property
    def link_port(self) -> int:
        """The port of the links, known once ``ready`` returned."""
        return self._port(1)

    async def ready(self) -> None:
        """Return when recovery is complete and both listeners accept."""
        await self._ready.wait()

    def stop(self) -> None:
        """Begin the stop; ``run`` returns when it is done, within 20 s. Safe to call twice."""
        self._stopping.set()

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Run until ``stop``; calls ``on_ready`` when recovery is complete and both listeners accept.

        Raises:
            CallhubError: It cannot start: the database is held or cannot be opened, an address is taken, no ladders.
            ExceptionGroup: A part failed; nothing runs any more.
        """
        try:
            await self._store.open()
            for key, section in (("web", self.settings.web), ("links", self.settings.links)):
                self._sockets.append(listen(key, section.host, section.port))
            parts = await self._build()
            try:
                async with asyncio.TaskGroup() as tasks:
                    await self._run(parts, tasks, on_ready)
            finally:
                await self._let_go(parts)
        finally:
            for bound in self._sockets:
                bound.close()
            await self._store.close()

    def _port(self, index: int) -> int:
        port: int = self._sockets[index].getsockname()[1]
        return port

    async def _build(self) -> _Parts:
        settings, store = self.settings, self._store
        snapshot = await store.load()
        if not snapshot.policies:
            await put_first_ladders(store, settings.policies_dir, lambda: rules_of(settings))
            snapshot = await store.load()
        clock = SystemClock(not_before=snapshot.last_at, speed=self._speed)
        engine = DispatchEngine(rules_of(settings), PolicySet(snapshot.policies), clock.now())
        metrics = create_metrics()
        hub = Hub(
            engine,
            store,
            clock,
            metrics,
            inbox_events_max=settings.hub.inbox_events_max,
            batch_events_max=settings.hub.batch_events_max,
            timezone=settings.place.zone,
        )
        await hub.recover(snapshot)
        tickets = Tickets(hub.now, lambda digest: store.token(digest) is not None)
        viewers = Viewers(
            hub, store, Feed(store, hub.committed), settings.hub.viewer_events_max, settings.hub.resume_events_max
        )
        # A second of a scaled clock is short, and the machine's hiccups are not scaled.
        scale = max(self._speed, 1.0)
        auditor = Auditor(store, clock, metrics, PERIOD_S * scale, OVERDUE_S_MAX * scale)
        registry = Registry(hub, metrics)
        courier = Courier(store, hub.committed, [registry], settings.place.language)
        links = self._link_server(hub, courier, registry, tickets)
        app = create_app(hub, store, viewers, metrics, auditor, settings, tickets, lambda: links.is_accepting)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            backlog=BACKLOG,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=WEB_STOP_S,
        )
        directory = Directory(store, hub.submit, hub.now, hub.new_id)
        control = ControlServer(settings.database, directory)
        return _Parts(clock, hub, courier, viewers, auditor, control, links, WebServer(config))

    def _link_server(self, hub: Hub, courier: Courier, registry: Registry, tickets: Tickets) -> LinkServer:
        settings = self.settings.links
        limits = Limits(
            frame_bytes_max=settings.frame_bytes_max,
            frames_under_way_max=settings.frames_under_way_max,
            open_timeout_s=settings.open_timeout_s,
            ping_interval_s=settings.ping_interval_s,
            silence_s_max=settings.ping_interval_s + settings.ping_timeout_s,
        )
        return LinkServer(
            hub,
            self._store,
            courier,
            registry,
            tickets,
            now=hub.now,
            on_duty=hub.on_duty,
            origins=settings.origins,
            fallback_phone=settings.fallback_phone,
            language=self.settings.place.language,
            limits=limits,
        )

    async def _run(self, parts: _Parts, tasks: asyncio.TaskGroup, on_ready: Callable[[], None]) -> None:
        def begin(name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
            return tasks.create_task(self._until_stopped(name, work), name=name)

        draining = begin("hub", parts.hub.run)
        followers = [
            begin("courier", parts.courier.run),
            begin("viewers", parts.viewers.run),
            begin("links", parts.links.run),
        ]
        endless = [
            begin("auditor", parts.auditor.run),
            begin("clock watch", partial(watch_clock, parts.hub, parts.clock)),
            begin("purge", partial(self._purge, parts.clock)),
        ]
        await parts.links.start(self._sockets[1])
        serving = begin("web", partial(parts.web.serve, sockets=[self._sockets[0]]))
        await parts.web.up.wait()
        await parts.control.open()
        self._ready.set()
        on_ready()
        await self._stopping.wait()
        await self._stop_in_order(parts, draining, serving)
        await asyncio.wait(followers)
        for task in endless:
            task.cancel()

    async def _until_stopped(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        await work()
        if not self._stopping.is_set():
            raise RuntimeError(f"{name} ended by itself")

    async def _stop_in_order(self, parts: _Parts, draining: asyncio.Task[None], serving: asyncio.Task[None]) -> None:
        _log.info("stopping")
        await parts.control.close()
        parts.links.refuse_new()
        parts.web.stop_accepting()
        parts.hub.stop()
        _, late = await asyncio.wait([draining], timeout=DRAIN_S_MAX)
        if late:
            _log.error("not_drained", waited_s=DRAIN_S_MAX)
            draining.cancel()
        await parts.links.stop()
        parts.viewers.stop()
        parts.web.should_exit = True
        await serving
        _log.info("stopped")

    async def _let_go(self, parts: _Parts) -> None:
        """After a failure the listeners are still there; after an ordered stop this does nothing."""
        await parts.control.close()
        await parts.links.stop()
        if parts.web.up.is_set() and not parts.web.should_exit:
            await parts.web.shutdown(self._sockets[:1])

    async def _purge(self, clock: SystemClock) -> None:
        while True:
            await clock.sleep_until(clock.now() + timedelta(seconds=PURGE_PERIOD_S))
            removed = await self._store.purge(clock.now() - timedelta(seconds=KEEP_MESSAGES_S))
            if removed:
                _log.info("messages_purged", messages=removed)


def serve(settings: Settings) -> None:
    """Run the server until SIGTERM or SIGINT; one line on standard output when it is ready.

    Raises:
        CallhubError: It cannot start.
        SystemExit: A part failed (status 1).
    """
    configure_logs(settings.logs.level, settings.logs.form)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(_serve(settings))
        except ExceptionGroup:
            _log.critical("server_failed", exc_info=True)
            leave = threading.Timer(LEAVE_S_MAX, os._exit, (1,))
            leave.daemon = True
            leave.start()
            raise SystemExit(1) from None


async def _serve(settings: Settings) -> None:
    server = Server(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)

    def ready() -> None:
        # What is there now stays: looking through it again and again would only stall the loop.
        gc.collect()
        gc.freeze()
        web, links = settings.web, settings.links
        where = {
            "web": f"http://{_shown(web.host)}:{server.web_port}",
            "links": f"ws://{_shown(links.host)}:{server.link_port}",
        }
        print(text(settings.place.language, "command.ready", **where), flush=True)

    await server.run(ready)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """Uvloop's where it is installed."""
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop
