"""Goal: something is seen at once, and then presses come as often as they should. Method: gateways that count."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from callhub.clock import ManualClock
from callhub.demo import elders
from callhub.demo.elders import Elders
from callhub.demo.town import make_town, read_areas
from tests.unit.demo.scripted import pass_time

if TYPE_CHECKING:
    import pytest

    from callhub.demo.clients import Gateway

AREAS = read_areas(Path(__file__).resolve().parents[3] / "config" / "hexi" / "areas.csv")
TOWN = make_town(AREAS, random.Random(3), elders=60, responders=20)


class Counting:
    """Every gateway of the town; gives a receipt at once."""

    def __init__(self) -> None:
        self.presses: list[tuple[str, str]] = []
        self.pressed = asyncio.Event()

    async def press(self, device: str, kind: str) -> dict[str, str]:
        self.presses.append((device, kind))
        self.pressed.set()
        return {"incident": f"i-{len(self.presses)}"}


async def test_the_first_press_is_an_emergency_within_a_moment_of_real_time() -> None:
    gateway = Counting()
    gateways = {device.gateway: cast("Gateway", gateway) for device in TOWN.devices}
    all_of_them = Elders(TOWN, gateways, ManualClock(datetime(2026, 11, 24, tzinfo=UTC)), random.Random(1))
    task = asyncio.create_task(all_of_them.run())
    async with asyncio.timeout(elders.FIRST_PRESS_S_MAX + 5):
        await all_of_them.pressed.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [kind for _, kind in gateway.presses] == ["sos"]


def test_apps_connect_in_the_order_of_their_distance_to_the_first_press() -> None:
    first = Elders(TOWN, {}, ManualClock(datetime(2026, 11, 24, tzinfo=UTC)), random.Random(1))
    people = first.nearest_first([person for person in TOWN.responders if person.lat is not None])
    home = min(TOWN.elders, key=lambda elder: elders._apart(elder, people[0]))
    away = [elders._apart(home, person) for person in people]
    assert away == sorted(away)
    assert len(people) == 20


async def test_then_they_press_at_random_at_the_rate_of_the_demos_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elders, "FIRST_PRESS_S_MAX", 0.0)
    gateway = Counting()
    gateways = {device.gateway: cast("Gateway", gateway) for device in TOWN.devices}
    clock = ManualClock(datetime(2026, 11, 24, tzinfo=UTC))
    task = asyncio.create_task(Elders(TOWN, gateways, clock, random.Random(1)).run())
    async with asyncio.timeout(30):
        while clock.elapsed_s() < 3600:
            await pass_time(clock)
            for _ in range(3):  # a press that is due is made before the next one is waited for
                await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    expected = elders.PRESSES_PER_MINUTE * 60 * (1 + elders.PRESSES_AGAIN)
    assert 0.75 * expected < len(gateway.presses) < 1.25 * expected
    kinds = [kind for _, kind in gateway.presses]
    assert set(kinds) <= set(elders.KINDS)
    assert kinds.count("sos") > len(kinds) * 0.4
    assert {device for device, _ in gateway.presses} <= {device.id for device in TOWN.devices}
