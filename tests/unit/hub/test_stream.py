"""The stream of what was committed: ordered, bounded, never in the hub's way."""

import asyncio

import pytest

from callhub.domain.decision import Announcement
from callhub.hub.stream import Stream


async def test_every_follower_gets_everything_in_order() -> None:
    stream = Stream()
    one, two = stream.subscribe(), stream.subscribe()
    for seq in (1, 2, 3):
        stream.publish(Announcement(seq))
    stream.close()
    assert [said and said.seq async for said in one] == [1, 2, 3]
    assert [said and said.seq async for said in two] == [1, 2, 3]


async def test_a_slow_follower_is_told_that_it_lost_some_and_goes_on_with_what_is_new() -> None:
    stream = Stream()
    slow, quick = stream.subscribe(queued_max=2), stream.subscribe()
    for seq in (1, 2, 3, 4):
        stream.publish(Announcement(seq))
    assert (slow.overflowed, await slow.next(), slow.overflowed) == (True, None, False)
    said = [await slow.next(), await slow.next()]
    assert [each and each.seq for each in said] == [3, 4]
    assert [each and each.seq for each in [await quick.next() for _ in range(4)]] == [1, 2, 3, 4]


async def test_closing_ends_a_waiting_reader() -> None:
    stream = Stream()
    following = stream.subscribe()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        reader = tasks.create_task(anext(following, None))
        await asyncio.sleep(0)
        following.close()
        assert await reader is None
    stream.publish(Announcement(1))
    with pytest.raises(StopAsyncIteration):
        await following.next()


async def test_following_a_closed_stream_ends_at_once() -> None:
    stream = Stream()
    stream.close()
    assert [said async for said in stream.subscribe()] == []
