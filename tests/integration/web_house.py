"""A real server for people and systems: a small directory, a real disk, real sockets."""

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from argon2 import PasswordHasher

from callhub.app import Server
from callhub.domain.people import Area, Device, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import Level, policy_from_table
from callhub.settings import Settings, load_settings
from callhub.store.base import Commit, DirectoryChange, Token, User
from callhub.store.sqlite import SqliteStore
from callhub.web.auth import digest_of

PASSWORD = "correct horse"
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
_START = datetime(2026, 11, 1, tzinfo=UTC)
_POLICIES = Path(__file__).parents[2] / "config" / "policies"
_HOME = Position(39.0812, 117.2203)


def _directory() -> DirectoryChange:
    path = ("D1", "S1", "C1")
    areas = (
        Area("D1", None, Level.DISTRICT, "河西区", _HOME),
        Area("S1", "D1", Level.STREET, "友谊路街", _HOME),
        Area("C1", "S1", Level.COMMUNITY, "富源里", _HOME),
        Area("S2", "D1", Level.STREET, "桃园街", _HOME),
    )
    elders = (
        Elder("E-1", "李奶奶", path, "富源里 3 号楼 201", _HOME, phone="13800000001", access="钥匙在邻居王家"),
        Elder("E-2", "张爷爷", path, "富源里 5 号楼 102", _HOME, phone="13800000002", notes="听力不好"),
    )
    devices = (Device("BTN-1", "E-1", "GW"), Device("BTN-2", "E-2", "GW"))
    # Nobody is on duty at first, so an alarm rings at once.
    responders = (
        Responder("V-1", "王师傅", ResponderKind.VOLUNTEER, path, position=Position(39.0825, 117.2211)),
        Responder("V-2", "赵阿姨", ResponderKind.CAREGIVER, path, position=Position(39.0805, 117.2250)),
        Responder("WATER", "水务局", ResponderKind.DEPARTMENT, ("D1",), capacity=None),
    )
    users = (
        User("olga", "operator", None, _HASH),
        User("southern", "operator", "S2", _HASH),
        User("friend", "operator", "S1", _HASH),
        User("vera", "viewer", None, _HASH),
        User("boss", "supervisor", None, _HASH),
    )
    tokens = (
        Token(digest_of("gateway"), "gateway", "GW", None, None, _START),
        Token(digest_of("duty"), "api", "duty", "operator", None, _START),
        Token(digest_of("v-1"), "responder", "V-1", None, None, _START),
    )
    policies = tuple(
        policy_from_table(tomllib.loads(file.read_text(encoding="utf-8")), file.name)
        for file in sorted(_POLICIES.glob("*.toml"))
    )
    return DirectoryChange(areas, elders, devices, responders, users=users, tokens=tokens, policies=policies)


@dataclass
class House:
    """A running server; ``api`` acts as the client ``duty``, ``gateway`` as the gateway ``GW``."""

    server: Server
    url: str
    api: httpx.AsyncClient
    gateway: httpx.AsyncClient

    async def press(self, device: str = "BTN-1", id: str = "a-1", kind: str = "sos") -> str:
        """One alarm, durable on return; the incident's id."""
        frame = {"type": "alarm", "id": id, "device": device, "kind": kind}
        answer = await self.gateway.post("/api/v1/alarms", json=frame)
        answer.raise_for_status()
        return str(answer.json()["incident"])

    async def act(self, id: str, action: str, **body: object) -> None:
        """What a program of role operator does."""
        answer = await self.api.post(f"/api/v1/incidents/{id}/{action}", json=body)
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def serving(folder: Path, http_port: int = 0) -> AsyncIterator[House]:
    """A server in ``folder`` until the block ends; a folder used before goes on where it was."""
    settings = _settings(folder, http_port)
    if not settings.database.exists():
        store = SqliteStore(settings.database)
        await store.open()
        await store.commit(Commit(changes=(_directory(),)))
        await store.close()
    server = Server(settings)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server.run())
        async with asyncio.timeout(20):
            await server.ready()
        url = f"http://127.0.0.1:{server.web_port}"
        async with _client(url, "duty") as api, _client(url, "gateway") as gateway:
            yield House(server, url, api, gateway)
        server.stop()
        await running


def _settings(folder: Path, http_port: int) -> Settings:
    file = folder / "callhub.toml"
    file.write_text("", encoding="utf-8")
    return load_settings(file, {"web": {"port": http_port}, "links": {"port": 0}})


def _client(url: str, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}, trust_env=False)
