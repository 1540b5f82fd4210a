"""The lazy queue of silences: who is looked at, when, and what was found."""

from __future__ import annotations

from dataclasses import replace

from callhub.dispatch import silence as module
from callhub.dispatch.rules import Rules
from callhub.dispatch.silence import Silence, finding_of, instant, seconds, subject_of
from callhub.domain.people import Supervised
from tests.scenarios.equipment import WatchedTown
from tests.scenarios.town import NOON

LOST = "supervision_lost"


def supervised(id: str = "B", heartbeat_s: int = 90, gateway: str | None = None, **more: object) -> Supervised:
    return Supervised(id, heartbeat_s, gateway, f"E-{id}", ("D",), **more)  # type: ignore[arg-type]  # marks


def watching(*records: Supervised) -> Silence:
    silence = Silence(Rules())
    for record in records:
        silence.look_after(silence.watch(record, 0.0))
    return silence


def test_instants_and_keys_go_both_ways() -> None:
    assert instant(seconds(NOON)) == NOON
    assert finding_of("supervision_lost:B:1") == (LOST, "B:1")
    assert finding_of("duty:V-1") is None
    assert finding_of(None) is None


def test_a_beat_moves_no_queue_and_a_due_bucket_looks_again() -> None:
    silence = watching(supervised())
    assert silence.next_due() == 90
    assert not silence.hear("B", 60)
    assert not silence.hear("nobody", 60)
    assert silence.next_due() == 90
    assert silence.due(90) == []
    assert silence.next_due() == 150
    assert silence.due(150) == [(150.0, (LOST, "B"))]
    assert silence.next_due() == 150, "it waits to be decided on"
    assert silence.taken((LOST, "B")) == 150
    assert silence.taken((LOST, "B")) is None
    assert silence.next_due() is None
    assert silence.hear("B", 151)
    assert silence.next_due() == 241


def test_what_was_told_is_found_again_without_being_due() -> None:
    silence = watching(supervised())
    silence.devices["B"].told = True
    assert silence.due(90) == []
    assert silence.devices["B"].silent_at == 90


def test_an_old_beat_does_not_shorten_a_silence() -> None:
    silence = watching(supervised())
    silence.hear("B", 50)
    silence.hear("B", 10)
    assert silence.devices["B"].since == 50


def test_few_are_looked_at_and_handed_out_at_once() -> None:
    count = module.CHECKS_MAX + 10
    silence = watching(*[supervised(f"B-{n}") for n in range(count)])
    assert len(silence.due(90)) == module.FINDINGS_MAX
    assert sum(device.silent_at is None for device in silence.devices.values()) == 10
    silence.due(90)
    assert all(device.silent_at == 90 for device in silence.devices.values())


def linked(*records: Supervised, up: bool = False) -> Silence:
    silence = watching(*records)
    gateway = silence.gateways["GW"]
    gateway.known, gateway.up = True, up
    silence.look_after_gateway(gateway)
    return silence


def test_a_gateway_is_found_first_and_its_devices_are_not_looked_at() -> None:
    silence = linked(supervised("B-1", 60, "GW"), supervised("B-2", 900, "GW"), supervised("A", 30))
    assert silence.due(30) == [(30.0, (LOST, "A"))]
    assert silence.next_due() == 30
    assert silence.due(60) == [(60.0, ("gateway_lost", "GW")), (30.0, (LOST, "A"))]
    assert [silence.devices[id].silent_at for id in ("B-1", "B-2")] == [60, 60]
    assert silence.hear("B-1", 61), "it came another way"
    assert silence.devices["B-1"].bucket is None, "its gateway speaks for it"
    silence.taken(("gateway_lost", "GW"))
    assert silence.next_due() == 30


def test_a_device_that_was_silent_before_its_gateway_stays_as_it_was() -> None:
    silence = linked(supervised("B", 30, "GW"))
    silence.due(60)
    assert silence.devices["B"].silent_at == 60
    silence = linked(supervised("B", 30, "GW"))
    silence.due(30)
    silence.due(60)
    assert silence.devices["B"].silent_at == 30


def test_a_gateway_that_came_back_or_went_again_later_is_not_found_early() -> None:
    silence = linked(supervised("B", 900, "GW"))
    gateway = silence.gateways["GW"]
    gateway.since = 30
    silence.look_after_gateway(gateway)
    assert silence.due(60) == []
    gateway.up = True
    assert silence.due(90) == []
    silence.look_after_gateway(gateway)
    assert silence.next_due() == 900
    silence = linked(supervised("B", 900, "GW"))
    silence.unwatch("B")
    assert silence.due(60) == []
    silence = linked(supervised("B", 900, "GW"), up=True)
    assert silence.next_due() == 900


def test_an_import_goes_on_with_what_is_known() -> None:
    silence = linked(supervised("B", 900, "GW"))
    silence.hear("B", 100)
    silence.look_after(silence.watch(supervised("B", 200, "GW"), 150.0))
    assert silence.gateways["GW"].known
    assert silence.devices["B"].since == 100
    assert silence.due(299) == [(60.0, ("gateway_lost", "GW"))]
    silence.look_after(silence.watch(supervised("B", 200, "OTHER"), 150.0))
    assert list(silence.gateways) == ["OTHER"]
    assert silence.due(300) == [(300.0, (LOST, "B"))]
    silence.watch(supervised("C", 90, "OTHER"), 0.0)
    assert silence.unwatch("B") is not None
    assert silence.unwatch("B") is None
    assert silence.due(1000) == []


def test_a_gateway_serves_the_area_its_devices_share() -> None:
    silence = Silence(Rules())
    for id, area in (("1", ("D", "S", "C")), ("2", ("D", "S", "X")), ("3", ("D", "S"))):
        silence.watch(Supervised(id, 90, "GW", None, area), 0.0)
    gateway = silence.gateways["GW"]
    assert silence.path_of(gateway) == ("D", "S")
    gateway.devices.clear()
    assert silence.path_of(gateway) == ()


def test_devices_move_and_count_anew() -> None:
    silence = watching(supervised("B-1"), supervised("B-2"))
    silence.due(90)
    silence.move(silence.devices["B-1"], ("X",))
    assert (silence.outages.devices("X"), silence.outages.devices("D")) == (1, 1)
    silence.count_anew(silence.devices["B-2"], 100)
    assert silence.devices["B-2"].silent_at is None
    silence.count_anew(silence.devices["B-2"], 100)
    silence.move(silence.devices["B-2"], ("X",))
    silence.due(91)
    assert silence.next_due() == 90
    silence.outages.out["X"] = set()
    assert not silence.hear("B-2", 110)
    assert silence.outages.out["X"] == {"B-2"}


def test_only_what_supervision_opened_is_about_equipment() -> None:
    town = WatchedTown()
    town.elder("E-1")
    silence = town.engine._world.silence
    for kind in ("sos", "low_battery"):
        town.call(kind)
    assert not silence.open
    town.beats("BTN-E-1", "BTN-X", faults=("tamper",))
    town.advance(1)
    assert set(silence.open) == {("tamper", "BTN-E-1"), ("tamper", "BTN-X")}
    incident = town.incident(min(silence.open["tamper", "BTN-X"]))
    assert not incident.device_known
    assert subject_of(replace(incident, kind="area_lost")) is None
    silence.open["tamper", "BTN-X"].add("another")
    silence.forget(incident.id)
    silence.forget(incident.id)
    assert silence.open["tamper", "BTN-X"] == {"another"}
