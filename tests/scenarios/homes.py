"""A town after a gap: homes with buttons, the shipped ladders of roll-calls, and what the hub looks up for them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from callhub.dispatch.roll_calls import PACE_S, roll_call_of
from callhub.dispatch.rules import Rules
from callhub.domain import events as e
from callhub.domain.people import Actor, ActorKind, Role
from callhub.domain.policy import policy_from_table
from callhub.domain.roll_call import Cause, Gap, Home, Listed
from callhub.settings import shipped
from callhub.store.memory_homes import find_homes
from tests.scenarios.equipment import LADDER as EQUIPMENT
from tests.scenarios.equipment import WatchedTown
from tests.scenarios.town import FIRE, LADDER, SERVICE, TECHNICAL

if TYPE_CHECKING:
    from callhub.domain.decision import Answer
    from callhub.domain.incident import Incident
    from callhub.domain.policy import Policy
    from callhub.domain.roll_call import RollCall
    from tests.scenarios.town import Person

CHIEF = Actor(ActorKind.USER, "chief", Role.SUPERVISOR)


def shipped_ladder(name: str) -> Policy:
    """A ladder of ``config/policies``."""
    return policy_from_table(tomllib.loads((shipped() / f"policies/{name}.toml").read_text(encoding="utf-8")), name)


class RollCallTown(WatchedTown):
    """Homes E-1, E-2, ... as many as asked for, each with a button behind gateway GW.

    ``forgotten`` are elders whose record is gone, ``spoilt`` those whose record cannot be read. ``laddered``: the
    shipped ladders of roll-calls are in force.
    """

    def __init__(self, homes: int = 0, rules: Rules | None = None, *, laddered: bool = True) -> None:
        self.forgotten: set[str] = set()
        self.spoilt: set[str] = set()
        tables = (LADDER, FIRE, SERVICE, TECHNICAL, EQUIPMENT)
        ladders = [policy_from_table(table, "test") for table in tables]
        if laddered:
            ladders += [shipped_ladder("roll_call"), shipped_ladder("home_check")]
        super().__init__(*ladders, rules=rules or Rules(night=""))
        for n in range(homes):
            self.elder(f"E-{n + 1}")

    # What happens

    def asks(self, minutes: float = 60, **where: str) -> Answer:
        """A supervisor asks for a roll-call over the last minutes."""
        return self.asks_from(-minutes, 0, **where)

    def asks_from(self, since_min: float, until_min: float, **where: str) -> Answer:
        """The same over a gap between two times, in minutes from now."""
        gap = Gap(self.now + timedelta(minutes=since_min), self.now + timedelta(minutes=until_min), **where)
        return self.tell(
            e.RollCallAsked(id=self.new_id(), actor=CHIEF, cause=Cause.ASKED, gap=gap, reason="the mast fell")
        )

    def roll_call(self, **where: str) -> str:
        """The same, and its homes are known; the incident's id."""
        return self.roll_call_over(0, **where)

    def roll_call_over(self, until_min: float, **where: str) -> str:
        """A roll-call over an hour that ended some minutes from now, and its homes are known."""
        id = self.asks_from(until_min - 60, until_min, **where).incident
        assert id is not None
        self.advance(PACE_S)
        return id

    def checks_home(self, person: Person, outcome: str = "helped") -> None:
        """Somebody says yes to the newest offer, and soon that it is done."""
        person.accepts()
        self.advance(60)
        person.reports("cleared", outcome=outcome)

    def tell(self, event: e.Event) -> Answer:
        """As the hub does: a roll-call's timer comes with its homes or the next of them."""
        id = roll_call_of(event.key) if isinstance(event, e.DeadlineDue) else None
        held = self.engine.incident(id or "")
        if isinstance(event, e.DeadlineDue) and held is not None and held.roll_call is not None:
            call = held.roll_call
            listed = None if call.listed else self.listed(call.gap)
            home = self._home(call.waiting[0]) if call.waiting else None
            event = replace(event, listed=listed, home=home)
        return super().tell(event)

    def listed(self, gap: Gap) -> Listed:
        """The homes of a gap, as a store finds them."""
        incidents = [self.incident(id) for id in self.rows]
        heard = {id: at for (kind, id), at in self.marks.items() if kind == "device"}
        return find_homes(gap, self.devices.values(), self.elders, heard.get, incidents)

    def _home(self, id: str) -> Home:
        if id in self.spoilt:
            return Home(id, readable=False)
        return Home(id, None if id in self.forgotten else self.elders[id])

    # What is so

    def how_far(self, id: str) -> RollCall:
        """How far a roll-call has got."""
        found = self.incident(id).roll_call
        assert found is not None
        return found

    def progress_of(self, id: str) -> str:
        """``2 of 5, 1 open``."""
        call = self.how_far(id)
        return f"{call.checked} of {call.homes}, {len(call.open)} open"

    def check_of(self, home: str) -> Incident:
        """The newest check of a home."""
        found = [i for id in self.rows if (i := self.incident(id)).kind == "home_check" and i.elder == home]
        assert found, f"{home} is not checked"
        return found[-1]

    def outcomes_of(self, id: str) -> dict[str, str]:
        """What became of each home that counts as checked."""
        return {fact.home: fact.outcome for fact in self.facts(id, "home_checked")}

    def roll_calls(self) -> list[Incident]:
        """Every roll-call so far, oldest first."""
        return [incident for id in sorted(self.rows) if (incident := self.incident(id)).kind == "roll_call"]
