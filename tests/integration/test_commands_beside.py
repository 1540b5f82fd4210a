"""The commands beside a running loop on a real database: at once in effect, and nobody restarts anything.

The links and the page are left out: what they act on is the announcement that is looked at here.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from callhub.clock import SystemClock
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.domain.decision import Announcement
from callhub.domain.events import AlarmRaised, LinkChanged
from callhub.domain.messages import Addressee, AddresseeKind, MessageType
from callhub.domain.people import SYSTEM, Actor, ActorKind
from callhub.domain.policy import PolicySet
from callhub.hub import Hub
from callhub.intake.control import ControlServer
from callhub.intake.directory import Directory
from callhub.store.sqlite import SqliteStore
from tests.integration.command_line import RESPONDERS, give_beside

LIMIT_S = 90


@dataclass
class Running:
    """A loop with its store, as a server has them."""

    config: Path
    store: SqliteStore
    hub: Hub

    async def press(self) -> str:
        """E-1's button is pressed; returns the incident."""
        gateway = Actor(ActorKind.GATEWAY, "GW-1")
        event = AlarmRaised(
            id=self.hub.new_id(), actor=gateway, gateway="GW-1", alarm="a-1", device="BTN-0001", kind="sos"
        )
        answer = await self.hub.submit(event)
        assert answer.incident is not None
        return answer.incident


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[Running]:
    database = config.parent / "callhub.db"
    store = SqliteStore(database)
    await store.open()
    clock = SystemClock()
    engine = DispatchEngine(Rules(), PolicySet((await store.load()).policies), clock.now())
    hub = Hub(engine, store, clock)
    await hub.recover()
    directory = Directory(store, lambda event: hub.submit(event), hub.now, hub.new_id)
    control = ControlServer(database, directory)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(hub.run())
        await control.open()
        try:
            yield Running(config, store, hub)
        finally:
            await control.close()
            hub.stop()
    await store.close()


@pytest.fixture
async def server(config: Path) -> AsyncIterator[Running]:
    async with running(config) as found:
        yield found


def offers_to(server: Running, responder: str) -> list[str]:
    addressee = Addressee(AddresseeKind.RESPONDER, responder)
    waiting = server.store.outbox(addressee, 0, 100)
    return [stored.message.incident for stored in waiting if stored.message.type is MessageType.OFFER]


async def test_a_new_volunteer_whose_phone_connects_is_asked_for_what_is_open(server: Running, tmp_path: Path) -> None:
    incident = await server.press()
    assert offers_to(server, "V-2") == []
    file = tmp_path / "more.csv"
    row = RESPONDERS.splitlines()[1].replace("V-1", "V-2").replace(",,app", ",mon-sun 00:00-24:00,app")
    file.write_text(f"{RESPONDERS.splitlines()[0]}\n{row}\n")
    done = await give_beside("import", "-c", server.config, "responders", file)
    assert (done.status, done.err) == (0, "responders: 1 added, 0 updated, 0 as they were\n")
    news = server.hub.committed.subscribe()
    server.hub.notice(LinkChanged(id=server.hub.new_id(), actor=SYSTEM, responder="V-2", up=True))
    await news.next()
    assert offers_to(server, "V-2") == [incident]


async def test_the_people_around_an_elder_are_known_at_once(server: Running, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("id,elder,name,relation,phone,channels\nC-1,E-1,李明,son,13800000009,sms\n", encoding="utf-8")
    done = await give_beside("import", "-c", server.config, "contacts", file)
    assert (done.status, done.err) == (0, "contacts: 1 added, 0 updated, 0 as they were\n")
    assert [contact.name for contact in server.store.family_of("E-1")] == ["李明"]


async def test_a_token_is_valid_at_once_and_its_end_is_announced(server: Running) -> None:
    news = server.hub.committed.subscribe()
    issued = await give_beside("token", "-c", server.config, "responder", "V-1")
    assert (issued.status, issued.err) == (0, "")
    digest = hashlib.sha256(issued.out.strip().encode()).hexdigest()
    assert server.store.token(digest) is not None
    assert (await give_beside("token", "-c", server.config, "revoke", "responder", "V-1")).status == 0
    assert server.store.token(digest) is None
    heard = [await news.next() for _ in range(2)]
    assert [item.revoked for item in heard if isinstance(item, Announcement)] == [(), (("responder", "V-1"),)]


async def test_a_user_may_sign_in_at_once_and_their_end_is_announced(server: Running) -> None:
    news = server.hub.committed.subscribe()
    added = await give_beside("user", "-c", server.config, "add", "li", "--role", "operator", stdin="correct horse\n")
    assert added.status == 0, added.err
    assert server.store.user("li") is not None
    assert (await give_beside("user", "-c", server.config, "remove", "li")).status == 0
    heard = [await news.next() for _ in range(2)]
    assert [item.removed_users for item in heard if isinstance(item, Announcement)] == [(), ("li",)]


async def test_new_ladders_are_for_new_incidents(server: Running) -> None:
    first = await server.press()
    emergency = server.config.parent / "policies" / "emergency.toml"
    emergency.write_text(emergency.read_text().replace("needed = 1", "needed = 2"))
    done = await give_beside("policy", "apply", "-c", server.config)
    assert done.err.splitlines() == ["policy emergency: changed"]
    document = server.store.incident(first)
    assert document is not None
    assert document.incident.needed == 1
    gateway = Actor(ActorKind.GATEWAY, "GW-1")
    stranger = AlarmRaised(
        id=server.hub.new_id(), actor=gateway, gateway="GW-1", alarm="a-2", device="BTN-9", kind="sos"
    )
    second = (await server.hub.submit(stranger)).incident
    assert second is not None
    opened = server.store.incident(second)
    assert opened is not None
    assert opened.incident.needed == 2


async def test_a_bad_file_is_refused_by_the_server_as_by_the_command(server: Running, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("id,name,phone\nE-7,Li,1.38E+10\n")
    done = await give_beside("import", "-c", server.config, "elders", file)
    assert done.status == 2
    assert "line 2, phone: is in scientific notation" in done.err


async def test_verify_reads_beside_the_server(server: Running) -> None:
    await server.press()
    done = await give_beside("verify", "-c", server.config)
    assert (done.status, done.err) == (0, "")
    assert "1 incident)" in done.out
