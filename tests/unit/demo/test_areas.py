"""Goal: the shipped district is what its README says. Method: count it, measure it, and make it again."""

import math
import shutil
from collections import Counter
from pathlib import Path

import pytest

from callhub.demo.areas import GRID_SIDE_M, Street, lay_out, offset, read_streets, rebuild
from callhub.demo.rows import AreaRow, read_areas

HEXI = Path(__file__).resolve().parents[3] / "config" / "hexi"
STREETS = "大营门 下瓦房 桃园 挂甲寺 马场 越秀路 友谊路 天塔 尖山 陈塘庄 柳林 东海 梅江 太湖路"
ABOVE = {"street": "district", "community": "street", "grid": "community"}


@pytest.fixture(scope="module")
def areas() -> tuple[AreaRow, ...]:
    return read_areas(HEXI / "areas.csv")


def test_the_shipped_areas_are_made_from_the_shipped_streets(tmp_path: Path) -> None:
    shutil.copy(HEXI / "streets.csv", tmp_path)
    rebuild(tmp_path)
    assert (tmp_path / "areas.csv").read_bytes() == (HEXI / "areas.csv").read_bytes()


def test_the_counts_are_those_of_the_district(areas: tuple[AreaRow, ...]) -> None:
    assert Counter(area.level for area in areas) == {"district": 1, "street": 14, "community": 149, "grid": 1475}


def test_the_streets_have_their_real_names(areas: tuple[AreaRow, ...]) -> None:
    assert [area.name for area in areas if area.level == "street"] == [f"{name}街道" for name in STREETS.split()]


def test_community_names_are_plain_and_differ(areas: tuple[AreaRow, ...]) -> None:
    names = [area.name for area in areas if area.level == "community"]
    assert len(set(names)) == 149
    assert all(name.endswith("社区") for name in names)


def test_every_parent_stands_before_its_children_one_level_up(areas: tuple[AreaRow, ...]) -> None:
    levels: dict[str, str] = {}
    for area in areas:
        assert area.id not in levels, f"{area.id} occurs twice"
        if area.level == "district":
            assert area.parent == ""
        else:
            assert levels[area.parent] == ABOVE[area.level]
            assert area.id.startswith(f"{area.parent}-")
        levels[area.id] = area.level


def test_every_community_has_nine_or_ten_grids(areas: tuple[AreaRow, ...]) -> None:
    assert set(Counter(area.parent for area in areas if area.level == "grid").values()) == {9, 10}


def test_every_position_lies_in_the_district(areas: tuple[AreaRow, ...]) -> None:
    outside = [area.id for area in areas if not (39.04 < area.lat < 39.125 and 117.20 < area.lon < 117.272)]
    assert outside == []


def test_children_lie_near_their_parent(areas: tuple[AreaRow, ...]) -> None:
    by_id = {area.id: area for area in areas}
    reach_m = {"street": 5000, "community": 1000, "grid": 400}
    far = [a.id for a in areas if a.parent and _distance_m(a, by_id[a.parent]) > reach_m[a.level]]
    assert far == []


def test_no_two_grids_share_ground(areas: tuple[AreaRow, ...]) -> None:
    grids = [area for area in areas if area.level == "grid"]
    nearest = min(_distance_m(a, b) for n, a in enumerate(grids) for b in grids[:n] if abs(a.lat - b.lat) < 0.002)
    assert nearest == pytest.approx(GRID_SIDE_M, abs=2)


@pytest.mark.parametrize("grids", [2, 3, 19])
def test_grids_are_shared_out_to_the_last(grids: int) -> None:
    town = lay_out([Street("A", 39.08, 117.23, ("a社区",)), Street("B", 39.09, 117.24, ("b社区",))], grids)
    shares = Counter(area.parent for area in town if area.level == "grid").values()
    assert sum(shares) == grids
    assert max(shares) - min(shares) <= 1


def test_offset_measures_in_metres_both_ways() -> None:
    lat, lon = offset(39.08, 117.23, 300.0, 400.0)
    there, here = AreaRow("", "", "", "", lat, lon), AreaRow("", "", "", "", 39.08, 117.23)
    assert (lat > 39.08, lon > 117.23) == (True, True)
    assert _distance_m(there, here) == pytest.approx(500, abs=2)


def test_streets_are_read_with_their_communities() -> None:
    streets = read_streets(HEXI / "streets.csv")
    assert streets[7].name == "天塔街道"
    assert "富源里社区" in streets[7].communities


def _distance_m(a: AreaRow, b: AreaRow) -> float:
    """Great circle, by the haversine: another formula than the one under test."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half = math.sin((lat_a - lat_b) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(a.lon - b.lon) / 2) ** 2
    return 2 * 6_371_000 * math.asin(math.sqrt(half))
