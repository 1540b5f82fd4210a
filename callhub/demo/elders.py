"""Who presses, when, and for what."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from callhub.demo.clients import pause
from callhub.logs import get_logger

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

    from callhub.clock import Clock
    from callhub.demo.clients import Gateway
    from callhub.demo.rows import DeviceRow, ElderRow, ResponderRow
    from callhub.demo.town import Town

PRESSES_PER_MINUTE = 3.0
"""Of the demo's time, on average. Far more than 3,000 elders press: something is to be seen."""

FIRST_PRESS_S_MAX = 1.0
"""Longest wait for the first press, real seconds: nobody wants to look at an empty screen."""

KINDS: Mapping[str, float] = {
    "sos": 55,
    "fall": 12,
    "medical": 10,
    "inactivity": 4,
    "smoke": 3,
    "gas": 1,
    "door": 2,
    "meal": 5,
    "medical_visit": 3,
    "cleaning": 2,
    "bathing": 1,
    "visit": 2,
}
"""What is wanted, by weight. Assumed; on platforms that count, most calls are presses, and many are no emergency."""

PRESSES_AGAIN = 0.1
"""Share who press a second time while they wait. Assumed."""
PRESSES_AGAIN_S = (40.0, 180.0)

log = get_logger(__name__)


class Elders:
    """All elders of the town at their buttons. ``pressed`` is set once the first press has its receipt.

    Args:
        town: Who they are.
        gateways: Connected, by id.
        clock: The demo's.
        rng: Theirs alone.
    """

    def __init__(self, town: Town, gateways: Mapping[str, Gateway], clock: Clock, rng: random.Random) -> None:
        self._devices = town.devices
        self._home, self._first = _well_placed(town)
        self.pressed = asyncio.Event()
        self._gateways = gateways
        self._clock = clock
        self._rng = rng
        self._waiting: set[str] = set()

    async def run(self) -> None:
        """Press at random, for ever; the first press comes within ``FIRST_PRESS_S_MAX`` of real time."""
        async with asyncio.TaskGroup() as tasks:
            await asyncio.sleep(self._rng.uniform(0.3, 1.0) * FIRST_PRESS_S_MAX)
            tasks.create_task(self._press(self._first, "sos"))
            while True:
                await pause(self._clock, self._rng.expovariate(PRESSES_PER_MINUTE / 60))
                device = self._rng.choice(self._devices)
                if device.id not in self._waiting:
                    [kind] = self._rng.choices(list(KINDS), list(KINDS.values()))
                    tasks.create_task(self._press(device, kind))

    def nearest_first(self, people: Iterable[ResponderRow]) -> list[ResponderRow]:
        """In the order of their distance to the home of the first press."""
        return sorted(people, key=lambda person: _apart(self._home, person))

    async def _press(self, device: DeviceRow, kind: str) -> None:
        self._waiting.add(device.id)
        try:
            receipt = await self._gateways[device.gateway].press(device.id, kind)
            self.pressed.set()
            log.info("elder_pressed", device=device.id, kind=kind, incident_id=receipt.get("incident"))
            if self._rng.random() < PRESSES_AGAIN:
                await pause(self._clock, self._rng.uniform(*PRESSES_AGAIN_S))
                await self._gateways[device.gateway].press(device.id, "sos")
        finally:
            self._waiting.discard(device.id)


def _well_placed(town: Town) -> tuple[ElderRow, DeviceRow]:
    """The elder, and their button, who has somebody nearest: there the whole way is seen soon after the start."""
    people = [person for person in town.responders if person.kind == "volunteer"]

    def nearest(elder: ElderRow) -> float:
        return min((_apart(elder, person) for person in people), default=0.0)

    home = min(town.elders[:: max(1, len(town.elders) // 200)], key=nearest)  # a sample will do
    return home, next(device for device in town.devices if device.elder == home.id)


def _apart(elder: ElderRow, person: ResponderRow) -> float:
    """How far apart, in degrees of latitude."""
    shrink = math.cos(math.radians(elder.lat))
    return math.hypot((person.lat or 0.0) - elder.lat, ((person.lon or 0.0) - elder.lon) * shrink)
