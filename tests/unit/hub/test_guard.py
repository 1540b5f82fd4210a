"""Our own exception and the store's refusal: no alarm is lost, nothing loops, everybody else goes on."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from callhub.domain import facts as f
from callhub.domain.events import (
    AlarmRaised,
    CallTaken,
    DeadlineDue,
    DirectoryUpdated,
    Event,
    FrameFaulty,
    LinkChanged,
    WatchersChanged,
)
from callhub.domain.incident import IncidentState, Source
from callhub.domain.people import SYSTEM, Device, Elder, Position
from callhub.domain.policy import policy_key
from callhub.errors import StoreRefused, StoreUnavailable
from callhub.hub.deadlines import POSTPONED_S
from callhub.store.base import Commit, DirectoryChange, Need
from tests.unit.hub.conftest import LIMIT_S
from tests.unit.hub.scripted import GATEWAY, LADDER, START, STEP_S, Bench, Due, ScriptedError, passes

POISON = "B-poison"


def poisoned(event: Event) -> bool:
    return isinstance(event, AlarmRaised) and event.device == POISON


def poisoned_commit(commit: Commit) -> Exception | None:
    """Refuse any commit with a row that the engine made of the poisoned device's alarm."""
    for row in commit.rows:
        for fact in row.facts:
            if isinstance(fact, f.IncidentOpened) and fact.device == POISON and fact.reason is None:
                return StoreRefused("a constraint")
    return None


async def test_a_poisoned_alarm_becomes_unanswered_and_every_other_goes_on(bench: Bench) -> None:
    bench.engine.fails = poisoned
    change = DirectoryChange(
        elders=(Elder("E-1", "Li", area=("D", "S"), position=Position(39.0, 117.0), address="3 Fuyuan Li"),),
        devices=(Device(POISON, elder="E-1"),),
    )
    await bench.store.commit(Commit(changes=(change,)))
    alarms = [bench.alarm(), bench.alarm(device=POISON, kind="fall", raw='{"device":"\ud800"}'), bench.alarm()]
    answers = await asyncio.gather(*(bench.hub.submit(alarm) for alarm in alarms))
    assert answers[1].code is None
    assert answers[1].body == {
        "incident": alarms[1].id,
        "duplicate": False,
        "id_reused": False,
        "device_known": True,
        "ignored": [],
    }
    document = bench.store.incident(alarms[1].id)
    assert document is not None
    incident = document.incident
    assert incident.state is IncidentState.UNANSWERED
    assert (incident.kind, incident.class_, incident.reason) == ("fall", LADDER.class_, "engine_error")
    assert (incident.elder, incident.area, incident.number) == ("E-1", ("D", "S"), 2)
    assert incident.next_deadline is not None
    assert incident.next_deadline.at == START + timedelta(seconds=LADDER.repeat_s)
    assert document.places.home == Position(39.0, 117.0)
    assert incident.alarms[0].id == alarms[1].alarm
    (row,) = (row for _, row in bench.store.rows(alarms[1].id))
    assert next(fact for fact in row.facts if isinstance(fact, f.AlarmRecorded)).raw == '{"device":"\\ud800"}'
    others = [bench.store.incident(alarms[n].id) for n in (0, 2)]
    assert [other and other.incident.state for other in others] == [IncidentState.SEEKING] * 2
    assert bench.engine.incident(alarms[1].id) == incident  # the engine has it too
    assert bench.store.verify().flaws == ()


async def test_a_poisoned_alarm_sent_again_is_a_duplicate(bench: Bench) -> None:
    bench.engine.fails = poisoned
    first = await bench.hub.submit(bench.alarm("p-1", device=POISON))
    again = await bench.hub.submit(bench.alarm("p-1", device=POISON))
    assert again.incident == first.incident
    assert again.body["duplicate"] is True
    other = await bench.hub.submit(bench.alarm("p-1", device=POISON, kind="fall"))
    assert other.incident != first.incident
    assert other.body["id_reused"] is True


async def test_a_poisoned_alarm_without_a_time_is_new_once_the_first_is_long_over(bench: Bench) -> None:
    bench.engine.fails = poisoned
    first = await bench.hub.submit(bench.alarm("p-1", device=POISON))
    bench.engine.restore(await bench.store.load(), START)
    bench.engine._incidents.pop(first.incident or "")  # over, and forgotten
    bench.clock.advance(601)
    later = await bench.hub.submit(bench.alarm("p-1", device=POISON))
    assert later.incident != first.incident


