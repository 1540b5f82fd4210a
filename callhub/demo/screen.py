"""The demo in a terminal: a live table for people, plain lines where nobody looks.

Rules of this file: written from a thread, so that a terminal that stands still never holds up the server in this
process. Texts are the catalogue's; names, places and kinds are what the console shows.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from callhub.demo.board import ENDED, Board, Item, arrives_s, asked, coming, rest_s
from callhub.texts import text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from callhub.clock import Clock

REFRESH_S = 0.5
"""Real seconds between two pictures: fresh for an eye, a few percent of a core."""
NAMES_MAX = 4
MARGIN_LINES = 10
"""Lines of the terminal that are no incident: what was said first, counts, the head of the table, the last line."""
STYLES = {
    "unanswered": "bold white on red",
    "seeking": "bold yellow",
    "assigned": "cyan",
    "on_scene": "green",
    "resolved": "dim",
}


class Screen(Protocol):
    """Shows the board."""

    async def run(self) -> None:
        """Show until cancelled."""

    def news(self, item: Item) -> None:
        """An incident changed."""


def open_screen(console: Console, board: Board, clock: Clock, language: str) -> Screen:
    """The right screen for where ``console`` writes to."""
    if console.is_terminal:
        return LiveScreen(console, board, clock, language)
    return PlainScreen(console, clock, language)


class LiveScreen:
    """A table that is drawn again and again in place."""

    def __init__(self, console: Console, board: Board, clock: Clock, language: str) -> None:
        self._console = console
        self._board = board
        self._clock = clock
        self._language = language

    async def run(self) -> None:
        """Draw until cancelled; the last picture stays."""
        with Live(console=self._console, auto_refresh=False, transient=False) as live:
            try:
                while True:
                    await asyncio.to_thread(live.update, self.picture(), refresh=True)
                    await asyncio.sleep(REFRESH_S)
            finally:
                live.update(self.picture())

    def news(self, item: Item) -> None:
        """Nothing to do: the next picture shows it."""

    def picture(self) -> Group:
        """The screen as it is now."""
        now = self._clock.now()
        table = Table(expand=True, box=None, pad_edge=False, header_style="bold")
        for code, ratio in (("number", 0), ("kind", 0), ("place", 3), ("state", 0), ("asked", 3), ("comes", 3)):
            title = self._text(f"demo.{code}")
            table.add_column(title, ratio=ratio or None, no_wrap=True, overflow="ellipsis")
        table.add_column(self._text("demo.next"), justify="right", no_wrap=True)
        items = self._board.ordered()
        room = max(1, self._console.height - MARGIN_LINES)
        for item in items[:room]:
            table.add_row(*self._row(item, now))
        more = [Text(self._text("demo.more", count=len(items) - room), style="dim")] if len(items) > room else []
        return Group(Text(""), self._counts(), Text(""), table, *more)

    def _counts(self) -> Text:
        counts = self._board.counts
        states = [item["state"] for item in self._board.open.values()]
        return Text(
            self._text(
                "demo.counts",
                presses=counts.presses,
                accepted=counts.accepted,
                arrived=counts.arrived,
                seeking=states.count("seeking"),
                unanswered=states.count("unanswered"),
                closed=self._board.closed,
            ),
            style="bold",
        )

    def _row(self, item: Item, now: datetime) -> tuple[Text, ...]:
        style = STYLES.get(item["state"], "")
        deadline = item["next_deadline"]
        rest = None if deadline is None else rest_s(deadline["at"], now)
        return (
            Text(str(item["number"])),
            Text(self._text(f"kind.{item['kind']}")),
            Text(_place(item)),
            Text(self._text(f"state.{item['state']}"), style=style),
            Text(", ".join(_names(asked(item)))),
            Text(self._comes(item, now)),
            Text("" if rest is None else clock_of(rest)),
        )

    def _comes(self, item: Item, now: datetime) -> str:
        parts = []
        for assignment in coming(item):
            expected_s = arrives_s(assignment, now)
            there = assignment["state"] == "on_scene"
            when = (
                self._text("assignment_state.on_scene")
                if there
                else ("" if expected_s is None else clock_of(expected_s))
            )
            parts.append(f"{_name(assignment)} {when}".strip())
        if not parts and item["owner"] is not None:
            parts.append(f"{self._text('owner.' + item['owner']['kind'])} {item['owner']['name']}")
        return ", ".join(parts)

    def _text(self, code: str, **params: object) -> str:
        return text(self._language, code, **params)


class PlainScreen:
    """One line when an incident opens, its state or its ladder moves on, or somebody moves who comes."""

    def __init__(self, console: Console, clock: Clock, language: str) -> None:
        self._console = console
        self._clock = clock
        self._language = language
        self._told: dict[str, tuple[object, ...]] = {}
        self._lines: list[str] = []
        self._writing = threading.Lock()

    async def run(self) -> None:
        """Write until cancelled, then what is left."""
        try:
            while True:
                await asyncio.sleep(REFRESH_S / 2)
                lines, self._lines = self._lines, []
                await asyncio.to_thread(self._write, lines)
        finally:
            self._write(self._lines)

    def news(self, item: Item) -> None:
        """Queue a line if it says something new; who else is asked within a step does not."""
        people = coming(item)
        moved = [(each["id"], each["state"], each["late"]) for each in people]
        key = (item["state"], item["step"], moved, item["owner"])
        if self._told.get(item["id"]) == key:
            return
        self._told[item["id"]] = key
        if item["state"] in ENDED:
            del self._told[item["id"]]
        self._lines.append(self._line(item, people))

    def _line(self, item: Item, people: list[Item]) -> str:
        now = self._clock.now()
        parts = [
            now.astimezone().strftime("%H:%M:%S"),
            f"#{item['number']}",
            text(self._language, f"kind.{item['kind']}"),
            _place(item),
            text(self._language, f"state.{item['state']}"),
        ]
        names = _names(asked(item))
        if names and not people:
            parts.append(f"{text(self._language, 'demo.asked')}: {', '.join(names)}")
        for each in people:
            expected_s = arrives_s(each, now)
            when = "" if expected_s is None or each["state"] == "on_scene" else f" {clock_of(expected_s)}"
            parts.append(f"{_name(each)}: {text(self._language, 'assignment_state.' + each['state'])}{when}")
        return "  ".join(parts)

    def _write(self, lines: list[str]) -> None:
        with self._writing:  # the last lines wait for those that a thread is writing still
            self._console.file.write("".join(f"{line}\n" for line in lines))
            self._console.file.flush()


def clock_of(seconds: int) -> str:
    """Minutes and seconds, with hours from an hour on: ``4:05``, ``-0:30``, ``23:59:00``."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    minutes, second = divmod(rest, 60)
    hours, minute = divmod(minutes, 60)
    return f"{sign}{hours}:{minute:02d}:{second:02d}" if hours else f"{sign}{minute}:{second:02d}"


def _place(item: Item) -> str:
    """Community and grid, as in an offer."""
    return " ".join(item["place"][-2:])


def _name(person: Item) -> str:
    return str(person["name"] or person["responder"])


def _names(people: Sequence[Item]) -> list[str]:
    """The first names of a list, and how many more."""
    names = [_name(person) for person in people[:NAMES_MAX]]
    return [*names, f"+{len(people) - NAMES_MAX}"] if len(people) > NAMES_MAX else names
