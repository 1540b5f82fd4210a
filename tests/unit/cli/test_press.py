"""``callhub press`` against a scripted server: it does what a gateway must."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import typer
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from callhub.cli import press as press_module
from callhub.cli.press import Press, PressFailed

LIMIT_S = 20
WELCOME = {"type": "welcome", "gateway": "GW-1", "seq": 0, "time": "2026-11-24T05:00:00Z", "fallback_phone": ""}

Script = Callable[["Phone"], Awaitable[None]]


class Phone:
    """The server's end of one link."""

    def __init__(self, link: ServerConnection) -> None:
        self.link = link

    async def say(self, **message: Any) -> None:
        await self.link.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(await self.link.recv())
        return heard

    async def receipt(self, alarm: dict[str, Any], *, device_known: bool = True) -> None:
        await self.say(
            type="receipt",
            id=alarm["id"],
            incident="I-1",
            duplicate=False,
            id_reused=False,
            device_known=device_known,
            ignored=[],
        )

    async def progress(self, seq: int, alarm: dict[str, Any], state: str, say: str = "") -> None:
        await self.say(type="progress", seq=seq, incident="I-1", alarms=[alarm["id"]], state=state, say=say)


@asynccontextmanager
async def server(*scripts: Script, status: int = 101) -> AsyncIterator[str]:
    """A server that plays one script on each link in turn; yields its address."""
    left = list(scripts)

    async def play(link: ServerConnection) -> None:
        assert link.request is not None
        assert link.request.path == "/v1/gateway"
        assert link.request.headers["Authorization"] == "Bearer T"
        assert link.subprotocol == "callhub.v1"
        phone = Phone(link)
        await phone.say(**WELCOME)
        await left.pop(0)(phone)

    def refuse(link: ServerConnection, request: Request) -> Response | None:
        return None if status == 101 else link.respond(status, "no\n")

    protocols = [press_module.SUBPROTOCOL]
    async with serve(play, "127.0.0.1", 0, subprotocols=protocols, process_request=refuse) as listening:
        port = listening.sockets[0].getsockname()[1]
        async with asyncio.timeout(LIMIT_S):
            yield f"ws://127.0.0.1:{port}"
    assert not left


async def test_a_press_is_shown_until_it_is_closed(capsys: pytest.CaptureFixture[str]) -> None:
    confirmed: list[int] = []

    async def play(phone: Phone) -> None:
        alarm = await phone.hear()
        assert alarm["type"] == "alarm"
        assert (alarm["device"], alarm["kind"]) == ("BTN-1", "fall")
        assert alarm["at"].endswith("+00:00")
        await phone.receipt(alarm)
        await phone.progress(7, {"id": "somebody else's"}, "closed")
        await phone.progress(8, alarm, "assigned", "王师傅四分钟后到")
        await phone.progress(8, alarm, "assigned", "王师傅四分钟后到")  # delivered at least once
        await phone.progress(9, alarm, "closed")
        confirmed.extend([(await phone.hear())["seq"] for _ in range(4)])

    async with server(play) as url:
        await Press("BTN-1", "fall").run(url + "/", "T")
    assert capsys.readouterr().out.splitlines() == ["receipt: incident I-1", "assigned: 王师傅四分钟后到", "closed"]
    assert confirmed == [7, 8, 8, 9]


async def test_without_a_receipt_the_same_frame_goes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press_module, "RESEND_S", 0.05)

    async def play(phone: Phone) -> None:
        first = await phone.hear()
        assert await phone.hear() == first
        await phone.receipt(first, device_known=False)
        await phone.progress(1, first, "cancelled")

    async with server(play) as url:
        await Press("BTN-1", "sos").run(url, "T")


async def test_a_restarting_server_is_found_again(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[dict[str, Any]] = []

    async def leave_before_the_receipt(phone: Phone) -> None:
        seen.append(await phone.hear())
        await phone.link.close(4000)

    async def leave_after_it(phone: Phone) -> None:
        seen.append(await phone.hear())
        await phone.receipt(seen[0])
        await phone.link.close(4000)

    async def end(phone: Phone) -> None:
        await phone.progress(3, seen[0], "closed")

    async with server(leave_before_the_receipt, leave_after_it, end) as url:
        await Press("BTN-1", "sos").run(url, "T")
    assert seen[0] == seen[1]
    assert capsys.readouterr().out.splitlines() == ["receipt: incident I-1", "closed"]


async def test_the_end_of_a_case_closes_the_link_as_normal() -> None:
    codes: list[int | None] = []

    async def play(phone: Phone) -> None:
        alarm = await phone.hear()
        await phone.receipt(alarm)
        await phone.progress(1, alarm, "closed")
        await phone.hear()
        await phone.link.wait_closed()
        codes.append(phone.link.close_code)

    async with server(play) as url:
        await Press("BTN-1", "sos").run(url, "T")
    assert codes == [1000]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_where_nothing_listens_it_says_so_once_and_goes_on_trying(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried_often = asyncio.Event()

    def delays() -> Generator[float]:
        for _ in range(3):
            yield 0
        tried_often.set()
        while True:
            yield 0.01

    async def play(link: ServerConnection) -> None:
        phone = Phone(link)
        alarm = await phone.hear()
        await phone.receipt(alarm)
        await phone.progress(1, alarm, "closed")
        await link.wait_closed()

    monkeypatch.setattr(press_module, "_delays", delays)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        url = f"ws://{host}:{port}"
        async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
            pressing = tasks.create_task(Press("BTN-1", "sos").run(url, "T"))
            await tried_often.wait()
            deaf.close()
            async with serve(play, "127.0.0.1", port, subprotocols=[press_module.SUBPROTOCOL]):
                await pressing
    told = capsys.readouterr()
    assert told.err.splitlines() == [f"nothing listens at {url}; trying until there is a link, Ctrl-C ends it"]
    assert told.out.splitlines() == ["receipt: incident I-1", "closed"]


async def test_a_revoked_token_ends_it() -> None:
    async def revoke(phone: Phone) -> None:
        await phone.hear()
        await phone.link.close(4100)

    async with server(revoke) as url:
        with pytest.raises(PressFailed, match=r"4100.*revoked"):
            await Press("BTN-1", "sos").run(url, "T")


async def test_a_refused_alarm_ends_it() -> None:
    async def refuse(phone: Phone) -> None:
        alarm = await phone.hear()
        await phone.say(type="error", id=alarm["id"], code="invalid_message", field="device", message="device: empty")

    async with server(refuse) as url:
        with pytest.raises(PressFailed, match="device: empty"):
            await Press("", "sos").run(url, "T")


@pytest.mark.parametrize(("status", "word"), [(401, "not valid"), (403, "none of a gateway"), (404, "status 404")])
async def test_a_wrong_token_is_explained(status: int, word: str) -> None:
    async with server(status=status) as url:
        with pytest.raises(PressFailed, match=word):
            await asyncio.to_thread(press_module.press, "BTN-1", url, "T")


async def test_a_wrong_address_is_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter, match="ws://HOST:PORT"):
        await asyncio.to_thread(press_module.press, "BTN-1", "http://127.0.0.1", "T")
