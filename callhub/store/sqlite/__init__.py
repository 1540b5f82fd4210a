"""The store of one machine: one SQLite file, one connection that writes, inline reads beside it."""

from callhub.store.sqlite.check import verify_file
from callhub.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "verify_file"]
