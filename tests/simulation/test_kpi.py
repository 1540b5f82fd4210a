"""The figures' records against the incidents themselves, which come of the same rows by other code."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from callhub.domain.kpi import CaseBook
from callhub.domain.people import ResponderKind
from callhub.domain.policy import IncidentClass
from tests.simulation.driver import PEOPLE, Town
from tests.simulation.moves import Moves

if TYPE_CHECKING:
    from datetime import datetime

EVENTS = 200


def pass_time(town: Town, until: datetime) -> None:
    """Everything due up to then, each at its moment."""
    while (due := town.engine.next_due()) is not None and due <= until:
        town.now = max(town.now, due)
        for event in town.due():
            town.tell(event)
    town.now = until


def random_history(seed: int) -> Town:
    """A town after so many random events, with restarts."""
    town, chance = Town(), Random(seed)
    moves = Moves(town, chance)
    for id in PEOPLE:
        town.tell(town.record(id))
        if not id.startswith("DESK"):
            town.tell(town.link(id, up=True))
            town.tell(town.presence(id, available=True))
    for _ in range(EVENTS):
        pass_time(town, town.now + moves.pause())
        event = moves.next()
        if event is not None:
            town.tell(event)
        if chance.random() < 0.02:
            town.restart()
    return town


@pytest.mark.parametrize("seed", range(200, 208))
def test_records_say_what_the_incidents_say(seed: int) -> None:
    town = random_history(seed)
    book = CaseBook()
    for row in town.journal:
        book.fold(row)
    incidents = [each for each in town.incidents() if each.class_ is not IncidentClass.DRILL]
    assert len(book) == len(incidents) >= 3
    for incident in incidents:
        case = book.case(incident.id)
        assert case is not None
        said = (case.class_, case.kind, case.area, case.opened_at, case.answered_at, case.ended_at)
        assert said == (
            incident.class_,
            incident.kind,
            incident.area,
            incident.opened_at,
            incident.answered_at,
            incident.ended_at,
        )
        duties = incident.assignments.values()
        assert case.accepted_at == min((duty.assigned_at for duty in duties), default=None)
        assert case.arrived_at == min((duty.on_scene_at for duty in duties if duty.on_scene_at), default=None)
        asked = [offer for offer in incident.offers.values() if offer.kind is not ResponderKind.DESK]
        assert [id for id, *_ in case.asked] == [offer.id for offer in asked]
        assert sum(assignments for *_, assignments in case.asked) == len(duties)
