"""What several of these tests stand on."""

import shutil
from pathlib import Path

import pytest

from tests.integration.command_line import found_ward, settle


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
