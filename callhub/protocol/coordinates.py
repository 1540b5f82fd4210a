"""Chinese map coordinates to WGS 84.

GCJ-02 ("Mars coordinates", used by phones and maps in China) shifts WGS 84 by up to about 700 m with fixed polynomials
and sines; BD-09 shifts GCJ-02 once more. The forward formulas and constants are the ones published in the article
"Restrictions on geographic data in China" of Wikipedia, which gives the Krasovsky 1940 ellipsoid for them; the way
back is found by fixed-point iteration, because the shift changes slowly.
"""

from __future__ import annotations

from math import atan2, cos, hypot, pi, radians, sin, sqrt

_AXIS_M = 6_378_245.0
"""Semi-major axis of the Krasovsky 1940 ellipsoid."""
_ECCENTRICITY_2 = 0.006_693_421_622_965_943
"""Its squared first eccentricity."""
_LAT_MIN, _LAT_MAX, _LON_MIN, _LON_MAX = 0.8293, 55.8271, 72.004, 137.8347
"""The rectangle in which the shift is applied; outside, GCJ-02 is WGS 84."""
_ROUNDS = 6
"""Each round divides the error by about 1,000: after two it is below a millimetre, the rest is margin."""
_BD_TURN = pi * 3000.0 / 180.0


def _waves(value: float, *parts: tuple[float, float]) -> float:
    """Sum of sines: amplitude times sin(value * pi / divisor), for (amplitude, divisor) in ``parts``."""
    return sum(amplitude * sin(value * pi / divisor) for amplitude, divisor in parts) * 2.0 / 3.0


def _shift(lat: float, lon: float) -> tuple[float, float]:
    """Degrees that GCJ-02 adds to a WGS 84 latitude and longitude."""
    if not (_LAT_MIN <= lat <= _LAT_MAX and _LON_MIN <= lon <= _LON_MAX):
        return 0.0, 0.0
    x, y = lon - 105.0, lat - 35.0
    root, ripple = sqrt(abs(x)), _waves(x, (20.0, 1 / 6), (20.0, 1 / 2))
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple
    north_m += _waves(y, (20.0, 1), (40.0, 3), (160.0, 12), (320.0, 30))
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple
    east_m += _waves(x, (20.0, 1), (40.0, 3), (150.0, 12), (300.0, 30))
    magic = 1.0 - _ECCENTRICITY_2 * sin(radians(lat)) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY_2) / magic**1.5
    parallel_m = _AXIS_M / sqrt(magic) * cos(radians(lat))
    return north_m * 180.0 / (meridian_m * pi), east_m * 180.0 / (parallel_m * pi)


def gcj02_to_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """WGS 84 latitude and longitude of a GCJ-02 point, in degrees, right to a centimetre inside China."""
    guess_lat, guess_lon = lat, lon
    for _ in range(_ROUNDS):
        d_lat, d_lon = _shift(guess_lat, guess_lon)
        guess_lat, guess_lon = lat - d_lat, lon - d_lon
    return guess_lat, guess_lon


def bd09_to_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """WGS 84 latitude and longitude of a BD-09 point, in degrees, right to about a metre inside China."""
    x, y = lon - 0.0065, lat - 0.006
    radius = hypot(x, y) - 0.00002 * sin(y * _BD_TURN)
    angle = atan2(y, x) - 0.000003 * cos(x * _BD_TURN)
    return gcj02_to_wgs84(radius * sin(angle), radius * cos(angle))
