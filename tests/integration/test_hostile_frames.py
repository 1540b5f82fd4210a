"""Whatever a peer writes, it ends its own link at most, with the right code, and nobody else waits.

Method: raw sockets against the real listener. In each case an alarm on another link gets its receipt while the peer
misbehaves, and the log holds no traceback afterwards.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from callhub.links.limits import Limits
from tests.integration.link_stage import PRESS, Stage
from tests.integration.log_book import log_book
from tests.integration.raw_peer import BINARY, CLOSE, CONTINUATION, PING, TEXT, RawPeer, frame, handshake

LIMITS = Limits(open_timeout_s=0.5, ping_interval_s=0.3, silence_s_max=0.8, close_timeout_s=0.3)
HELLO = b'{"type":"heartbeat"}'


@asynccontextmanager
async def unharmed(
    limits: Limits | None = None, send_buffer_bytes: int = 0
) -> AsyncIterator[tuple[Stage, Callable[[], Awaitable[None]]]]:
    """A stage, and the proof that it serves others: a press that gets its receipt. The log is judged at the end."""
    presses = 0
    with log_book() as book:
        async with Stage(limits=limits or Limits(), send_buffer_bytes=send_buffer_bytes).open() as stage:
            gateway = await stage.connect("gateway", "GW-2")

            async def serves() -> None:
                nonlocal presses
                presses += 1
                receipt = await gateway.ask(PRESS | {"id": f"good-{presses}"})
                assert (receipt["type"], receipt["device_known"]) == ("receipt", True)

            yield stage, serves
            await serves()
    assert book.tracebacks == []


BAD_FRAMES = {
    "no mask": (frame(HELLO, masked=False), 1002),
    "reserved bit 1": (frame(HELLO, reserved=0b100), 1002),
    "reserved bits 2 and 3": (frame(HELLO, reserved=0b011), 1002),
    "reserved data opcode": (frame(HELLO, opcode=0x3), 1002),
    "reserved control opcode": (frame(b"", opcode=0xB), 1002),
    "continuation of nothing": (frame(HELLO, CONTINUATION), 1002),
    "a new message inside a message": (frame(b"{", fin=False) + frame(HELLO), 1002),
    "long control frame": (frame(b"x" * 126, PING), 1002),
    "fragmented control frame": (frame(b"x", PING, fin=False), 1002),
    "close with half a code": (frame(b"\x03", CLOSE), 1002),
    "close with a forbidden code": (frame(b"\x03\xed", CLOSE), 1002),
    "close with a reason that is no text": (frame(b"\x03\xe8\xff", CLOSE), 1007),
    "one byte too many": (frame(b"x" * 16_385), 1009),
    "a claim of 2**40 bytes": (frame(b"x", length=2**40), 1009),
    "a claim of 2**63 bytes": (frame(b"x", length=2**63), 1009),
    "too many bytes in pieces": (frame(b"x" * 9_000, fin=False) + frame(b"x" * 9_000, CONTINUATION), 1009),
    "pieces without end": (
        frame(b"x", fin=False) + frame(b"x" * 100, CONTINUATION, fin=False) * 200,
        1009,
    ),
    "no UTF-8": (frame(b'{"type":"\xff"}'), 1007),
    "half a character": (frame(b'{"a":"\xe6\x9d'), 1007),
    "a surrogate in UTF-8": (frame(b'"\xed\xa0\x80"'), 1007),
    "no UTF-8 in pieces": (frame(b'{"a":"\xe6', fin=False) + frame(b'\xff"}', CONTINUATION), 1007),
}


@pytest.mark.parametrize(("data", "code"), BAD_FRAMES.values(), ids=list(BAD_FRAMES))
async def test_a_bad_frame_ends_its_own_link(data: bytes, code: int) -> None:
    async with unharmed() as (stage, serves):
        peer = await RawPeer.upgraded(stage.port)
        await peer.send(data)
        await serves()
        assert await peer.close_code() == code
        await peer.gone()


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 16_000,
        b'{"type":"alarm","device":"B-1","x":' + b"[" * 15_000 + b"}",
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b'{"type":"alarm",' + b'"device":"B-1",' * 1_000 + b'"id":NaN}',
        b"9" * 16_000,
        b'"' + b"\\" * 16_000,
        b"\x00" * 1_000,
        b"",
    ],
    ids=["brackets", "open alarm", "objects", "duplicates", "digits", "backslashes", "zeros", "nothing"],
)
async def test_json_that_is_meant_to_hurt_gets_an_answer_and_the_link_stays(payload: bytes) -> None:
    async with unharmed() as (stage, serves):
        peer = await RawPeer.upgraded(stage.port)
        await peer.send(frame(payload))
        await serves()
        answers = {"error"} if not payload.startswith(b'{"type":"alarm"') else {"receipt"}
        await _until(peer, answers)
        await peer.send(frame(b'{"type":"heartbeat","id":"h"}'))
        await _until(peer, {"result"})
        await peer.vanish()


async def _until(peer: RawPeer, types: set[str]) -> None:
    while True:
        opcode, payload = await peer.read_frame()
        if opcode == TEXT and json.loads(payload)["type"] in types:
            return


async def test_lengths_in_a_longer_form_than_needed_harm_nobody() -> None:
    async with unharmed() as (stage, serves):
        peer = await RawPeer.upgraded(stage.port)
        await peer.send(frame(b'{"type":"heartbeat","id":"h"}', long_form=127))
        await serves()
        opcode, payload = await peer.read_frame()
        assert (opcode, payload[:16]) in ((TEXT, b'{"type":"result"'), (CLOSE, payload[:16]))
        await peer.gone()


@pytest.mark.parametrize(
    "data",
    [
        frame(b"x" * 1_000)[:500],
        frame(b'{"type":', fin=False),
        b"\x81",
        b"",
        frame(b"", BINARY)[:3],
    ],
    ids=["half a frame", "a message without its end", "half a header", "nothing at all", "no mask yet"],
)
async def test_a_peer_that_stops_in_the_middle_is_cut_after_the_silence(data: bytes) -> None:
    async with unharmed(LIMITS) as (stage, serves):
        peer = await RawPeer.upgraded(stage.port)
        await peer.send(data)
        await serves()
        await peer.close_code()  # returns when the connection has ended
        await peer.gone()
        assert [link.admission.addressee.id for link in stage.registry.links()] == ["GW-2"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET /v1/gateway HT",
        handshake("/v1/gateway", "gateway-GW")[:-2],
        b"GET /v1/gateway HTTP/1.1\r\nX: " + b"y" * 4_000,
    ],
    ids=["silence", "half a line", "no last line", "an endless header"],
)
async def test_a_handshake_that_does_not_end_is_cut(data: bytes) -> None:
    async with unharmed(LIMITS) as (stage, serves):
        peer = await RawPeer.dial(stage.port)
        await peer.send(data)
        await serves()
        assert await peer.rest() == b""
        await peer.gone()


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"\xff" * 100 + b"\r\n\r\n",
        b"POST /v1/gateway HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/gateway HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /v1/gateway HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /v1/gateway HTTP/1.1\r\n" + b"X: y\r\n" * 2_000 + b"\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        handshake("/v1/gateway", "gateway-GW").replace(b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8"),
        handshake("/v1/gateway", "gateway-GW").replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"short"),
        handshake("/v1/gateway", "gateway-GW").replace(b"Upgrade: websocket", b"Upgrade: tea"),
        handshake("/v1/gateway", "gateway-GW").replace(b"callhub.v1", b',,"; ticket.'),
        handshake("/v1/gateway", "gateway-GW").replace(b"Host: callhub", b"Authorization: Bearer x\r\nHost: callhub"),
    ],
    ids=["TLS", "noise", "POST", "HTTP 9.9", "no colon", "many headers", "long path", "old version", "short key",
         "no upgrade", "bad subprotocol", "two tokens"],
)  # fmt: skip
async def test_a_bad_handshake_is_refused_and_never_upgraded(data: bytes) -> None:
    async with unharmed(LIMITS) as (stage, serves):
        peer = await RawPeer.dial(stage.port)
        await peer.send(data)
        await serves()
        answer = await peer.rest()
        assert b" 101 " not in answer[:20], answer
        await peer.gone()


async def test_two_hundred_idle_sockets_keep_nobody_waiting() -> None:
    async with unharmed(LIMITS) as (stage, serves):
        peers = [await RawPeer.dial(stage.port) for _ in range(200)]
        for peer in peers[::2]:
            await peer.send(b"GET /v1/gateway HTTP/1.1\r\n")
        async with asyncio.timeout(1.0):
            await serves()
        for peer in peers:
            assert await peer.rest() == b""
            await peer.gone()


async def test_peers_that_vanish_in_the_middle_leave_one_line_each() -> None:
    async with unharmed() as (stage, serves):
        half = handshake("/v1/gateway", "gateway-GW")[:100]
        for cut in (b"", half):
            peer = await RawPeer.dial(stage.port)
            await peer.send(cut)
            await peer.vanish()
        for data in (b"", frame(b"x" * 1_000)[:500], frame(json.dumps(PRESS).encode()), frame(b"\x03\xe8", CLOSE)):
            peer = await RawPeer.upgraded(stage.port)
            await peer.send(data)
            await peer.vanish()
        await serves()


async def test_a_peer_that_pings_and_never_listens_fills_no_memory() -> None:
    async with unharmed(send_buffer_bytes=4096) as (stage, serves):
        peer = await RawPeer.upgraded(stage.port)
        pings = frame(b"x" * 125, PING) * 1_000
        peers_before = len(stage.registry)
        for _ in range(200):
            await peer.send(pings)
            if len(stage.registry) < peers_before:
                break
        await serves()
        assert [link.admission.addressee.id for link in stage.registry.links()] == ["GW-2"]
        await peer.vanish()
