"""Laws of time: never silent, on time, accepted is not done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from callhub.domain import facts as f
from callhub.domain.people import SYSTEM
from callhub.domain.policy import IncidentClass
from callhub.lab.laws.law import Law

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from callhub.domain.facts import Fact, Row
    from callhub.lab.laws.evidence import Entry, Evidence

ENDED = frozenset({"closed", "cancelled"})
CYCLE_S = 0.1


class Armed:
    """What each open incident waits for, read from ``deadlines_changed`` alone."""

    def __init__(self) -> None:
        self.deadlines: dict[str, dict[str, datetime]] = {}
        self.ended: set[str] = set()

    def note(self, row: Row) -> None:
        """Take over what a row changed."""
        id = str(row.incident)
        mine = self.deadlines.setdefault(id, {})
        for fact in row.facts:
            if isinstance(fact, f.DeadlinesChanged):
                for key in fact.disarmed:
                    mine.pop(key, None)
                mine.update({key: deadline.at for key, deadline in fact.armed.items()})
            elif isinstance(fact, f.StateChanged):
                (self.ended.add if fact.state in ENDED else self.ended.discard)(id)


class NeverSilent(Law):
    """Every open incident has a deadline that has not passed."""

    name = "3 never silent"

    def __init__(self) -> None:
        super().__init__()
        self._armed = Armed()

    def row(self, row: Row) -> Iterator[str]:
        """After each row of an open incident something is armed, and nothing of it is overdue."""
        if row.incident is None:
            return
        self._armed.note(row)
        if row.incident in self._armed.ended:
            return
        self.checked += 1
        waits = self._armed.deadlines[row.incident]
        if not waits:
            yield f"{row.incident} is open and nothing is due"
        elif min(waits.values()) < row.at:
            yield f"{row.incident} goes on at {row.at} and was due at {min(waits.values())}"

    def end(self, evidence: Evidence) -> Iterator[str]:
        """Nothing that is open at the end is overdue."""
        until = max((entry.at for entry in evidence.entries), default=None)
        for id, waits in self._armed.deadlines.items():
            if id not in self._armed.ended and until is not None and waits and min(waits.values()) < until - _CYCLE:
                yield f"{id} is overdue at the end: {min(waits.values())}"


class OnTime(Law):
    """No deadline fires early; while a server runs none is late by more than a cycle, and the most overdue comes first.

    Args:
        runs: When a server ran, from and until; empty: always.
    """

    name = "5 on time"

    def __init__(self, runs: Sequence[tuple[datetime, datetime]] = ()) -> None:
        super().__init__()
        self._runs = runs
        self._armed = Armed()

    def see(self, entry: Entry) -> Iterator[str]:
        """Rows of one instant fire in the order in which they were due."""
        fired: list[datetime] = []
        for row in entry.rows:
            if row.incident is None:
                continue
            before = dict(self._armed.deadlines.get(row.incident, {}))
            if row.incident not in self._armed.ended and before:
                yield from self._late(row, min(before.values()))
            yield from self._early(row, before, fired)
            self._armed.note(row)
        if fired != sorted(fired):
            yield f"at {entry.at} deadlines fired in another order than they were due"

    def _late(self, row: Row, due: datetime) -> Iterator[str]:
        self.checked += 1
        late_s = self._uptime_s(due, row.at)
        if late_s > CYCLE_S:
            yield f"{row.incident} was due at {due} and heard nothing for {late_s:.1f} s"

    def _early(self, row: Row, before: dict[str, datetime], fired: list[datetime]) -> Iterator[str]:
        if row.actor != SYSTEM:
            return
        due: list[datetime] = []
        for fact in row.facts:
            key = deadline_of(fact, row.facts)
            if key is None:
                continue
            self.checked += 1
            if key not in before:
                yield f"{fact.fact} of {row.incident}: nothing was armed as {key}"
            elif before[key] > row.at:
                yield f"{fact.fact} of {row.incident} fired at {row.at}, due at {before[key]}"
            else:
                due.append(before[key])
        if due:
            fired.append(min(due))

    def _uptime_s(self, since: datetime, until: datetime) -> float:
        """Seconds between two instants in which a server ran."""
        if not self._runs:
            return (until - since).total_seconds()
        parts = ((max(since, began), min(until, ended)) for began, ended in self._runs)
        return sum(max(0.0, (end - begin).total_seconds()) for begin, end in parts)


def deadline_of(fact: Fact, facts: Sequence[Fact]) -> str | None:
    """The key of the deadline that must have passed for this fact, when nobody but callhub acted."""
    match fact:
        case f.OfferSilent():
            return f"offer:{fact.offer}"
        case f.ArrivalMissed():
            return f"arrival:{fact.assignment}"
        case f.ResolutionMissed():
            return f"resolution:{fact.assignment}"
        case f.ServiceMissed():
            return f"service:{fact.party}"
        case f.FollowUpMissed():
            return "follow_up"
        case f.OwnerCleared(why="owner_check_missed"):
            return "owner_check"
        case f.StepEntered(why="timeout"):
            # After a call-back it is the call-back's own time that was up.
            return None if any(isinstance(other, f.CallBackEnded) for other in facts) else "step"
        case f.StepEntered(why="window"):
            return f"window:{fact.step}"
        case f.CallBackEnded(why="timeout"):
            return "call_back"
        case f.WhistleMissed(what="not_reported"):
            return f"report_in:{fact.whistle}"
        case f.WhistleMissed(what="not_finished"):
            return f"finish:{fact.whistle}"
    return None


_CYCLE = timedelta(seconds=CYCLE_S)
GOES_ON = (f.StepEntered, f.LadderExhausted, f.LadderWaits, f.OfferMade, f.DeskCalled)
CALLS_DESK = (f.ResolutionMissed, f.FollowUpMissed, f.ServiceMissed, f.WhistleMissed, f.WhistleRefused)


class AcceptedIsNotDone(Law):
    """Each stage of a duty waits for the next one, a miss asks somebody, and only a human ends what people need."""

    name = "10 accepted is not done"

    def __init__(self) -> None:
        super().__init__()
        self._armed = Armed()
        self._duties: dict[str, dict[str, str]] = {}
        self._late: set[str] = set()
        self._states: dict[str, str] = {}
        self._classes: dict[str, IncidentClass] = {}

    def row(self, row: Row) -> Iterator[str]:
        """Look at what a row did, then at what it left waiting."""
        if row.incident is None:
            return
        self._armed.note(row)
        for fact in row.facts:
            self._note(row.incident, fact)
        for fact in row.facts:
            yield from self._miss(row, fact)
            yield from self._ending(row, fact)
        if row.incident not in self._armed.ended:
            yield from self._waits(row.incident)

    def _note(self, id: str, fact: Fact) -> None:
        duties = self._duties.setdefault(id, {})
        match fact:
            case f.IncidentOpened() | f.AlarmMadeUrgent():
                self._classes[id] = fact.class_
            case f.StateChanged():
                self._states[id] = fact.state.value
            case f.Assigned():
                duties[fact.assignment] = "assigned"
            case f.AssignmentMoved():
                duties[fact.assignment] = fact.state.value
            case f.ArrivalMissed():
                self._late.add(fact.assignment)

    def _miss(self, row: Row, fact: Fact) -> Iterator[str]:
        if isinstance(fact, CALLS_DESK):
            self.checked += 1
            if not any(isinstance(other, f.DeskCalled) for other in row.facts):
                yield f"{fact.fact} of {row.incident} called no desk"
        elif isinstance(fact, f.ArrivalMissed):
            self.checked += 1
            others = [id for id in self._on_duty(str(row.incident)) if self._is_there(str(row.incident), id)]
            resolved = self._states.get(str(row.incident)) == "resolved"
            if not others and not resolved and not any(isinstance(other, GOES_ON) for other in row.facts):
                yield f"arrival of {fact.assignment} was missed and nobody else was asked"

    def _ending(self, row: Row, fact: Fact) -> Iterator[str]:
        class_ = self._classes.get(str(row.incident))
        needs_human = class_ in (IncidentClass.EMERGENCY, IncidentClass.SERVICE)
        if not isinstance(fact, f.StateChanged) or fact.state.value not in ENDED or not needs_human:
            return
        self.checked += 1
        if not row.actor.is_human:
            yield f"{row.incident} was {fact.state} by {row.actor.kind} {row.actor.id}"
        if fact.state.value == "closed" and not fact.outcome:
            yield f"{row.incident} was closed without an outcome"

    def _waits(self, id: str) -> Iterator[str]:
        waits = self._armed.deadlines[id]
        for duty in self._on_duty(id):
            self.checked += 1
            if self._duties[id][duty] == "on_scene":
                if f"resolution:{duty}" not in waits and "desk_call" not in waits:
                    yield f"{duty} is on scene and nothing asks when it is over"
            elif duty not in self._late and f"arrival:{duty}" not in waits:
                yield f"{duty} is on the way and nothing asks whether they arrive"
        if self._states.get(id) == "resolved" and not waits.keys() & {"follow_up", "desk_call"}:
            yield f"{id} is resolved and nothing asks how it went"

    def _is_there(self, id: str, duty: str) -> bool:
        """On the way in time, or on scene."""
        return duty not in self._late or self._duties[id][duty] == "on_scene"

    def _on_duty(self, id: str) -> list[str]:
        return [duty for duty, state in self._duties[id].items() if state in ("assigned", "en_route", "on_scene")]
