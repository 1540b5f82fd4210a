"""From a URL in the settings to a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from callhub.errors import ConfigError
from callhub.store.memory import MemoryStore
from callhub.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from callhub.store.base import Store

_SQLITE = "sqlite:///"


def open_store(url: str) -> Store:
    """The store a URL names, not yet open.

    Args:
        url: ``sqlite:///callhub.db`` (relative to where the server starts), ``sqlite:////var/lib/callhub/callhub.db``
            (absolute: the fourth slash begins the path), or ``memory:``.

    Raises:
        ConfigError: It names none of these.
    """
    if url == "memory:":
        return MemoryStore()
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        return SqliteStore(Path(unquote(url.removeprefix(_SQLITE))))
    if url.startswith(("postgresql:", "postgres:")):
        raise ConfigError("store", "url", "PostgreSQL is not available yet; write sqlite:///callhub.db")
    # The URL is not repeated: it may hold a password.
    raise ConfigError("store", "url", "write sqlite:///PATH, or memory: for a store that forgets")
