"""The stage, running for each test that asks for it."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.web.stage import Stage, running


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with running() as stage:
        yield stage
