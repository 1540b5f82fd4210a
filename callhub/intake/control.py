"""The control socket: where commands ask a running server for changes. One JSON line each way, then it is closed.

Rules of this file: who may open the socket file may do everything, so its mode is 0600 and there is no other
authentication. It is bound and reached through a descriptor of its folder, because the kernel limits the path of a
socket to 108 bytes and a database may lie deeper than that.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from pydantic import ValidationError

from callhub.intake.directory import FAILURE, Directory
from callhub.intake.requests import REQUEST, Reply, Request

SOCKET_NAME = "callhub.sock"

REQUEST_BYTES_MAX = 64 * 1024 * 1024
"""Longest line: a file of half a million elders."""

CONNECT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 60.0
"""How long a client may take to send its line."""

log = structlog.get_logger(__name__)


def socket_path(database: Path) -> Path:
    """Where the control socket of a database is: beside it."""
    return database.parent / SOCKET_NAME


class ControlServer:
    """Listens beside the database until closed. Use after the store is open: its lock makes this the only server.

    Args:
        database: The database file.
        directory: Does what is asked.
    """

    def __init__(self, database: Path, directory: Directory) -> None:
        self._path = socket_path(database)
        self._directory = directory
        self._server: asyncio.Server | None = None
        self._folder = -1
        self._one_at_a_time = asyncio.Lock()  # a request is planned against what the one before it left

    async def open(self) -> None:
        """Listen; a socket file left behind by a server that was killed is replaced."""
        self._folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._unlink()
            os.fchmod(listening.fileno(), 0o600)  # the file is born with the mode of the socket
            listening.bind(f"/proc/self/fd/{self._folder}/{SOCKET_NAME}")
            self._server = await asyncio.start_unix_server(self._talk, sock=listening, limit=REQUEST_BYTES_MAX)
        except BaseException:
            listening.close()
            os.close(self._folder)
            raise

    async def close(self) -> None:
        """Stop listening, let requests under way end, remove the file. Safe to call twice."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        await server.wait_closed()
        self._unlink()
        os.close(self._folder)

    def _unlink(self) -> None:
        try:
            os.unlink(SOCKET_NAME, dir_fd=self._folder)
        except FileNotFoundError:
            return

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            reply = await self._reply(reader)
            if reply is not None:
                writer.write(reply.model_dump_json().encode() + b"\n")
                await writer.drain()
        except ConnectionError as wrong:
            log.info("control_client_gone", why=type(wrong).__name__)
        finally:
            writer.close()

    async def _reply(self, reader: asyncio.StreamReader) -> Reply | None:
        """The reply to the client's one line; None when it sent nothing, as one that looks for a server does."""
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                line = await reader.readline()
        except TimeoutError:
            return _failure(f"no request within {REQUEST_TIMEOUT_S:g} s")
        except ValueError:
            return _failure(f"the request is longer than {REQUEST_BYTES_MAX} bytes; split the file")
        if not line:
            return None
        try:
            request = await asyncio.to_thread(REQUEST.validate_json, line)
        except ValidationError as wrong:
            where = ".".join(str(part) for part in wrong.errors()[0]["loc"])
            return _failure(f"the server does not understand this command ({where}); are both of one version?")
        log.info("control_request", do=request.do)
        try:
            async with self._one_at_a_time:
                return await self._directory.answer(request)
        except Exception:
            log.exception("control_request_failed", do=request.do)
            return _failure("the server failed to do this; its log says why")


def _failure(message: str) -> Reply:
    return Reply(ok=False, message=message, status=FAILURE)


def ask_server(database: Path, request: Request) -> Reply | None:
    """Ask the server of a database, waiting as long as it works; None when none is there.

    Raises:
        ConnectionError: The server ended while it was asked; whether the change was made is not known.
        TimeoutError: It holds the socket and does not take the connection.
    """
    try:
        with _connected(database) as connection:
            connection.sendall(REQUEST.dump_json(request) + b"\n")
            with connection.makefile("rb") as answer:
                line = answer.readline()
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    if not line:
        raise ConnectionError("the server ended while it was asked")
    return Reply.model_validate_json(line)


@contextmanager
def _connected(database: Path) -> Iterator[socket.socket]:
    path = socket_path(database)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(CONNECT_TIMEOUT_S)
            connection.connect(f"/proc/self/fd/{folder}/{SOCKET_NAME}")
            connection.settimeout(None)
            yield connection
    finally:
        os.close(folder)
