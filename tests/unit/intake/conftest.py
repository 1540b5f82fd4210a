from collections.abc import AsyncIterator

import pytest

from tests.unit.intake.directory_of import Town, open_town


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as found:
        yield found
