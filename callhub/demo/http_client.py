"""A small HTTP client for the demo's own console: JSON requests, and server-sent events.

Rules of this file: one connection for each request, no redirect, no proxy, no TLS; the server is our own, on this
machine.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

LINE_BYTES_MAX = 1 << 20
"""An event is one line; an incident with many offers has some ten thousand bytes."""


class Reply(NamedTuple):
    """What the server answered; ``body`` is the JSON, or None when it is none."""

    status: int
    body: Any


class ServerEvent(NamedTuple):
    """One server-sent event."""

    id: str
    event: str
    data: str


@dataclass(slots=True)
class HttpClient:
    """Requests to one server; ``token`` is sent as bearer once it is set."""

    host: str
    port: int
    token: str | None = None

    async def request(
        self, method: str, path: str, body: object | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send one request and read the whole answer.

        Raises:
            OSError: The server cannot be reached, or ended the connection half-way.
        """
        data = b"" if body is None else json.dumps(body).encode()
        async with self._opened(method, path, data, headers or {}) as (status, _, lines):
            text = b"".join([line async for line in lines])
        try:
            return Reply(status, json.loads(text))
        except ValueError:
            return Reply(status, None)

    async def events(self, path: str, last_id: str | None = None) -> AsyncIterator[ServerEvent]:
        """Follow a stream until the server ends it.

        Raises:
            OSError: The connection failed, or the answer is no stream.
        """
        headers = {"accept": "text/event-stream"} | ({"last-event-id": last_id} if last_id else {})
        async with self._opened("GET", path, b"", headers) as (status, kind, lines):
            if status != 200 or not kind.startswith("text/event-stream"):
                raise ConnectionError(f"{path} answers with HTTP status {status}")
            fields: dict[str, list[str]] = {}
            async for line in lines:
                name, _, value = line.decode().rstrip("\r\n").partition(":")
                if line.strip():
                    fields.setdefault(name, []).append(value.removeprefix(" "))  # a comment has an empty name
                    continue
                if "data" in fields:
                    id, event = fields.get("id", [""])[-1], fields.get("event", ["message"])[-1]
                    yield ServerEvent(id, event, "\n".join(fields["data"]))
                fields = {}

    @asynccontextmanager
    async def _opened(
        self, method: str, path: str, data: bytes, headers: Mapping[str, str]
    ) -> AsyncIterator[tuple[int, str, AsyncIterator[bytes]]]:
        """Status, content type and lines of the body."""
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=LINE_BYTES_MAX)
        try:
            writer.write(self._head(method, path, len(data), headers) + data)
            status_line = await reader.readline()
            got = {}
            while line := (await reader.readline()).strip():
                name, _, value = line.decode("latin-1").partition(":")
                got[name.lower()] = value.strip()
            parts = status_line.split()
            if len(parts) < 2:
                raise ConnectionResetError("the server ended the connection")
            chunked = got.get("transfer-encoding", "").lower() == "chunked"
            yield int(parts[1]), got.get("content-type", ""), _lines(reader, chunked=chunked)
        finally:
            writer.close()

    def _head(self, method: str, path: str, length: int, headers: Mapping[str, str]) -> bytes:
        every = {
            "host": f"{self.host}:{self.port}",
            "connection": "close",
            "content-length": str(length),
            "content-type": "application/json",
            **({"authorization": f"Bearer {self.token}"} if self.token else {}),
            **headers,
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in every.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _lines(reader: asyncio.StreamReader, *, chunked: bool) -> AsyncIterator[bytes]:
    """The body line by line, the last one perhaps without an end."""
    if not chunked:
        while line := await reader.readline():
            yield line
        return
    rest = b""
    while size := int((await reader.readline()).split(b";")[0] or b"0", 16):
        try:
            *lines, rest = (rest + await reader.readexactly(size)).split(b"\n")
        except asyncio.IncompleteReadError as wrong:
            raise ConnectionResetError("the server ended the connection") from wrong
        await reader.readline()
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest
