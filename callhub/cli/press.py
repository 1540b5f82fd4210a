"""``callhub press``: one press, made as a gateway would make it.

Rules of this file: it knows the protocol, not the server. The frame is sent again every ``RESEND_S`` and on every new
link until a receipt comes; only a refused token and the close codes 4100 to 4199 end it early.
"""

from __future__ import annotations

import asyncio
import errno
import json
import secrets
import sys
from collections.abc import Generator
from functools import partial
from typing import Annotated, Any

import typer
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import process_exception
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from callhub.cli.options import wrong_usage
from callhub.clock import read_wall
from callhub.errors import CallhubError
from callhub.protocol.close_codes import may_reconnect

PATH = "/v1/gateway"
SUBPROTOCOL = Subprotocol("callhub.v1")
RESEND_S = 5.0
RECONNECT_S_MAX = 5.0
"""An elder waits: a gateway does not back off for long."""
_REFUSED = f"[Errno {errno.ECONNREFUSED}]"
"""Stands in the text of the error of a name with several addresses, which has no number of its own."""
OVER = frozenset({"closed", "cancelled"})


class PressFailed(CallhubError):
    """The press did not reach a server that takes it."""


def press(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Whose button it is.")],
    url: Annotated[str, typer.Option(metavar="ws://HOST:PORT", help="Where the server's links are.")],
    token: Annotated[str, typer.Option(metavar="T", help="A gateway's token.")],
    kind: Annotated[str, typer.Option(help="What the alarm says it is.")] = "sos",
) -> None:
    """Press a button as a gateway would, and show the progress until the case is closed."""
    one = Press(device, kind)
    try:
        asyncio.run(one.run(url, token))
    except InvalidURI as wrong:
        raise wrong_usage(f"{url!r} is no address; write --url ws://HOST:PORT") from wrong
    except InvalidStatus as refused:
        raise PressFailed(_refused(refused.response.status_code, url)) from refused
    except InvalidHandshake as wrong:
        raise PressFailed(f"{url} does not speak WebSocket: {wrong}") from wrong


def _refused(status: int, url: str) -> str:
    match status:
        case 401:
            return "the token is not valid; make one with 'callhub token -c FILE gateway ID'"
        case 403:
            return "the token is none of a gateway; make one with 'callhub token -c FILE gateway ID'"
        case _:
            return f"{url} answers with HTTP status {status}; are its links there?"


class Press:
    """One alarm and what became of it."""

    def __init__(self, device: str, kind: str) -> None:
        self.id = f"press-{secrets.token_hex(8)}"
        self._frame = json.dumps(
            {"type": "alarm", "id": self.id, "device": device, "kind": kind, "at": read_wall().isoformat()}
        )
        self._has_receipt = False
        self._waits_for: str | None = None
        self._seq = 0
        self._is_over = False

    async def run(self, url: str, token: str) -> None:
        """Send until there is a receipt, then follow until the incident is over, over as many links as it takes."""
        links = connect(
            url.rstrip("/") + PATH,
            subprotocols=[SUBPROTOCOL],
            additional_headers={"Authorization": f"Bearer {token}"},
            compression=None,
            proxy=None,  # an alarm takes the straight way
            process_exception=partial(self._tell_and_judge, url),
            reconnect_delays=_delays,
        )
        async for link in links:
            self._waits_for = None
            try:
                await self._talk(link)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                if not may_reconnect(code):
                    raise PressFailed(f"the server closed the link for good ({code}); is the token revoked?") from None
                _tell(f"the link was closed ({code}); connecting again")
            finally:
                await link.close()  # the library alone would call the end of a loop an error
            if self._is_over:
                return

    def _tell_and_judge(self, url: str, wrong: Exception) -> Exception | None:
        """None for what passes by itself; the same is told once until there is a link."""
        fatal = process_exception(wrong)
        why = type(wrong).__name__
        if fatal is None and why != self._waits_for:
            self._waits_for = why
            _tell(f"{_no_link(url, wrong)}; trying until there is a link, Ctrl-C ends it")
        return fatal

    async def _talk(self, link: ClientConnection) -> None:
        if not self._has_receipt:
            await link.send(self._frame)
        while not self._is_over:
            try:
                async with asyncio.timeout(None if self._has_receipt else RESEND_S):
                    text = await link.recv()
            except TimeoutError:
                _tell("no receipt yet; sending it again")
                await link.send(self._frame)
                continue
            message = json.loads(text)
            self._hear(message)
            if "seq" in message and message["type"] != "welcome":
                await link.send(json.dumps({"type": "received", "seq": message["seq"]}))

    def _hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "welcome", "gateway": gateway}:
                _tell(f"connected as gateway {gateway}")
            case {"type": "receipt", "id": self.id}:
                self._has_receipt = True
                known = "" if message["device_known"] else "; the device is not known, people are asked all the same"
                print(f"receipt: incident {message['incident']}{known}", flush=True)
            case {"type": "error", "id": self.id}:
                raise PressFailed(f"the server refused the alarm: {message['message']}")
            case {"type": "progress", "seq": seq, "alarms": alarms} if self.id in alarms and seq > self._seq:
                self._seq = seq
                print(f"{message['state']}: {message.get('say') or ''}".rstrip(": "), flush=True)
                self._is_over = message["state"] in OVER


def _no_link(url: str, wrong: Exception) -> str:
    if isinstance(wrong, ConnectionRefusedError) or _REFUSED in str(wrong):
        return f"nothing listens at {url}"
    return f"no link yet ({type(wrong).__name__})"


def _delays() -> Generator[float]:
    delay_s = 0.5
    while True:
        yield delay_s
        delay_s = min(delay_s * 2, RECONNECT_S_MAX)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
