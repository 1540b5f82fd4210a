"""What a start knows of silences: uptime, marks, and what was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from callhub.dispatch.resumption import Uptime, resume
from callhub.dispatch.rules import Rules
from callhub.dispatch.silence import Silence, seconds
from callhub.domain.people import Supervised
from tests.scenarios.town import NOON


def at(after_s: float) -> datetime:
    return NOON + timedelta(seconds=after_s)


@dataclass
class Kept:
    """What a store kept."""

    supervised: tuple[Supervised, ...] = ()
    marks: dict[tuple[str, str], datetime] = field(default_factory=dict)
    runs: tuple[tuple[datetime, datetime], ...] = ()


def device(gateway: str | None = None, heartbeat_s: int = 600, **marks: datetime) -> Supervised:
    return Supervised("B", heartbeat_s, gateway, "E", ("D",), **marks)


def resumed(kept: Kept, old: Silence | None = None, now_s: float = 1000) -> Silence:
    silence = Silence(Rules())
    resume(silence, kept, at(now_s), old or Silence(Rules()))
    return silence


def silent_s(silence: Silence, now_s: float = 1000) -> float:
    return seconds(at(now_s)) - silence.devices["B"].since


@pytest.mark.parametrize(
    ("since_s", "ran_s"), [(-50, 150), (0, 150), (30, 120), (100, 50), (150, 50), (220, 30), (250, 0), (900, 0)]
)
def test_uptime_counts_runs_and_nothing_between(since_s: float, ran_s: float) -> None:
    uptime = Uptime([(at(0), at(100)), (at(200), at(250))])
    assert uptime.after(seconds(at(since_s))) == ran_s
    assert Uptime([]).after(seconds(at(since_s))) == 0


def test_silence_counts_while_a_server_ran() -> None:
    runs = ((at(0), at(100)), (at(500), at(600)))
    assert silent_s(resumed(Kept((device(heard_at=at(50), watched_at=at(0)),), runs=runs))) == 150
    assert silent_s(resumed(Kept((device(heard_at=at(650), watched_at=at(0)),), runs=runs))) == 0
    assert silent_s(resumed(Kept((device(watched_at=at(0)),), runs=runs))) == 200
    assert silent_s(resumed(Kept((device(heard_at=at(50)),), runs=runs))) == 0, "supervised only now"


@pytest.mark.parametrize(("heartbeat_s", "left_s"), [(150, 60), (40, 40)])
def test_the_grace_after_a_start(heartbeat_s: int, left_s: float) -> None:
    runs = ((at(0), at(900)),)
    silence = resumed(Kept((device(heartbeat_s=heartbeat_s, watched_at=at(0)),), runs=runs))
    assert silence.next_due() == seconds(at(1000 + left_s))


def test_within_one_process_nothing_that_was_heard_is_forgotten() -> None:
    old = resumed(Kept((device(watched_at=at(0)),)))
    old.hear("B", seconds(at(1100)))
    again = resumed(Kept((device(heard_at=at(1050), watched_at=at(0)),)), old, now_s=1200)
    assert again.devices["B"].since == seconds(at(1100))
    again = resumed(Kept((device(),)), old, now_s=1200)
    assert again.devices["B"].since == seconds(at(1100))


def test_what_was_told_last_is_not_told_again() -> None:
    told = resumed(Kept((device(heard_at=at(0), watched_at=at(0), lost_at=at(700)),)))
    assert told.devices["B"].told
    assert told.devices["B"].silent_at is not None
    assert told.next_due() is None
    back = resumed(Kept((device(heard_at=at(800), watched_at=at(0), lost_at=at(700)),)))
    assert not back.devices["B"].told
    silence = Silence(Rules())
    silence.open["supervision_lost", "B"] = {"1"}
    resume(silence, Kept((device(watched_at=at(0)),)), at(1000), Silence(Rules()))
    assert silence.devices["B"].told, "its case is open"


def test_gateways_are_waited_for() -> None:
    marks = {("linked", "GW"): at(0)}
    silence = resumed(Kept((device("GW", watched_at=at(0)),), marks))
    assert silence.due(seconds(at(1059))) == []
    assert silence.due(seconds(at(1060))) == [(seconds(at(1060)), ("gateway_lost", "GW"))]
    assert not resumed(Kept((device("GW", watched_at=at(0)),))).gateways["GW"].known
    marks = {("linked", "GW"): at(0), ("unlinked", "GW"): at(80)}
    silence = resumed(Kept((device("GW", watched_at=at(0)),), marks, ((at(0), at(100)),)))
    assert silence.gateways["GW"].since == seconds(at(1000)), "its grace"


def test_a_gateway_that_was_told_speaks_for_its_devices() -> None:
    marks = {("linked", "GW"): at(0), ("reported.gateway_lost", "GW"): at(100)}
    silence = resumed(Kept((device("GW", watched_at=at(0)),), marks))
    assert silence.gateways["GW"].out
    assert silence.next_due() == seconds(at(1060))
    assert silence.due(seconds(at(5000))) == []
    marks = {("linked", "GW"): at(200), ("reported.gateway_lost", "GW"): at(100)}
    assert not resumed(Kept((device("GW", watched_at=at(0)),), marks)).gateways["GW"].out
    marks = {("reported.gateway_lost", "GW"): at(100)}
    assert resumed(Kept((device("GW", watched_at=at(0)),), marks)).gateways["GW"].out


def test_areas_and_faults_that_were_told_and_not_mended() -> None:
    marks = {
        ("reported.area_lost", "D"): at(100),
        ("reported.area_lost", "S"): at(100),
        ("mended.area_lost", "S"): at(200),
        ("reported.tamper", "B"): at(100),
        ("mended.tamper", "B"): at(50),
        ("reported.mains_lost", "B"): at(100),
        ("mended.mains_lost", "B"): at(150),
    }
    silence = Silence(Rules())
    silence.open["low_battery", "B"] = {"1"}
    resume(silence, Kept((device(watched_at=at(0)),), marks), at(1000), Silence(Rules()))
    assert silence.outages.out == {"D": set()}
    assert silence.reported == {("tamper", "B"), ("low_battery", "B")}
