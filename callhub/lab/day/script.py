"""What happens on the day, and when: the presses by hour and kind, and everything that goes wrong.

Rules of this file: times are local. The tables of the day stand first; how much of everything there is follows from the
number of calls that is asked for. Kinds and hours are assumed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from callhub.domain.events import CallFirstAsked, CallTaken, DrillAsked, TestAsked
from callhub.domain.people import ResponderKind
from callhub.lab.day.gateways import BEAT_S
from callhub.lab.day.operators import ANNA, BO, BOSS, LATE, NIGHT
from callhub.lab.day.stage import ALIVE_S, START

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from callhub.domain.people import Actor, Elder
    from callhub.lab.day.apps import Apps
    from callhub.lab.day.gateways import Gateways
    from callhub.lab.day.operators import Operators
    from callhub.lab.day.stage import Stage
    from callhub.lab.day.town import Town

DAY_S = 86_400
SHIFTS: Sequence[tuple[Actor, float, float, str | None]] = (
    (NIGHT, 0.0, 7.8, None), (ANNA, 8.0, 16.1, None), (BO, 8.5, 20.0, "S2"), (BOSS, 9.0, 18.0, None),
    (LATE, 15.9, 24.0, None),
)  # fmt: skip
"""Who watches from which hour to which, over which area. Between 7:48 and 8:00 nobody does."""
GATEWAY_OUT = (10.25, 10.45, "GW-S1a")
AREA_OUT = (14.5, 15.1, "S3")
RESTART_AT, RESTART_S = 12.6, 95.0
SILENT_AT, HEARD_AGAIN_AT = 9.0, 16.0

EMERGENCIES: Mapping[str, float] = {"sos": 50, "fall": 12, "medical": 8, "unknown": 2}
SERVICES: Mapping[str, float] = {"meal": 6, "medical_visit": 3, "cleaning": 3, "bathing": 2, "visit": 3}
SENSOR_SHARE = 0.16
BY_HOUR = (2, 2, 2, 2, 2, 3, 5, 6, 6, 6, 6, 6, 5, 5, 5, 5, 5, 6, 6, 5, 5, 4, 3, 3)
"""Presses of each hour, by weight."""
AGAIN, CANCELS, CONFIRMS, SAYS_TEST, CALLED_IN, REPORTED, STRANGERS = 0.12, 0.06, 0.05, 0.03, 0.05, 0.03, 0.02


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody who takes part."""

    stage: Stage
    town: Town
    gateways: Gateways
    apps: Apps
    operators: Operators


def hour(at: float) -> datetime:
    """That local hour of the day."""
    return START + timedelta(hours=at)


