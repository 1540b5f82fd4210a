"""What several of these tests stand on."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.command_line import found_ward, settle
from tests.integration.contract_ward import Installation, installed


@pytest.fixture(scope="session")
def ward_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ward with its people, made once by the commands themselves; never opened."""
    folder = tmp_path_factory.mktemp("template")
    config, _ = found_ward(folder / "ward")
    settle(config, folder)
    return config.parent


@pytest.fixture
def config(ward_template: Path, tmp_path: Path) -> Path:
    """The configuration of a ward of one's own, with its people."""
    shutil.copytree(ward_template, tmp_path / "ward")
    return tmp_path / "ward" / "callhub.toml"


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One served installation for all tests of the contract; each takes a neighbourhood of its own."""
    with installed(tmp_path_factory.mktemp("contract")) as made:
        yield made


@pytest.fixture
async def ward(installation: Installation) -> AsyncIterator[Installation]:
    """The same, whose links are closed when the test is over."""
    async with asyncio.timeout(60):
        yield installation
    await installation.hang_up()
