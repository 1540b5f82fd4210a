"""Who is asked: the exact best of those who can come, and why the others were passed over.

Rules of this file:
1. People paired with the elder and keyholders first; then the least expected arrival in whole seconds (turnout + way /
   speed); ties by the load of the last month, then id. Whoever has just come back from an emergency comes after those
   who had none. Outside emergencies the least loaded of the nearest comes first. The same roster gives the same people.
2. Without a position, people are found by area (the deepest common one first). Without both, no person is asked: only
   desks can help somebody whom nobody can find.
3. Every ranking is explained: at most 20 chosen, its desks and the nearest people passed over, at most 20 in all, with
   one reason each, counts for the rest.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from callhub.dispatch.geo import distance_m
from callhub.dispatch.learning import chance, is_resting, load_of, services_on
from callhub.dispatch.roster import PLACES, Person
from callhub.domain import facts as f
from callhub.domain.family import keyholders
from callhub.domain.incident import Incident, OfferState, Places
from callhub.domain.people import Position, ResponderKind
from callhub.domain.policy import Ask, IncidentClass, Step
from callhub.domain.roll_call import HOME_CHECK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from callhub.dispatch.world import World

LISTED_MAX = 20
"""How many of each list a ranking keeps (law 9)."""
LOOKED_AT_MAX = 60
"""How many of the nearest are looked at to explain why they were passed over."""
CHECKERS_MAX = 20
"""Of so many of the nearest the least loaded is asked to see to a home: near enough to walk there."""

KINDS_ASKED = {
    Ask.VOLUNTEER: ResponderKind.VOLUNTEER,
    Ask.CAREGIVER: ResponderKind.CAREGIVER,
    Ask.GRID_WORKER: ResponderKind.GRID_WORKER,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who can be asked: metres and seconds, or None when found by area."""

    responder: str
    kind: ResponderKind
    distance_m: int | None = None
    eta_s: int | None = None
    paired: bool = False
    keyholder: bool = False

    @property
    def is_named(self) -> bool:
        """Asked because of who they are to the elder, however far away."""
        return self.paired or self.keyholder


def named_in(incident: Incident, step: Step) -> dict[str, None]:
    """Whom a step asks because of who they are to the elder: paired people, keyholders."""
    paired = incident.paired if Ask.PAIRED in step.ask else ()
    return dict.fromkeys((*paired, *(keyholders(incident.family) if Ask.KEYHOLDER in step.ask else ())))


@dataclass(frozen=True, slots=True)
class Shared:
    """What a ranking says of a decision on several cases: how many they were, and who is asked for another of them."""

    cases: int = 0
    elsewhere: frozenset[str] = frozenset()


NOT_SHARED = Shared()


