"""The loop: batches, order, deadlines, marks, stopping."""

import asyncio
from datetime import timedelta

import pytest

from callhub.domain.events import DeadlineDue, PositionSeen, PresenceSaid
from callhub.domain.messages import Addressee, AddresseeKind
from callhub.domain.people import SYSTEM, Device, Elder, Position
from callhub.errors import StoreUnavailable
from callhub.store.base import Commit, Committed, DirectoryChange
from tests.unit.hub.scripted import START, STEP_S, Bench, FailingStore, passes

GW = Addressee(AddresseeKind.GATEWAY, "GW")


class HeldStore(FailingStore):
    """A store whose commits wait until ``go`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.go.set()
        self.entered = asyncio.Event()

    async def commit(self, commit: Commit) -> Committed:
        self.entered.set()
        await self.go.wait()
        return await super().commit(commit)


async def test_an_answer_comes_after_the_commit_that_holds_it(bench: Bench) -> None:
    answer = await bench.hub.submit(bench.alarm("a-1"))
    assert answer.incident is not None
    document = bench.store.incident(answer.incident)
    assert document is not None
    assert document.incident.version == 1
    assert document.incident.next_deadline is not None


async def test_what_arrives_together_is_one_commit_in_its_order(bench: Bench) -> None:
    alarms = [bench.alarm() for _ in range(50)]
    answers = await asyncio.gather(*(bench.hub.submit(alarm) for alarm in alarms))
    assert [answer.incident for answer in answers] == [alarm.id for alarm in alarms]
    assert len(bench.store.commits) == 1
    assert [row.incident for row in bench.store.commits[0].rows] == [alarm.id for alarm in alarms]


async def test_nothing_is_answered_or_announced_while_the_commit_is_under_way() -> None:
    store = HeldStore()
    bench = Bench(store=store)
    hub = await bench.start()
    following = hub.committed.subscribe()
    store.go.clear()
    store.entered.clear()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(hub.run())
        first = tasks.create_task(hub.submit(bench.alarm()))
        await store.entered.wait()
        later = tasks.create_task(hub.submit(bench.alarm()))
        news = tasks.create_task(following.next())
        await passes()
        assert not first.done()
        assert not news.done()
        store.go.set()
        await later
        announced = await news
        assert announced is not None
        assert announced.incidents == (first.result().incident,)
        assert len(store.commits) == 2  # one batch was under way, the other waited
        hub.stop()
        await running


async def test_the_second_event_of_a_batch_sees_the_answer_of_the_first(bench: Bench) -> None:
    first, second = await asyncio.gather(bench.hub.submit(bench.alarm("a-1")), bench.hub.submit(bench.alarm("a-1")))
    assert second.incident == first.incident
    assert second.body["duplicate"] is True
    assert len(bench.store.commits) == 1
    assert len(bench.store.commits[0].answers) == 1
    third = await bench.hub.submit(bench.alarm("a-1"))
    assert third.repeat
    assert third.incident == first.incident


async def test_device_and_elder_are_filled_in_by_one_lookup_for_the_batch(bench: Bench) -> None:
    change = DirectoryChange(elders=(Elder("E-1", "Li"),), devices=(Device("B-1", elder="E-1"),))
    await bench.store.commit(Commit(changes=(change,)))
    alarms = [bench.alarm(), bench.alarm(device="B-2")]
    await asyncio.gather(*(bench.hub.submit(alarm) for alarm in alarms))
    known, unknown, _ = bench.engine.seen
    assert known.elder.id == "E-1"  # type: ignore[attr-defined]  # an alarm
    assert unknown.device_record is None  # type: ignore[attr-defined]  # an alarm
    assert len(bench.store.lookups) == 1


async def test_a_refusal_is_an_answer_and_is_kept(bench: Bench) -> None:
    answer = await bench.hub.submit(bench.answer("r-1"))
    assert answer.code == "unknown_offer"
    (kept,) = bench.store.commits[0].answers
    assert kept.prior.refused
    assert kept.prior.fingerprint == "accept|o"


async def test_a_deadline_fires_when_it_is_due_and_not_before(bench: Bench) -> None:
    answer = await bench.hub.submit(bench.alarm())
    bench.clock.advance(STEP_S - 0.001)
    await passes()
    assert not [event for event in bench.engine.seen if isinstance(event, DeadlineDue)]
    bench.clock.advance(0.001)
    await passes()
    (row,) = bench.store.commits[1].rows
    assert row.incident == answer.incident
    assert row.at == START + timedelta(seconds=STEP_S)


async def test_an_earlier_deadline_wakes_the_loop_before_a_later_one(bench: Bench) -> None:
    await bench.hub.submit(bench.alarm())
    bench.clock.advance(10)
    await bench.hub.submit(bench.alarm())
    await passes()
    assert bench.clock.next_wake() == START + timedelta(seconds=STEP_S)


async def test_after_a_start_the_most_overdue_comes_first_and_before_presses() -> None:
    before = Bench()
    await before.start()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(before.hub.run())
        first = await before.hub.submit(before.alarm())
        before.clock.advance(1)
        second = await before.hub.submit(before.alarm())
        before.hub.stop()
        await running
    after = Bench(store=before.store)
    after.clock.advance(3600)
    hub = await after.start()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        press = tasks.create_task(hub.submit(after.alarm("late")))
        await asyncio.sleep(0)
        tasks.create_task(hub.run())
        await press
        hub.stop()
    assert [getattr(event, "incident", event.id) for event in after.engine.seen][:2] == [
        first.incident,
        second.incident,
    ]
    assert len(after.engine.seen) == 3


async def test_a_full_inbox_makes_the_submitter_wait_and_refuses_nothing() -> None:
    store = HeldStore()
    bench = Bench(store=store)
    hub = await bench.start(inbox_events_max=2)
    store.go.clear()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(hub.run())
        presses = [tasks.create_task(hub.submit(bench.alarm(f"p-{n}"))) for n in range(9)]
        store.entered.clear()
        await store.entered.wait()
        hub.notice(bench.link("V-1", up=True))  # always fits
        store.go.set()
        answers = [await press for press in presses]
        hub.stop()
        await running
    assert len({answer.incident for answer in answers}) == 9
    assert [row.incident for commit in store.commits for row in commit.rows] == [a.incident for a in answers]


async def test_marks_are_flushed_within_a_second_by_themselves(bench: Bench) -> None:
    bench.hub.mark_seen("device", "B-1")
    bench.hub.mark_device("B-1", {"battery": 0.5})
    bench.hub.mark_device("B-1", {"rssi": -70})
    bench.hub.notice(PositionSeen(id="p", actor=SYSTEM, responder="V-1", position=Position(39.0, 117.0)))
    await passes()
    assert not bench.store.commits
    bench.clock.advance(1)
    await passes()
    (commit,) = bench.store.commits
    assert commit.marks.seen == {("device", "B-1"): START}
    assert commit.marks.positions["V-1"][0] == Position(39.0, 117.0)
    assert bench.store.device_health("B-1") == {"battery": 0.5, "rssi": -70}


async def test_marks_go_along_with_a_commit(bench: Bench) -> None:
    bench.hub.mark_seen("gateway", "GW")
    await bench.hub.submit(bench.alarm())
    assert bench.store.commits[0].marks.seen == {("gateway", "GW"): START}
    bench.clock.advance(2)
    await passes()
    assert len(bench.store.commits) == 1


async def test_a_confirmation_reaches_no_further_than_what_was_given_out(bench: Bench) -> None:
    await bench.hub.submit(bench.alarm())
    bench.hub.confirm(GW, 1_000)
    await bench.hub.submit(bench.alarm())  # gives out another one, which nobody has confirmed
    assert bench.store.outbox_head(GW) == (1, 2)


async def test_stop_drains_and_commits_what_waits() -> None:
    bench = Bench()
    hub = await bench.start()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        presses = [tasks.create_task(hub.submit(bench.alarm())) for _ in range(3)]
        await asyncio.sleep(0)
        hub.mark_seen("gateway", "GW")
        hub.stop()
        await hub.run()
        for press in presses:
            assert (await press).incident is not None
    assert bench.store.seen_at("gateway", "GW") == START
    assert not hub.ready


async def test_after_the_end_nothing_is_taken_and_followers_end(bench: Bench) -> None:
    following = bench.hub.committed.subscribe()
    bench.hub.stop()
    with pytest.raises(StopAsyncIteration):
        await following.next()
    with pytest.raises(StoreUnavailable):
        await bench.hub.submit(bench.alarm())


async def test_a_submitter_that_goes_away_takes_nobody_along(bench: Bench) -> None:
    gone = asyncio.ensure_future(bench.hub.submit(bench.alarm("gone")))
    await asyncio.sleep(0)
    gone.cancel()
    answer = await bench.hub.submit(bench.alarm("stays"))
    assert answer.incident is not None
    assert (await bench.hub.submit(bench.alarm("gone"))).body["duplicate"] is True


async def test_who_is_on_duty_is_the_engines_word(bench: Bench) -> None:
    assert bench.hub.on_duty("V-1")
    assert not bench.hub.on_duty("V-2")


async def test_who_is_on_duty_is_told_only_once_it_is_durable() -> None:
    store = HeldStore()
    bench = Bench(store=store)
    hub = await bench.start()
    said = PresenceSaid(id=hub.new_id(), actor=SYSTEM, responder="V-2", available=True)
    store.go.clear()
    store.entered.clear()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(hub.run())
        presence = tasks.create_task(hub.submit(said))
        await store.entered.wait()
        assert not hub.on_duty("V-2")  # a read must not tell what a crash would undo
        assert hub.on_duty("V-1")
        store.go.set()
        await presence
        assert hub.on_duty("V-2")
        hub.stop()
        await running
