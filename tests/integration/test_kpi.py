"""Figures of a day through the real engine and loop, over restarts; and of a real server, over REST."""

import asyncio
import gc
import time
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from callhub.domain import facts as f
from callhub.domain.events import DutyMoved, OfferAnswered, OperatorActed
from callhub.domain.incident import Incident, Source
from callhub.domain.kpi import Wanted
from callhub.domain.people import SYSTEM, Actor, ActorKind, ResponderKind
from callhub.domain.policy import IncidentClass
from callhub.hub import Hub
from callhub.hub.kpi import recount
from callhub.store.base import Commit, Filter
from callhub.store.sqlite import SqliteStore
from tests.integration.test_hub import AREA, OPERATOR, START, Town
from tests.integration.web_house import House, serving

ZONE = ZoneInfo("Asia/Shanghai")
HELD_S_MAX = 0.02


class Day:
    """What people do on a day, drawn from a seed."""

    def __init__(self, town: Town, chance: Random) -> None:
        self.town = town
        self.chance = chance
        self.presses = 0

    async def hours(self, count: float) -> None:
        """So many hours: every few minutes somebody does something, and deadlines pass."""
        end = self.town.clock.now() + timedelta(hours=count)
        while self.town.clock.now() < end:
            pause_s = self.chance.choice([5, 20, 45, 100, 300, 900])
            await self.town.until(self.town.clock.now() + timedelta(seconds=pause_s))
            await self._something()

    def _open(self) -> list[Incident]:
        page = self.town.store.incidents(Filter(state="open"), 50, None)
        return [document.incident for document in page.items]

    async def _something(self) -> None:
        what = self.chance.choices([self._press, self._answer, self._move, self._act], [3, 6, 6, 4])[0]
        await what()

    async def _press(self) -> None:
        self.presses += 1
        device = f"B-{self.chance.randint(1, self.town.elders)}"
        kind = self.chance.choice(["sos", "sos", "fall"])
        await self.town.hub.submit(self.town.press(f"a-{self.presses}", device, kind))

    async def _answer(self) -> None:
        offers = [offer for incident in self._open() for offer in incident.live_offers]
        people = [offer for offer in offers if offer.kind is not ResponderKind.DESK]
        if not people:
            return
        offer = self.chance.choice(people)
        await self.town.hub.submit(OfferAnswered(
            id=self.town.hub.new_id(), actor=Actor(ActorKind.RESPONDER, offer.responder), offer=offer.id,
            accept=self.chance.random() < 0.6, responder=offer.responder,
        ))  # fmt: skip

    async def _move(self) -> None:
        duties = [(incident, duty) for incident in self._open() for duty in incident.live]
        if not duties:
            return
        incident, duty = self.chance.choice(duties)
        action = self.chance.choice(["en_route", "on_scene", "on_scene", "cleared", "release"])
        await self.town.hub.submit(DutyMoved(
            id=self.town.hub.new_id(), actor=Actor(ActorKind.RESPONDER, duty.responder), incident=incident.id,
            responder=duty.responder, action=action, fields={"outcome": "helped", "version": incident.version},
        ))  # fmt: skip

    async def _act(self) -> None:
        open_ = self._open()
        if not open_:
            return
        incident = self.chance.choice(open_)
        action = self.chance.choice(["take-over", "contact", "close", "close"])
        fields: dict[str, Any] = {"party": "elder", "result": "spoke_ok", "outcome": "helped", "reason": "well"}
        await self.town.hub.submit(OperatorActed(
            id=self.town.hub.new_id(), actor=OPERATOR, incident=incident.id, action=action, fields=fields,
            if_match=incident.version,
        ))  # fmt: skip


async def catch_up(hub: Hub, town: Town) -> None:
    """Let the live figures take in what the journal holds already."""
    running = asyncio.create_task(hub.kpi.run())
    while hub.kpi.seq < town.store.head()[1]:  # noqa: ASYNC110  # it reads as fast as it is let
        await asyncio.sleep(0)
    running.cancel()


async def live_and_cold(hub: Hub, town: Town, wanted: Wanted) -> tuple[dict[str, Any], dict[str, Any]]:
    """The figures both ways; the live ones have seen every commit themselves."""
    live, cold = await hub.kpi.report(wanted), await recount(town.store, wanted, hub.kpi.timezone)
    assert live.seq == cold.seq == town.store.head()[1]
    return live.figures, cold.figures


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_random_day_has_the_same_figures_live_and_counted_again(seed: int) -> None:
    town, chance = Town(elders=8), Random(seed)
    await town.settle_in()
    day = Day(town, chance)
    figures: dict[str, Any] = {}
    for _ in range(4):  # three restarts
        async with town.open() as hub:
            await catch_up(hub, town)
            await town.everybody_on_duty()
            await day.hours(chance.choice([2, 3, 4]))
            for wanted in (
                Wanted(START, START + timedelta(days=2)),
                Wanted(START + timedelta(hours=2), START + timedelta(hours=7), area=AREA[1]),
                Wanted(START, START + timedelta(days=2), class_=IncidentClass.SERVICE),
            ):
                live, cold = await live_and_cold(hub, town, wanted)
                assert live == cold
                figures = figures or live
            figures, _ = await live_and_cold(hub, town, Wanted(START, START + timedelta(days=2)))
    # A day on which something happened, or the comparison would say little.
    assert figures["incidents"] > 10
    assert figures["answered"]["count"] > 3
    assert figures["acceptance"]["count"] > 3
    assert figures["arrival"]["count"] > 1
    assert figures["first_time_delivery"]["of"] > 10
    assert figures["load"][0]["assignments"] > 3


