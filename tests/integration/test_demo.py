"""Goal: one command shows the whole way from a press to somebody at the door, and leaves nothing behind.
Method: the command as a process of its own, its output read line by line."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import urllib.request
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

FIRST_PRESS_S_MAX = 10.0
STOP_S_MAX = 10.0
PRESS = re.compile(r"^\d\d:\d\d:\d\d  #1  .*Seeking  Asked: \S+")
CONSOLE = re.compile(r"console: (http://127\.0\.0\.1:\d+)/  user: (\S+)  password: (\S+)")
COUNTS = re.compile(r"presses=(\d+) accepted=(\d+) arrived=(\d+)")


@asynccontextmanager
async def demo(folder: Path, *options: str, stdout: int = asyncio.subprocess.PIPE) -> AsyncIterator[Process]:
    """The running command, its temporary files in ``folder``."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callhub", "demo", "--http-port", "0", "--link-port", "0", *options),
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(folder), "LC_ALL": "C.UTF-8", "LANG": "en", "LC_MESSAGES": ""},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line_of(process: Process, pattern: re.Pattern[str]) -> re.Match[str]:
    """The first line that matches, from now on."""
    assert process.stdout is not None
    async for line in process.stdout:
        if found := pattern.search(line.decode()):
            return found
    raise AssertionError(f"the demo ended without a line like {pattern.pattern}")


async def rest_of(process: Process) -> tuple[list[str], str, int]:
    """Lines still to come, standard error, and the status."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return (out or b"").decode().splitlines(), err.decode(), process.returncode


async def test_the_demo_shows_the_whole_way_and_ends_by_itself(tmp_path: Path) -> None:
    async with demo(tmp_path, "--seconds", "12", "--speed", "60") as process:
        async with asyncio.timeout(FIRST_PRESS_S_MAX):
            await line_of(process, PRESS)
        async with asyncio.timeout(12 + STOP_S_MAX):
            lines, err, status = await rest_of(process)
    assert (err, status) == ("", 0)
    counts = COUNTS.fullmatch(lines[-1])
    assert counts is not None, lines[-1]
    presses, accepted, arrived = map(int, counts.groups())
    assert presses >= accepted >= arrived >= 1
    assert presses > 10
    assert os.listdir(tmp_path) == []


async def test_the_login_that_it_prints_opens_the_console(tmp_path: Path) -> None:
    async with demo(tmp_path, "--seconds", "20") as process, asyncio.timeout(30):
        url, user, password = (await line_of(process, CONSOLE)).groups()
        body = json.dumps({"user": user, "password": password}).encode()
        request = urllib.request.Request(f"{url}/api/v1/login", body, {"content-type": "application/json"})
        with await asyncio.to_thread(urllib.request.urlopen, request, timeout=10) as answer:
            assert json.load(answer)["role"] == "operator"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_person_ends_it_and_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    async with demo(tmp_path) as process:
        async with asyncio.timeout(30):
            await line_of(process, PRESS)
        process.send_signal(number)
        async with asyncio.timeout(STOP_S_MAX):
            lines, err, status = await rest_of(process)
    assert (err, status) == ("", 0)
    assert COUNTS.fullmatch(lines[-1])
    assert os.listdir(tmp_path) == []


async def test_a_reader_that_goes_ends_it_quietly(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    async with demo(tmp_path, stdout=writing) as process:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            async with asyncio.timeout(30):
                await asyncio.to_thread(pipe.readline)
        async with asyncio.timeout(STOP_S_MAX):
            _, err, status = await rest_of(process)
    assert (err, status) == ("", 1)
    assert os.listdir(tmp_path) == []