@dataclass(slots=True)
class Search:
    """One search for one incident and one step of its ladder.

    ``emergency``: capacity counts; a drill and a home check use none, but spare whoever is at the real thing.
    ``checking``: people have one home at a time, and somebody may lie there, so nothing else limits. ``limited``: quiet
    hours, the limit of a day and the rest after an emergency do.
    """

    world: World
    incident: Incident
    places: Places
    step: Step
    now: datetime
    again: bool = False
    checking: bool = field(init=False)
    emergency: bool = field(init=False)
    limited: bool = field(init=False)
    night: bool = field(init=False)

    def __post_init__(self) -> None:
        self.checking = self.incident.kind == HOME_CHECK
        self.emergency = self.checking or self.incident.class_ in (IncidentClass.EMERGENCY, IncidentClass.DRILL)
        self.limited = self.incident.class_ in (IncidentClass.SERVICE, IncidentClass.TECHNICAL)
        self.night = self.world.rules.is_night(self.now)

    @property
    def centre(self) -> Position | None:
        """Where help is needed."""
        target = self.places.target
        return target[0] if target is not None else None

    @property
    def kinds(self) -> tuple[ResponderKind, ...]:
        """The kinds of people this step asks."""
        return tuple(KINDS_ASKED[ask] for ask in self.step.ask if ask in KINDS_ASKED)

    def refusal(self, person: Person) -> str | None:
        """Why this person is not asked for this incident, as a code, or None.

        ``disabled leave off_duty unreachable busy``, ``skill``, ``declined accepted asked`` (this incident, before),
        and outside emergencies ``rest quiet cap``.
        """
        if self.checking and person.checks - {self.incident.id}:
            return "busy"
        standing = self.world.roster.standing(person, self.now, emergency=self.emergency)
        if standing is not None:
            return standing
        if not set(self.step.skills) <= set(person.record.skills):
            return "skill"
        return self.history(person) or (self._spared(person) if self.limited else None)

    def _spared(self, person: Person) -> str | None:
        """Why this person is left in peace where no life is at stake: ``rest quiet cap``, or None."""
        rules, kind = self.world.rules, person.record.kind
        if kind in PLACES or self.checking:
            return None
        if self.rests(person.record.id):
            return "rest"
        if rules.is_quiet(kind, self.now):
            return "quiet"
        most = rules.services_per_day_max.get(kind)
        habit = self.world.habits.get(person.record.id)
        if most is not None and services_on(habit, self.now, rules.timezone) >= most:
            return "cap"
        return None

    def rests(self, responder: str) -> bool:
        """Whether they have just come back from an emergency: others go first."""
        return is_resting(self.world.habits.get(responder), self.now, self.world.rules.rest_s)

    def _load(self, responder: str) -> float:
        return load_of(self.world.habits.get(responder), self.now)

    def chances(self, number: int) -> list[float]:
        """How likely each open offer of the step with this number is accepted."""
        return [self.chance(offer.responder) for offer in self.incident.open_offers if offer.step == number]

    def chance(self, responder: str) -> float:
        """How likely this person accepts, learned from emergencies and used in them; else as for somebody new."""
        habit = self.world.habits.get(responder) if self.emergency else None
        return chance(habit, self.now, self.world.rules.timezone)

    def history(self, person: Person) -> str | None:
        """Whether they were asked before: ``asked`` (still are), ``declined``, ``accepted``."""
        since = self.incident.reopened_at
        place = person.record.kind in PLACES
        for offer in self.incident.offers.values():
            if offer.responder != person.record.id:
                continue
            if offer.state in (OfferState.OPEN, OfferState.SILENT):
                return "asked"
            if since is not None and offer.offered_at < since:
                continue
            # Whoever was stood down may be asked again; a desk is a place and may be asked again at will.
            if offer.state is OfferState.DECLINED and not (place and self.again):
                return "declined"
            if offer.state is OfferState.ACCEPTED and not place:
                return "accepted"
        return None

    def around(self, radius_m: float, most: int) -> int:
        """How many people of this step live or are near, within ``radius_m``, counted up to ``most``.

        Those who can be asked for an emergency now, and those whom this incident is asking: their number does not
        shrink because some of them were asked. 0 when nobody knows where help is needed.
        """
        if self.centre is None:
            return 0
        asked = sum(1 for o in self.incident.open_offers if o.distance_m is not None and o.distance_m <= radius_m)
        roster = self.world.roster
        return min(most, asked + sum(roster.around(kind, self.centre, radius_m, most) for kind in self.kinds))

    def candidates(self) -> Iterator[Candidate]:
        """Everybody who can be asked, best first, lazily."""
        seen: set[str] = set()
        for candidate in self._named():
            seen.add(candidate.responder)
            yield candidate
        people: Iterator[Candidate] = self._by_distance() if self.centre is not None else iter(self._by_area())
        if self.limited:
            people = self._fairly(people)
        resting: list[Candidate] = []
        for candidate in people:
            if candidate.responder in seen:
                continue
            seen.add(candidate.responder)
            if self.rests(candidate.responder):
                resting.append(candidate)
            else:
                yield candidate
        yield from resting
        yield from self._desks()

    def _fairly(self, people: Iterator[Candidate]) -> Iterator[Candidate]:
        """Of the nearest the least loaded first: nobody waits in need, so the work is shared."""
        nearest = list(islice(people, CHECKERS_MAX if self.checking else LOOKED_AT_MAX))
        yield from sorted(nearest, key=lambda c: (self._load(c.responder), *self._order(c)))
        yield from people

    def matches(self, person: Person) -> Candidate | None:
        """This one person as a candidate of this step, or None. What rules out most is looked at first."""
        kind = person.record.kind
        if kind is ResponderKind.DESK:
            asked = Ask.DESK in self.step.ask and self.refusal(person) is None
            return next((c for c in self._desks() if c.responder == person.record.id), None) if asked else None
        named = person.record.id in named_in(self.incident, self.step)
        if not named and kind not in self.kinds:
            return None
        candidate = self.named(person) if named else self._measure(person)
        if candidate is None:
            return None
        far = self.step.radius_m is not None and (candidate.distance_m or 0) > self.step.radius_m
        return None if (far and not named) or self.refusal(person) is not None else candidate

    def by_hand(self, person: Person) -> Candidate:
        """Whom a human chose, whoever that is: measured where both positions are known."""
        return self._measure(person) or Candidate(person.record.id, person.record.kind)

    def _measure(self, person: Person) -> Candidate | None:
        """None when nobody can say how far they are; for a house without a position an area in common will do."""
        record = person.record
        position = self.world.roster.position(person, self.now)
        if self.centre is not None and position is not None:
            away_m = distance_m(self.centre, position)
            eta_s = self.world.rules.eta_s(record.kind, away_m, night=self.night)
            return Candidate(record.id, record.kind, round(away_m), eta_s)
        if self.centre is None and set(self.incident.area[:1]) & set(record.area):
            return Candidate(record.id, record.kind)
        return None

    def named(self, person: Person) -> Candidate:
        """Somebody who is paired with the elder or has a key, as a candidate wherever they are."""
        id = person.record.id
        measured = self._measure(person) or Candidate(id, person.record.kind)
        return replace(measured, paired=id in self.incident.paired, keyholder=id in self._keyholders)

    @property
    def _keyholders(self) -> tuple[str, ...]:
        return keyholders(self.incident.family)

    def _named(self) -> list[Candidate]:
        people = self.world.roster.people
        found = [
            self.named(people[id])
            for id in named_in(self.incident, self.step)
            if id in people and people[id].record.kind not in PLACES and self.refusal(people[id]) is None
        ]
        return sorted(found, key=lambda candidate: (self.rests(candidate.responder), *self._order(candidate)))

    def _order(self, candidate: Candidate) -> tuple[float, float, str]:
        eta_s = math.inf if candidate.eta_s is None else candidate.eta_s
        return eta_s, self._load(candidate.responder), candidate.responder

    def _by_distance(self) -> Iterator[Candidate]:
        """Kinds differ in speed, so each is searched by distance and they are merged by arrival."""
        assert self.centre is not None
        yield from heapq.merge(*(self._of_kind(kind, self.centre) for kind in self.kinds), key=self._order)

    def _of_kind(self, kind: ResponderKind, centre: Position) -> Iterator[Candidate]:
        """People of one kind by (arrival, load, id). Distance order is arrival order but for ties within a second."""
        roster = self.world.roster
        radius_m = self.step.radius_m or math.inf
        same: list[Candidate] = []
        # Services use no capacity, so people busy with an emergency may still be asked for one.
        for away_m, id in roster.near(kind, centre, radius_m, everyone=not self.emergency):
            person = roster.people[id]
            if self.refusal(person) is not None:
                continue
            candidate = Candidate(id, kind, round(away_m), self.world.rules.eta_s(kind, away_m, night=self.night))
            if same and same[0].eta_s != candidate.eta_s:
                yield from sorted(same, key=self._order)
                same = []
            same.append(candidate)
        yield from sorted(same, key=self._order)

    def _by_area(self) -> list[Candidate]:
        """People whose area is nearest in the tree: the same grid, then the community, the street, the district."""
        found: dict[str, int] = {}
        roster = self.world.roster
        for depth in range(len(self.incident.area) - 1, -1, -1):
            for id in roster.living_in(self.incident.area[depth]):
                person = roster.people[id]
                if person.record.kind in self.kinds and self.refusal(person) is None:
                    found.setdefault(id, depth)
        order = sorted(found, key=lambda id: (-found[id], self._load(id), id))
        return [Candidate(id, roster.people[id].record.kind) for id in order]

    def _desks(self) -> Iterator[Candidate]:
        for person in self._desks_here():
            if self.refusal(person) is None:
                yield Candidate(person.record.id, ResponderKind.DESK)

    def _desks_here(self) -> list[Person]:
        """The desks this step is for, on duty or not."""
        if Ask.DESK not in self.step.ask:
            return []
        roster = self.world.roster
        if not self.incident.area:
            return [roster.people[id] for id in roster.top_desks()]
        desks = [roster.people[id] for area in self.incident.area for id in roster.desks_of(area)]
        return [desk for desk in desks if desk.record.level == self.step.level]

    def explain(self, step: int, chosen: list[Candidate], shared: Shared = NOT_SHARED) -> f.Ranked:
        """The ranking as a fact."""
        mine = {c.responder for c in chosen}
        farthest_m = max((c.distance_m or 0 for c in chosen), default=0)
        passed = [self._unasked_desk(desk) for desk in self._desks_here() if desk.record.id not in mine][:LISTED_MAX]
        desks = len(passed)
        for away_m, person in self._nearby():
            if len(passed) == LISTED_MAX:
                break
            if person.record.id in mine:
                continue
            mine.add(person.record.id)
            reason = self.refusal(person) or self._outranked(person, away_m, farthest_m)
            if reason == "farther" and person.record.id in shared.elsewhere:
                reason = "shared"
            passed.append({"responder": person.record.id, "distance_m": round(away_m), "reason": reason})
        listed = tuple(self.listed(candidate) for candidate in chosen[:LISTED_MAX])
        active = sum(self.world.roster.count(kind)[1] for kind in self.kinds)
        eligible = sum(self.world.roster.count(kind)[0] for kind in self.kinds)
        not_listed = max(0, active - (len(passed) - desks) - len(chosen))
        counts = {"active": active, "eligible": eligible, "not_listed": not_listed}
        if shared.cases > 1:
            counts["cases"] = shared.cases
        return f.Ranked(step=step, chosen=listed, passed_over=tuple(passed), counts=counts)

    def _unasked_desk(self, desk: Person) -> dict[str, object]:
        """A desk stands nowhere; one that could be asked was not needed beside those who were."""
        return {"responder": desk.record.id, "distance_m": None, "reason": self.refusal(desk) or "enough"}

    def listed(self, chosen: Candidate) -> dict[str, object]:
        """What spoke for somebody: how likely they come (0..1) and what they carried in the last month, as it was."""
        return {
            "responder": chosen.responder,
            "distance_m": chosen.distance_m,
            "eta_s": chosen.eta_s,
            "paired": chosen.paired,
            **({"keyholder": True} if chosen.keyholder else {}),
            "chance": round(self.chance(chosen.responder), 3),
            "load": round(self._load(chosen.responder), 1),
        }

    def _outranked(self, person: Person, away_m: float, farthest_m: float) -> str:
        """Why others came before somebody who could be asked: ``too_far rest load farther``."""
        if self.step.radius_m is not None and away_m > self.step.radius_m:
            return "too_far"
        if self.rests(person.record.id):
            return "rest"
        return "load" if self.limited and away_m < farthest_m else "farther"

    def _nearby(self) -> Iterator[tuple[float, Person]]:
        if self.centre is None:
            return
        roster = self.world.roster
        for id in self._keyholders if Ask.KEYHOLDER in self.step.ask else ():
            position = roster.position(roster.people[id], self.now) if id in roster.people else None
            if position is not None:
                yield distance_m(self.centre, position), roster.people[id]
        each = (roster.near(kind, self.centre, math.inf, everyone=True) for kind in self.kinds)
        for looked, (away_m, id) in enumerate(heapq.merge(*each)):
            if looked == LOOKED_AT_MAX:
                return
            yield away_m, roster.people[id]
