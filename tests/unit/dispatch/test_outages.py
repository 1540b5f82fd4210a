"""When the silence of many is one outage, and when it is over."""

from __future__ import annotations

from callhub.dispatch.outages import Outages, Watched


def watched(n: int, gateway: str | None = None, area: tuple[str, ...] = ("D", "S")) -> Watched:
    return Watched(f"B-{n}", 90, gateway, None, area, 0.0)


def counted(*devices: Watched) -> Outages:
    outages = Outages(5, 600)
    for device in devices:
        outages.add(device)
    return outages


def test_half_of_an_area_at_once_is_an_outage_of_the_topmost_area_it_fits() -> None:
    devices = [watched(n) for n in range(10)]
    outages = counted(*devices)
    for device in devices[:4]:
        outages.fell_silent(device, 10)
    assert outages.found(("D", "S"), 10) is None
    outages.fell_silent(devices[4], 11)
    assert outages.found(("D", "S"), 11) == "D"
    assert (outages.devices("S"), outages.silent("S"), outages.devices("X"), outages.silent("X")) == (10, 5, 0, 0)


def test_less_than_half_or_too_few_or_one_gateway_is_none() -> None:
    many = [watched(n) for n in range(12)]
    outages = counted(*many)
    for device in many[:5]:
        outages.fell_silent(device, 10)
    assert outages.found(("D",), 10) is None
    few = [watched(n) for n in range(4)]
    outages = counted(*few)
    for device in few:
        outages.fell_silent(device, 10)
    assert outages.found(("D",), 10) is None
    behind = [watched(n, "GW") for n in range(6)]
    outages = counted(*behind)
    for device in behind:
        outages.fell_silent(device, 10)
    assert outages.found(("D",), 10) is None


def test_old_silences_do_not_count_and_are_forgotten_once() -> None:
    devices = [watched(n) for n in range(6)]
    outages = counted(*devices)
    for n, device in enumerate(devices):
        outages.fell_silent(device, n * 500)
    outages.heard(devices[0])
    assert outages.found(("D",), 2500) is None
    assert outages.silent("D") == 2
    outages.heard(devices[1])
    assert outages.silent("D") == 2, "it was forgotten already"
    outages.heard(devices[5])
    assert outages.silent("D") == 1
    outages.heard(devices[5])
    assert outages.silent("D") == 1


def test_nobody_finds_an_outage_within_an_outage_and_three_in_four_end_it() -> None:
    devices = [watched(n) for n in range(8)]
    outages = counted(*devices)
    outages.out["D"] = set()
    for device in devices:
        outages.fell_silent(device, 10)
    assert outages.found(("D", "S"), 10) is None
    assert outages.is_out(("D", "S"))
    assert not outages.is_out(("S",))
    for device in devices[:5]:
        outages.heard(device)
    assert not list(outages.back())
    outages.heard(devices[5])
    assert list(outages.back()) == ["D"]
    outages.fell_silent(devices[5], 11)
    assert not list(outages.back())
    outages.remove(devices[6])
    outages.remove(devices[7])
    assert list(outages.back()) == ["D"], "five of six"
