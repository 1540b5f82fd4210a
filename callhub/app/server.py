"""The server: everything that runs, from its start to the end of its stop."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from callhub.app.listeners import listen
from callhub.app.parts import build
from callhub.domain.supervision import RUN
from callhub.errors import StoreUnavailable
from callhub.hub.divergence import watch_clock
from callhub.store.sqlite import SqliteStore

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from callhub.app.parts import Parts
    from callhub.clock import SystemClock
    from callhub.settings import Settings

DRAIN_S_MAX = 8.0
"""How long a stop waits for what was submitted to be committed."""
KEEP_MESSAGES_S = 86_400.0
"""Messages of an incident that ended go after this, as PROTOCOL section 1 says."""
KEEP_ANSWERS_S = 30 * 86_400.0
"""Answers to a repeat go after this; those to gateways stay, since an alarm with a time of its own repeats for ever."""
PURGE_PERIOD_S = 600.0
ALIVE_PERIOD_S = 5.0
"""How often the server notes that it runs, so that a later start knows which silence was its own."""

_log = structlog.get_logger(__name__)


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
        self._began = ""

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
            parts = await build(self.settings, self._store, self._speed)
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

    async def _run(self, parts: Parts, tasks: asyncio.TaskGroup, on_ready: Callable[[], None]) -> None:
        def begin(name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
            return tasks.create_task(self._until_stopped(name, work), name=name)

        self._began = parts.clock.now().isoformat()
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
            begin("alive", partial(self._note_alive, parts)),
            begin("kpi", parts.hub.kpi.run),
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

    async def _stop_in_order(self, parts: Parts, draining: asyncio.Task[None], serving: asyncio.Task[None]) -> None:
        _log.info("stopping")
        await parts.control.close()
        parts.links.refuse_new()
        parts.web.stop_accepting()
        parts.hub.mark_seen(RUN, self._began)
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

    async def _let_go(self, parts: Parts) -> None:
        """After a failure the listeners are still there; after an ordered stop this does nothing."""
        await parts.control.close()
        await parts.links.stop()
        if parts.web.up.is_set() and not parts.web.should_exit:
            await parts.web.shutdown(self._sockets[:1])

    async def _note_alive(self, parts: Parts) -> None:
        """Mark this run of the server as alive until now, again and again."""
        while True:
            parts.hub.mark_seen(RUN, self._began)
            await parts.clock.sleep_until(parts.clock.now() + timedelta(seconds=ALIVE_PERIOD_S * max(self._speed, 1.0)))

    async def _purge(self, clock: SystemClock) -> None:
        while True:
            await clock.sleep_until(clock.now() + timedelta(seconds=PURGE_PERIOD_S))
            keep_s = (KEEP_MESSAGES_S, KEEP_ANSWERS_S, self.settings.web.session_s)
            try:
                removed = await self._store.purge(*(clock.now() - timedelta(seconds=seconds) for seconds in keep_s))
            except StoreUnavailable as gone:
                _log.warning("not_purged", why=gone.message)  # the next time will do
                continue
            if removed:
                _log.info("purged", rows=removed)
