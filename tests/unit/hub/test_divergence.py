"""A wall clock that goes its own way is reported once."""

import asyncio

from callhub.clock import ManualClock
from callhub.domain.events import CallTaken
from callhub.hub.divergence import watch_clock
from tests.unit.hub.scripted import START, Bench, passes


class StrayingClock(ManualClock):
    """Engine time with a wall clock that is ahead by ``ahead_s``."""

    ahead_s = 0.0

    def divergence_s(self) -> float:
        return self.ahead_s


async def test_a_divergence_is_one_technical_call_until_the_clocks_agree_again() -> None:
    clock = StrayingClock(START)
    bench = Bench(clock=clock)
    hub = await bench.start()

    def calls() -> int:
        return len([event for event in bench.engine.seen if isinstance(event, CallTaken) and event.kind == "clock"])

    counts = []
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(hub.run())
        watching = tasks.create_task(watch_clock(hub, clock))
        for ahead_s in (1.9, -2.1, -300.0, 0.0, 3.0):
            clock.ahead_s = ahead_s
            await passes()
            clock.advance(10)
            await passes()
            counts.append(calls())
        watching.cancel()
        hub.stop()
    assert counts == [0, 1, 1, 1, 2]
