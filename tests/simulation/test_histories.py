"""Random histories with a seed: faults in the middle of decisions, restarts at any row, and the laws all the way."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from callhub.lab.laws.evidence import Entry
from callhub.lab.laws.people import NobodyTwice
from tests.simulation.checkers import Judge
from tests.simulation.driver import LADDERS, PEOPLE, Town, replayed, state
from tests.simulation.moves import Moves

if TYPE_CHECKING:
    from datetime import datetime

    from callhub.domain.events import Event
    from callhub.domain.facts import Row

EVENTS = 150


class History:
    """One town and its judge."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.town = Town()
        self.moves = Moves(self.town, self.chance)
        self.judge = Judge(LADDERS, self.town.people)
        for id in PEOPLE:
            self.tell(self.town.record(id))
            if not id.startswith("DESK") and self.chance.random() < 0.8:
                self.tell(self.town.link(id, up=True))
                self.tell(self.town.presence(id, available=True))

    def tell(self, event: Event) -> None:
        """One event, at times with a defect in its middle first."""
        town = self.town
        before = state(town.engine, town.now) if self.chance.random() < 0.3 else None
        if before is not None:
            town.fail(event, self.chance.randrange(10))
            assert state(town.engine, town.now) == before, f"a defect in {event} changed something"
        decision = town.tell(event)
        if before is not None and decision.answer.code is not None and not decision.rows:
            assert state(town.engine, town.now) == before, f"{event} was refused and changed something"
        self.judge.see(event, town.now, decision, town.incidents())

    def fire(self, until: datetime) -> None:
        """Everything due up to then, each at its moment."""
        town = self.town
        while (due := town.engine.next_due()) is not None and due <= until:
            town.now = max(town.now, due)
            for event in town.due():
                self.tell(event)
        town.now = until
        self.judge.nothing_due(town.now, town.incidents())

    def play(self, events: int) -> None:
        """So many random events with time between them."""
        for _ in range(events):
            self.fire(self.town.now + self.moves.pause())
            event = self.moves.next()
            if event is not None:
                self.tell(event)
            if self.chance.random() < 0.02:
                self.town.restart()
        self.fire(self.town.now)
        self.judge.end(self.town.incidents())


def per_incident(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows of each incident, oldest first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.incident is not None:
            found.setdefault(row.incident, []).append(row)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_laws_hold_in_a_random_history(seed: int) -> None:
    history = History(seed)
    history.play(EVENTS)
    town = history.town
    for id, rows in per_incident(town.journal).items():
        assert replayed(rows) == town.incident(id), "law 8"


@pytest.mark.parametrize("seed", range(100, 104))
def test_a_restart_after_any_row_finds_a_state_that_goes_on(seed: int) -> None:
    history = History(seed)
    history.play(60)
    town = history.town
    for cut in range(1, len(town.journal), 7):
        rows = town.journal[:cut]
        town.restart(rows)
        incidents = list(town.engine.open_incidents())
        assert not list(NobodyTwice(town.people).see(Entry(town.now, rows)))
        kept = {id: incident for id, rows_ in per_incident(rows).items() if (incident := replayed(rows_)).is_open}
        assert {incident.id: incident for incident in incidents} == kept, "law 8"
        assert all(incident.deadlines for incident in incidents), "law 3"
        for _ in range(20):
            for event in town.due():
                town.engine.handle(event, town.now)
        assert all(i.deadlines and min(d.at for d in i.deadlines.values()) > town.now for i in incidents if i.is_open)
