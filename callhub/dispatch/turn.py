"""One event being decided: the facts so far, what can be undone, and what is told in the end.

Rules of this file:
1. Deciding changes incidents only through ``Case.add``, which applies the fact at once: what follows in the same turn
   sees it.
2. ``undo`` puts everything back: an event that fails has changed nothing.
3. ``finish`` closes each touched case with one row, checks that no open incident is left without a deadline, and
   lets whoever became able to come be asked at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from callhub.dispatch.changes import Changes
from callhub.dispatch.family_messages import told_family
from callhub.dispatch.messages import told
from callhub.dispatch.replay import apply_fact, in_order, opened, seal
from callhub.dispatch.service_hours import ALWAYS
from callhub.dispatch.whistle_messages import told_departments
from callhub.domain import facts as f
from callhub.domain.incident import Deadline, Incident, Places
from callhub.domain.windows import after
from callhub.errors import EngineFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from callhub.dispatch.world import World
    from callhub.domain.events import Event
    from callhub.domain.messages import Message
    from callhub.domain.people import Duty, Responder
    from callhub.domain.policy import Policy

_MOVES_LOAD = (
    f.OfferMade,
    f.OfferSilent,
    f.OfferAccepted,
    f.OfferDeclined,
    f.OfferWithdrawn,
    f.Assigned,
    f.AssignmentMoved,
)
FREED_MAX = 1_000_000
"""Times that people may become free within one turn, far over what one import can do; more is a loop in the rules."""


@dataclass(slots=True)
class Case:
    """One incident within a turn."""

    turn: Turn
    incident: Incident
    before: Incident | None
    places_before: Places
    facts: list[f.Fact] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The incident's id."""
        return self.incident.id

    @property
    def places(self) -> Places:
        """Where help is needed."""
        return self.turn.world.places_of(self.id)

    @property
    def policy(self) -> Policy:
        """The ladder frozen into it."""
        return self.turn.world.policy(self.incident)

    def add(self, fact: f.Fact) -> None:
        """Let a fact happen."""
        turn = self.turn
        self.facts.append(fact)
        was_open = self.incident.is_open
        apply_fact(self.incident, fact, turn.now, turn.event.actor)
        if isinstance(fact, _MOVES_LOAD):
            responder = self._responder_of(fact)
            turn.weigh(self.incident, responder)
        elif self.incident.is_open is not was_open or isinstance(fact, f.AlarmMadeUrgent):
            # In the order they were asked: whoever becomes free is considered in an order that is the same each time.
            for responder in dict.fromkeys(o.responder for o in self.incident.offers.values()):
                turn.weigh(self.incident, responder)
        # What is due next is looked up once, when the row is closed: nobody asks within a turn.
        turn.world.note(self.incident, queue=False)

    def _responder_of(self, fact: f.Fact) -> str:
        if isinstance(fact, f.Assigned):
            return fact.responder
        if isinstance(fact, f.AssignmentMoved):
            return self.incident.assignments[fact.assignment].responder
        assert isinstance(fact, f.OfferMade | f.OfferSilent | f.OfferAccepted | f.OfferDeclined | f.OfferWithdrawn)
        return self.incident.offers[fact.offer].responder

    def arm(self, key: str, after_s: float, why: str) -> None:
        """Set a deadline that many seconds from now, of the ladder's window if it has one.

        It becomes part of the one fact about deadlines.
        """
        always = key.partition(":")[0] in ALWAYS
        at = self.turn.now + timedelta(seconds=after_s) if always else self.after(after_s)
        self.incident.deadlines[key] = Deadline(at, why)

    def after(self, seconds: float) -> datetime:
        """When that many seconds of the ladder's window will have passed."""
        window, now = self.policy.window, self.turn.now
        if not window:
            return now + timedelta(seconds=seconds)
        return after(window, now, seconds, self.turn.world.rules.timezone)

    def disarm(self, *keys: str) -> None:
        """Take deadlines away; no error for those that are not there."""
        for key in keys:
            self.incident.deadlines.pop(key, None)

    def disarm_all(self, *, but: frozenset[str] = frozenset()) -> None:
        """Take every deadline away but those of the stages ``but``: the case is over, or another stage begins."""
        self.disarm(*[key for key in self.incident.deadlines if key.partition(":")[0] not in but])

    def deadline_fact(self) -> f.DeadlinesChanged | None:
        """What happened to the deadlines in this turn."""
        old = self.before.deadlines if self.before is not None else {}
        new = self.incident.deadlines
        armed = {key: deadline for key, deadline in new.items() if old.get(key) != deadline}
        disarmed = tuple(sorted(key for key in old if key not in new))
        if not armed and not disarmed:
            return None
        return f.DeadlinesChanged(armed=armed, disarmed=disarmed)


