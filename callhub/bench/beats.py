"""What heartbeats cost: a real server, real gateways over WebSocket on loopback, and the server's own processor time.

The server is a process of its own, started by the command that everybody uses; its time is read from the system, so
that the gateways simulated here do not count.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import sys
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import to_json
from websockets.asyncio.client import ClientConnection, connect

from callhub.clock import SystemClock
from callhub.domain.people import Device, Elder
from callhub.settings import load_settings
from callhub.store.base import Commit, DirectoryChange, Token
from callhub.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVE_S_MAX = 60.0
HEARTBEAT_S = 90
OPENED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Load:
    """How many devices behind how many gateways, how often each beats, and how many beats share a frame."""

    devices: int
    gateways: int
    every_s: float
    per_frame: int
    seconds: float


@dataclass(slots=True)
class Cost:
    """What it took: processor seconds of the server in so many seconds, and what was sent and answered meanwhile."""

    seconds: float
    cpu_s: float
    beats: int = 0
    frames: int = 0
    answers: int = 0

    @property
    def core(self) -> float:
        """The part of one core."""
        return self.cpu_s / self.seconds


async def measure(load: Load) -> Cost:
    """Start a server with these devices, let them beat, and read its processor time."""
    with tempfile.TemporaryDirectory(prefix="callhub-beats-") as folder:
        tokens = await _install(Path(folder) / "town", load)
        async with _served(Path(folder) / "town") as (pid, url), AsyncExitStack() as links:
            gateways = [await links.enter_async_context(_link(url, token)) for token in tokens]
            return await _beat(load, gateways, pid)


async def _install(folder: Path, load: Load) -> list[str]:
    """Write an installation with the devices in its directory; the gateways' tokens."""
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callhub", "init", str(folder),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    if await made.wait() != 0:
        raise RuntimeError(f"callhub init {folder} failed")
    settings = load_settings(folder / "callhub.toml")
    tokens = [secrets.token_urlsafe() for _ in range(load.gateways)]
    now = SystemClock().now()
    change = DirectoryChange(
        elders=tuple(Elder(f"E-{n}", f"E-{n}", area=("D", f"S{n % 12}", f"G{n % 1200}")) for n in range(load.devices)),
        devices=tuple(
            Device(_device(n), f"E-{n}", _gateway(n % load.gateways), heartbeat_s=HEARTBEAT_S)
            for n in range(load.devices)
        ),
        tokens=tuple(
            Token(hashlib.sha256(token.encode()).hexdigest(), "gateway", _gateway(n), None, None, now)
            for n, token in enumerate(tokens)
        ),
    )
    store = SqliteStore(settings.database)
    await store.open()
    try:
        await store.commit(Commit(changes=(change,)))
    finally:
        await store.close()
    return tokens


def _device(n: int) -> str:
    return f"BTN-{n:06d}"


def _gateway(n: int) -> str:
    return f"GW-{n:05d}"


@asynccontextmanager
async def _served(folder: Path) -> AsyncIterator[tuple[int, str]]:
    """A server on free ports: its process id and where links go. Ended when done."""
    environment = {**os.environ, "CALLHUB_LINKS__PORT": "0", "CALLHUB_WEB__PORT": "0", "CALLHUB_LOGS__LEVEL": "error"}
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callhub", "serve", "-c", str(folder / "callhub.toml"),
        stdout=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        async with asyncio.timeout(SERVE_S_MAX):
            ready = (await server.stdout.readline()).decode()
        found = re.search(r"ws://[^\s,]+", ready)
        if found is None:
            raise RuntimeError(f"the server did not say where its links are: {ready!r}")
        yield server.pid, f"{found[0]}/v1/gateway"
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()


def _link(url: str, token: str) -> connect:
    headers = {"Authorization": f"Bearer {token}"}
    return connect(url, subprotocols=["callhub.v1"], additional_headers=headers, compression=None, proxy=None)  # type: ignore[list-item]  # a NewType of str


async def _beat(load: Load, gateways: list[ClientConnection], pid: int) -> Cost:
    """Every gateway sends its frames, evenly over the time in which each device beats once."""
    cost = Cost(load.seconds, 0.0)
    loop = asyncio.get_running_loop()

    async def send(number: int, link: ClientConnection) -> None:
        mine = [_device(n) for n in range(number, load.devices, load.gateways)]
        chunks = [mine[n : n + load.per_frame] for n in range(0, len(mine), load.per_frame)]
        frames = [_frame(chunk) for chunk in chunks]
        pause_s = load.every_s / len(frames)
        at_s = loop.time() + pause_s * number / load.gateways
        while True:
            for frame, chunk in zip(frames, chunks, strict=True):
                await asyncio.sleep(at_s - loop.time())
                await link.send(frame)
                cost.frames += 1
                cost.beats += len(chunk)
                at_s += pause_s

    async def read(link: ClientConnection) -> None:
        async for _ in link:
            cost.answers += 1

    async with asyncio.TaskGroup() as tasks:
        work = [tasks.create_task(send(number, link)) for number, link in enumerate(gateways)]
        work += [tasks.create_task(read(link)) for link in gateways]
        await asyncio.sleep(load.every_s / 6)  # the rush of the first links is over
        cost.frames = cost.beats = cost.answers = 0
        before_s, began_s = _cpu_s(pid), loop.time()
        await asyncio.sleep(load.seconds)
        cost.cpu_s, cost.seconds = _cpu_s(pid) - before_s, loop.time() - began_s
        for task in work:
            task.cancel()
    return cost


def _frame(devices: list[str]) -> str:
    said = [{"device": id, "battery": 0.8} for id in devices]
    return to_json({"type": "heartbeat", "id": "h", "devices": said}).decode()


def _cpu_s(pid: int) -> float:
    """Processor seconds of a process so far, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
