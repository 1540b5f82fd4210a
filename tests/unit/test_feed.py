"""The feed: every committed change, in order, from wherever a follower was."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from callhub import feed as feed_module
from callhub.errors import StoreCorrupt, StoreUnavailable
from callhub.feed import Feed, FeedEvent
from callhub.store.base import Document
from tests.unit.hub.scripted import Bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A running hub over a memory store."""
    bench = Bench()
    await bench.start()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.hub.run())
        yield bench
        bench.hub.stop()


async def take(following: AsyncIterator[FeedEvent], count: int) -> list[FeedEvent]:
    return [await anext(following) for _ in range(count)]


async def test_a_follower_resumes_from_where_it_was_and_goes_on_live(bench: Bench) -> None:
    feed = Feed(bench.store, bench.hub.committed)
    ids = [(await bench.hub.submit(bench.alarm())).incident for _ in range(3)]
    following = feed.follow(after=1)
    assert [event.incident for event in await take(following, 2)] == ids[1:]
    async with asyncio.TaskGroup() as tasks:
        live = tasks.create_task(take(following, 1))
        await asyncio.sleep(0)
        answer = await bench.hub.submit(bench.alarm())
    (event,) = live.result()
    assert event.incident == answer.incident
    assert event.document is not None
    assert event.document.incident.number == 4
    assert event.seq == bench.store.head()[1]


async def test_a_new_follower_starts_from_now(bench: Bench) -> None:
    await bench.hub.submit(bench.alarm())
    following = Feed(bench.store, bench.hub.committed).follow()
    async with asyncio.TaskGroup() as tasks:
        live = tasks.create_task(take(following, 1))
        await asyncio.sleep(0)
        answer = await bench.hub.submit(bench.alarm())
    assert live.result()[0].incident == answer.incident


async def test_one_who_sleeps_through_more_than_is_queued_misses_no_incident(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "HINTS_MAX", 2)
    monkeypatch.setattr(feed_module, "PAGE", 3)
    following = Feed(bench.store, bench.hub.committed).follow(after=0)
    first = (await bench.hub.submit(bench.alarm())).incident
    assert (await anext(following)).incident == first
    ids = [(await bench.hub.submit(bench.alarm())).incident for _ in range(10)]
    events = await take(following, 10)
    assert [event.incident for event in events] == ids
    assert [event.seq for event in events] == sorted(event.seq for event in events)


async def test_an_incident_that_changed_often_meanwhile_is_told_once(bench: Bench) -> None:
    answer = await bench.hub.submit(bench.alarm())
    for _ in range(3):
        bench.clock.advance(30)
        await bench.hub.submit(bench.answer("lets the deadline fire first"))
    following = Feed(bench.store, bench.hub.committed).follow(after=0)
    (event,) = await take(following, 1)
    assert (event.incident, event.seq) == (answer.incident, 4)
    bench.hub.stop()
    assert [rest async for rest in following] == []


async def test_an_unknown_place_is_a_reset_and_then_live(bench: Bench) -> None:
    await bench.hub.submit(bench.alarm())
    following = Feed(bench.store, bench.hub.committed).follow(after=99)
    assert await anext(following) == FeedEvent(1)
    async with asyncio.TaskGroup() as tasks:
        live = tasks.create_task(take(following, 1))
        await asyncio.sleep(0)
        answer = await bench.hub.submit(bench.alarm())
    assert live.result()[0].incident == answer.incident


async def test_a_moment_without_the_store_costs_a_follower_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "AGAIN_S", 0)
    read, away = bench.store.head, 2

    def failing() -> tuple[str, int]:
        nonlocal away
        away -= 1
        if away >= 0:
            raise StoreUnavailable("the disk is busy")
        return read()

    monkeypatch.setattr(bench.store, "head", failing)
    read_changes, gone, back = bench.store.changes_since, 2, asyncio.Event()

    def failing_too(seq: int, limit: int) -> tuple[tuple[int, str], ...] | None:
        nonlocal gone
        gone -= 1
        if gone >= 0:
            raise StoreUnavailable("the disk is busy")
        back.set()
        return read_changes(seq, limit)

    monkeypatch.setattr(bench.store, "changes_since", failing_too)
    following = Feed(bench.store, bench.hub.committed).follow()
    async with asyncio.TaskGroup() as tasks:
        live = tasks.create_task(take(following, 1))
        await back.wait()
        answer = await bench.hub.submit(bench.alarm())
    assert live.result()[0].incident == answer.incident


async def test_the_end_is_heard_without_the_store_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(seq: int, limit: int) -> None:
        raise StoreUnavailable("the disk is gone")

    monkeypatch.setattr(bench.store, "changes_since", away)
    following = Feed(bench.store, bench.hub.committed).follow()
    async with asyncio.TaskGroup() as tasks:
        ended = tasks.create_task(anext(following, None))
        await asyncio.sleep(0)
        bench.hub.stop()
    assert ended.result() is None


async def test_an_incident_that_cannot_be_read_hides_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [(await bench.hub.submit(bench.alarm())).incident for _ in range(2)]
    read = bench.store.incident

    def failing(id: str) -> Document | None:
        if id == ids[0]:
            raise StoreCorrupt("a document cannot be read")
        return read(id)

    monkeypatch.setattr(bench.store, "incident", failing)
    events = await take(Feed(bench.store, bench.hub.committed).follow(after=0), 2)
    assert [(event.incident, event.document is not None) for event in events] == [(ids[0], False), (ids[1], True)]
