"""What every store gives back of supervised devices, their marks, and when servers ran."""

from __future__ import annotations

from callhub.domain.people import Device, Elder, Supervised
from callhub.domain.supervision import RUN, WATCHED
from callhub.store.base import Commit, DirectoryChange, Marks, Store
from tests.contract.builders import at

LOST = "reported.supervision_lost"


async def test_a_start_gets_the_supervised_devices_with_their_marks(store: Store) -> None:
    change = DirectoryChange(
        elders=(Elder("E-1", "Li", area=("D", "S")), Elder("E-2", "Wu")),
        devices=(
            Device("B-1", elder="E-1", gateway="GW", heartbeat_s=90),
            Device("B-2", elder="E-2", heartbeat_s=3600),
            Device("B-3", heartbeat_s=180),
            Device("B-4", elder="E-1", gateway="GW"),
            Device("B-5", elder="E-1", heartbeat_s=90, active=False),
        ),
    )
    seen = {("device", "B-1"): at(1), (WATCHED, "B-1"): at(2), (LOST, "B-1"): at(3), (WATCHED, "B-3"): at(4)}
    others = {("reported.tamper", "B-4"): at(5), ("linked", "GW"): at(6), ("gateway", "GW"): at(7)}
    await store.commit(Commit(changes=(change,), marks=Marks(seen=seen | others)))
    kept = await store.load()
    assert kept.supervised == (
        Supervised("B-1", 90, "GW", "E-1", ("D", "S"), at(1), at(2), at(3)),
        Supervised("B-2", 3600, None, "E-2"),
        Supervised("B-3", 180, watched_at=at(4)),
    )
    assert kept.marks == {("reported.tamper", "B-4"): at(5), ("linked", "GW"): at(6)}


async def test_runs_of_the_server_come_in_their_order(store: Store) -> None:
    for begin, end in ((100, 150), (0, 50)):
        await store.commit(Commit(marks=Marks(seen={(RUN, at(begin).isoformat()): at(end)})))
    await store.commit(Commit(marks=Marks(seen={(RUN, at(100).isoformat()): at(160)})))
    kept = await store.load()
    assert kept.runs == ((at(0), at(50)), (at(100), at(160)))
    assert not kept.marks
