"""Chinese map coordinates, against published pairs of the same place."""

from math import atan2, cos, hypot, pi, sin

import pytest

from callhub.protocol.coordinates import bd09_to_wgs84, gcj02_to_wgs84

# WGS 84 and GCJ-02 of the same place, as published with open implementations of the shift.
PAIRS = [
    ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
    ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
]


@pytest.mark.parametrize(("wgs84", "gcj02"), PAIRS)
def test_gcj02_comes_back_to_a_centimetre(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    assert gcj02_to_wgs84(*gcj02) == pytest.approx(wgs84, abs=1e-7)


def _bd09_of_gcj02(lat: float, lon: float) -> tuple[float, float]:
    """The published way forward, of which the code under test holds only the way back."""
    turn = pi * 3000 / 180
    radius = hypot(lon, lat) + 0.00002 * sin(lat * turn)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * turn)
    return radius * sin(angle) + 0.006, radius * cos(angle) + 0.0065


@pytest.mark.parametrize(("wgs84", "gcj02"), PAIRS)
def test_bd09_comes_back_to_a_metre(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    assert bd09_to_wgs84(*_bd09_of_gcj02(*gcj02)) == pytest.approx(wgs84, abs=1e-5)


@pytest.mark.parametrize("place", [(60.17, 24.94), (-33.9, 151.2), (35.0, 10.0), (35.0, 140.0), (0.5, 105.0)])
def test_outside_china_nothing_is_shifted(place: tuple[float, float]) -> None:
    assert gcj02_to_wgs84(*place) == place
