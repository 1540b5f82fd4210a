"""Goal: a person sees what is open, who was asked, who comes and when. Method: pictures written into a string."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from callhub.clock import ManualClock
from callhub.demo.board import Board
from callhub.demo.screen import MARGIN_LINES, LiveScreen, PlainScreen, clock_of, open_screen
from tests.unit.demo.incidents import assignment, item, offer

CLOCK = ManualClock(datetime(2026, 11, 24, 5, 1, tzinfo=UTC))


def drawn(board: Board, height: int = 30) -> str:
    console = Console(file=io.StringIO(), width=140, height=height, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(LiveScreen(console, board, CLOCK, "en").picture())
    return captured.get()


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (65, "1:05"), (-30, "-0:30"), (3600, "1:00:00"), (86_399, "23:59:59")]
)
def test_seconds_are_shown_as_a_clock(seconds: int, shown: str) -> None:
    assert clock_of(seconds) == shown


def test_the_picture_shows_who_was_asked_and_when_the_next_thing_happens() -> None:
    board = Board()
    offers = [offer(str(n), f"Li{n}") for n in range(6)]
    board.note(item(offers=offers, next_deadline={"at": "2026-11-24T05:01:20Z", "why": "offer"}))
    [line] = [line for line in drawn(board).splitlines() if "富源里社区 第3网格" in line]
    for part in ("1 ", "Emergency call", "Seeking", "Li0, Li1, Li2, Li3, +2", "0:20"):
        assert part in line


def test_the_picture_shows_who_comes_and_counts_down() -> None:
    board = Board()
    board.note(item(1, state="assigned", assignments=[assignment("1", "Wang")]))
    board.note(item(2, state="on_scene", assignments=[assignment("2", "Zhao", state="on_scene")]))
    board.note(item(3, owner={"kind": "user", "id": "demo", "name": "demo"}))
    picture = drawn(board)
    for part in ("Wang 3:00", "Zhao On scene", "Operator demo", "presses 3", "accepted 2", "seeking 1"):
        assert part in picture


def test_the_picture_fits_the_terminal_and_says_how_many_are_not_shown() -> None:
    board = Board()
    for number in range(1, 41):
        board.note(item(number))
    picture = drawn(board, height=MARGIN_LINES + 5)
    assert picture.count("富源里社区") == 5
    assert "and 35 more" in picture
    assert len(picture.splitlines()) < MARGIN_LINES + 5


def test_a_terminal_gets_the_table_and_a_file_gets_lines() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True)
    assert isinstance(open_screen(terminal, Board(), CLOCK, "en"), LiveScreen)
    assert isinstance(open_screen(Console(file=io.StringIO()), Board(), CLOCK, "en"), PlainScreen)


async def test_lines_tell_each_step_once_and_the_last_ones_are_not_lost() -> None:
    out = io.StringIO()
    screen = PlainScreen(Console(file=out), CLOCK, "en")
    screen.news(item(offers=[offer("1", "Li")]))
    screen.news(item(version=2, offers=[offer("1", "Li", state="declined"), offer("2", "Hu")]))
    screen.news(item(version=3, state="assigned", assignments=[assignment("1", "Wang")]))
    screen.news(item(version=4, state="closed"))
    task = asyncio.create_task(screen.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    first, second, third = out.getvalue().splitlines()
    assert "#1  Emergency call  富源里社区 第3网格  Seeking  Asked: Li" in first
    assert "Assigned  Wang: Assigned 3:00" in second
    assert third.endswith("Closed")
