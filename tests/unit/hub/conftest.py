"""A hub that runs for the length of a test."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.unit.hub.scripted import Bench

LIMIT_S = 10


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A recovered hub that is running, and is stopped properly afterwards."""
    bench = Bench()
    await bench.start()
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.hub.run())
        yield bench
        bench.hub.stop()
