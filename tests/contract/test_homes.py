"""What every store gives back of the homes that a gap may concern: which, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from callhub.domain.incident import IncidentState
from callhub.domain.people import Device, Elder
from callhub.domain.policy import IncidentClass
from callhub.domain.roll_call import Gap, Listed
from callhub.store.base import Commit, DirectoryChange, Marks, Need, Store
from tests.contract.builders import Case, at

DAY_S = 86_400
GAP = Gap(at(-3600), at(0))


def homes(store: Store, gap: Gap = GAP) -> Listed:
    return store.lookup(Need(gaps=frozenset({gap}))).homes[gap]


async def fill(store: Store, **elders: Elder) -> None:
    """Elders with one button each, behind GW."""
    devices = tuple(Device(f"B-{id}", elder=id, gateway="GW") for id in elders)
    await store.commit(Commit(changes=(DirectoryChange(elders=tuple(elders.values()), devices=devices),)))


def elder(id: str, **fields: Any) -> Elder:
    return replace(Elder(id, "Li", area=("D", "S1")), **fields)


async def test_active_elders_with_an_active_device_are_concerned(store: Store) -> None:
    await fill(store, E1=elder("E1"), E2=elder("E2", active=False), E3=elder("E3"), E4=elder("E4"))
    more = DirectoryChange(
        elders=(elder("E5"),),
        devices=(Device("B-E3", elder="E3", active=False), Device("B-2", elder="E4", active=False), Device("B-3")),
    )
    await store.commit(Commit(changes=(more,)))
    assert homes(store) == Listed(("E1", "E4"))


async def test_a_gateway_concerns_its_devices_and_an_area_its_subtree(store: Store) -> None:
    await fill(store, E1=elder("E1"), E2=elder("E2", area=("D", "S1", "C")), E3=elder("E3", area=("D", "S11")))
    other = DirectoryChange(devices=(Device("B-9", elder="E3", gateway="GW-9"), Device("B-8", elder="E2")))
    await store.commit(Commit(changes=(other,)))
    assert homes(store, replace(GAP, gateway="GW-9")) == Listed(("E3",))
    assert homes(store, replace(GAP, gateway="GW")) == Listed(("E1", "E2", "E3"))
    assert homes(store, replace(GAP, area="S1")) == Listed(("E1", "E2"))
    assert homes(store, replace(GAP, area="D")) == Listed(("E1", "E2", "E3"))
    assert homes(store, replace(GAP, area="nowhere")) == Listed()
    assert homes(store, replace(GAP, gateway="nobody's")) == Listed()


async def test_most_at_risk_first_not_heard_then_an_emergency_then_nobody_paired_then_by_id(store: Store) -> None:
    await fill(store, **{f"E{n}": elder(f"E{n}", paired=("V",) if n in (1, 3) else ()) for n in range(1, 7)})
    seen = {("device", f"B-E{n}"): at(seconds) for n, seconds in ((2, 1), (3, 1), (4, -1), (5, 0))}
    await store.commit(Commit(marks=Marks(seen=seen)))
    for number, (id, ago_s) in enumerate((("E1", 29 * DAY_S), ("E3", 2 * DAY_S), ("E6", 31 * DAY_S)), start=1):
        case = Case(f"I-{number}", number, elder=id)
        await store.commit(case.open(-ago_s))
        await store.commit(case.close(-ago_s))
    assert homes(store) == Listed(("E1", "E4", "E5", "E6", "E3", "E2"))


async def test_whoever_reached_us_since_the_gap_ended_is_told_apart(store: Store) -> None:
    await fill(store, E1=elder("E1"), E2=elder("E2"), E3=elder("E3"))
    await store.commit(Case("I-1", 1, elder="E1").open(-60))
    await store.commit(Case("I-2", 2, elder="E2").open(0))
    await store.commit(Case("I-3", 3, elder="E3", class_=IncidentClass.SERVICE).open(60))
    assert homes(store) == Listed(("E1", "E3"), pressed=("E2",))


async def test_an_emergency_that_was_over_before_the_gap_ended_says_nothing(store: Store) -> None:
    await fill(store, E1=elder("E1"))
    case = Case("I-1", 1, elder="E1")
    await store.commit(case.open(-60))
    await store.commit(case.close(-30))
    assert case.incident is not None
    assert case.incident.state is IncidentState.CLOSED
    assert homes(store) == Listed(("E1",))
