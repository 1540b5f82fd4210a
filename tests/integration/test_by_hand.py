"""From ``callhub init`` to a closed incident as the README tells it: every part a process, or a client of one."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.integration.command_line import give_beside

LIMIT_S = 90


@dataclass
class Serving:
    """A server process and where it listens."""

    process: Process
    web: str
    links: str


@asynccontextmanager
async def serving(config: Path) -> AsyncIterator[Serving]:
    """``callhub serve`` on free ports, ended by SIGTERM with status 0."""
    process = await begin("serve", "-c", str(config), CALLHUB_LINKS__PORT="0", CALLHUB_WEB__PORT="0")
    assert process.stdout is not None
    try:
        ready = (await process.stdout.readline()).decode()
        web, links = re.findall(r"(?:http|ws)://[0-9.]+:\d+", ready)
        yield Serving(process, web, links)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def begin(*args: str, **variables: str) -> Process:
    """A command in the background; what it logs goes nowhere."""
    command = [sys.executable, "-m", "callhub", *args]
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL, env={**os.environ, **variables})


@pytest.fixture
async def begun() -> AsyncIterator[list[Process]]:
    """Commands that a test began beside its server; those that still run when it is over are stopped."""
    processes: list[Process] = []
    yield processes
    for process in processes:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(LIMIT_S):
                await process.wait()


async def token(config: Path, *words: str) -> str:
    done = await give_beside("token", "-c", config, *words)
    assert done.status == 0, done.err
    return done.out.strip()


def phone(server: Serving, secret: str) -> connect:
    return connect(
        f"{server.links}/v1/responder",
        subprotocols=[Subprotocol("callhub.v1")],
        additional_headers={"Authorization": f"Bearer {secret}"},
        proxy=None,
    )


async def hear(link: ClientConnection, type_: str) -> dict[str, Any]:
    """The next message of a type."""
    while True:
        message: dict[str, Any] = json.loads(await link.recv())
        if message["type"] == type_:
            return message


async def say(link: ClientConnection, **message: Any) -> None:
    """Send, and wait for its result."""
    await link.send(json.dumps(message))
    answer = await hear(link, "result")
    assert answer["ok"]


async def test_from_init_to_a_closed_incident(config: Path, begun: list[Process]) -> None:
    async with asyncio.timeout(LIMIT_S), serving(config) as server:
        gateway = await token(config, "gateway", "GW-1")
        volunteer = await token(config, "responder", "V-1")
        duty = await token(config, "api", "duty", "--role", "operator")
        async with phone(server, volunteer) as link:
            assert (await hear(link, "welcome"))["responder"] == "V-1"
            await say(link, type="presence", id="p1", available=True)
            press = await begin("press", "BTN-0001", "--url", server.links, "--token", gateway)
            begun.append(press)
            offer = await hear(link, "offer")
            await say(link, type="accept", id="r1", offer=offer["offer"])
            assert (await hear(link, "assignment"))["go_to"]["address"] == "富源里 3 号楼 201"
            incident = offer["incident"]
            for number, step in enumerate(("en_route", "on_scene")):
                await say(link, type=step, id=f"s{number}", incident=incident)
            await say(link, type="cleared", id="r2", incident=incident, outcome="helped")
        async with httpx.AsyncClient(base_url=server.web, headers={"Authorization": f"Bearer {duty}"}) as operator:
            listed = (await operator.get("/api/v1/incidents", params={"state": "open"})).json()
            assert [item["id"] for item in listed["items"]] == [incident]
            body = {"outcome": "helped", "reason": "spoke to the elder, all is well"}
            closed = await operator.post(f"/api/v1/incidents/{incident}/close", json=body)
        assert (closed.status_code, closed.json()["state"]) == (200, "closed")
        assert press.stdout is not None
        shown = (await press.stdout.read()).decode().splitlines()
        assert await press.wait() == 0
        assert shown[0] == f"receipt: incident {incident}"
        states = [line.split(":")[0] for line in shown[1:]]
        assert states[-1] == "closed"
        assert set(states) <= {"seeking", "assigned", "en_route", "on_scene", "resolved", "closed"}
        beside = await give_beside("verify", "-c", config)
        assert (beside.status, beside.err) == (0, "")
    assert (await give_beside("verify", "-c", config)).status == 0


async def test_the_same_press_by_http_twice(config: Path) -> None:
    async with asyncio.timeout(LIMIT_S), serving(config) as server:
        gateway = await token(config, "gateway", "GW-1")
        alarm = {"type": "alarm", "id": "a-1", "device": "BTN-0001", "kind": "sos"}
        async with httpx.AsyncClient(base_url=server.web, headers={"Authorization": f"Bearer {gateway}"}) as client:
            first, second = [(await client.post("/api/v1/alarms", json=alarm)).json() for _ in range(2)]
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["incident"] == second["incident"]


async def test_a_revoked_token_closes_its_link_within_a_second(config: Path) -> None:
    async with asyncio.timeout(LIMIT_S), serving(config) as server:
        volunteer = await token(config, "responder", "V-1")
        async with phone(server, volunteer) as link:
            await hear(link, "welcome")
            done = await give_beside("token", "-c", config, "revoke", "responder", "V-1")
            assert done.status == 0
            with pytest.raises(ConnectionClosed) as closed:
                async with asyncio.timeout(1):
                    await link.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4100


async def test_a_second_server_names_the_process_that_holds_the_database(config: Path) -> None:
    async with asyncio.timeout(LIMIT_S), serving(config) as server:
        done = await give_beside("serve", "-c", config)
        assert done.status == 1
        assert f"process {server.process.pid}" in done.err


async def test_a_first_start_puts_the_ladders_of_the_folder_in_force(config: Path) -> None:
    with closing(sqlite3.connect(config.parent / "callhub.db")) as database, database:
        database.execute("DELETE FROM policy")
    async with asyncio.timeout(LIMIT_S), serving(config):
        done = await give_beside("policy", "apply", "-c", config)
    assert done.err == "nothing to change: these policies are in force already\n"
