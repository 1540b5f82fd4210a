"""``callhub demo``: a town, a real server in this process, and everybody as real clients of it.

Rules of this file: whatever the demo makes lies in one temporary folder, which goes when it ends, the log included; the
terminal shows the town and nothing else; the last line is the counts.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from callhub.app import Server, listen
from callhub.clock import SystemClock
from callhub.demo.board import Board, Counts
from callhub.demo.clients import App, Gateway
from callhub.demo.elders import Elders
from callhub.demo.http_client import HttpClient
from callhub.demo.installation import SIMULATED_USER, USER, Installation, install
from callhub.demo.link import Door, server_time
from callhub.demo.operators import Operator
from callhub.demo.screen import open_screen
from callhub.demo.town import Town, make_town, read_areas
from callhub.errors import CallhubError, ConfigError
from callhub.logs import configure_logs
from callhub.settings import shipped
from callhub.texts import negotiate, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from callhub.demo.rows import ResponderRow

HOST = "127.0.0.1"
HTTP_PORT, LINK_PORT = 8700, 8701
"""Taken if the user named none and they are free."""
CONSOLE_S_MAX = 5.0
"""The elders wait no longer than this for the operator's console, real seconds."""
NEIGHBOURS = 20
"""Apps, nearest to the first press, that connect before it."""
OPTIONS = {"web": "--http-port", "links": "--link-port"}


def run(*, seconds: float | None, seed: int, speed: float, http_port: int | None, link_port: int | None) -> int:
    """Run the demo and return the exit status: 0, or 1 when nobody reads what it prints any more.

    Args:
        seconds: Real seconds from ready until it ends by itself; None: until Ctrl-C.
        seed: Which town, and what happens in it.
        speed: Seconds of the demo in a real second.
        http_port: Of the console; None: 8700, or another one if that is taken.
        link_port: Of gateways and apps; None: 8701, or another one if that is taken.

    Raises:
        ConfigError: A port that was named is taken.
    """
    console = Console(highlight=False, soft_wrap=True)
    demo = Demo(console, _language(), seconds, seed, speed)
    ports = demo.port("web", http_port, HTTP_PORT), demo.port("links", link_port, LINK_PORT)
    with TemporaryDirectory(prefix="callhub-demo-") as name, Path(name, "demo.log").open("w", encoding="utf-8") as log:
        configure_logs("info", "json", log)
        try:
            with _plain_errors():
                counts = asyncio.run(demo.run(Path(name), *ports))
            print(counts, flush=True)
        except BrokenPipeError:  # `callhub demo | head`: who read it has gone, which is no fault to talk about
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
    return 0


class Demo:
    """One demo.

    Args:
        console: Where it is shown.
        language: Of what is shown.
        seconds: As in ``run``, like the others.
        seed: As in ``run``.
        speed: As in ``run``.
    """

    def __init__(self, console: Console, language: str, seconds: float | None, seed: int, speed: float) -> None:
        self._console = console
        self._language = language
        self._seconds = seconds
        self._seed = seed
        self._speed = speed
        self._board = Board()
        self._ended = asyncio.Event()

    def port(self, section: str, named: int | None, default: int) -> int:
        """The port to listen on; 0: any free one, and the person is told why."""
        try:
            listen(section, HOST, default if named is None else named).close()
        except ConfigError as wrong:
            if named is not None:
                raise ConfigError("command line", OPTIONS[section], f"{wrong.data['why']}, or name none") from wrong
            self._tell("demo.port_taken", port=default)
            return 0
        return default if named is None else named

    async def run(self, folder: Path, http_port: int, link_port: int) -> Counts:
        """Set up, run until the time is over or somebody ends it, and stop everything."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._ended.set)
        town = make_town(read_areas(shipped() / "hexi" / "areas.csv"), self._rng("town"))
        installation = await install(folder, town, http_port, link_port, SystemClock())
        server = Server(installation.settings, self._speed)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.run(), name="server")
            ready = tasks.create_task(server.ready(), name="ready")
            ended = tasks.create_task(self._ended.wait(), name="ended")
            await asyncio.wait([ready, ended], return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                await self._live(server, town, installation)
            ready.cancel()
            ended.cancel()
            server.stop()
        return self._board.counts

    async def _live(self, server: Server, town: Town, installation: Installation) -> None:
        """Let the town live until the end."""
        self._greet(server, town, installation)
        async with asyncio.TaskGroup() as tasks:
            living = tasks.create_task(self._everybody(server, town, installation), name="town")
            try:
                async with asyncio.timeout(self._seconds):
                    await self._ended.wait()
            except TimeoutError:
                self._ended.set()
            living.cancel()

    async def _everybody(self, server: Server, town: Town, installation: Installation) -> None:
        """Gateways, the console and a few neighbours first, then the elders, and only then all other apps.

        Three hundred apps that connect keep a busy machine busy for long: nobody should wait for them to see a press.
        """
        door = Door.at(HOST, server.link_port)
        told = await server_time(door, next(iter(installation.gateways.values())))
        clock = SystemClock(not_before=told, speed=self._speed)  # the server's is ahead of the wall by now
        screen = open_screen(self._console, self._board, clock, self._language)
        gateways = {
            id: Gateway(id, door, token, clock, self._rng(id), self._speed)
            for id, token in installation.gateways.items()
        }
        operator = Operator(
            HttpClient(HOST, server.web_port), SIMULATED_USER, self._board, clock, self._rng("operator"), screen.news
        )
        elders = Elders(town, gateways, clock, self._rng("elders"))
        apps = self._apps(elders.nearest_first(town.responders), town, installation, door, clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(screen.run(), name="screen")
            for gateway in gateways.values():
                tasks.create_task(gateway.run(), name=gateway.id)
            tasks.create_task(operator.run(installation.password), name="operator")
            for app in islice(apps, NEIGHBOURS):
                tasks.create_task(app.run(), name=app.person.id)
            for gateway in gateways.values():
                await gateway.welcomed.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(CONSOLE_S_MAX):
                    await operator.following.wait()
            tasks.create_task(elders.run(), name="elders")
            await elders.pressed.wait()
            for app in apps:
                tasks.create_task(app.run(), name=app.person.id)

    def _apps(
        self, people: Iterable[ResponderRow], town: Town, installation: Installation, door: Door, clock: SystemClock
    ) -> Iterator[App]:
        cards = {elder.phone: elder.card for elder in town.elders}
        for person in people:
            if person.id in installation.responders:
                token, behaviour = installation.responders[person.id], town.behaviours[person.id]
                yield App(person, behaviour, door, token, clock, self._rng(person.id), cards)

    def _greet(self, server: Server, town: Town, installation: Installation) -> None:
        url = f"http://{HOST}:{server.web_port}/"
        self._tell("demo.console", url=url, user=USER, password=installation.password)
        self._tell(
            "demo.simulated",
            elders=len(town.elders),
            responders=len(installation.responders),
            gateways=len(installation.gateways),
            speed=self._speed,
        )

    def _tell(self, code: str, **params: object) -> None:
        self._console.print(Text(text(self._language, code, **params)))
        self._console.file.flush()

    def _rng(self, who: str) -> random.Random:
        """Chance of one part of the town, so that no part disturbs another's."""
        return random.Random(f"{self._seed} {who}")


def _language() -> str:
    """What the terminal's user reads; ``C`` and ``POSIX`` name no language."""
    return negotiate(",".join(os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")))


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Let an error with a message for people leave its group, so that the command shows the message alone."""
    try:
        yield
    except ExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, CallhubError | OSError):
            raise error from group
        raise
