"""Gateways and apps whose server is killed while they press, resend, accept and report.

They write down what it told them.
"""

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

Wire = dict[str, Any]
YES = 0.3
"""Published acceptance is 17 to 47 %."""


@dataclass
class Book:
    """What the server has promised.

    ``receipts`` maps an alarm's id to its incident, ``open`` the alarms without a receipt to their frames;
    ``accepted`` are (incident, responder) that were told they have the duty; ``lies`` is what contradicted a promise.
    """

    frames: dict[str, Wire] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)
    accepted: set[tuple[str, str]] = field(default_factory=set)
    duplicates: int = 0
    lies: list[str] = field(default_factory=list)

    @property
    def unanswered(self) -> list[Wire]:
        """Alarms that have no receipt yet."""
        return [frame for id_, frame in self.frames.items() if id_ not in self.receipts]

    def receipt(self, message: Wire) -> None:
        """Note a receipt, and whether it is what an earlier one said."""
        id_, incident = message["id"], message["incident"]
        first = self.receipts.setdefault(id_, incident)
        if first != incident or incident is None:
            self.lies.append(f"alarm {id_} was in incident {first}, a repeat was told {incident}")
        if message["id_reused"]:
            self.lies.append(f"alarm {id_} was taken for another one")


@contextlib.asynccontextmanager
async def _linked(port: int, kind: str, token: str) -> AsyncIterator[ClientConnection]:
    async with connect(
        f"ws://127.0.0.1:{port}/v1/{kind}",
        additional_headers={"Authorization": f"Bearer {token}"},
        proxy=None,
        compression=None,
        close_timeout=0.1,
    ) as client:
        yield client


async def until_killed(work: Coroutine[Any, Any, None]) -> None:
    """Run a client until its server is gone."""
    try:
        await work
    except* (ConnectionClosed, ConnectionError, InvalidHandshake, EOFError, TimeoutError):
        pass


class Gateway:
    """Sends what has no receipt and some of what has one, then presses at a steady rate."""

    def __init__(self, id_: str, token: str, book: Book, devices: list[str], rng: random.Random) -> None:
        self._id = id_
        self._token = token
        self._book = book
        self._devices = devices
        self._rng = rng
        self._numbers = itertools.count(1)

    async def run(self, port: int, per_s: float, go: asyncio.Event) -> None:
        """Until the link breaks; new presses begin at ``go``."""
        async with _linked(port, "gateway", self._token) as client, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._press(client, per_s, go))
            async for text in client:
                message = json.loads(text)
                if message["type"] == "receipt":
                    self._book.receipt(message)
                elif "seq" in message and message["type"] != "welcome":
                    await client.send(json.dumps({"type": "received", "seq": message["seq"]}))
            raise ConnectionResetError

    async def _press(self, client: ClientConnection, per_s: float, go: asyncio.Event) -> None:
        own = [frame for frame in self._book.unanswered if frame["id"].startswith(f"{self._id}:")]
        told = [id_ for id_ in self._book.receipts if id_.startswith(f"{self._id}:")]
        for frame in own:
            await client.send(json.dumps(frame))
        for id_ in self._rng.sample(told, min(20, len(told))):
            self._book.duplicates += 1
            await client.send(json.dumps(self._book.frames[id_]))
        await go.wait()
        while True:
            frame = {
                "type": "alarm",
                "id": f"{self._id}:{next(self._numbers)}",
                "device": self._rng.choice(self._devices),
                "kind": self._rng.choice(("sos", "fall", "smoke")),
                "at": datetime.now(UTC).isoformat(),
            }
            self._book.frames[frame["id"]] = frame
            await client.send(json.dumps(frame))
            await asyncio.sleep(self._rng.uniform(0, 2 / per_s))


class App:
    """Says yes to some offers, goes there, clears; confirms whatever it gets."""

    def __init__(self, id_: str, token: str, book: Book, rng: random.Random) -> None:
        self._id = id_
        self._token = token
        self._book = book
        self._rng = rng
        self._numbers = itertools.count(1)
        self._asked: dict[str, str] = {}

    async def run(self, port: int) -> None:
        """Until the link breaks."""
        async with _linked(port, "responder", self._token) as client, asyncio.TaskGroup() as tasks:
            await self._say(client, "presence", available=True)
            async for text in client:
                await self._hear(client, tasks, json.loads(text))
            raise ConnectionResetError

    async def _say(self, client: ClientConnection, type_: str, **fields: object) -> str:
        id_ = f"{self._id}:{next(self._numbers)}"
        await client.send(json.dumps({"type": type_, "id": id_, **fields}))
        return id_

    async def _hear(self, client: ClientConnection, tasks: asyncio.TaskGroup, message: Wire) -> None:
        match message["type"]:
            case "welcome":
                for offer in message["offers"]:
                    tasks.create_task(self._consider(client, offer))
                for assignment in message["assignments"]:
                    tasks.create_task(self._go(client, assignment))
            case "offer":
                tasks.create_task(self._consider(client, message))
            case "assignment" if message["state"] == "assigned":
                tasks.create_task(self._go(client, message))
            case "result" if message["id"] in self._asked and message["state"] == "assigned":
                self._book.accepted.add((self._asked[message["id"]], self._id))
            case _:
                pass
        if "seq" in message and message["type"] != "welcome":
            await client.send(json.dumps({"type": "received", "seq": message["seq"]}))

    async def _consider(self, client: ClientConnection, offer: Wire) -> None:
        await asyncio.sleep(self._rng.uniform(0, 0.1))
        if self._rng.random() < YES:
            id_ = f"{self._id}:{next(self._numbers)}"
            self._asked[id_] = offer["incident"]
            await client.send(json.dumps({"type": "accept", "id": id_, "offer": offer["offer"]}))

    async def _go(self, client: ClientConnection, assignment: Wire) -> None:
        incident, version = assignment["incident"], assignment["version"]
        for type_, more in (
            ("en_route", {}),
            ("on_scene", {}),
            ("cleared", {"outcome": "helped", "version": version + 99}),
        ):
            await asyncio.sleep(self._rng.uniform(0, 0.4))
            await self._say(client, type_, incident=incident, **more)
