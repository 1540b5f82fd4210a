"""Marks: the newest wins, and what could not be flushed is not lost."""

from datetime import timedelta

from callhub.domain.messages import Addressee, AddresseeKind
from callhub.domain.people import Position
from callhub.hub.marks import MarkBook, is_empty
from tests.unit.hub.scripted import START

LATER = START + timedelta(seconds=1)
GW = Addressee(AddresseeKind.GATEWAY, "GW")


def test_the_newest_mark_wins_and_confirmations_never_go_back() -> None:
    book = MarkBook()
    for at in (START, LATER):
        book.seen("device", "B-1", at)
    book.confirmed(GW, 7, START)
    book.confirmed(GW, 5, START)
    marks = book.take()
    assert marks.seen == {("device", "B-1"): LATER}
    assert marks.confirmed == {GW: 7}
    assert book.since is None
    assert is_empty(book.take())


def test_what_is_put_back_gives_way_to_what_came_meanwhile() -> None:
    book = MarkBook()
    book.seen("device", "B-1", START)
    book.device("B-1", {"battery": 0.5, "rssi": -70}, START)
    book.position("V-1", Position(39.0, 117.0), START)
    book.confirmed(GW, 7, START)
    failed = book.take()
    book.seen("device", "B-1", LATER)
    book.device("B-1", {"battery": 0.4}, LATER)
    book.confirmed(GW, 6, LATER)
    book.put_back(failed, LATER)
    marks = book.take()
    assert marks.seen == {("device", "B-1"): LATER}
    assert marks.device_health == {"B-1": {"battery": 0.4, "rssi": -70}}
    assert marks.positions == {"V-1": (Position(39.0, 117.0), START)}
    assert marks.confirmed == {GW: 7}


def test_putting_nothing_back_sets_no_alarm() -> None:
    book = MarkBook()
    book.put_back(book.take(), START)
    assert book.since is None