@pytest.mark.parametrize("kind", ["sos", "nonsense"])
async def test_a_call_that_breaks_the_engine_is_recorded_as_a_call(bench: Bench, kind: str) -> None:
    bench.engine.fails = lambda event: isinstance(event, CallTaken)
    call = CallTaken(id=bench.hub.new_id(), actor=SYSTEM, source="operator", kind=kind, text="she fell")
    answer = await bench.hub.submit(call)
    document = bench.store.incident(answer.incident or "")
    assert document is not None
    assert document.incident.source is Source.OPERATOR
    assert document.incident.state is IncidentState.UNANSWERED
    assert document.incident.kind == ("sos" if kind == "sos" else "unknown")


async def test_a_frame_that_wants_help_gets_its_error_and_an_incident(bench: Bench) -> None:
    bench.engine.fails = lambda event: isinstance(event, FrameFaulty)
    faulty = FrameFaulty(
        id=bench.hub.new_id(), actor=GATEWAY, gateway="GW", wants_help=True, code="invalid_message",
        field_name="device", raw="{",
    )  # fmt: skip
    answer = await bench.hub.submit(faulty)
    assert answer.code == "invalid_message"
    assert answer.body["field"] == "device"
    assert bench.store.incident(faulty.id) is not None
    other = FrameFaulty(id=bench.hub.new_id(), actor=GATEWAY, gateway="GW", wants_help=False, code="unknown_type")
    assert (await bench.hub.submit(other)).code == "internal"


async def test_anything_else_gets_internal_and_is_not_kept(bench: Bench) -> None:
    bench.engine.fails = lambda _: True
    answer = await bench.hub.submit(bench.answer("r-1"))
    assert answer.code == "internal"
    assert bench.store.commits == []
    bench.engine.fails = lambda _: False
    assert (await bench.hub.submit(bench.answer("r-1"))).code == "unknown_offer"


async def test_a_deadline_that_breaks_the_engine_makes_its_incident_unanswered(bench: Bench) -> None:
    answer = await bench.hub.submit(bench.alarm())
    bench.engine.fails = lambda event: isinstance(event, DeadlineDue)
    bench.clock.advance(STEP_S)
    await passes()
    document = bench.store.incident(answer.incident or "")
    assert document is not None
    assert document.incident.state is IncidentState.UNANSWERED
    assert set(document.incident.deadlines) == {"repeat"}
    assert document.incident.deadlines["repeat"].at == bench.clock.now() + timedelta(seconds=LADDER.repeat_s)
    assert len([event for event in bench.engine.seen if isinstance(event, DeadlineDue)]) == 1
    bench.clock.advance(LADDER.repeat_s)  # and again, never silent
    await passes()
    again = bench.store.incident(answer.incident or "")
    assert again is not None
    assert again.incident.deadlines["repeat"].at == bench.clock.now() + timedelta(seconds=LADDER.repeat_s)
    assert bench.store.verify().flaws == ()


async def test_a_deadline_that_changes_nothing_is_not_tried_for_ever(bench: Bench) -> None:
    answer = await bench.hub.submit(bench.alarm())
    bench.engine.ignores.add(answer.incident or "")
    bench.clock.advance(STEP_S)
    await passes()
    document = bench.store.incident(answer.incident or "")
    assert document is not None
    assert document.incident.state is IncidentState.UNANSWERED
    assert len([event for event in bench.engine.seen if isinstance(event, DeadlineDue)]) == 1


async def test_a_timer_that_breaks_the_engine_is_postponed_and_holds_nothing_up(bench: Bench) -> None:
    bench.engine.timer = Due(START, "", "duty:V-1")
    bench.engine.fails = lambda event: isinstance(event, DeadlineDue) and event.key is not None
    answer = await bench.hub.submit(bench.alarm())
    await passes()
    tries = len([event for event in bench.engine.seen if isinstance(event, DeadlineDue)])
    assert tries <= 2
    for _ in range(int(STEP_S)):
        bench.clock.advance(1)
        await passes()
    document = bench.store.incident(answer.incident or "")
    assert document is not None
    assert document.incident.version == 2  # its own deadline fired meanwhile
    assert len([e for e in bench.engine.seen if isinstance(e, DeadlineDue) and e.key]) == tries


