"""Every test of this folder runs against every store."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from callhub.store.base import Store
from callhub.store.memory import MemoryStore
from callhub.store.sqlite import SqliteStore

MakeStore = Callable[[], Store]


@pytest.fixture(params=["memory", "sqlite"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Gives the store of this test: the same one each time in memory, a new object on the same file on disk."""
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "callhub.db")
    memory = MemoryStore()
    return lambda: memory


@pytest.fixture
async def store(make_store: MakeStore) -> AsyncIterator[Store]:
    """An open store."""
    store = make_store()
    await store.open()
    yield store
    await store.close()
