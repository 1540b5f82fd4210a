"""Whatever the order of beats, timeouts, links and restarts: no silence is hidden, invented, told twice or stuck."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from callhub.dispatch.rules import Rules
from callhub.dispatch.silence import subject_of
from tests.scenarios.equipment import WatchedTown
from tests.scenarios.town import AREA

if TYPE_CHECKING:
    from collections.abc import Iterable

CLASSES_S = (30, 90, 180, 3600)
GRIDS = (AREA, (*AREA[:3], "G2"))
ALONE = {f"BTN-{heartbeat_s}": heartbeat_s for heartbeat_s in CLASSES_S}
WAITS_S = st.sampled_from((0.1, 1, 14.9, 29, 31, 60, 61, 90, 200, 3600))


def moves(devices: Iterable[str], gateways: Iterable[str] = ()) -> st.SearchStrategy[list[tuple[str, Any]]]:
    """What may happen, in any order."""
    one: list[st.SearchStrategy[tuple[str, Any]]] = [
        st.tuples(st.just("beat"), st.sampled_from(sorted(devices))),
        st.tuples(st.just("wait"), WAITS_S),
        st.tuples(st.just("restart"), WAITS_S),
    ]
    if gateways:
        one.append(st.tuples(st.just("up"), st.sampled_from(sorted(gateways))))
        one.append(st.tuples(st.just("down"), st.sampled_from(sorted(gateways))))
        one.append(st.tuples(st.sampled_from(("take-over", "close")), st.integers(0, 9)))
    return st.lists(st.one_of(one), max_size=25)


def plays(town: WatchedTown, move: str, what: Any) -> None:  # noqa: ANN401  # an id, seconds or a number
    """One move."""
    if move == "beat":
        town.beats(what)
    elif move == "wait":
        town.advance(what)
    elif move == "restart":
        town.restart(after_s=what)
    elif move in ("up", "down"):
        town.gateway(what, up=move == "up")
    elif found := town.technical():
        town.act(found[what % len(found)].id, move, outcome="other")


def nothing_twice(town: WatchedTown) -> None:
    """At most one open incident about each thing."""
    about = Counter(subject_of(incident) for incident in town.technical())
    assert all(count == 1 for count in about.values()), about


class Silences:
    """The rule in its plainest form: seconds of silence while a server ran, and the grace after each start."""

    def __init__(self) -> None:
        self.silent_s = dict.fromkeys(ALONE, 0.0)
        self.up_s = 1e9
        self.lost: dict[str, bool] = dict.fromkeys(ALONE, False)

    def waits(self, seconds: float) -> None:
        self.up_s += seconds
        for id, limit_s in ALONE.items():
            self.silent_s[id] += seconds
            self.lost[id] |= self.silent_s[id] >= limit_s and self.up_s >= min(limit_s, 60)

    def near(self, id: str) -> bool:
        """Whether it is within a second of its time, where either is right."""
        over_s = min(self.silent_s[id] - ALONE[id], self.up_s - min(ALONE[id], 60))
        return 0 <= over_s < 1


@settings(max_examples=120, deadline=None)
@given(moves(ALONE))
def test_each_silence_is_found_within_a_second_and_ends_with_a_beat(history: list[tuple[str, Any]]) -> None:
    town, expected = WatchedTown(rules=Rules(area_devices_min=1000)), Silences()
    for id, heartbeat_s in ALONE.items():
        town.supervise(id, heartbeat_s)
    for move, what in history:
        plays(town, move, what)
        if move == "beat":
            expected.silent_s[what], expected.lost[what] = 0.0, False
        elif move == "wait":
            expected.waits(what)
        else:
            expected.up_s = 0.0
        nothing_twice(town)
        open_now = {incident.device for incident in town.technical("supervision_lost")}
        for id, lost in expected.lost.items():
            if expected.near(id):
                expected.lost[id] = id in open_now  # a restart may come between its time and its finding
            else:
                assert (id in open_now) == lost, f"{id} after {move} {what}"


@settings(max_examples=120, deadline=None)
@given(moves([f"GW-{n}-{m}" for n in range(4) for m in range(2)], [f"GW-{n}" for n in range(4)]))
def test_an_outage_is_told_once_and_over_once_everything_beats(history: list[tuple[str, Any]]) -> None:
    town = WatchedTown()
    gateways = [f"GW-{n}" for n in range(4)]
    devices = [f"{id}-{m}" for id in gateways for m in range(2)]
    for n, id in enumerate(gateways):
        town.gateway(id, up=True)
        for m in range(2):
            town.supervise(f"{id}-{m}", 90, gateway=id, area=GRIDS[n % 2])
    for move, what in history:
        plays(town, move, what)
        nothing_twice(town)
    for incident in town.technical():
        if incident.owner is not None:
            town.act(incident.id, "close", outcome="other")
    for id in gateways:
        town.gateway(id, up=True)
    town.keeps_beating(*devices, for_s=300)
    assert not town.technical(), "everything is well and a case is stuck"
    for id in gateways:
        town.gateway(id, up=False)
    town.advance(200)
    assert [incident.kind for incident in town.technical()] == ["area_lost"]
