"""What was logged, for tests that say what a log must hold and must not."""

import asyncio
import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog


class LogBook(logging.Handler):
    """Every structlog event and every record of the standard library; ``has`` waits for one."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[MutableMapping[str, Any]] = []
        self.records: list[logging.LogRecord] = []
        self._written = asyncio.Event()

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        self.events.append(dict(event))
        self._written.set()
        raise structlog.DropEvent

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    async def has(self, event: str, **fields: object) -> MutableMapping[str, Any]:
        """The first event with this name and these fields, once it was logged."""
        async with asyncio.timeout(10):
            while True:
                for entry in self.events:
                    if entry["event"] == event and all(entry.get(name) == value for name, value in fields.items()):
                        return entry
                self._written.clear()
                await self._written.wait()

    @property
    def tracebacks(self) -> list[object]:
        """Everything that would print a traceback."""
        with_traceback = [event for event in self.events if event.get("exc_info")]
        return [*with_traceback, *(record.getMessage() for record in self.records if record.exc_info)]


@contextmanager
def log_book() -> Iterator[LogBook]:
    """Everything logged inside goes into the book."""
    book = LogBook()
    root = logging.getLogger()
    before = structlog.get_config()
    structlog.configure(processors=[book])
    root.addHandler(book)
    try:
        yield book
    finally:
        root.removeHandler(book)
        structlog.configure(**before)