@dataclass(slots=True)
class Turn:
    """Deciding one event at one time. ``consider`` is how a person who became free is offered what is open."""

    world: World
    event: Event
    now: datetime
    cases: dict[str, Case] = field(default_factory=dict)
    notes: list[f.Fact] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)
    freed: dict[str, None] = field(default_factory=dict)
    changes: Changes = field(init=False)

    def __post_init__(self) -> None:
        self.changes = Changes(self.world, self.now)

    def case(self, id: str) -> Case:
        """The case of an incident in memory, tracked from now on."""
        case = self.cases.get(id)
        if case is None:
            incident = self.world.incidents[id]
            case = Case(self, incident, incident.copy(), replace(self.world.places_of(id)))
            self.cases[id] = case
        return case

    def revive(self, incident: Incident, places: Places) -> Case:
        """Take an ended incident back into memory; what was handed in stays as it is."""
        world, id = self.world, incident.id
        held = world.ended.pop(id, None)

        def restore() -> None:
            world.forget(id)
            if held is not None:
                world.ended[id] = held

        self.changes.on_undo(restore)
        world.incidents[id] = incident.copy()
        world.places[id] = replace(places)
        return self.case(id)

    def open(self, fact: f.IncidentOpened, places: Places, id: str | None = None) -> Case:
        """Begin an incident; it has the event's id, unless given another."""
        id = id or self.event.id
        if id in self.world.incidents:
            raise EngineFault(f"event {id} opens a second incident")
        incident = opened(id, fact, self.now)
        number = self.world.number
        self.world.number = fact.number

        def restore() -> None:
            self.world.number = number

        self.changes.on_undo(restore)
        case = Case(self, incident, None, Places(), [fact])
        self.cases[id] = case
        self.world.places[id] = places
        self.world.note(incident)
        return case

    def note(self, fact: f.Fact) -> None:
        """A fact that is not about an incident."""
        self.notes.append(fact)

    def mark(self, kind: str, id: str) -> None:
        """What is no fact, and must be as durable as this turn's facts."""
        self.marks.append((kind, id))

    def weigh(self, incident: Incident, responder: str) -> None:
        """Count a responder's work anew and notice whether they became free."""
        self.world.weigh(incident, responder)
        person = self.world.roster.people.get(responder)
        if person is None:
            return
        # Whoever could be asked before was asked already: only those who could not are news.
        was_able = person.able
        if self.world.roster.refile(responder, self.now) and not was_able:
            self.freed[responder] = None

    # People

    def admit(self, record: Responder) -> None:
        """Add or change a responder's record."""
        self.changes.admit(record)
        self.noticed(record.id)

    def set_duty(self, responder: str, duty: Duty | None) -> None:
        """Change what a responder said of being available; None: hours count again."""
        person = self.changes.person(responder)
        if person is not None:
            person.duty = duty
            self.changes.set_timer(f"duty:{responder}", self.world.roster.next_duty_change(person, self.now))
            self.noticed(responder)

    def noticed(self, responder: str) -> None:
        """Something about a person moved: if they can be asked now, they are considered when the turn ends."""
        if self.world.roster.refile(responder, self.now):
            self.freed[responder] = None

    # The end of a turn

    def finish(self, consider: Callable[[Turn, str], None]) -> tuple[tuple[f.Row, ...], tuple[Message, ...]]:
        """Ask whoever became free, close the rows, build the messages."""
        for _ in range(FREED_MAX):
            if not self.freed:
                break
            consider(self, self.freed.popitem()[0])
        else:
            raise EngineFault("people keep becoming free within one turn")
        rows = [row for case in self.cases.values() if (row := self._row(case)) is not None]
        if self.notes:
            actor = self.event.actor
            rows.append(f.Row(None, 0, self.now, self.event.id, actor, tuple(self.notes)))
        messages = [message for case in self.cases.values() for message in _all_told(case)]
        return tuple(rows), tuple(messages)

    def _row(self, case: Case) -> f.Row | None:
        deadlines = case.deadline_fact()
        if deadlines is not None:
            case.facts.append(deadlines)
        if not case.facts:
            return None
        incident = case.incident
        incident.deadlines = in_order(incident.deadlines)
        if incident.is_open and not incident.deadlines:
            raise EngineFault(f"incident {incident.id} would be open without a deadline")
        version = incident.version + 1
        seal(incident, version, self.event.actor)
        self.world.note(incident)
        return f.Row(incident.id, version, self.now, self.event.id, self.event.actor, tuple(case.facts))

    def undo(self) -> None:
        """Put everything back as it was before the turn."""
        world = self.world
        for case in self.cases.values():
            touched = {o.responder for o in case.incident.offers.values()}
            if case.before is None:
                world.forget(case.id)
            else:
                world.ended.pop(case.id, None)
                world.incidents[case.id] = case.before
                world.places[case.id] = case.places_before
                world.note(case.before)
            for responder in touched:
                self._unweigh(case, responder)
        self.changes.undo()

    def _unweigh(self, case: Case, responder: str) -> None:
        person = self.world.roster.people.get(responder)
        if person is None:
            return
        if case.before is None:
            self.world.unweigh(case.id, person)
        else:
            self.world.weigh(case.before, responder)
        self.world.roster.refile(responder, self.now)


def _all_told(case: Case) -> Iterator[Message]:
    yield from told(case)
    yield from told_departments(case)
    yield from told_family(case)
