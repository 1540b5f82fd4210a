"""Goal: a client loses nothing and hears nothing twice over any number of links. Method: a scripted server."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from callhub.demo.link import GATEWAY, Link, Wire, server_time
from tests.unit.demo.scripted import GATEWAY_WELCOME, PATIENCE_S, ScriptedServer, hear, scripted_server, tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ALARM = {"type": "alarm", "id": "a-1", "device": "BTN-1"}
RECEIPT = {"type": "receipt", "id": "a-1", "incident": "i-1"}


@asynccontextmanager
async def connected(
    server: ScriptedServer, resend_s: float | None = None
) -> AsyncIterator[tuple[Link, list[Wire], asyncio.Task[None]]]:
    messages: list[Wire] = []
    link = Link(server.door, GATEWAY, "token-1", messages.append, random.Random(1), resend_s)
    running = asyncio.create_task(link.run())
    try:
        yield link, messages, running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_client_shows_its_token_and_speaks_the_subprotocol() -> None:
    async with scripted_server() as server, connected(server):
        link = await server.link()
        assert link.request is not None
        assert link.request.path == "/v1/gateway"
        assert link.request.headers["Authorization"] == "Bearer token-1"
        assert link.subprotocol == "callhub.v1"


async def test_what_is_asked_is_answered_by_its_id() -> None:
    async with scripted_server() as server, connected(server) as (client, _, _running):
        link = await server.welcomed(GATEWAY_WELCOME)
        asked = asyncio.create_task(client.ask(ALARM))
        assert await hear(link) == ALARM
        await tell(link, {**RECEIPT, "id": "other"})
        await tell(link, RECEIPT)
        async with asyncio.timeout(PATIENCE_S):
            assert await asked == RECEIPT


async def test_what_is_not_answered_is_sent_again_and_again() -> None:
    async with scripted_server() as server, connected(server, resend_s=0.02) as (client, _, _running):
        link = await server.welcomed(GATEWAY_WELCOME)
        asked = asyncio.create_task(client.ask(ALARM))
        for _ in range(3):
            assert await hear(link) == ALARM
        await tell(link, RECEIPT)
        await tell(link, {**RECEIPT, "duplicate": True})
        async with asyncio.timeout(PATIENCE_S):
            assert await asked == RECEIPT


async def test_what_is_not_answered_is_sent_again_on_the_next_link() -> None:
    async with scripted_server() as server, connected(server) as (client, _, _running):
        first = await server.welcomed(GATEWAY_WELCOME)
        asked = asyncio.create_task(client.ask(ALARM))
        assert await hear(first) == ALARM
        await first.close(4000)
        second = await server.welcomed(GATEWAY_WELCOME)
        assert await hear(second) == ALARM
        await tell(second, RECEIPT)
        async with asyncio.timeout(PATIENCE_S):
            assert await asked == RECEIPT


async def test_a_message_is_heard_once_and_confirmed_each_time() -> None:
    async with scripted_server() as server, connected(server) as (_, messages, _running):
        link = await server.welcomed(GATEWAY_WELCOME)
        progress = {"type": "progress", "seq": 7, "incident": "i-1", "state": "seeking"}
        for _ in range(2):
            await tell(link, progress)
            assert await hear(link) == {"type": "received", "seq": 7}
        assert messages == [GATEWAY_WELCOME, progress]


async def test_a_refused_handshake_is_tried_again_but_a_refused_token_is_not() -> None:
    async with scripted_server() as server:
        server.statuses = [503, 401]
        async with connected(server) as (_, _messages, running), asyncio.timeout(PATIENCE_S):
            await running
        assert server.handshakes == 2


async def test_a_client_that_is_sent_away_stays_away() -> None:
    async with scripted_server() as server, connected(server) as (_, _messages, running):
        link = await server.welcomed(GATEWAY_WELCOME)
        await link.close(4101)
        async with asyncio.timeout(PATIENCE_S):
            await running
        assert server.handshakes == 1


async def test_the_servers_time_is_in_its_welcome() -> None:
    async with scripted_server() as server:
        asked = asyncio.create_task(server_time(server.door, "token-1"))
        await server.welcomed(GATEWAY_WELCOME)
        async with asyncio.timeout(PATIENCE_S):
            assert (await asked).isoformat() == "2026-11-24T05:00:00+00:00"
