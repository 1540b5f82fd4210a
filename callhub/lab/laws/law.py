"""What every checker is: it sees entries one by one, then the whole, and says what broke its law."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from callhub.domain.facts import Row
    from callhub.lab.laws.evidence import Entry, Evidence


class Law:
    """A checker that finds nothing; each law overrides what it needs. ``checked`` counts what was held against it."""

    name = ""

    def __init__(self) -> None:
        self.checked = 0

    def see(self, entry: Entry) -> Iterator[str]:
        """Judge one entry; they come in their order."""
        for row in entry.rows:
            yield from self.row(row)

    def row(self, row: Row) -> Iterable[str]:
        """Judge one row."""
        return ()

    def end(self, evidence: Evidence) -> Iterable[str]:
        """Judge what only the whole shows, after the last entry."""
        return ()
