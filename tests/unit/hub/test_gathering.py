"""Which batches are decided together."""

import asyncio

import pytest

from callhub.dispatch.sharing import CASES_MAX
from callhub.domain.events import AlarmRaised, CallTaken, CasesGathered, Event, FrameFaulty, HelpAsked, LinkChanged
from callhub.domain.people import SYSTEM
from callhub.hub.gathering import gather
from callhub.hub.inbox import Ticket
from tests.unit.hub.scripted import GATEWAY, Bench, FailingStore, ScriptedError, passes


def press(id: str, kind: str = "sos") -> Event:
    return AlarmRaised(id=id, actor=GATEWAY, gateway="GW", alarm=id, device="B-1", kind=kind)


def call(id: str) -> Event:
    return CallTaken(id=id, actor=SYSTEM, source="operator", kind="fall")


def faulty(id: str, *, wants_help: bool) -> Event:
    return FrameFaulty(id=id, actor=GATEWAY, gateway="GW", wants_help=wants_help, code="bad_frame")


def other(id: str) -> Event:
    return LinkChanged(id=id, actor=SYSTEM, responder="V-1", up=True)


def gathered(*events: Event) -> tuple[str, ...]:
    """The ids that the end of this batch names; without an end nothing may be marked."""
    tickets = gather([Ticket(event) for event in events], lambda: "end")
    marked = tuple(t.event.id for t in tickets if isinstance(t.event, HelpAsked) and t.event.gathered)
    ends = [ticket.event for ticket in tickets if isinstance(ticket.event, CasesGathered)]
    assert [ticket.event.id for ticket in tickets] == [event.id for event in events] + ["end"] * len(ends)
    assert marked == (ends[0].incidents if ends else ())
    return marked


def test_presses_calls_and_broken_frames_that_ask_for_help_are_decided_together() -> None:
    assert gathered(press("1"), other("2"), call("3"), faulty("4", wants_help=True)) == ("1", "3", "4")


@pytest.mark.parametrize("second", [press("2", "meal"), faulty("2", wants_help=False), other("2")])
def test_one_emergency_waits_for_nobody(second: Event) -> None:
    assert gathered(press("1"), second) == ()
    assert gathered(second) == ()


def test_of_very_many_presses_each_asks_by_itself() -> None:
    most = [press(str(n)) for n in range(CASES_MAX)]
    assert len(gathered(*most)) == CASES_MAX
    assert gathered(*most, press("one more")) == ()


async def test_the_end_is_part_of_the_commit_of_its_batch(bench: Bench) -> None:
    await asyncio.gather(*(bench.hub.submit(bench.alarm()) for _ in range(3)))
    assert [type(event) for event in bench.engine.seen] == [AlarmRaised] * 3 + [CasesGathered]
    assert len(bench.store.commits) == 1


async def test_an_end_that_raises_costs_no_press(bench: Bench) -> None:
    bench.engine.fails = lambda event: isinstance(event, CasesGathered)
    answers = await asyncio.gather(*(bench.hub.submit(bench.alarm()) for _ in range(3)))
    assert all(answer.code is None for answer in answers)
    assert len(bench.store.commits) == 1


async def test_a_batch_that_is_refused_is_decided_together_after_all_its_presses_are_kept() -> None:
    store = FailingStore()
    bench = Bench(store=store)
    hub = await bench.start()
    store.fails = lambda commit: ScriptedError("constraint") if len(commit.rows) > 1 else None
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(hub.run())
        await asyncio.gather(*(hub.submit(bench.alarm()) for _ in range(2)))
        await passes()
        assert len(store.commits) == 2
        assert isinstance(bench.engine.seen[-1], CasesGathered)
        hub.stop()
        await running