def plan_day(cast: Cast, seed: int, incidents: int) -> None:
    """Put the whole day on the stage; what people and operators do about it follows by itself."""
    chance = random.Random(f"{seed}|script")
    _people_come_on(cast, chance)
    _shifts(cast)
    _equipment(cast, chance)
    for _ in range(incidents):
        _call_for_help(cast, chance)
    for _ in range(max(2, incidents // 60)):
        _practise(cast, chance)


# People


def _people_come_on(cast: Cast, chance: random.Random) -> None:
    """Everybody links; some lose their link, some say that they are away or back, one wants to be called first."""
    at = cast.stage.at
    for person in cast.town.responders:
        at(START, partial(_link, cast.apps, person.id, up=True))
        if person.kind in (ResponderKind.DESK, ResponderKind.DEPARTMENT):
            continue
        if chance.random() < 0.25:
            lost = chance.uniform(0, DAY_S)
            at(START + timedelta(seconds=lost), partial(_link, cast.apps, person.id, up=False))
            at(
                START + timedelta(seconds=lost + chance.uniform(20, 5000)),
                partial(_link, cast.apps, person.id, up=True),
            )
        if chance.random() < 0.3:
            moment = START + timedelta(seconds=chance.uniform(0, DAY_S))
            until = (moment + timedelta(hours=chance.uniform(0.5, 4))).isoformat()
            fields = {"until": until} if chance.random() < 0.7 else {}
            at(moment, partial(cast.apps.say, person.id, "presence", available=chance.random() < 0.6, **fields))


async def _link(apps: Apps, responder: str, *, up: bool) -> None:
    apps.link(responder, up=up)


def _shifts(cast: Cast) -> None:
    for actor, begins, ends, area in SHIFTS:
        cast.stage.at(hour(begins), partial(cast.operators.watch, actor, watching=True, area=area))
        cast.stage.at(hour(ends), partial(cast.operators.watch, actor, watching=False, area=area))


# Equipment


def _equipment(cast: Cast, chance: random.Random) -> None:
    """Links, beats, one gateway and one street that fail, a restart, devices that go silent, run low or are opened."""
    stage, gateways = cast.stage, cast.gateways
    for n, gateway in enumerate(cast.town.gateways):
        stage.at(START, partial(_gateway_link, gateways, gateway, up=True))
        for second in range(20 + 7 * n, DAY_S, BEAT_S):
            stage.at(START + timedelta(seconds=second), partial(gateways.beat, gateway))
    for second in range(int(ALIVE_S), DAY_S, int(ALIVE_S)):
        stage.at(START + timedelta(seconds=second), partial(_alive, stage))
    for down, up, names in (GATEWAY_OUT, AREA_OUT):
        for n, gateway in enumerate(id for id in cast.town.gateways if names in id):
            stage.at(hour(down) + timedelta(seconds=20 * n), partial(_gateway_link, gateways, gateway, up=False))
            stage.at(hour(up) + timedelta(seconds=90 * n), partial(_gateway_link, gateways, gateway, up=True))
    stage.at(hour(RESTART_AT), partial(_restart, cast, chance))
    silent, low, opened, stuck = chance.sample(
        [device.id for device in cast.town.devices if "S4" in (device.gateway or "")], 4
    )
    stage.at(hour(SILENT_AT), partial(_silence, gateways, {silent, stuck}))
    stage.at(hour(HEARD_AGAIN_AT), partial(_silence, gateways, {stuck}))
    stage.at(hour(7.0), partial(_health, gateways, low, {"battery": 0.12}))
    stage.at(hour(17.0), partial(_health, gateways, low, {"battery": 0.95}))
    stage.at(hour(11.0), partial(_health, gateways, opened, {"faults": ["tamper"]}))
    stage.at(hour(11.7), partial(_health, gateways, opened, {"faults": []}))


async def _gateway_link(gateways: Gateways, gateway: str, *, up: bool) -> None:
    gateways.link(gateway, up=up)


async def _alive(stage: Stage) -> None:
    stage.mark_alive()


async def _silence(gateways: Gateways, devices: set[str]) -> None:
    gateways.silent = devices


async def _health(gateways: Gateways, device: str, health: dict[str, Any]) -> None:
    gateways.health[device] = health


async def _restart(cast: Cast, chance: random.Random) -> None:
    """The server stops and starts again; links and consoles come back within a minute, some later, some never."""
    stage = cast.stage
    await stage.stop()
    lost = cast.apps.all_lost()
    stage.clock.advance(RESTART_S)
    await stage.start()
    stage.after(2, partial(_come_back, cast))
    for responder in sorted(lost):
        if chance.random() < 0.95:
            stage.after(
                chance.uniform(1, 55) if chance.random() < 0.9 else 300, partial(_link, cast.apps, responder, up=True)
            )


async def _come_back(cast: Cast) -> None:
    cast.gateways.relink()
    cast.operators.rewatch()


# Calls


def _moment(chance: random.Random) -> datetime:
    [local] = chance.choices(range(24), BY_HOUR)
    return hour(local + chance.random())


def _call_for_help(cast: Cast, chance: random.Random) -> None:
    at, elder = _moment(chance), chance.choice(cast.town.elders)
    roll = chance.random()
    if roll < CALLED_IN:
        cast.stage.at(at, partial(_telephone, cast, elder if chance.random() < 0.7 else None))
    elif roll < CALLED_IN + REPORTED:
        who = chance.choice(sorted(cast.town.behaviours))
        cast.stage.at(at, partial(cast.apps.say, who, "report", elder=elder.id, kind="visit", text="worried"))
    elif roll < CALLED_IN + REPORTED + STRANGERS:
        cast.stage.at(at, partial(cast.gateways.press, f"NEW-{chance.randrange(9)}", "sos"))
    elif roll < CALLED_IN + REPORTED + STRANGERS + SENSOR_SHARE:
        _sensor(cast, chance, at, elder)
    else:
        _button(cast, chance, at, elder)


def _sensor(cast: Cast, chance: random.Random, at: datetime, elder: Elder) -> None:
    sensors = [device for device in cast.town.devices if device.kind == "sensor"]
    mine = [device for device in sensors if device.elder == elder.id] or [chance.choice(sensors)]
    device = chance.choice(mine).id
    kind = device.partition("-")[0].lower()
    kind = "gas" if kind == "smoke" and chance.random() < 0.3 else kind
    cast.stage.at(at, partial(cast.gateways.press, device, kind))
    if chance.random() < CONFIRMS * 4:
        later = at + timedelta(seconds=chance.uniform(5, 40))
        cast.stage.at(later, partial(cast.gateways.remark, "signal", device, signal="confirm"))


def _button(cast: Cast, chance: random.Random, at: datetime, elder: Elder) -> None:
    button = f"BTN-{elder.id[2:]}"
    is_service = chance.random() < 0.22
    kinds = SERVICES if is_service else EMERGENCIES
    [kind] = chance.choices(list(kinds), list(kinds.values()))
    says_test = {"test": True} if kind == "sos" and chance.random() < SAYS_TEST else {}
    cast.stage.at(at, partial(cast.gateways.press, button, kind, **says_test))
    if chance.random() < AGAIN:
        later = at + timedelta(seconds=chance.uniform(15, 900))
        cast.stage.at(later, partial(cast.gateways.press, button, chance.choice(("sos", "sos", "fall", kind))))
    if chance.random() < CANCELS:
        later = at + timedelta(seconds=chance.uniform(5, 300))
        cast.stage.at(later, partial(cast.gateways.remark, "cancel", button))
    if chance.random() < CANCELS:
        later = at + timedelta(seconds=chance.uniform(200, 900))
        card = {"card": elder.card} if chance.random() < 0.5 else {}
        signal = "card" if card else "arrived"
        cast.stage.at(later, partial(cast.gateways.remark, "signal", button, signal=signal, **card))


async def _telephone(cast: Cast, elder: Elder | None) -> None:
    """Somebody calls in; the operator may not find out who it is."""
    event = CallTaken(id=cast.stage.new_id(), actor=ANNA, source="operator", kind="sos", elder=elder, text="help")
    await cast.stage.tell(event)


def _practise(cast: Cast, chance: random.Random) -> None:
    """A drill, a device on test that is pressed, and an elder who is called first from now on."""
    stage, elder, at = cast.stage, chance.choice(cast.town.elders), hour(9 + 8 * chance.random())
    stage.at(at, partial(_drill, cast, elder))
    button = f"BTN-{chance.choice(cast.town.elders).id[2:]}"
    stage.at(at + timedelta(minutes=20), partial(_test, cast, button))
    stage.at(at + timedelta(minutes=25), partial(cast.gateways.press, button, "sos", test=True))
    stage.at(at + timedelta(minutes=30), partial(_call_first, cast, chance.choice(cast.town.elders)))


async def _drill(cast: Cast, elder: Elder) -> None:
    await cast.stage.tell(DrillAsked(id=cast.stage.new_id(), actor=ANNA, elder=elder, kind="sos", reason="half-yearly"))


async def _test(cast: Cast, device: str) -> None:
    until = cast.stage.now() + timedelta(minutes=30)
    await cast.stage.tell(TestAsked(id=cast.stage.new_id(), actor=ANNA, device=device, until=until))


async def _call_first(cast: Cast, elder: Elder) -> None:
    until = cast.stage.now() + timedelta(days=30)
    event = CallFirstAsked(
        id=cast.stage.new_id(), actor=BOSS, elder=elder.id, seconds=30, until=until, reason="sits on it"
    )
    await cast.stage.tell(event)
