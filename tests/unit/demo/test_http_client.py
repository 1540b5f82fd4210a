"""Goal: the demo's console reads what any HTTP server may send. Method: servers that send written bytes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from callhub.demo.http_client import HttpClient, Reply, ServerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EVENTS = (
    b"retry: 1000\r\n: callhub\r\n\r\n"
    b"id: e-1\r\nevent: incident\r\ndata: {}\r\n\r\n"
    b":\r\n\r\n"
    b"id: e-2\r\ndata: a\r\ndata: b\r\n\r\n"
)
EXPECTED = [ServerEvent("e-1", "incident", "{}"), ServerEvent("e-2", "message", "a\nb")]
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"


@asynccontextmanager
async def answering(*parts: bytes) -> AsyncIterator[tuple[HttpClient, list[bytes]]]:
    """A server that answers every request with these bytes; and what it was sent."""
    sent: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        sent.append(head + await reader.readexactly(length))
        for part in parts:
            writer.write(part)
            await writer.drain()
        writer.close()

    async with asyncio.timeout(10), await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield HttpClient("127.0.0.1", server.sockets[0].getsockname()[1]), sent


def chunked(data: bytes, size: int) -> bytes:
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


async def test_a_request_carries_token_body_and_headers_and_gives_status_and_json() -> None:
    async with answering(b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n", b'{"a": 1}\n') as (client, sent):
        client.token = "t-1"
        assert await client.request("POST", "/x", {"b": 2}, {"if-match": "4"}) == Reply(201, {"a": 1})
        head, _, body = sent[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST /x HTTP/1.1\r\n")
        assert b"\r\nauthorization: Bearer t-1" in head
        assert b"\r\nif-match: 4" in head
        assert body == b'{"b": 2}'


async def test_an_answer_that_is_no_json_is_none() -> None:
    async with answering(b"HTTP/1.1 502 Bad\r\n\r\noops") as (client, _):
        assert await client.request("GET", "/") == Reply(502, None)


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_events_are_read_however_the_server_cuts_them(size: int) -> None:
    async with answering(STREAM + b"Transfer-Encoding: chunked\r\n\r\n", chunked(EVENTS, size)) as (client, sent):
        assert [event async for event in client.events("/stream", "e-0")] == EXPECTED
        assert b"\r\nlast-event-id: e-0" in sent[0]


async def test_events_are_read_until_the_end_of_a_plain_body() -> None:
    async with answering(STREAM + b"\r\n", EVENTS) as (client, _):
        assert [event async for event in client.events("/stream")] == EXPECTED


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\n\r\n{}",
        STREAM + b"Transfer-Encoding: chunked\r\n\r\nff\r\ndata: half",
    ],
)
async def test_what_is_no_stream_or_breaks_off_is_a_lost_connection(answer: bytes) -> None:
    async with answering(answer) as (client, _):
        with pytest.raises(ConnectionError):
            [event async for event in client.events("/stream")]
