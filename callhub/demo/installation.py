"""A real installation for the demo, in a temporary folder: configuration, ladders, district, tokens, one login.

Rules of this file: the same requests as the commands make, answered by the same code; only the tokens of many clients
become durable in one commit instead of one each.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from callhub.demo.town import write_csv
from callhub.dispatch.rules import Rules
from callhub.domain.events import DirectoryUpdated
from callhub.domain.people import Role
from callhub.errors import CallhubError
from callhub.hub.ids import UuidSource
from callhub.intake.alone import alone
from callhub.intake.csv_import import Crs, ImportKind
from callhub.intake.directory import COMMAND, Directory
from callhub.intake.requests import ImportRequest, PoliciesRequest, Request, UserAddRequest
from callhub.settings import Settings, load_settings, shipped
from callhub.store.base import DirectoryChange, Token
from callhub.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from callhub.clock import Clock
    from callhub.demo.town import Town

USER = "demo"
"""Whom a person signs in as."""
SIMULATED_USER = "console"
"""Whom the simulated operator signs in as; with the same password, since a hash takes its time on purpose."""
SESSION_S = 31_622_400
"""A shift is over soon on a scaled clock; the longest session that can be set is not."""
ORDER = (ImportKind.AREAS, ImportKind.RESPONDERS, ImportKind.ELDERS, ImportKind.DEVICES, ImportKind.CONTACTS)


@dataclass(frozen=True, slots=True)
class Installation:
    """What a demo needs to know of what was set up. Tokens are by the id of gateway or responder."""

    settings: Settings
    password: str
    gateways: Mapping[str, str]
    responders: Mapping[str, str]


class DemoNotSetUp(CallhubError):
    """The demo's own installation was refused; says why."""


async def install(folder: Path, town: Town, http_port: int, link_port: int, clock: Clock) -> Installation:
    """Set everything up in ``folder``, which is empty; about 2 s for 3,000 elders."""
    settings = _configure(folder, http_port, link_port)
    write_csv(town, folder)
    store = SqliteStore(settings.database)
    await store.open()
    try:
        ids = UuidSource()
        submit = alone(store, clock.now, Rules)  # no incident is open yet, so no figure matters
        directory = Directory(store, submit, clock.now, lambda: ids(clock.now()))
        tables = {str(file): tomllib.loads(file.read_text("utf-8")) for file in settings.policies_dir.glob("*.toml")}
        await _do(directory, PoliciesRequest(tables=tables))
        for kind in ORDER:
            file = folder / f"{kind.value}.csv"
            await _do(directory, ImportRequest(kind=kind, file=str(file), data=file.read_bytes(), crs=Crs.WGS84))
        password = secrets.token_urlsafe(9)
        hashed = PasswordHasher().hash(password)
        for name in (USER, SIMULATED_USER):
            await _do(directory, UserAddRequest(name=name, role=Role.OPERATOR, password=hashed))
        gateways = {id: secrets.token_urlsafe(32) for id in sorted({device.gateway for device in town.devices})}
        responders = {id: secrets.token_urlsafe(32) for id in town.behaviours}
        await _keep_tokens(directory, {"gateway": gateways, "responder": responders})
    finally:
        await store.close()
    return Installation(settings, password, gateways, responders)


def _configure(folder: Path, http_port: int, link_port: int) -> Settings:
    """Write the files that ``callhub init`` writes. What names a place is fixed: the environment must not move it."""
    source = shipped()
    config = folder / "callhub.toml"
    shutil.copyfile(source / config.name, config)
    shutil.copytree(source / "policies", folder / "policies")
    return load_settings(
        config,
        {
            "store": {"url": "sqlite:///callhub.db"},
            "policies": {"dir": "policies"},
            "links": {"host": "127.0.0.1", "port": link_port},
            "web": {"host": "127.0.0.1", "port": http_port, "session_s": SESSION_S, "secure_cookies": False},
        },
    )


async def _do(directory: Directory, request: Request) -> None:
    reply = await directory.answer(request)
    if not reply.ok:
        raise DemoNotSetUp(reply.message)


async def _keep_tokens(directory: Directory, tokens: Mapping[str, Mapping[str, str]]) -> None:
    """Keep the digests of all tokens, by kind and id, in one commit."""
    now = directory.now()
    kept = tuple(
        Token(hashlib.sha256(token.encode()).hexdigest(), kind, id, None, None, now)
        for kind, by_id in tokens.items()
        for id, token in by_id.items()
    )
    event = DirectoryUpdated(
        id=directory.new_id(),
        actor=COMMAND,
        what="token",
        counts={"tokens": len(kept)},
        change=DirectoryChange(tokens=kept),
    )
    await directory.submit(event)
