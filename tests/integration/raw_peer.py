"""A peer that writes bytes as it likes, below any WebSocket library."""

import asyncio
import os
import struct
from typing import Self

WAIT_S = 10.0
TEXT, BINARY, CONTINUATION, CLOSE, PING = 0x1, 0x2, 0x0, 0x8, 0x9


def frame(
    payload: bytes = b"",
    opcode: int = TEXT,
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: int | None = None,
    long_form: int = 0,
) -> bytes:
    """One frame. ``length``: what the header claims; ``long_form``: 126 or 127 forces that form of the length."""
    claimed = len(payload) if length is None else length
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    form = long_form or (claimed if claimed < 126 else 126 if claimed < 65_536 else 127)
    head = struct.pack("!BB", first, (0x80 if masked else 0) | form)
    head += struct.pack("!H", claimed) if form == 126 else struct.pack("!Q", claimed) if form == 127 else b""
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def handshake(path: str, token: str) -> bytes:
    """The request of a good handshake."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: callhub",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: callhub.v1",
        f"Authorization: Bearer {token}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class RawPeer:
    """A TCP connection to the listener. Every wait is bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def dial(cls, port: int) -> Self:
        """Connected, nothing said."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @classmethod
    async def upgraded(cls, port: int, path: str = "/v1/gateway", token: str = "gateway-GW") -> Self:
        """Connected, upgraded and welcomed."""
        peer = await cls.dial(port)
        await peer.send(handshake(path, token))
        async with asyncio.timeout(WAIT_S):
            status = await peer._reader.readuntil(b"\r\n\r\n")
        assert status.startswith(b"HTTP/1.1 101"), status
        opcode, payload = await peer.read_frame()
        assert (opcode, payload[:17]) == (TEXT, b'{"type":"welcome"')
        return peer

    async def send(self, data: bytes) -> None:
        """Write; a peer that is cut off meanwhile does not mind."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            return

    async def read_frame(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame of the server."""
        async with asyncio.timeout(WAIT_S):
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
            return first & 0x0F, await self._reader.readexactly(length)

    async def close_code(self) -> int | None:
        """Read to the end; the code of the close frame, None if the connection just ended."""
        code = None
        try:
            while True:
                opcode, payload = await self.read_frame()
                if opcode == CLOSE:
                    (code,) = struct.unpack("!H", payload[:2])
        except (asyncio.IncompleteReadError, ConnectionError):
            return code

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        async with asyncio.timeout(WAIT_S):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    async def vanish(self) -> None:
        """Reset the connection in the middle of whatever it was."""
        self._writer.transport.abort()
        await self.gone()

    async def gone(self) -> None:
        """Close this side."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
