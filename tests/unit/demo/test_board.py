"""Goal: every incident counts once and for good. Method: items of rising versions."""

from __future__ import annotations

from datetime import UTC, datetime

from callhub.demo.board import Board, Counts, arrives_s, asked, coming, rest_s
from tests.unit.demo.incidents import OPENED, assignment, item, offer

NOW = datetime(2026, 11, 24, 5, 1, tzinfo=UTC)


def test_a_press_counts_when_it_opens_when_somebody_accepts_and_when_somebody_arrives() -> None:
    board = Board()
    board.note(item(version=1))
    assert board.counts == Counts(1, 0, 0)
    board.note(item(version=2, state="assigned", assignments=[assignment("a", "Wang")]))
    assert board.counts == Counts(1, 1, 0)
    there = assignment("a", "Wang", state="on_scene", on_scene_at=OPENED)
    board.note(item(version=3, state="on_scene", assignments=[there]))
    assert board.counts == Counts(1, 1, 1)
    board.note(item(version=4, state="closed", assignments=[there]))
    assert (board.counts, board.closed, board.open) == (Counts(1, 1, 1), 1, {})
    assert str(board.counts) == "presses=1 accepted=1 arrived=1"


def test_what_nobody_pressed_is_shown_but_not_counted() -> None:
    board = Board()
    board.note(item(source="operator", assignments=[assignment("a", "Wang")]))
    assert list(board.open) == ["i-1"]
    assert board.counts == Counts(0, 0, 0)


def test_an_older_version_is_no_news_and_changes_nothing() -> None:
    board = Board()
    assert board.note(item(version=5, state="closed"))
    assert not board.note(item(version=5))
    assert not board.note(item(version=4))
    assert not board.open


def test_what_needs_people_most_comes_first_and_then_the_newest() -> None:
    board = Board()
    for number, state in enumerate(("seeking", "resolved", "unanswered", "assigned", "seeking"), 1):
        board.note(item(number, state=state))
    assert [each["number"] for each in board.ordered()] == [3, 5, 1, 4, 2]


def test_what_ended_unseen_is_taken_off() -> None:
    board = Board()
    board.note(item(1))
    board.note(item(2))
    board.keep({"i-2"})
    assert (list(board.open), board.closed) == (["i-2"], 1)


def test_only_live_offers_and_assignments_are_named_open_offers_first() -> None:
    offers = [offer("1", "A", state="silent"), offer("2", "B"), offer("3", "C", state="declined")]
    people = [assignment("1", "A", state="released"), assignment("2", "B", state="en_route")]
    one = item(offers=offers, assignments=people)
    assert [each["name"] for each in asked(one)] == ["B", "A"]
    assert [each["name"] for each in coming(one)] == ["B"]


def test_countdowns_are_whole_seconds_and_go_below_zero() -> None:
    assert rest_s("2026-11-24T05:01:20.4Z", NOW) == 20
    assert rest_s("2026-11-24T05:00:00Z", NOW) == -60
    assert rest_s(None, NOW) is None
    assert arrives_s(assignment("1", "A"), NOW) == 180
    assert arrives_s(assignment("1", "A", eta_s=None), NOW) is None
