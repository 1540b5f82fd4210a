"""Who may open a link, and how a link ends when its client is revoked."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from callhub.domain.decision import Announcement
from callhub.store.base import Commit, DirectoryChange
from tests.integration.link_stage import PRESS, WAIT_S, Client, Stage

BEARER = {"Authorization": "Bearer gateway-GW"}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage().open() as running:
        yield running


async def refused(stage: Stage, path: str, **options: Any) -> int:
    """The HTTP status of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://127.0.0.1:{stage.port}{path}", proxy=None, **options)
    return caught.value.response.status_code


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic Z2F0ZXdheTpHVw=="},
        {"Authorization": "gateway-GW"},
        {"Authorization": "Bearer \u00ff\u00fe"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/gateway", "/v1/responder"])
async def test_no_or_a_wrong_token_is_401(stage: Stage, path: str, headers: dict[str, str]) -> None:
    assert await refused(stage, path, additional_headers=headers) == 401


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("/v1/responder", "gateway-GW"),
        ("/v1/gateway", "responder-V-1"),
        ("/v1/gateway", "api-DATA"),
        ("/v1/responder", "api-DATA"),
    ],
)
async def test_a_token_of_the_wrong_kind_is_403(stage: Stage, path: str, token: str) -> None:
    assert await refused(stage, path, additional_headers={"Authorization": f"Bearer {token}"}) == 403


@pytest.mark.parametrize("path", ["/", "/v1/console", "/v1/gateway/x", "/healthz"])
async def test_another_path_is_404(stage: Stage, path: str) -> None:
    assert await refused(stage, path, additional_headers=BEARER) == 404


async def test_a_foreign_origin_is_403_and_a_configured_or_absent_one_is_fine(stage: Stage) -> None:
    for origin in ("https://evil.example", "null", f"http://127.0.0.1:{stage.port}"):
        assert await refused(stage, "/v1/gateway", additional_headers=BEARER, origin=origin) == 403
    await stage.connect("gateway", "GW", origin="https://app.example")
    await stage.connect("gateway", "GW")


async def test_a_scheme_is_not_case_sensitive_and_a_query_does_not_matter(stage: Stage) -> None:
    headers = {"Authorization": "bearer gateway-GW"}
    async with connect(f"{stage.url('gateway')}?v=2", proxy=None, additional_headers=headers) as socket:
        assert (await Client(socket).read())["type"] == "welcome"
        assert socket.subprotocol is None


async def test_a_ticket_opens_one_link_once(stage: Stage) -> None:
    digest = stage.token("responder", "V-1").digest
    ticket = Subprotocol(f"ticket.{stage.tickets.issue('responder', 'V-1', digest)}")
    offered = [Subprotocol("callhub.v1"), ticket]
    client = await stage.connect("responder", "V-1", additional_headers={}, subprotocols=offered)
    assert client.socket.subprotocol == "callhub.v1"
    assert await refused(stage, "/v1/responder", subprotocols=offered) == 401
    other = Subprotocol(f"ticket.{stage.tickets.issue('responder', 'V-1', digest)}")
    assert await refused(stage, "/v1/gateway", subprotocols=[Subprotocol("callhub.v1"), other]) == 403


async def test_a_disabled_responder_opens_no_link(stage: Stage) -> None:
    await stage.change(DirectoryChange(responders=(stage.volunteer("V-1", active=False),)))
    headers = {"Authorization": "Bearer responder-V-1"}
    assert await refused(stage, "/v1/responder", additional_headers=headers) == 403


async def test_a_token_whose_responder_is_gone_opens_no_link(stage: Stage) -> None:
    await stage.change(DirectoryChange(tokens=(stage.token("responder", "V-99"),)))
    headers = {"Authorization": "Bearer responder-V-99"}
    assert await refused(stage, "/v1/responder", additional_headers=headers) == 403


@pytest.mark.parametrize(("kind", "id_"), [("gateway", "GW"), ("responder", "V-1")])
async def test_a_revoked_client_is_out_within_a_second(stage: Stage, kind: str, id_: str) -> None:
    clients = [await stage.connect(kind, id_)]
    if kind == "gateway":
        clients.append(await stage.connect(kind, id_))
    bystander = await stage.connect("gateway", "GW-2")
    await stage.change(DirectoryChange(revoked=((kind, id_), ("session", "somebody"))))
    for client in clients:
        assert await client.closed(within_s=1.0) == 4100
    headers = {"Authorization": f"Bearer {kind}-{id_}"}
    assert await refused(stage, f"/v1/{kind}", additional_headers=headers) == 401
    assert (await bystander.ask(PRESS))["type"] == "receipt"


async def test_a_disabled_person_is_told_before_the_link_closes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, person = await stage.connect("gateway", "GW"), await stage.on_duty("V-1")
    await gateway.ask(PRESS)
    offer = await person.until(type="offer")
    monkeypatch.setattr(stage.registry, "wake", lambda _: None)  # no hint of the courier comes in time
    disabled = replace(stage.volunteer("V-1"), active=False)
    await stage.change(DirectoryChange(responders=(disabled,)))  # as an import does: the token stays
    assert await person.closed(within_s=1.0) == 4100
    stand_downs = [message for message in person.heard if message["type"] == "stand_down"]
    assert [(message["offer"], message["reason"]) for message in stand_downs] == [(offer["offer"], "disabled")]


async def test_a_revoked_client_that_reads_nothing_is_out_as_well(stage: Stage) -> None:
    person = await stage.connect("responder", "V-1")
    person.socket.transport.pause_reading()
    await stage.change(DirectoryChange(revoked=(("responder", "V-1"),)))
    async with asyncio.timeout(WAIT_S):
        await stage.hub.was_told("V-1", up=False)


async def test_a_listener_that_lost_announcements_checks_every_token(stage: Stage) -> None:
    digest = stage.token("responder", "V-2").digest
    ticket = Subprotocol(f"ticket.{stage.tickets.issue('responder', 'V-2', digest)}")
    valid, revoked = await stage.connect("gateway", "GW"), await stage.connect("responder", "V-1")
    by_ticket = await stage.connect("responder", "V-2", additional_headers={}, subprotocols=[ticket])
    stage.store._tokens.pop(stage.token("responder", "V-1").digest)  # revoked, but the news of it got lost
    for seq in range(5000):
        stage.hub.committed.publish(Announcement(seq=seq))
    assert await revoked.closed() == 4100
    assert await by_ticket.closed() == 4000
    assert (await valid.ask(PRESS))["type"] == "receipt"


async def test_a_listener_that_lost_announcements_finds_who_was_disabled(stage: Stage) -> None:
    valid, disabled = await stage.connect("responder", "V-2"), await stage.connect("responder", "V-1")
    change = DirectoryChange(responders=(replace(stage.volunteer("V-1"), active=False),))
    await stage.store.commit(Commit(changes=(change,)))  # the news of it got lost
    for seq in range(5000):
        stage.hub.committed.publish(Announcement(seq=seq))
    assert await disabled.closed() == 4100
    assert (await valid.ask({"type": "presence", "id": "p-1", "available": True}))["ok"]
