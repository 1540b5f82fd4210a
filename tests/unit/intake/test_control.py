"""The control socket: one line each way, reachable only by its owner, wherever the database lies."""

import asyncio
import base64
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callhub.intake.control import ControlServer, ask_server, socket_path
from callhub.intake.csv_import import Crs, ImportKind
from callhub.intake.requests import REQUEST, ImportRequest, Reply, RevokeRequest, TokenKind
from tests.unit.intake.directory_of import AREAS, Town

REVOKE = RevokeRequest(kind=TokenKind.GATEWAY, id="GW-1")
LIMIT_S = 10


@asynccontextmanager
async def serving(database: Path, town: Town) -> AsyncIterator[ControlServer]:
    server = ControlServer(database, town.directory)
    await server.open()
    try:
        async with asyncio.timeout(LIMIT_S):
            yield server
    finally:
        await server.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database deeper than the path of a socket may be."""
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    return folder / "callhub.db"


async def raw(database: Path, line: bytes) -> bytes:
    """What the server says to a line, byte by byte."""
    folder = os.open(database.parent, os.O_PATH)
    try:
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/callhub.sock")
    finally:
        os.close(folder)
    writer.write(line)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_request_is_answered_and_in_effect(database: Path, town: Town) -> None:
    async with serving(database, town):
        request = ImportRequest(kind=ImportKind.AREAS, file="areas.csv", data=AREAS.encode(), crs=Crs.WGS84)
        reply = await asyncio.to_thread(ask_server, database, request)
    assert reply == Reply(ok=True, lines=("areas: 4 added, 0 updated, 0 as they were",))
    assert len(town.store.all_areas()) == 4


async def test_only_its_owner_may_connect(database: Path, town: Town) -> None:
    async with serving(database, town):
        mode = socket_path(database).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


async def test_no_server_is_no_answer(database: Path, town: Town) -> None:
    assert ask_server(database, REVOKE) is None
    async with serving(database, town):
        pass
    assert not socket_path(database).exists()
    assert ask_server(database, REVOKE) is None


async def test_a_file_left_behind_is_no_server_and_is_replaced(database: Path, town: Town, tmp_path: Path) -> None:
    short = tmp_path / "callhub.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(short))
    short.rename(socket_path(database))
    assert ask_server(database, REVOKE) is None
    async with serving(database, town):
        reply = await asyncio.to_thread(ask_server, database, REVOKE)
    assert reply is not None
    assert reply.message.startswith("no token of gateway GW-1")


async def test_what_is_not_understood_is_said(database: Path, town: Town) -> None:
    async with serving(database, town):
        for line in (b"nonsense\n", b"{}\n", b'{"do":"fly"}\n', b'{"do":"revoke","kind":"gateway","id":1}\n'):
            reply = Reply.model_validate_json(await raw(database, line))
            assert (reply.ok, reply.status) == (False, 1)
            assert "does not understand" in reply.message
        assert await raw(database, b"") == b""


async def test_an_exception_is_answered_and_the_server_goes_on(
    database: Path, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(database, town):
        with monkeypatch.context() as broken:
            broken.setattr(town.store, "all_areas", None)
            request = {"do": "import", "kind": "areas", "file": "f", "crs": "wgs84"}
            request["data"] = base64.b64encode(AREAS.encode()).decode()
            reply = Reply.model_validate_json(await raw(database, json.dumps(request).encode() + b"\n"))
        assert (reply.ok, reply.status) == (False, 1)
        assert reply.message == "the server failed to do this; its log says why"
        assert (await asyncio.to_thread(ask_server, database, REVOKE)) is not None


async def test_requests_are_done_one_after_the_other(database: Path, town: Town) -> None:
    request = ImportRequest(kind=ImportKind.AREAS, file="areas.csv", data=AREAS.encode(), crs=Crs.WGS84)
    async with serving(database, town):
        replies = await asyncio.gather(*(asyncio.to_thread(ask_server, database, request) for _ in range(4)))
    added = [reply for reply in replies if reply is not None and "4 added" in reply.lines[0]]
    assert len(added) == 1
    assert len(town.events) == 1


async def test_a_server_that_ends_while_asked_is_told_apart_from_none(database: Path) -> None:
    folder = os.open(database.parent, os.O_PATH)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"/proc/self/fd/{folder}/callhub.sock")
    listening.listen()
    os.close(folder)

    def answer_nothing() -> None:
        with listening.accept()[0] as taken:
            taken.recv(65536)

    async with asyncio.timeout(LIMIT_S):
        ended = asyncio.create_task(asyncio.to_thread(answer_nothing))
        with pytest.raises(ConnectionError, match="ended while it was asked"):
            await asyncio.to_thread(ask_server, database, REVOKE)
        await ended
    listening.close()


def test_a_request_survives_the_wire() -> None:
    data = b"\xef\xbb\xbf\x00\xff"
    request = ImportRequest(kind=ImportKind.AREAS, file="f", data=data, crs=Crs.GCJ02, dry_run=True)
    assert REQUEST.validate_json(REQUEST.dump_json(request)) == request
