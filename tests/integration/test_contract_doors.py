"""Who gets in, and how links end, by the served product: tokens, tickets, origins, close codes."""

import asyncio
import json

import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.command_line import give_beside
from tests.integration.contract_ward import Installation
from tests.integration.link_stage import Client


async def status(ward: Installation, kind: str, token: str | None, *more: str, origin: str | None = None) -> int:
    """101 when the handshake succeeded, else the HTTP status that refused it."""
    try:
        async with ward.dial(kind, token, *more, origin=origin):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_the_door_asks_for_the_right_kind_of_token(ward: Installation) -> None:
    gateway = ward.token("gateway", ward.shared.gateway)
    volunteer = ward.token("responder", ward.shared.volunteer(3))
    assert await status(ward, "gateway", None) == 401
    assert await status(ward, "gateway", "wrong") == 401
    assert await status(ward, "gateway", volunteer) == 403
    assert await status(ward, "responder", gateway) == 403
    assert await status(ward, "responder", ward.token("api", "duty")) == 403
    assert await status(ward, "nowhere", gateway) == 404
    assert await status(ward, "gateway", gateway, origin="https://evil.example") == 403
    assert await status(ward, "gateway", gateway) == 101


async def test_the_subprotocol_is_the_contracts(ward: Installation) -> None:
    async with ward.dial("gateway", ward.token("gateway", ward.shared.gateway)) as link:
        assert link.subprotocol == "callhub.v1"
        assert link.response is not None
        assert "Sec-WebSocket-Extensions" not in link.response.headers


async def test_a_ticket_opens_one_link_once(ward: Installation) -> None:
    async with ward.http("responder", ward.shared.volunteer(2)) as client:
        answer = await client.post("/api/v1/tickets")
    assert answer.status_code == 200, answer.text
    ticket = f"ticket.{answer.json()['ticket']}"
    async with ward.dial("responder", None, ticket) as link:
        assert link.subprotocol == "callhub.v1"
        assert json.loads(await link.recv())["responder"] == ward.shared.volunteer(2)
    assert await status(ward, "responder", None, ticket) == 401
    assert await status(ward, "responder", None, "ticket.wrong") == 401
    async with ward.bare() as nobody:
        refused = await nobody.post("/api/v1/tickets")
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")


async def test_revoking_ends_every_link_of_that_id_within_a_second(ward: Installation) -> None:
    done = await give_beside("token", "-c", ward.config, "gateway", "GW-REVOKED")
    first = await ward.link("gateway", done.out.strip())
    other = await give_beside("token", "-c", ward.config, "gateway", "GW-REVOKED")
    second = await ward.link("gateway", other.out.strip())
    assert done.out != other.out
    revoked = await give_beside("token", "-c", ward.config, "revoke", "gateway", "GW-REVOKED")
    assert revoked.status == 0, revoked.err
    for link in (first, second):
        assert await link.closed(within_s=1) == 4100
    assert await status(ward, "gateway", done.out.strip()) == 401
    fresh = await give_beside("token", "-c", ward.config, "gateway", "GW-REVOKED")
    assert await status(ward, "gateway", fresh.out.strip()) == 101


async def test_a_gateway_may_hold_several_links(ward: Installation) -> None:
    site = ward.site()
    links = [await ward.gateway(site) for _ in range(3)]
    incident = await ward.press(site)
    heard = [await link.until(type="progress", incident=incident) for link in links]
    assert len({message["seq"] for message in heard}) == 1


async def test_sixty_four_frames_at_once_are_each_answered(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    for number in range(200):
        await gateway.say({"type": "alarm", "id": f"a-{number}", "device": site.button, "kind": "sos"})
    receipts: set[str] = set()
    while len(receipts) < 200:
        heard = await gateway.read()
        if heard["type"] == "receipt":
            receipts.add(heard["id"])


@pytest.mark.parametrize(("opcode", "code"), [(b"\x81\xfe\xff\xff\0\0\0\0", 1009), (b"\x83\x80\0\0\0\0", 1002)])
async def test_broken_frames_end_their_own_link_alone(ward: Installation, opcode: bytes, code: int) -> None:
    site = ward.site()
    bad, good = await ward.gateway(site), await ward.gateway(site)
    bad.socket.transport.write(opcode)
    async with asyncio.timeout(10):
        assert await bad.closed() == code
    assert await _press(good, site.button) == "receipt"


async def _press(gateway: Client, device: str) -> str:
    return str((await gateway.ask({"type": "alarm", "id": "a-1", "device": device, "kind": "sos"}))["type"])
