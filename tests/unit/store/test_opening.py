"""From a URL to a store."""

from pathlib import Path

import pytest

from callhub.errors import ConfigError
from callhub.store.memory import MemoryStore
from callhub.store.opening import open_store
from callhub.store.sqlite import SqliteStore


def test_memory() -> None:
    assert isinstance(open_store("memory:"), MemoryStore)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////var/lib/callhub/callhub.db", "/var/lib/callhub/callhub.db"),
        ("sqlite:///callhub.db", str(Path.cwd() / "callhub.db")),
        ("sqlite:////tmp/a%20b.db", "/tmp/a b.db"),
    ],
)
def test_a_file(url: str, path: str) -> None:
    store = open_store(url)
    assert isinstance(store, SqliteStore)
    assert str(store.path) == path


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://callhub:secret@db/callhub", "not available yet"),
        ("postgres://db", "not available yet"),
        ("sqlite:///", "sqlite:///PATH"),
        ("sqlite://callhub.db", "sqlite:///PATH"),
        ("mysql://root:secret@db", "sqlite:///PATH"),
        ("", "sqlite:///PATH"),
    ],
)
def test_anything_else_is_a_mistake_in_the_settings(url: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    assert why in caught.value.message
    assert "secret" not in caught.value.message