async def test_figures_over_rest_survive_a_restart_and_keep_to_the_area(tmp_path: Path) -> None:
    async with asyncio.timeout(60):
        async with serving(tmp_path) as house:
            first = await house.press("BTN-1", "a-1")
            await house.press("BTN-2", "a-2", kind="smoke")
            await house.act(first, "contact", party="elder", result="spoke_ok")
            await house.act(first, "assign", responder="V-1", confirmed_by="telephone")
            await house.act(first, "on-scene", responder="V-1")
            period = {"from": "2026-01-01T00:00:00Z", "to": "2036-01-01T00:00:00Z"}
            before = await _figures(house.api, **period)
        async with serving(tmp_path) as house:
            after = await _figures(house.api, **period)
            live = await _live(house)
            cold = await _figures(house.api, **{"from": live["from"], "to": live["to"]})
            services = await _figures(house.api, **period, **{"class": "service"})
            grid = await _figures(house.api, **period, area="C1")
            elsewhere = await _figures(house.api, **period, area="S2")
            text = (await house.api.get("/metrics")).text
    emergency = _of_class(before, "emergency")
    assert emergency["incidents"] == 2
    assert emergency["answered"]["within_60_s"] == {"count": 1, "of": 1, "share": 1.0}
    assert (emergency["acceptance"]["count"], emergency["arrival"]["count"]) == (1, 1)
    assert [row["kind"] for row in before["by_kind"]][-2:] == ["smoke", "sos"]
    assert before["load"] == [{"kind": "volunteer", "asked": 1, "assignments": 1, "most": 1, "gini": 0.0}]
    assert _of_class(after, "emergency")["arrival"] == emergency["arrival"]
    for each in (live, cold):
        each.pop("source")
    assert live == cold
    assert (services["incidents"], grid["incidents"], elsewhere["incidents"]) == (0, 2, 0)
    assert grid["by_area"][0]["area"] is None
    assert 'callhub_kpi_incidents{class="emergency"} 2.0' in text
    assert 'callhub_kpi_answered_share{class="emergency",within_s="60"} 1.0' in text
    assert "callhub_kpi_rows_behind 0.0" in text


async def _figures(client: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    answer = await client.get("/api/v1/reports/kpi", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def _live(house: House) -> dict[str, Any]:
    """The live figures once they have caught up after the start."""
    while "callhub_kpi_rows_behind 0.0" not in (await house.api.get("/metrics")).text:  # noqa: ASYNC110  # a remote peer
        await asyncio.sleep(0.01)
    return await _figures(house.api, source="live")


def _of_class(body: dict[str, Any], name: str) -> dict[str, Any]:
    (row,) = (row for row in body["by_class"] if row["class"] == name)
    return dict(row)


async def test_counting_a_long_journal_again_does_not_hold_up_the_loop(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "callhub.db")
    await store.open()
    for begin in range(0, 2000, 500):
        rows = [row for n in range(begin, begin + 500) for row in _story(n)]
        await store.commit(Commit(rows=rows))
    held_s: list[float] = []

    async def watch() -> None:
        while True:
            # Time of this process alone: whoever else uses the machine does not count.
            began_s = time.process_time()
            await asyncio.sleep(0.001)
            held_s.append(time.process_time() - began_s)

    gc.collect()
    gc.freeze()  # as a server does once it is ready
    try:
        watching = asyncio.create_task(watch())
        counted = await recount(store, Wanted(START, START + timedelta(days=30)), ZONE)
        watching.cancel()
    finally:
        gc.unfreeze()
    await store.close()
    assert (counted.seq, counted.figures["incidents"]) == (8000, 2000)
    assert len(held_s) > 20
    assert max(held_s) < HELD_S_MAX


def _story(n: int) -> list[f.Row]:
    id, begin = f"I-{n:05}", START + timedelta(seconds=60 * n)
    opened = f.IncidentOpened(
        number=n, class_=IncidentClass.EMERGENCY, kind="sos", urgency=1, source=Source.DEVICE, policy="p", needed=1,
        area=AREA,
    )  # fmt: skip
    passed = tuple({"responder": f"V-{m}", "reason": "busy", "distance_m": 100 * m} for m in range(20))
    ranked = f.Ranked(step=0, chosen=passed[:7], passed_over=passed)
    later = begin + timedelta(seconds=40)
    facts: list[tuple[f.Fact, ...]] = [
        (opened, ranked),
        tuple(
            f.OfferMade(offer=f"{id}-{m}", responder=f"V-{m}", kind=ResponderKind.VOLUNTEER, step=0, respond_by=later)
            for m in range(3)
        ),
        (
            f.OfferAccepted(offer=f"{id}-1"),
            f.Assigned(assignment=f"{id}-a1", responder="V-1", slot=1, arrive_by=later),
        ),
        (ranked,),
    ]
    return [
        f.Row(id, version, begin + timedelta(seconds=10 * version), "event", SYSTEM, each)
        for version, each in enumerate(facts, start=1)
    ]
