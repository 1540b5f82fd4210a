"""Engine time never goes backwards, never fires early, and does not follow a step of the wall clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from callhub.clock import ManualClock, SystemClock, read_boot_s, read_wall

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CHINA = timezone(timedelta(hours=8))


class Machine:
    """A wall clock and a boot clock that a test sets."""

    def __init__(self) -> None:
        self.wall = NOON
        self.boot_s = 1000.0

    def clock(self, not_before: datetime | None = None, speed: float = 1.0) -> SystemClock:
        return SystemClock(not_before, speed, wall=lambda: self.wall, boot_s=lambda: self.boot_s)


def test_starts_at_the_wall_and_follows_the_boot_clock() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.boot_s += 90
    assert clock.now() == NOON + timedelta(seconds=90)
    assert clock.elapsed_s() == 90


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_step_of_the_wall_moves_nothing_but_is_seen(step_s: float) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += timedelta(seconds=step_s)
    assert clock.now() == NOON
    assert clock.divergence_s() == step_s


def test_never_starts_before_the_journal() -> None:
    last = (NOON + timedelta(minutes=5)).astimezone(CHINA)
    clock = Machine().clock(not_before=last)
    assert clock.now() == last
    assert clock.now().tzinfo is UTC
    assert clock.divergence_s() == -300
    assert Machine().clock(not_before=NOON - timedelta(days=1)).now() == NOON


def test_a_scaled_clock_runs_faster_and_reports_no_divergence() -> None:
    machine = Machine()
    clock = machine.clock(speed=20)
    machine.boot_s += 3
    assert clock.now() == NOON + timedelta(seconds=60)
    assert clock.divergence_s() == 0


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_speed_must_be_over_zero(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Machine().clock(speed=speed)


async def test_system_sleep_never_ends_early() -> None:
    clock = SystemClock(speed=1000)
    at = clock.now() + timedelta(seconds=20)
    async with asyncio.timeout(5):
        await clock.sleep_until(at)
        assert clock.now() >= at
        await clock.sleep_until(at)


async def test_system_sleep_notices_a_suspended_machine() -> None:
    machine = Machine()
    clock = machine.clock()
    sleeper = asyncio.create_task(clock.sleep_until(NOON + timedelta(hours=1)))
    await asyncio.sleep(0)
    machine.boot_s += 3600
    async with asyncio.timeout(5):
        await sleeper


def test_the_real_clocks_are_what_they_say() -> None:
    assert read_wall().tzinfo is UTC
    first = read_boot_s()
    assert 0 <= read_boot_s() - first < 60


async def test_manual_clock_wakes_sleepers_in_order() -> None:
    clock = ManualClock(NOON.astimezone(CHINA))
    woken: list[str] = []

    async def sleep(name: str, seconds: float) -> None:
        await clock.sleep_until(NOON + timedelta(seconds=seconds))
        woken.append(name)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        for name, seconds in (("late", 60), ("soon", 10), ("same", 10), ("past", -1)):
            tasks.create_task(sleep(name, seconds))
        await asyncio.sleep(0)
        assert woken == ["past"]
        assert clock.next_wake() == NOON + timedelta(seconds=10)
        clock.advance(9.5)
        await asyncio.sleep(0)
        assert woken == ["past"]
        clock.advance(0.5)
        await asyncio.sleep(0)
        assert woken == ["past", "soon", "same"]
        clock.advance(99.5)
    assert woken == ["past", "soon", "same", "late"]
    assert clock.elapsed_s() == 109.5
    assert clock.now().tzinfo is UTC


async def test_manual_clock_forgets_cancelled_sleepers() -> None:
    clock = ManualClock(NOON)
    sleeper = asyncio.create_task(clock.sleep_until(NOON + timedelta(seconds=1)))
    await asyncio.sleep(0)
    sleeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeper
    assert clock.next_wake() is None
    clock.advance(5)


def test_manual_clock_never_goes_back() -> None:
    clock = ManualClock(NOON)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="aware"):
        ManualClock(NOON.replace(tzinfo=None))
