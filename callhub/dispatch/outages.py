"""When silence of many devices is one outage of their area.

The rule: an area is out when at least ``area_devices_min`` of its supervised devices, and at least half of them, were
found silent within ``area_window_s``, not all of them behind one gateway. Half, because a storm takes a part of the
devices of an area at first and nearly all in the end, while one device that fails says nothing about its neighbours;
the window, because batteries that die over a month are no outage; two ways in, because one gateway is an outage of
its own. It is back when three in four of its devices were heard again since: more than half, so that an outage which
flickers is not told again and again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SILENT_PART = 0.5
BACK_PART = 0.75


@dataclass(slots=True, eq=False)
class Watched:
    """A supervised device. Times are seconds since 1970.

    ``since`` is from when its silence counts: its last sign of life, or later. ``bucket`` is where it is queued, None
    while nobody looks. ``silent_at`` is when it was found silent, None while it is not. ``told``: this silence was
    reported, so it is not again.
    """

    id: str
    heartbeat_s: float
    gateway: str | None
    elder: str | None
    area: tuple[str, ...]
    since: float
    bucket: int | None = None
    silent_at: float | None = None
    told: bool = False


@dataclass(slots=True)
class _Tally:
    """One area: its devices, those found silent lately (oldest first), and up to where the old ones are forgotten."""

    devices: int = 0
    silent: int = 0
    lately: deque[tuple[float, Watched]] = field(default_factory=deque)
    forgotten_before: float = float("-inf")


class Outages:
    """Counts devices by area. ``out`` maps each area that is out to the devices heard since.

    Args:
        devices_min: See the rule above.
        window_s: See the rule above.
    """

    def __init__(self, devices_min: int, window_s: float) -> None:
        self.out: dict[str, set[str]] = {}
        self._devices_min = devices_min
        self._window_s = window_s
        self._tallies: dict[str, _Tally] = {}

    def add(self, device: Watched) -> None:
        """Count a device in."""
        for area in device.area:
            self._tallies.setdefault(area, _Tally()).devices += 1

    def remove(self, device: Watched) -> None:
        """Count a device out."""
        self.heard(device)
        for area in device.area:
            self._tallies[area].devices -= 1
            self.out.get(area, set()).discard(device.id)

    def fell_silent(self, device: Watched, at: float) -> None:
        """A device was found silent; O(1) for each level."""
        device.silent_at = at
        for area in device.area:
            tally = self._tallies[area]
            tally.silent += 1
            tally.lately.append((at, device))
            self.out.get(area, set()).discard(device.id)

    def heard(self, device: Watched) -> None:
        """A device is silent no more, and counts for the return of an area that is out."""
        at, device.silent_at = device.silent_at, None
        for area in device.area:
            tally = self._tallies[area]
            if at is not None and at >= tally.forgotten_before:
                tally.silent -= 1
            if area in self.out:
                self.out[area].add(device.id)

    def is_out(self, path: Iterable[str]) -> bool:
        """Whether any area of this path is out."""
        return any(area in self.out for area in path)

    def found(self, path: Iterable[str], now: float) -> str | None:
        """The topmost area of the path (from the district down) that the rule says is out and that was not before."""
        for area in path:
            if area in self.out:
                return None  # and all below it are part of that
            if self._is_new(self._tallies[area], now):
                return area
        return None

    def _is_new(self, tally: _Tally, now: float) -> bool:
        limit = now - self._window_s
        while tally.lately and tally.lately[0][0] < limit:
            at, device = tally.lately.popleft()
            if device.silent_at == at:
                tally.silent -= 1
        tally.forgotten_before = max(tally.forgotten_before, limit)
        if tally.silent < max(self._devices_min, tally.devices * SILENT_PART):
            return False
        ways = (device.gateway or device.id for at, device in tally.lately if device.silent_at == at)
        first = next(ways, None)
        return any(way != first for way in ways)

    def back(self) -> Iterator[str]:
        """The areas that are out no more, which only ``out`` does not know yet."""
        for area, heard in self.out.items():
            if len(heard) >= self.devices(area) * BACK_PART:
                yield area

    def devices(self, area: str) -> int:
        """How many supervised devices an area has."""
        tally = self._tallies.get(area)
        return tally.devices if tally is not None else 0

    def silent(self, area: str) -> int:
        """How many of them were found silent lately."""
        tally = self._tallies.get(area)
        return tally.silent if tally is not None else 0