async def test_a_timer_that_broke_the_engine_has_another_chance_after_a_minute(bench: Bench) -> None:
    bench.engine.timer = Due(START, "", "duty:V-1")
    bench.engine.fails = lambda event: isinstance(event, DeadlineDue) and event.key is not None
    await bench.hub.submit(bench.alarm())
    await passes()
    tried = [event for event in bench.engine.seen if isinstance(event, DeadlineDue) and event.key]
    for _ in range(3):
        bench.clock.advance(POSTPONED_S)
        await passes()
        again = [event for event in bench.engine.seen if isinstance(event, DeadlineDue) and event.key]
        assert len(again) > len(tried)
        tried = again


async def test_a_refused_batch_is_tried_one_by_one(bench: Bench) -> None:
    bench.store.fails = poisoned_commit
    alarms = [bench.alarm(), bench.alarm(device=POISON), bench.alarm()]
    answers = await asyncio.gather(*(bench.hub.submit(alarm) for alarm in alarms))
    assert [answer.incident for answer in answers] == [alarm.id for alarm in alarms]
    assert len(bench.store.commits) == 3
    documents = [bench.store.incident(alarm.id) for alarm in alarms]
    assert [document and document.incident.reason for document in documents] == [None, "engine_error", None]
    assert bench.hub.ready
    assert bench.store.verify().flaws == ()


async def test_what_is_refused_alone_and_asks_for_no_help_gets_internal(bench: Bench) -> None:
    bench.store.fails = lambda commit: ScriptedError("bytes") if commit.answers else None
    assert (await bench.hub.submit(bench.answer("r-1"))).code == "internal"


async def test_a_lookup_that_fails_does_not_lose_the_alarm(bench: Bench) -> None:
    def fails(need: Need) -> Exception | None:
        return ScriptedError("lookup") if POISON in need.devices else None

    bench.store.lookup_fails = fails
    good, bad = bench.alarm(), bench.alarm(device=POISON)
    await asyncio.gather(bench.hub.submit(good), bench.hub.submit(bad))
    documents = [bench.store.incident(alarm.id) for alarm in (good, bad)]
    assert [document and document.incident.reason for document in documents] == [None, "engine_error"]


async def test_an_engine_that_cannot_adopt_is_made_anew_from_what_was_committed(bench: Bench) -> None:
    bench.engine.fails = poisoned
    restarts = bench.engine.restarts
    bench.engine.adopts = False
    alarm = bench.alarm(device=POISON)
    answer = await bench.hub.submit(alarm)
    assert answer.incident == alarm.id
    await passes()
    assert bench.engine.restarts == restarts + 1
    assert bench.engine.incident(alarm.id) is not None


async def test_while_the_store_is_away_everybody_waits_and_nothing_is_lost(bench: Bench) -> None:
    away = True
    bench.store.fails = lambda _: StoreUnavailable("disk") if away else None
    bench.store.load_fails = [StoreUnavailable("disk")]
    press = asyncio.ensure_future(bench.hub.submit(bench.alarm()))
    for _ in range(5):
        await passes()
        assert not press.done()
        bench.clock.advance(2)
    assert not bench.hub.ready or bench.store.commits == []
    away = False
    for _ in range(5):
        await passes()
        bench.clock.advance(2)
    answer = await press
    assert bench.store.incident(answer.incident or "") is not None
    assert len(bench.store.commits) == 1
    assert bench.hub.ready


async def test_readiness_waits_for_the_store(bench: Bench) -> None:
    bench.store.fails = lambda _: StoreUnavailable("disk")
    bench.store.load_fails = [StoreUnavailable("disk")] * 3
    press = asyncio.ensure_future(bench.hub.submit(bench.alarm()))
    await passes()
    assert not bench.hub.ready
    bench.store.fails = lambda _: None
    async with asyncio.timeout(LIMIT_S):
        while not press.done():
            await passes()
            bench.clock.advance(2)
    assert bench.hub.ready


async def test_links_and_watchers_are_told_again_to_an_engine_made_anew(bench: Bench) -> None:
    for event in (bench.link("V-1", True), bench.link("V-2", True), bench.link("V-2", False), bench.watch("w", True)):
        bench.hub.notice(event)
    await passes()
    bench.engine.seen.clear()
    bench.store.fails = lambda commit: StoreRefused("no") if commit.answers and not bench.engine.seen[1:] else None
    await bench.hub.submit(bench.alarm())
    await passes()
    told = [event for event in bench.engine.seen if isinstance(event, LinkChanged | WatchersChanged)]
    assert [getattr(event, "responder", getattr(event, "user", None)) for event in told] == ["V-1", "w"]


