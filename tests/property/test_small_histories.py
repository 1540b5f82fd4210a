"""Every history of a few events with two people and two steps, in every order, down to a depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from callhub.domain.policy import PolicySet, policy_from_table
from tests.simulation.checkers import Judge
from tests.simulation.driver import TABLES, Town

if TYPE_CHECKING:
    from collections.abc import Callable

    from callhub.domain.events import Event
    from callhub.domain.incident import Incident

DEPTH = 4
_FIRST, _LAST = TABLES[0]["step"][0], TABLES[0]["step"][1]
LADDER = policy_from_table({**TABLES[0], "step": [{**_FIRST, "fan_out": 1}, _LAST]}, "test")
WHO = ("V-1", "V-2")


def _offer(town: Town, case: Incident, who: int, *, accept: bool) -> Event | None:
    mine = [o for o in case.offers.values() if o.responder == WHO[who]]
    return town.answer(mine[-1].id, accept=accept, responder=WHO[who]) if mine else None


MOVES: dict[str, Callable[[Town, Incident], Event | None]] = {
    "first says yes": lambda town, case: _offer(town, case, 0, accept=True),
    "first says no": lambda town, case: _offer(town, case, 0, accept=False),
    "second says yes": lambda town, case: _offer(town, case, 1, accept=True),
    "first arrives": lambda town, case: town.duty(case.id, WHO[0], "on_scene"),
    "first is done": lambda town, case: town.duty(case.id, WHO[0], "cleared", outcome="helped", version=case.version),
    "first gives up": lambda town, case: town.duty(case.id, WHO[0], "release"),
    "first goes off duty": lambda town, case: town.presence(WHO[0], available=False),
    "another press": lambda town, case: town.alarm("BTN-1"),
    "taken over": lambda town, case: town.act(case.id, "take-over"),
    "closed": lambda town, case: town.act(case.id, "close", outcome="helped", if_match=case.version),
    "reopened": lambda town, case: town.act(case.id, "reopen"),
    "restarted": lambda town, case: town.restart(),
    "time passes": lambda town, case: None,
}


class Small:
    """Two people, two steps, one press."""

    def __init__(self) -> None:
        self.town = Town(PolicySet([LADDER]))
        self.judge = Judge({LADDER.id: LADDER}, self.town.people)
        for who in WHO:
            self.tell(self.town.record(who))
            self.tell(self.town.link(who, up=True))
            self.tell(self.town.presence(who, available=True))
        self.tell(self.town.alarm("BTN-1"))
        self.id = self.town.journal[-1].incident or ""

    def tell(self, event: Event) -> None:
        decision = self.town.tell(event)
        self.judge.see(event, self.town.now, decision, self.town.incidents())

    def move(self, name: str) -> None:
        """One move, and what is due then; time passes up to the next deadline when nothing else happened."""
        case = self.town.incident(self.id)
        assert case is not None
        event = MOVES[name](self.town, case)
        if event is not None:
            self.tell(event)
        elif name == "time passes":
            self.town.now = max(self.town.now, self.town.engine.next_due() or self.town.now)
        for _ in range(9):
            for due in self.town.due():
                self.tell(due)
        self.judge.nothing_due(self.town.now, self.town.incidents())


# Only the first is asked at once, and nothing is over yet.
BEGIN = [
    "first says yes", "first says no", "first goes off duty", "another press", "taken over", "closed", "restarted",
    "time passes",
]  # fmt: skip


def explore(moves: tuple[str, ...], depth: int) -> int:
    """Play these moves and everything that can follow them; a move without effect leads nowhere new. Counts them."""
    history = Small()
    rows = 0
    for name in moves:
        rows = len(history.town.journal)
        history.move(name)
    goes_on = len(history.town.journal) > rows or (moves[-1] == "restarted" and "restarted" not in moves[:-1])
    if len(moves) == depth or not goes_on:
        return 1
    return 1 + sum(explore((*moves, name), depth) for name in MOVES)


@pytest.mark.parametrize("first", BEGIN)
def test_the_laws_hold_in_every_order(first: str) -> None:
    assert explore((first,), DEPTH) > 1
