"""How a command changes the directory: through the running server if there is one, else by itself.

Rules of this file: whoever answers on the control socket is the server. Without an answer the database's lock decides;
a lock whose holder does not answer is a server that starts, stops or is stuck, and is waited for ``PATIENCE_S``.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from callhub.clock import Clock, SystemClock
from callhub.dispatch.rules import Rules
from callhub.errors import CallhubError, DatabaseHeld, StoreUnavailable
from callhub.hub.ids import UuidSource
from callhub.intake.alone import alone
from callhub.intake.control import ask_server, socket_path
from callhub.intake.directory import Directory
from callhub.intake.requests import Reply, Request
from callhub.settings import Settings, load_settings
from callhub.store.sqlite import SqliteStore

PATIENCE_S = 10.0
"""A server answers on its control socket well within this after it took the lock."""
RETRY_S = 0.25


class ChangeRefused(CallhubError):
    """A request was not done; ``status`` is the exit status that says whether the caller can mend it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.message)
        self.status = reply.status


def read_installed(config: Path) -> Settings:
    """The settings of an installation that has a database; raises ``ConfigError`` and ``StoreUnavailable``."""
    settings = load_settings(config)
    if not settings.database.exists():
        raise StoreUnavailable(f"there is no database {settings.database}; 'callhub init DIR' makes one")
    return settings


def change(config: Path, request: Request) -> None:
    """Do what is asked and tell the person what was done, on standard error.

    Raises:
        ChangeRefused: It was not done.
        StoreUnavailable: There is no database yet.
        DatabaseHeld: A server holds it and does not answer.
    """
    reply = asyncio.run(_ask(read_installed(config), request))
    if not reply.ok:
        raise ChangeRefused(reply)
    for line in reply.lines:
        print(line, file=sys.stderr)


async def _ask(settings: Settings, request: Request) -> Reply:
    clock = SystemClock()
    database = settings.database
    while True:
        reply = await asyncio.to_thread(ask_server, database, request)
        if reply is not None:
            return reply
        try:
            return await do_alone(settings, request, clock)
        except DatabaseHeld as held:
            if clock.elapsed_s() > PATIENCE_S:
                raise NoAnswer(held, database) from held
        await asyncio.sleep(RETRY_S)


class NoAnswer(CallhubError):
    """Somebody holds the database, and nobody answers on its control socket."""

    def __init__(self, held: DatabaseHeld, database: Path) -> None:
        pid = held.data["pid"]
        super().__init__(
            f"process {pid} holds {database} but does not answer on {socket_path(database)}; "
            f"look whether it is a callhub server, and try again",
            pid=pid,
        )


async def do_alone(settings: Settings, request: Request, clock: Clock) -> Reply:
    """Do it without a server: open the store, which locks it, change it, close it."""
    store = SqliteStore(settings.database)
    await store.open()
    try:
        ids = UuidSource()
        submit = alone(store, clock.now, lambda: _rules(settings))
        directory = Directory(store, submit, clock.now, lambda: ids(clock.now()))
        return await directory.answer(request)
    finally:
        await store.close()


def _rules(settings: Settings) -> Rules:
    from callhub.app import rules_of  # the whole server; needed only when an incident is open

    return rules_of(settings)