async def test_marks_that_are_refused_are_dropped_and_nothing_else(bench: Bench) -> None:
    bench.store.fails = lambda commit: StoreRefused("mark") if commit.marks.seen else None
    bench.hub.mark_seen("device", "nobody")
    answer = await bench.hub.submit(bench.alarm())
    assert answer.incident is not None
    bench.clock.advance(2)
    await passes()
    bench.store.fails = lambda _: None
    await bench.hub.submit(bench.alarm())
    assert bench.store.seen_at("device", "nobody") is None


async def test_what_not_even_the_minimal_path_can_store_gets_internal_and_holds_nobody_up(bench: Bench) -> None:
    def refuses_all_of_it(commit: Commit) -> Exception | None:
        opened = [fact for row in commit.rows for fact in row.facts if isinstance(fact, f.IncidentOpened)]
        return StoreRefused("never") if any(fact.device == POISON for fact in opened) else None

    bench.store.fails = refuses_all_of_it
    with capture_logs() as logs:
        bad, good = await asyncio.gather(
            bench.hub.submit(bench.alarm(device=POISON)), bench.hub.submit(bench.alarm())
        )  # fmt: skip
    assert bad.code == "internal"
    assert good.code is None
    assert [entry["event"] for entry in logs if entry["log_level"] == "critical"] == ["event_not_recorded"]


async def test_new_ladders_hold_for_the_minimal_path_too(bench: Bench) -> None:
    slower = replace(LADDER, repeat_s=90)
    change = DirectoryChange(policies=(slower,))
    updated = DirectoryUpdated(id=bench.hub.new_id(), actor=SYSTEM, what="policies", policies=(slower,), change=change)
    assert (await bench.hub.submit(updated)).code is None
    bench.engine.fails = poisoned
    answer = await bench.hub.submit(bench.alarm(device=POISON))
    document = bench.store.incident(answer.incident or "")
    assert document is not None
    assert document.incident.policy == policy_key(slower)
    assert document.incident.deadlines["repeat"].at == START + timedelta(seconds=90)
    bench.engine.fails = lambda event: isinstance(event, DeadlineDue)
    bench.clock.advance(90)
    await passes()
    again = bench.store.incident(answer.incident or "")
    assert again is not None
    assert again.incident.deadlines["repeat"].at == START + timedelta(seconds=180)


async def test_a_directory_change_that_breaks_the_engine_changes_nothing(bench: Bench) -> None:
    bench.engine.fails = lambda event: isinstance(event, DirectoryUpdated)
    following = bench.hub.committed.subscribe()
    change = DirectoryChange(elders=(Elder("E-9", "Li"),))
    updated = DirectoryUpdated(
        id=bench.hub.new_id(), actor=SYSTEM, what="import", change=change, revoked=(("gateway", "GW"),)
    )
    assert (await bench.hub.submit(updated)).code == "internal"
    assert bench.store.person("elders", "E-9") is None
    bench.hub.committed.close()
    assert [said async for said in following] == []


async def test_when_the_hub_is_cancelled_nobody_waits_for_ever() -> None:
    bench = Bench()
    hub = await bench.start()
    bench.store.fails = lambda _: StoreUnavailable("disk")
    bench.store.load_fails = [StoreUnavailable("disk")] * 100
    async with asyncio.timeout(LIMIT_S):
        running = asyncio.ensure_future(hub.run())
        under_way = asyncio.ensure_future(hub.submit(bench.alarm()))
        await passes()
        waiting = asyncio.ensure_future(hub.submit(bench.alarm()))
        await passes()
        running.cancel()
        for submitted in (under_way, waiting):
            with pytest.raises(StoreUnavailable):
                await submitted
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_case_that_can_be_neither_replayed_nor_held_stops_nobody(bench: Bench) -> None:
    lost = await bench.hub.submit(bench.alarm())
    bench.engine.lost = (lost.incident or "", "never there")
    refused = iter([ScriptedError("refused")])
    bench.store.fails = lambda _: next(refused, None)
    answer = await bench.hub.submit(bench.alarm())
    assert answer.incident is not None
    assert bench.store.incident(answer.incident) is not None
    assert bench.engine.held == [lost.incident]
