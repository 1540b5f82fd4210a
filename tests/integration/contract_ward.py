"""One installed server as a process, many small neighbourhoods far from each other, and clients that wait.

Each test takes a :class:`Site` of its own, so that one server can serve them all and no test hears another's messages.
"""

import asyncio
import itertools
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from callhub.store.base import Commit, DirectoryChange, Token
from callhub.store.sqlite import SqliteStore
from callhub.web.auth import digest_of
from tests.integration.command_line import found_ward, give
from tests.integration.link_stage import Client

SITES = 90
API = {"duty": "operator", "eyes": "viewer", "boss": "supervisor", "root": "admin"}
"""Programs with a token of their own, and what they may do; ``south`` sees one street."""


@dataclass(frozen=True)
class Site:
    """One community, 11 km from the next: an elder, two buttons behind one gateway, three volunteers, a caregiver."""

    n: int

    @property
    def area(self) -> str:
        return f"C{self.n}"

    @property
    def street(self) -> str:
        return f"S{self.n}"

    @property
    def elder(self) -> str:
        return f"E-{self.n}"

    @property
    def phone(self) -> str:
        return f"138{self.n:08d}"

    @property
    def button(self) -> str:
        return f"BTN-{self.n}"

    @property
    def mobile(self) -> str:
        return f"WATCH-{self.n}"

    @property
    def gateway(self) -> str:
        return f"GW-{self.n}"

    @property
    def lat(self) -> float:
        return round(20 + self.n / 10, 4)

    def volunteer(self, m: int = 1) -> str:
        return f"V-{self.n}-{m}"


def _rows() -> dict[str, str]:
    areas = ["id,parent,level,name,lat,lon", "D1,,district,河西区,39.09,117.22", "D2,,district,和平区,39.12,117.19"]
    elders = ["id,name,area,address,lat,lon,phone,card,language,paired,access,notes,active"]
    devices = ["id,elder,gateway,kind,phone,heartbeat_s,mobile,active"]
    responders = ["id,name,kind,area,lat,lon,phone,skills,capacity,hours,channels,language,active"]
    for site in map(Site, range(1, SITES + 2)):
        lat, n = site.lat, site.n
        areas += [f"S{n},D1,street,友谊路街{n},{lat},117.2", f"C{n},S{n},community,富源里{n},{lat},117.2"]
        elders.append(
            f"E-{n},李奶奶{n},C{n},富源里 3 号楼 {n},{lat},117.2,{site.phone},CARD{n},zh,,钥匙在王家,听力不好,1"
        )
        devices += [f"BTN-{n},E-{n},GW-{n},button,,,0,1", f"WATCH-{n},E-{n},GW-{n},watch,,,1,1"]
        responders += [
            f"V-{n}-{m},王师傅{n}{m},volunteer,C{n},{lat + m / 1000:.4f},117.2,13900{n:03d}{m:03d},,,,app,zh,1"
            for m in (1, 2, 3)
        ]
    return {
        kind: "\n".join(rows) + "\n"
        for kind, rows in zip(
            ("areas", "elders", "devices", "responders"), (areas, elders, devices, responders), strict=True
        )
    }


