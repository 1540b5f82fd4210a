"""The courier: hints after each commit, and messages from the outbox with their names."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from callhub.delivery.courier import Courier
from callhub.domain.decision import Announcement
from callhub.domain.messages import Addressee, AddresseeKind, Message, MessageType, Stored
from callhub.domain.people import Area, Elder
from callhub.domain.policy import Level
from callhub.hub.stream import Stream
from callhub.store.base import Commit, DirectoryChange, Marks
from callhub.store.memory import MemoryStore

V1 = Addressee(AddresseeKind.RESPONDER, "V-1")
GW = Addressee(AddresseeKind.GATEWAY, "GW")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Recorder:
    """A channel that writes down how it was woken; ``heard`` waits for a number of hints."""

    def __init__(self) -> None:
        self.hints: list[Addressee | None] = []
        self._hinted = asyncio.Event()

    def wake(self, addressee: Addressee) -> None:
        self.hints.append(addressee)
        self._hinted.set()

    def wake_all(self) -> None:
        self.hints.append(None)
        self._hinted.set()

    async def heard(self, hints: int) -> list[Addressee | None]:
        async with asyncio.timeout(5):
            while len(self.hints) < hints:
                self._hinted.clear()
                await self._hinted.wait()
        return self.hints


def offer(addressee: Addressee, number: int) -> Message:
    body = {"offer": f"i-{number}", "incident": "i", "kind": "sos", "urgency": 1, "elder": "E-1", "area": ["hx"],
            "distance_m": 1, "eta_s": 2, "respond_by": "2026-11-24T12:00:20Z", "reminder": False}  # fmt: skip
    return Message(addressee, MessageType.OFFER, "i", f"offer:{number}", body)


def announced(*stored: tuple[int, Message]) -> Announcement:
    return Announcement(seq=1, stored=tuple(Stored(seq, message) for seq, message in stored))


@asynccontextmanager
async def running(store: MemoryStore, stream: Stream, *channels: Recorder) -> AsyncIterator[Courier]:
    courier = Courier(store, stream, channels)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(courier.run())
        yield courier
        stream.close()


async def test_each_addressee_of_a_commit_is_woken_once_on_every_channel() -> None:
    stream, first, second = Stream(), Recorder(), Recorder()
    async with running(MemoryStore(), stream, first, second):
        await first.heard(1)
        stream.publish(announced((1, offer(V1, 1)), (2, offer(GW, 2)), (3, offer(V1, 3))))
        stream.publish(announced())
        stream.publish(announced((4, offer(GW, 4))))
        assert await first.heard(4) == [None, V1, GW, GW]
        assert await second.heard(4) == first.hints


async def test_a_courier_that_lost_announcements_wakes_everybody() -> None:
    stream, channel = Stream(), Recorder()
    async with running(MemoryStore(), stream, channel):
        await channel.heard(1)
        for number in range(2000):
            stream.publish(announced((number, offer(V1, number))))
        hints = await channel.heard(3)
        assert hints[:2] == [None, None]
        assert set(hints[2:]) == {V1}


async def test_it_ends_with_the_stream_and_leaves_no_follower() -> None:
    stream, channel = Stream(), Recorder()
    stream.close()
    async with asyncio.timeout(5):
        await Courier(MemoryStore(), stream, [channel]).run()
    assert channel.hints == [None]


@pytest.fixture
async def filled() -> AsyncIterator[Callable[[], Courier]]:
    store = MemoryStore()
    await store.open()
    people = DirectoryChange(
        areas=(Area("hx", None, Level.COMMUNITY, "富源里", None),), elders=(Elder("E-1", "李奶奶", area=("hx",)),)
    )
    messages = [offer(V1, number) for number in range(5)] + [offer(GW, 9)]
    await store.commit(Commit(messages=messages, changes=[people]))
    yield lambda: Courier(store, Stream(), [])
    await store.close()


async def test_pending_is_in_order_bounded_and_has_names(filled: Callable[[], Courier]) -> None:
    courier = filled()
    first = courier.pending(V1, 0, 3)
    rest = courier.pending(V1, first[-1].seq, 10)
    frames = [json.loads(out.frame) for out in (*first, *rest)]
    assert [frame["offer"] for frame in frames] == [f"i-{number}" for number in range(5)]
    assert [frame["seq"] for frame in frames] == [out.seq for out in (*first, *rest)]
    assert {(frame["elder"]["name"], frame["place"]) for frame in frames} == {("李奶奶", "富源里")}
    assert {out.type for out in first} == {MessageType.OFFER}
    assert courier.pending(V1, rest[-1].seq, 10) == []


async def test_what_is_confirmed_is_not_pending() -> None:
    store = MemoryStore()
    await store.open()
    committed = await store.commit(Commit(messages=[offer(V1, 1), offer(V1, 2)]))
    courier = Courier(store, Stream(), [])
    await store.commit(Commit(marks=Marks(confirmed={V1: committed.stored[0].seq})))
    assert [json.loads(out.frame)["offer"] for out in courier.pending(V1, 0, 10)] == ["i-2"]
    await store.close()
