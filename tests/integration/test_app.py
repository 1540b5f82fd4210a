"""The whole server: real sockets, a real disk, its start and its stop."""

import asyncio
import hashlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from callhub.app import Server, listen, rules_of
from callhub.domain.people import ResponderKind
from callhub.errors import ConfigError, DatabaseHeld
from callhub.settings import Settings, load_settings
from callhub.store.base import Commit, DirectoryChange, Token
from callhub.store.sqlite import SqliteStore, verify_file
from tests.integration.command_line import give_beside

LIMIT_S = 60
SECRET = "not-so-secret"


def settings_of(config: Path, web_port: int = 0) -> Settings:
    return load_settings(config, {"web": {"port": web_port}, "links": {"port": 0}})


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[Server]:
    """A server in this loop, stopped in its order at the end."""
    server = Server(settings_of(config))
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run())
        await server.ready()
        try:
            yield server
        finally:
            server.stop()


async def give_token(config: Path, kind: str, id_: str) -> str:
    """A token for a client, put into the store while no server runs."""
    store = SqliteStore(load_settings(config).database)
    await store.open()
    secret = f"{SECRET}-{kind}-{id_}"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    token = Token(digest, kind, id_, None, None, datetime(2026, 1, 1, tzinfo=UTC))
    await store.commit(Commit(changes=(DirectoryChange(tokens=(token,)),)))
    await store.close()
    return secret


def link(server: Server, kind: str, token: str) -> connect:
    return connect(
        f"ws://127.0.0.1:{server.link_port}/v1/{kind}",
        additional_headers={"Authorization": f"Bearer {token}"},
        proxy=None,
    )


async def heard(client: ClientConnection, type_: str) -> dict[str, object]:
    """The next message of a type."""
    while True:
        message: dict[str, object] = json.loads(await client.recv())
        if message["type"] == type_:
            return message


async def test_a_press_gets_its_receipt_and_an_offer_reaches_the_phone(config: Path) -> None:
    gateway_token = await give_token(config, "gateway", "GW-1")
    app_token = await give_token(config, "responder", "V-1")
    async with running(config) as server, link(server, "responder", app_token) as app:
        await heard(app, "welcome")
        await app.send(json.dumps({"type": "presence", "id": "p", "available": True}))
        await heard(app, "result")
        async with link(server, "gateway", gateway_token) as gateway:
            await gateway.send(json.dumps({"type": "alarm", "id": "a-1", "device": "BTN-0001", "kind": "sos"}))
            receipt = await heard(gateway, "receipt")
            offer = await heard(app, "offer")
            assert offer["incident"] == receipt["incident"]
            await app.send(json.dumps({"type": "accept", "id": "r", "offer": offer["offer"]}))
            assignment = await heard(app, "assignment")
            assert assignment["incident"] == receipt["incident"]
    assert verify_file(load_settings(config).database).flaws == ()


async def test_it_is_ready_alive_and_measured(config: Path) -> None:
    async with running(config) as server, httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.web_port}") as http:
        assert (await http.get("/healthz")).status_code == 200
        ready = await http.get("/readyz")
        assert ready.status_code == 200, ready.text
        figures = (await http.get("/metrics")).text
        assert "callhub_open_incidents" in figures


async def test_a_stop_closes_links_with_4000_ends_streams_and_frees_everything(config: Path) -> None:
    token = await give_token(config, "gateway", "GW-1")
    async with running(config) as server:
        ports = (server.web_port, server.link_port)
        async with link(server, "gateway", token) as gateway:
            await heard(gateway, "welcome")
            server.stop()
            await gateway.wait_closed()
            assert gateway.close_code == 4000
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    store = SqliteStore(load_settings(config).database)
    await store.open()  # the lock is free
    await store.close()


async def test_commands_reach_it_through_the_control_socket(config: Path) -> None:
    async with running(config):
        done = await give_beside("token", "-c", config, "gateway", "GW-9")
        assert done.status == 0, done.err
        digest = hashlib.sha256(done.out.strip().encode()).hexdigest()
    store = SqliteStore(load_settings(config).database)
    await store.open()
    assert store.token(digest) is not None
    await store.close()


async def test_a_second_server_is_refused_and_names_the_first(config: Path) -> None:
    async with running(config):
        with pytest.raises(DatabaseHeld) as held:
            await Server(settings_of(config)).run()
    assert held.value.data["pid"] == os.getpid()


async def test_a_taken_port_is_said_before_anything_runs(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"web\.port: 127\.0\.0\.1 port {port}"):
            await Server(settings_of(config, port)).run()
    with pytest.raises(ConfigError, match=r"web\.host"):
        listen("web", "no.such.host.invalid", 0)


async def test_a_part_that_fails_ends_all_of_it(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("callhub.delivery.courier.Courier.run", broken)
    server = Server(settings_of(config))
    with pytest.raises(ExceptionGroup) as failed:
        async with asyncio.timeout(LIMIT_S):
            await server.run()
    assert failed.group_contains(ZeroDivisionError)
    store = SqliteStore(load_settings(config).database)
    await store.open()
    await store.close()


async def test_a_part_that_just_ends_is_a_failure_too(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def brief(self: object) -> None:
        return

    monkeypatch.setattr("callhub.auditor.Auditor.run", brief)
    with pytest.raises(ExceptionGroup) as failed:
        async with asyncio.timeout(LIMIT_S):
            await Server(settings_of(config)).run()
    assert failed.group_contains(RuntimeError, match="auditor ended by itself")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_with_status_0(config: Path, number: signal.Signals) -> None:
    environment = os.environ | {"CALLHUB_WEB__PORT": "0", "CALLHUB_LINKS__PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callhub", "serve", "-c", str(config), stdout=-1, stderr=-1, env=environment
    )
    async with asyncio.timeout(LIMIT_S):
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        assert "ws://127.0.0.1:" in line
        process.send_signal(number)
        out, err = await process.communicate()
    assert (process.returncode, out) == (0, b"")
    assert b"Traceback" not in err


async def test_a_failure_ends_the_process_with_status_1(config: Path) -> None:
    code = (
        "import sys, pathlib, callhub.app as app\n"
        "from callhub.delivery.courier import Courier\n"
        "from callhub.settings import load_settings\n"
        "async def broken(self): raise ZeroDivisionError\n"
        "Courier.run = broken\n"
        "flags = {'web': {'port': 0}, 'links': {'port': 0}}\n"
        "app.serve(load_settings(pathlib.Path(sys.argv[1]), flags))\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(config), stdout=-1, stderr=-1)
    async with asyncio.timeout(LIMIT_S):
        _, err = await process.communicate()
    assert process.returncode == 1
    assert b"server_failed" in err


def test_the_rules_are_the_settings(config: Path) -> None:
    settings = load_settings(config, {"dispatch": {"turnout_s": 90, "speed_m_s": {"caregiver": 4}}})
    rules = rules_of(settings)
    assert rules.eta_s(ResponderKind.CAREGIVER, 400) == 220
    assert str(rules.timezone) == "Asia/Shanghai"


@pytest.mark.parametrize("key", ["night", "quiet_hours.volunteer"])
def test_hours_that_cannot_be_read_are_refused_by_name(config: Path, key: str) -> None:
    table, _, kind = key.partition(".")
    settings = load_settings(config, {"dispatch": {table: {kind: "9-17"} if kind else "9-17"}})
    with pytest.raises(ConfigError, match=f"dispatch.{key}: cannot read '9-17'"):
        rules_of(settings)
