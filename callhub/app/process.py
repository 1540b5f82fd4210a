"""The server as a process: signals, event loop, the one line when it is ready, the exit status."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import structlog

from callhub.app.server import Server
from callhub.logs import configure_logs
from callhub.texts import text

if TYPE_CHECKING:
    from callhub.settings import Settings

LEAVE_S_MAX = 10.0
"""After a failure the process ends within this, whatever still holds it."""

_log = structlog.get_logger(__name__)


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
    # Named, as the types of uvloop are known only where it is installed.
    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop
