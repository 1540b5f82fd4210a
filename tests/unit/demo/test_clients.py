"""Goal: simulated people do what real ones would, and say it as the protocol has it. Method: a scripted server, and a
clock that moves when the test says so."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from callhub.clock import ManualClock
from callhub.demo import clients
from callhub.demo.clients import App, Gateway
from callhub.demo.rows import ResponderRow
from callhub.lab.behaviour import Behaviour
from tests.unit.demo.scripted import (
    APP_WELCOME,
    GATEWAY_WELCOME,
    ScriptedServer,
    hear,
    heard,
    pass_time,
    scripted_server,
    tell,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from websockets.asyncio.server import ServerConnection

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
PERSON = ResponderRow(
    "V-1", "王建国", "volunteer", "G-1", 39.08, 117.22, "022-03", (), 1, "", ("app",), "zh", active=True
)
YES = Behaviour(accepts=1.0, declines=0.0, answer_delay_s=8, turnout_s=100, turnout_night_s=140)
NO = Behaviour(accepts=0.0, declines=1.0, answer_delay_s=8, turnout_s=100, turnout_night_s=140)
SILENT = Behaviour(accepts=0.0, declines=0.0, answer_delay_s=8, turnout_s=100, turnout_night_s=140)
CARDS = {"022-01": "CARD-7"}
OFFER = {"type": "offer", "offer": "i-1-1", "incident": "i-1", "distance_m": 230, "reminder": False}
WAY_M = 0.001 * 111_195


class Fate(random.Random):
    """Chance that always falls on the same side: nobody releases, everybody gets in."""

    def random(self) -> float:
        return 0.5


def assignment(**fields: Any) -> dict[str, Any]:
    return {
        "type": "assignment",
        "incident": "i-1",
        "state": "assigned",
        "version": 4,
        "go_to": {"address": "3-2-101", "position": {"lat": 39.081, "lon": 117.22}},
        "elder": {"name": "李桂英", "phone": "022-01"},
        **fields,
    }


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def present(
    server: ScriptedServer, clock: ManualClock, behaviour: Behaviour, rng: random.Random | None = None
) -> AsyncIterator[ServerConnection]:
    """The link of an app that is connected and has said that it is there."""
    app = App(PERSON, behaviour, server.door, "token-1", clock, rng or Fate(), CARDS)
    async with running(app.run()):
        link = await server.welcomed(APP_WELCOME)
        presence = await heard(link, "presence")
        assert presence["available"] is True
        assert presence["position"] == {"lat": 39.08, "lon": 117.22}
        yield link


async def offered(link: ServerConnection, seq: int = 1, **fields: Any) -> None:
    await tell(link, {**OFFER, "seq": seq, **fields})
    assert await hear(link) == {"type": "received", "seq": seq}


async def assigned(link: ServerConnection, seq: int = 2, **fields: Any) -> None:
    await tell(link, {**assignment(**fields), "seq": seq})
    assert await hear(link) == {"type": "received", "seq": seq}


async def test_somebody_who_says_yes_comes_helps_and_says_so() -> None:
    clock = ManualClock(NOON)
    async with scripted_server() as server, present(server, clock, YES) as link:
        await offered(link)
        assert await pass_time(clock) == 8
        assert (await heard(link, "accept"))["offer"] == "i-1-1"
        await assigned(link)
        assert await pass_time(clock) == 100
        assert (await heard(link, "en_route"))["incident"] == "i-1"
        assert await pass_time(clock) == pytest.approx(WAY_M * 1.3 / 1.8, abs=0.1)
        assert (await heard(link, "on_scene"))["proof"] == {"card": "CARD-7"}
        low, high = clients.HELP_S
        assert low <= await pass_time(clock) <= high
        cleared = await heard(link, "cleared")
        assert (cleared["version"], cleared["outcome"] in clients.OUTCOMES) == (4, True)


async def test_turning_out_takes_longer_at_night() -> None:
    clock = ManualClock(datetime(2026, 11, 24, 15, 0, tzinfo=UTC))  # 23:00 in Tianjin
    async with scripted_server() as server, present(server, clock, YES) as link:
        await assigned(link)
        assert await pass_time(clock) == 140


async def test_somebody_who_cannot_come_declines_with_a_reason() -> None:
    clock = ManualClock(NOON)
    async with scripted_server() as server, present(server, clock, NO) as link:
        await offered(link)
        await pass_time(clock)
        assert (await heard(link, "decline"))["reason"] in clients.REASONS


async def test_silence_is_silence_and_a_reminder_rings_again_but_a_repeat_does_not() -> None:
    clock = ManualClock(NOON)
    async with scripted_server() as server, present(server, clock, SILENT) as link:
        await offered(link)
        await pass_time(clock)
        await offered(link, seq=2)
        assert clock.next_wake() is None
        await offered(link, seq=3, reminder=True)
        assert await pass_time(clock) == 8


async def test_somebody_on_the_way_declines_what_else_comes() -> None:
    clock = ManualClock(NOON)
    async with scripted_server() as server, present(server, clock, YES) as link:
        await assigned(link, seq=1)
        await offered(link, seq=2, offer="i-2-1", incident="i-2")
        await pass_time(clock)
        assert (await heard(link, "decline"))["reason"] == "busy"


async def test_a_stand_down_stops_the_answer_and_the_way() -> None:
    clock = ManualClock(NOON)
    async with scripted_server() as server, present(server, clock, YES) as link:
        await offered(link)
        stand_down = {"type": "stand_down", "offer": "i-1-1", "incident": "i-1", "reason": "filled"}
        await tell(link, {**stand_down, "seq": 2})
        assert (await hear(link))["seq"] == 2
        await assigned(link, seq=3)
        await tell(link, {**stand_down, "seq": 4, "reason": "closed"})
        assert (await hear(link))["seq"] == 4
        clock.advance(3600)
        await offered(link, seq=5, offer="i-2-1", incident="i-2")
        await pass_time(clock)
        assert (await heard(link, "accept"))["offer"] == "i-2-1"  # free again, and nothing was said before


async def test_who_is_released_goes_home() -> None:
    clock = ManualClock(NOON)
    async with scripted_server() as server, present(server, clock, YES) as link:
        await assigned(link, seq=1)
        await tell(link, {"type": "update", "seq": 2, "incident": "i-1", "what": "released", "version": 6})
        assert (await hear(link))["seq"] == 2
        clock.advance(3600)
        await offered(link, seq=3, offer="i-2-1")
        await pass_time(clock)
        assert (await hear(link))["type"] == "accept"


async def test_another_alarm_that_joined_is_looked_at_before_clearing_again() -> None:
    clock = ManualClock(NOON)
    async with scripted_server() as server, present(server, clock, YES) as link:
        await assigned(link, state="on_scene")
        await pass_time(clock)
        first = await hear(link)
        await tell(link, {"type": "update", "seq": 3, "incident": "i-1", "what": "alarm_joined", "version": 9})
        assert (await hear(link))["seq"] == 3
        await tell(link, {"type": "error", "id": first["id"], "code": "conflict", "message": ""})
        assert await pass_time(clock) == clients.CLEAR_AGAIN_S
        second = await heard(link, "cleared")
        assert (first["version"], second["version"]) == (4, 9)
        assert second["id"] != first["id"]


async def test_some_have_to_give_it_back() -> None:
    class Unlucky(random.Random):
        def random(self) -> float:
            return clients.RELEASES / 2

    clock = ManualClock(NOON)
    async with scripted_server() as server, present(server, clock, YES, Unlucky()) as link:
        await assigned(link)
        await pass_time(clock)
        await heard(link, "en_route")
        assert (await heard(link, "release"))["reason"]


async def test_what_the_server_says_at_a_new_link_is_the_truth() -> None:
    clock = ManualClock(NOON)
    async with scripted_server() as server, present(server, clock, YES) as first:
        await assigned(first)
        await first.close(4000)
        second = await server.welcomed(
            {**APP_WELCOME, "assignments": [assignment(incident="i-2", state="en_route", go_to=None)]}
        )
        await heard(second, "presence")
        expected_s = clients.UNKNOWN_WAY_M * 1.3 / 1.8
        assert await pass_time(clock) == pytest.approx(expected_s, abs=0.1)  # on the way to i-2; i-1 is forgotten
        assert (await heard(second, "on_scene"))["incident"] == "i-2"


async def test_an_app_that_is_sent_away_ends_with_all_it_was_about_to_do() -> None:
    clock = ManualClock(NOON)
    async with scripted_server() as server:
        app = App(PERSON, YES, server.door, "token-1", clock, Fate(), CARDS)
        async with running(app.run()) as task:
            link = await server.welcomed(APP_WELCOME)
            await heard(link, "presence")
            await offered(link)
            await assigned(link)
            await link.close(4100)
            async with asyncio.timeout(10):
                await task


async def test_a_gateway_passes_presses_on_with_ids_of_their_own() -> None:
    clock = ManualClock(NOON)
    async with scripted_server() as server:
        gateway = Gateway("GW-01", server.door, "token-1", clock, random.Random(1), speed=20)
        async with running(gateway.run()):
            link = await server.welcomed(GATEWAY_WELCOME)
            async with asyncio.timeout(10):
                await gateway.welcomed.wait()
            presses = [asyncio.create_task(gateway.press("BTN-1", "sos")) for _ in range(2)]
            alarms = [await hear(link) for _ in presses]
            assert alarms[0]["id"] != alarms[1]["id"]
            assert {(a["type"], a["device"], a["kind"], a["at"]) for a in alarms} == {
                ("alarm", "BTN-1", "sos", "2026-11-24T04:00:00+00:00")
            }
            for alarm in alarms:
                await tell(link, {"type": "receipt", "id": alarm["id"], "incident": "i-1"})
            async with asyncio.timeout(10):
                assert [(await press)["incident"] for press in presses] == ["i-1", "i-1"]
