"""What is wrong with equipment is asked about at its own pace: the shipped ladders for it, in a town with desks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from callhub.dispatch.rules import Rules
from callhub.domain.incident import IncidentState
from tests.scenarios.equipment import WatchedTown
from tests.scenarios.test_shipped_ladders import SHIPPED, TIANJIN
from tests.scenarios.town import AREA

if TYPE_CHECKING:
    from callhub.domain.incident import Incident

HOUR_S = 3600
BATTERY_LIFE_S = 12 * HOUR_S
"""How long an old base station is still heard without mains."""


@pytest.fixture
def town() -> WatchedTown:
    """Noon in Tianjin; desks of community, street and district, and forty neighbours who must not be asked."""
    town = WatchedTown(*SHIPPED, rules=Rules(timezone=TIANJIN))
    town.desk(AREA[:2], "street")
    town.desk(AREA[:3], "community")
    for n in range(40):
        town.responder(f"V-{n:02d}", 100 + 10 * n)
    town.supervise("BTN-1", heartbeat_s=10_000_000)
    return town


def says(town: WatchedTown, fault: str) -> Incident:
    town.beats("BTN-1", faults=(fault,))
    town.advance(0)  # what a beat says is found as a deadline that is due at once
    return town.the(fault)


def asked_after(town: WatchedTown, incident: Incident) -> dict[str, float]:
    """Who was asked, and how many seconds after the opening."""
    offers = town.incident(incident.id).offers.values()
    return {o.responder: (o.offered_at - incident.opened_at).total_seconds() for o in offers}


@pytest.mark.parametrize("fault", ["low_battery", "tamper", "mains_lost"])
def test_each_fault_stands_on_its_own_ladder_and_asks_desks_alone_from_the_nearest_up(
    town: WatchedTown, fault: str
) -> None:
    incident = says(town, fault)
    assert incident.policy.startswith(f"{fault}@")
    town.advance(86_400 - 1)
    assert list(asked_after(town, incident)) == ["DESK-C", "DESK-S", "DESK-D"]
    assert not town.incident(incident.id).rings


def test_a_tamper_is_with_every_desk_within_minutes_at_any_hour(town: WatchedTown) -> None:
    town.advance(14 * HOUR_S)  # two at night
    incident = says(town, "tamper")
    town.advance(10 * 60)
    assert set(asked_after(town, incident)) == {"DESK-C", "DESK-S", "DESK-D"}


def test_lost_mains_are_with_every_desk_and_told_again_while_the_battery_lasts(town: WatchedTown) -> None:
    town.advance(14 * HOUR_S)
    incident = says(town, "mains_lost")
    town.advance(HOUR_S)
    assert set(asked_after(town, incident)) == {"DESK-C", "DESK-S", "DESK-D"}
    town.advance(BATTERY_LIFE_S - HOUR_S)
    assert town.incident(incident.id).state is IncidentState.UNANSWERED
    assert len(town.facts(incident.id, "ladder_exhausted")) >= 3


def test_a_tamper_is_told_sooner_than_lost_mains_and_those_sooner_than_a_low_battery(town: WatchedTown) -> None:
    faults = ("tamper", "mains_lost", "low_battery")
    town.beats("BTN-1", faults=faults)
    town.advance(12 * HOUR_S)
    reached = [asked_after(town, town.the(fault))["DESK-S"] for fault in faults]
    assert reached == sorted(set(reached))


def test_a_low_battery_found_at_night_waits_for_the_morning(town: WatchedTown) -> None:
    town.advance(10 * HOUR_S)  # ten in the evening
    incident = says(town, "low_battery")
    assert town.waits_for(incident.id) == f"window in {10 * HOUR_S}"
    assert not asked_after(town, incident)
    town.advance(10 * HOUR_S)
    assert asked_after(town, incident) == {"DESK-C": 10 * HOUR_S}


def test_a_new_battery_closes_it_at_night_too(town: WatchedTown) -> None:
    town.advance(10 * HOUR_S)
    incident = says(town, "low_battery")
    town.advance(HOUR_S)
    town.beats("BTN-1", battery=1.0)
    assert town.incident(incident.id).state is IncidentState.CLOSED
    assert town.incident(incident.id).ended_at == incident.opened_at + timedelta(hours=1)


def test_a_desk_s_yes_owns_it_and_whoever_then_does_nothing_is_asked(town: WatchedTown) -> None:
    incident = says(town, "tamper")
    offer = next(iter(town.incident(incident.id).offers.values()))
    town.answers_for(offer.id, accept=True)
    assert town.incident(incident.id).owner is not None
    town.advance(HOUR_S)
    assert [fact.why for fact in town.facts(incident.id, "owner_cleared")] == ["owner_check_missed"]
    town.advance(10 * 60)
    assert "DESK-D" in asked_after(town, incident)