@dataclass
class Installation:
    """A server process on free ports. Tokens are issued by the command, once per client and run."""

    config: Path
    password: str
    process: subprocess.Popen[str] | None = None
    web: str = ""
    links: str = ""
    unused: Iterator[int] = field(default_factory=lambda: iter(range(2, SITES + 1)))
    clients: list[Client] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self) -> None:
        """Return once the line that says ready was read."""
        command = [sys.executable, "-m", "callhub", "serve", "-c", str(self.config)]
        ports = {"CALLHUB_LINKS__PORT": "0", "CALLHUB_WEB__PORT": "0"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **ports}
        )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        self.web, self.links = re.findall(r"(?:http|ws)://[0-9.]+:\d+", ready)

    def stop(self) -> None:
        """SIGTERM, and its status must be 0 within 20 s."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=20) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def shared(self) -> Site:
        """A neighbourhood for tests that look at nothing but their own answer."""
        return Site(SITES + 1)

    def site(self) -> Site:
        """A neighbourhood that nobody used yet."""
        return Site(next(self.unused))

    def id(self) -> str:
        """An id that nobody used yet."""
        return f"x-{next(self.numbers)}-{secrets.token_hex(3)}"

    def token(self, *words: str) -> str:
        """The token of a gateway, a responder or an api client, as ``installed`` gave it: its name."""
        return "-".join(words)

    async def gateway(self, site: Site) -> Client:
        """A gateway's link; its welcome is already read."""
        return await self.link("gateway", self.token("gateway", site.gateway))

    async def responder(self, site: Site, m: int = 1, *, on_duty: bool = True) -> Client:
        """The link of a volunteer, on duty unless told otherwise."""
        client = await self.link("responder", self.token("responder", site.volunteer(m)))
        if on_duty:
            said = await client.ask({"type": "presence", "id": self.id(), "available": True})
            assert said["state"] == "on_duty"
        return client

    async def link(self, kind: str, token: str) -> Client:
        client = Client(await self.dial(kind, token))
        self.clients.append(client)
        client.welcome = await client.read()
        return client

    async def hang_up(self) -> None:
        """End every link that is still up."""
        for client in self.clients:
            client.socket.transport.abort()
            await client.socket.wait_closed()
        self.clients.clear()

    def dial(self, kind: str, token: str | None, *more: str, origin: str | None = None) -> connect:
        """A handshake with this token, these further subprotocols and this Origin."""
        return connect(
            f"{self.links}/v1/{kind}",
            subprotocols=[Subprotocol("callhub.v1"), *map(Subprotocol, more)],
            additional_headers={"Authorization": f"Bearer {token}"} if token else None,
            origin=Origin(origin) if origin else None,
            proxy=None,
            compression=None,
        )

    def http(self, *words: str) -> httpx.AsyncClient:
        """A program with a token: ``http("gateway", "GW-1")``; without words, an operator who sees all."""
        token = self.token(*(words or ("api", "duty")))
        return self.bare({"Authorization": f"Bearer {token}"})

    def bare(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A client without a token."""
        return httpx.AsyncClient(base_url=self.web, headers=headers, trust_env=False, timeout=10)

    async def incident(self, id: str) -> dict[str, Any]:
        """The single incident as an operator reads it."""
        async with self.http() as api:
            answer = await api.get(f"/api/v1/incidents/{id}")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def incidents(self, **query: str) -> list[dict[str, Any]]:
        """The newest incidents that are open, or what the query says."""
        async with self.http() as api:
            answer = await api.get("/api/v1/incidents", params={"state": "open", "limit": "200", **query})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def press(self, site: Site, **fields: object) -> str:
        """One alarm over HTTP, durable on return; its incident."""
        frame = {"type": "alarm", "id": self.id(), "device": site.button, "kind": "sos", **fields}
        async with self.http("gateway", site.gateway) as gateway:
            answer = await gateway.post("/api/v1/alarms", json=frame)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["incident"])

    async def act(self, incident: str, action: str, *, version: int | None = None, **body: object) -> httpx.Response:
        """One action as the operator."""
        headers = {} if version is None else {"If-Match": str(version)}
        async with self.http() as api:
            return await api.post(f"/api/v1/incidents/{incident}/{action}", json=body, headers=headers)


def _token(kind: str, id: str, role: str | None = None, area: str | None = None) -> Token:
    return Token(digest_of(f"{kind}-{id}"), kind, id, role, area, datetime(2026, 11, 1, tzinfo=UTC))


async def _give_tokens(database: Path) -> None:
    """One for everybody, in one commit: a command for each would take a minute."""
    sites = [Site(n) for n in range(1, SITES + 2)]
    tokens = [_token("api", id_, role) for id_, role in API.items()]
    tokens.append(_token("api", "south", "operator", Site(1).street))  # no test gets that one
    tokens += [_token("gateway", site.gateway) for site in sites]
    tokens += [_token("responder", site.volunteer(m)) for site in sites for m in (1, 2, 3)]
    store = SqliteStore(database)
    await store.open()
    await store.commit(Commit(changes=(DirectoryChange(tokens=tuple(tokens)),)))
    await store.close()


def put_in_force(ward: Installation, file: str, ladder: str) -> None:
    """Write a policy file of the installation and apply it beside the server."""
    (ward.config.parent / "policies" / file).write_text(ladder, encoding="utf-8")
    done = give("policy", "apply", "-c", ward.config)
    assert done.status == 0, done.err


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """Init, import, serve; at the end the server must stop in order and the journal must verify."""
    config, password = found_ward(folder / "ward")
    for kind, text in _rows().items():
        path = folder / f"{kind}.csv"
        path.write_text(text, encoding="utf-8")
        done = give("import", "-c", config, kind, path)
        assert done.status == 0, done.err
    asyncio.run(_give_tokens(config.parent / "callhub.db"))
    ward = Installation(config, password)
    ward.start()
    try:
        yield ward
    finally:
        ward.stop()
    done = give("verify", "-c", config)
    assert done.status == 0, done.out + done.err
