"""The live book of figures: every row once, whatever it missed, and no more than it may hold."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from callhub.clock import ManualClock
from callhub.domain import facts as f
from callhub.domain.incident import IncidentState
from callhub.domain.kpi import Wanted
from callhub.domain.policy import IncidentClass
from callhub.errors import InvalidMessage, StoreCorrupt
from callhub.hub.kpi import KEEP_DAYS, PAGE_ROWS, RETRY_S, Counted, LiveKpi, first_after, recount
from callhub.metrics import create_metrics
from callhub.store.base import Commit
from callhub.store.memory import MemoryStore
from tests.unit.domain.kpi.rows import NOON, assigned, at, became, made, opened, row, taken

ZONE = ZoneInfo("Asia/Shanghai")
DAY = Wanted(NOON - timedelta(days=1), NOON + timedelta(days=1))


def story(incident: str, seconds: float) -> tuple[f.Row, ...]:
    """Four rows: opened, asked and assigned, taken over, closed; a minute in all."""
    rows = (
        row(incident, seconds, opened()),
        row(incident, seconds + 10, made(f"{incident}-1"), assigned()),
        row(incident, seconds + 20, taken()),
        row(incident, seconds + 60, became(IncidentState.CLOSED)),
    )
    return tuple(replace(each, version=n) for n, each in enumerate(rows, start=1))


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until it is so."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


@dataclass
class Stand:
    """A journal and a live book beside it; the clock stands an hour after the stories began."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: ManualClock = field(default_factory=lambda: ManualClock(at(3600)))
    live: LiveKpi = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A book that knows nothing yet."""
        self.live = LiveKpi(self.store, self.clock, ZONE)

    async def write(self, *rows: f.Row) -> int:
        """Into the journal alone, as by another hand; the seq after it."""
        await self.store.open()
        return (await self.store.commit(Commit(rows=rows))).seq

    async def commit(self, *rows: f.Row) -> None:
        """As the loop does it."""
        self.live.committed(rows, await self.write(*rows))

    async def level(self) -> None:
        """Let the book catch up."""
        running = asyncio.create_task(self.live.run())
        await until(lambda: self.live.seq == self.store.head()[1])
        running.cancel()

    async def both(self, wanted: Wanted = DAY) -> tuple[Counted, Counted]:
        """Live and counted again."""
        return await self.live.report(wanted), await recount(self.store, wanted, ZONE)


@pytest.fixture
def stand() -> Stand:
    return Stand()


async def same(stand: Stand, incidents: int, wanted: Wanted = DAY) -> None:
    live, cold = await stand.both(wanted)
    assert live == cold
    assert live.figures["incidents"] == incidents


async def test_what_is_committed_is_counted_at_once(stand: Stand) -> None:
    await same(stand, 0)
    for each in story("I-1", 0):
        await stand.commit(each)
    await stand.commit(*story("I-2", 100))
    assert (stand.live.seq, stand.live.rows_behind) == (8, 0)
    await same(stand, 2)


async def test_a_book_catches_up_with_the_journal_it_finds(stand: Stand) -> None:
    for n in range(PAGE_ROWS):  # four pages
        await stand.write(*story(f"I-{n}", n))
    await stand.level()
    await same(stand, PAGE_ROWS)


async def test_rows_that_came_otherwise_are_read_before_it_goes_on(stand: Stand) -> None:
    await stand.commit(*story("I-1", 0))
    await stand.write(*story("I-2", 100))
    await stand.commit(*story("I-3", 200))
    assert (stand.live.seq, stand.live.rows_behind) == (4, 8)
    await stand.level()
    await same(stand, 3)


async def test_a_running_book_hears_that_it_missed_something(stand: Stand) -> None:
    running = asyncio.create_task(stand.live.run())
    await asyncio.sleep(0)
    await stand.write(*story("I-1", 0))
    await stand.commit(*story("I-2", 100))
    assert stand.live.rows_behind
    await until(lambda: not stand.live.rows_behind)
    running.cancel()
    await same(stand, 2)


async def test_a_row_that_is_read_and_committed_at_once_counts_once(stand: Stand) -> None:
    rows = story("I-1", 0)
    seq = await stand.write(*rows)
    await stand.level()
    stand.live.committed(rows, seq)  # the loop tells of it only now
    assert (stand.live.seq, stand.live.rows_behind) == (4, 0)
    await same(stand, 1)


async def test_a_page_that_a_commit_has_overtaken_counts_once(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    read = stand.store.journal
    opening, *rest = story("I-1", 0)
    await stand.commit(opening)

    async def slow(after: int, limit: int) -> tuple[tuple[int, f.Row], ...]:
        if stand.store.head()[1] == 1:
            await stand.commit(*rest)
            return await read(after, limit)  # what the book has already
        return await read(after, limit)

    monkeypatch.setattr(stand.store, "journal", slow)
    running = asyncio.create_task(stand.live.run())
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()
    monkeypatch.undo()
    assert stand.live.seq == 4
    await same(stand, 1)


async def test_a_journal_that_cannot_be_read_is_tried_again(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    await stand.write(*story("I-1", 0))

    async def broken(after: int, limit: int) -> tuple[tuple[int, f.Row], ...]:
        raise StoreCorrupt("a row cannot be read")

    monkeypatch.setattr(stand.store, "journal", broken)
    running = asyncio.create_task(stand.live.run())
    await until(lambda: stand.clock.next_wake() is not None)
    assert stand.live.rows_behind == 4
    monkeypatch.undo()
    stand.clock.advance(RETRY_S)
    await until(lambda: not stand.live.rows_behind)
    running.cancel()
    await same(stand, 1)


async def test_the_book_begins_where_it_may_and_forgets_what_gets_too_old(stand: Stand) -> None:
    days = 86_400.0
    await stand.write(*story("I-old", -(KEEP_DAYS + 1) * days), *story("I-1", -2 * days), *story("I-2", 0))
    stand.restart()
    await stand.level()
    whole = Wanted(NOON - timedelta(days=KEEP_DAYS), NOON + timedelta(days=60))
    # The book begins an hour later than that period, as the clock stands.
    assert (await stand.live.report(Wanted(at(3600) - timedelta(days=KEEP_DAYS), whole.until))).figures[
        "incidents"
    ] == 2
    stand.clock.advance((KEEP_DAYS - 1) * days)
    await stand.commit(*story("I-3", (KEEP_DAYS - 1) * days + 3600))
    kept = Wanted(stand.clock.now() - timedelta(days=KEEP_DAYS), whole.until)
    await same(stand, 2, kept)
    with pytest.raises(InvalidMessage, match="live figures begin at") as refused:
        await stand.live.report(whole)
    assert refused.value.field == "from"


async def test_counting_again_stops_where_the_journal_stood(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    await stand.write(*story("I-1", 0))
    read = stand.store.journal

    async def grown(after: int, limit: int) -> tuple[tuple[int, f.Row], ...]:
        await stand.write(*story(f"I-{stand.store.head()[1]}", 500))
        return await read(after, limit)

    monkeypatch.setattr(stand.store, "journal", grown)
    counted = await recount(stand.store, DAY, ZONE)
    assert (counted.seq, counted.figures["incidents"]) == (4, 1)


@pytest.mark.parametrize(
    ("times", "since", "found"),
    [([], 5, 0), ([1, 2, 3], 0, 0), ([1, 2, 3], 2, 1), ([1, 2, 2, 2, 3], 2, 1), ([1, 2, 3], 2.5, 2), ([1, 2, 3], 4, 3)],
)
async def test_the_first_row_that_is_not_older(times: Sequence[float], since: float, found: int) -> None:
    stand = Stand()
    await stand.write(*(row(None, each, f.NoteAdded()) for each in times))
    assert await first_after(stand.store, at(since)) == found


async def test_the_metrics_are_the_figures_of_the_last_day(stand: Stand) -> None:
    metrics = create_metrics()
    await stand.commit(*story("I-0", -86_400.0), *story("I-1", 3000), row("I-2", 3100, opened()))
    await stand.live.show(metrics.kpi)
    read = metrics.registry.get_sample_value
    emergency = {"class": "emergency"}
    assert read("callhub_kpi_incidents", emergency) == 2
    assert read("callhub_kpi_incidents", {"class": "service"}) == 0
    assert read("callhub_kpi_incidents", {"class": "drill"}) is None
    assert read("callhub_kpi_unclosed", emergency) == 1
    assert read("callhub_kpi_unanswered", emergency) == 0
    assert read("callhub_kpi_answered_share", {**emergency, "within_s": "60"}) == 1
    assert read("callhub_kpi_acceptance_seconds", {**emergency, "quantile": "0.95"}) == 10
    nothing = read("callhub_kpi_arrival_seconds", {**emergency, "quantile": "0.5"})
    assert nothing != nothing  # NaN: nobody arrived
    assert read("callhub_kpi_rows_behind") == 0


async def test_a_class_has_its_own_figures(stand: Stand) -> None:
    await stand.commit(row("I-1", 0, opened(class_=IncidentClass.SERVICE, kind="meal")), row("I-2", 1, opened()))
    await same(stand, 1, Wanted(DAY.since, DAY.until, class_=IncidentClass.SERVICE))
