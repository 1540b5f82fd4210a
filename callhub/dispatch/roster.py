"""Everybody who can be asked, and who of them can be asked now.

Rules of this file:
1. ``standing`` says for one responder, at one time, why they cannot be asked in general, or None. What depends on one
   incident (skills, distance, an earlier no) is matching's.
2. A person uses capacity by live emergency assignments and by *open* emergency offers. Services use none.
3. Presence is a fact; links, positions and watchers are not: they only move who is reachable.
4. People eligible now are in a grid of their own, so that a search among mostly busy people stays cheap. Time passes
   without an event (a position grows old, patience ends), so whoever a search gives is checked again.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from callhub.dispatch.geo import Grid
from callhub.domain.people import Duty, Position, Responder, ResponderKind
from callhub.domain.timetable import Standing, parse_timetable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callhub.dispatch.rules import Rules

PLACES = frozenset({ResponderKind.DESK, ResponderKind.DEPARTMENT})
"""Kinds that are no persons: no position, found by their area."""
TELEPHONES = frozenset({"phone", "sms", "voice"})
"""Channels by which a desk is on duty in its hours although nobody watches."""


@dataclass(slots=True)
class Load:
    """What one responder has in one emergency: a live assignment (with its slot), an open offer."""

    slot: int | None = None
    live: bool = False
    open: bool = False


@dataclass(slots=True)
class Person:
    """A responder with what moves: duty, link, position, work.

    ``asked`` and ``duties`` are the incidents of any class in which they hold a live offer or a live assignment.
    ``checks`` are the homes of roll-calls that they are asked for or see to.
    ``able``: could be asked for an emergency when they were last looked at.
    """

    record: Responder
    duty: Duty | None = None
    link_up: bool = False
    reachable_until: datetime | None = None
    fix: Position | None = None
    fix_at: datetime | None = None
    loads: dict[str, Load] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    duties: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    able: bool = False

    @property
    def used(self) -> int:
        """Capacity in use: emergencies with a live assignment or an open offer."""
        return len(self.loads)

    @property
    def live(self) -> int:
        """Live emergency assignments."""
        return sum(1 for load in self.loads.values() if load.live)

    @property
    def is_full(self) -> bool:
        """Whether live assignments alone fill the capacity."""
        return self.record.capacity is not None and self.live >= self.record.capacity

    def free_slot(self) -> int | None:
        """The lowest slot not in use; None without a limit."""
        if self.record.capacity is None:
            return None
        taken = {load.slot for load in self.loads.values() if load.live}
        return next(n for n in range(1, len(taken) + 2) if n not in taken)


class Roster:
    """The people in memory. ``started_at`` is when this process began, for patience with links."""

    def __init__(self, rules: Rules, started_at: datetime) -> None:
        self.rules = rules
        self.started_at = started_at
        self.people: dict[str, Person] = {}
        self.watchers: dict[str, str | None] = {}
        self.desk_patience: dict[str, datetime] = {}
        self._eligible: dict[ResponderKind, Grid] = {}
        self._everyone: dict[ResponderKind, Grid] = {}
        self._growing_old: list[tuple[datetime, str]] = []
        self._desks: dict[str, set[str]] = {}
        self._in_area: dict[str, set[str]] = {}
        self._rostered: dict[str, tuple[datetime, datetime | None, Standing]] = {}

    def admit(self, record: Responder, now: datetime, *, known: bool) -> Person:
        """Add or change a responder. ``known``: was there when the process started, so patience applies."""
        person = self.people.get(record.id)
        if person is None:
            patience = timedelta(seconds=self.rules.link_patience_s)
            person = Person(record, reachable_until=self.started_at + patience if known else None)
            self.people[record.id] = person
        else:
            self._unfile(person.record)
            person.record = record
        self._file(record)
        self.refile(record.id, now)
        return person

    def _file(self, record: Responder) -> None:
        if record.kind is ResponderKind.DESK and record.area:
            self._desks.setdefault(record.area[-1], set()).add(record.id)
        elif record.kind is not ResponderKind.DEPARTMENT:
            for area in record.area:
                self._in_area.setdefault(area, set()).add(record.id)

    def _unfile(self, record: Responder) -> None:
        for area in record.area:
            self._desks.get(area, set()).discard(record.id)
            self._in_area.get(area, set()).discard(record.id)
        for grids in (self._eligible, self._everyone):
            if record.kind in grids:
                grids[record.kind].remove(record.id)

    # Who can be asked

    def on_duty(self, person: Person, now: datetime) -> bool:
        """By presence while it lasts, else by hours; a desk also while somebody watches its area.

        On leave only a presence with an end counts: one without would outlast the day on which it was meant.
        """
        if person.record.kind is ResponderKind.DESK and self._desk_staffed(person.record, now):
            return True
        standing = self._by_hours(person, now)
        duty = person.duty
        if duty is not None and (standing is not Standing.LEAVE if duty.until is None else now < duty.until):
            return duty.available
        if person.record.kind is ResponderKind.DESK and TELEPHONES.isdisjoint(person.record.channels):
            return False
        return standing is Standing.ON

    def _by_hours(self, person: Person, now: datetime) -> Standing:
        """What the timetable says; read once for everybody who has the same, until it changes by itself."""
        hours = person.record.hours
        if not hours:
            return Standing.OFF
        since, until, standing = self._rostered.get(hours, (now, now, Standing.OFF))
        if since <= now and (until is None or now < until):
            return standing
        table, zone = parse_timetable(hours), self.rules.timezone
        standing = table.standing(now, zone)
        self._rostered[hours] = now, table.next_change(now, zone), standing
        return standing

    def _desk_staffed(self, desk: Responder, now: datetime) -> bool:
        patience = timedelta(seconds=self.rules.link_patience_s)
        if now < self.started_at + patience or now < self.desk_patience.get(desk.id, self.started_at):
            return True
        return any(area is None or area in desk.area for area in self.watchers.values())

    def reachable(self, person: Person, now: datetime) -> bool:
        """Linked, or the link was lost (or the process started) a short time ago; a desk while it is on duty."""
        desk = person.record.kind is ResponderKind.DESK
        if desk and (self._desk_staffed(person.record, now) or not TELEPHONES.isdisjoint(person.record.channels)):
            return True
        return person.link_up or (person.reachable_until is not None and now < person.reachable_until)

    def standing(self, person: Person, now: datetime, *, emergency: bool = True) -> str | None:
        """Why this person cannot be asked now, as a code, or None: ``disabled leave off_duty unreachable busy``."""
        if not person.record.active:
            return "disabled"
        if not self.on_duty(person, now):
            return "leave" if self._by_hours(person, now) is Standing.LEAVE else "off_duty"
        if not self.reachable(person, now):
            return "unreachable"
        limit = person.record.capacity
        if emergency and limit is not None and person.used >= limit:
            return "busy"
        return None

    def position(self, person: Person, now: datetime) -> Position | None:
        """The app's position while fresh, else home."""
        fresh = timedelta(seconds=self.rules.position_fresh_s)
        if person.fix is not None and person.fix_at is not None and now - person.fix_at <= fresh:
            return person.fix
        return person.record.position

    def refile(self, id: str, now: datetime) -> bool:
        """Put a person where searches find them; whether they can be asked for an emergency now."""
        person = self.people[id]
        able = person.able = self.standing(person, now) is None
        kind = person.record.kind
        if kind in PLACES:
            return able
        position = self.position(person, now)
        for grids, wanted in ((self._everyone, person.record.active), (self._eligible, able)):
            grid = grids.setdefault(kind, Grid())
            if wanted and position is not None:
                grid.put(id, position)
            else:
                grid.remove(id)
        return able

    def see(self, id: str, position: Position, now: datetime) -> None:
        """An app gave a position; it counts while it is fresh."""
        person = self.people[id]
        person.fix, person.fix_at = position, now
        fresh = timedelta(seconds=self.rules.position_fresh_s)
        heapq.heappush(self._growing_old, (now + fresh, id))
        self.refile(id, now)

    def refresh(self, now: datetime) -> None:
        """Send people home whose position has grown old, before a search."""
        while self._growing_old and self._growing_old[0][0] < now:
            id = heapq.heappop(self._growing_old)[1]
            if id in self.people:
                self.refile(id, now)

    # Searching

    def near(
        self, kind: ResponderKind, centre: Position, radius_m: float, *, everyone: bool = False
    ) -> Iterator[tuple[float, str]]:
        """People of a kind by distance in metres, nearest first; those eligible at the last look, or ``everyone``."""
        grid = (self._everyone if everyone else self._eligible).get(kind)
        return grid.nearest(centre, radius_m) if grid is not None else iter(())

    def around(self, kind: ResponderKind, centre: Position, radius_m: float, most: int) -> int:
        """How many people of a kind, eligible at the last look, are within ``radius_m``; counted up to ``most``."""
        grid = self._eligible.get(kind)
        return grid.count(centre, radius_m, most) if grid is not None else 0

    def count(self, kind: ResponderKind) -> tuple[int, int]:
        """(eligible, active) people of a kind that have a position."""
        return len(self._eligible.get(kind, ())), len(self._everyone.get(kind, ()))

    def living_in(self, area: str) -> list[str]:
        """Ids of people whose area lies in this one, sorted."""
        return sorted(self._in_area.get(area, ()))

    def desks_of(self, area: str) -> list[str]:
        """Ids of the desks of exactly this area, sorted."""
        return sorted(self._desks.get(area, ()))

    def top_desks(self) -> list[str]:
        """Ids of the desks of all top areas, sorted."""
        return sorted(id for desks in self._desks.values() for id in desks if len(self.people[id].record.area) == 1)

    # Watching

    def watch(self, user: str, area: str | None, watching: bool, now: datetime) -> list[str]:
        """Somebody opened or lost their consoles; the desks they cover."""
        covered = [
            p.record.id
            for p in self.people.values()
            if p.record.kind is ResponderKind.DESK and (area is None or area in p.record.area)
        ]
        if watching:
            self.watchers[user] = area
        else:
            self.watchers.pop(user, None)
            patience = now + timedelta(seconds=self.rules.link_patience_s)
            self.desk_patience.update(dict.fromkeys(covered, patience))
        return sorted(covered)

    def is_watched(self, area: tuple[str, ...]) -> bool:
        """Whether any watcher may see an incident of this area."""
        return any(seen is None or not area or seen in area for seen in self.watchers.values())

    def next_duty_change(self, person: Person, now: datetime) -> datetime | None:
        """When presence ends or hours change by themselves, whichever counts first; None: never."""
        times: list[datetime] = []
        if person.duty is not None and person.duty.until is not None and person.duty.until > now:
            times.append(person.duty.until)
        if person.record.hours:
            change = parse_timetable(person.record.hours).next_change(now, self.rules.timezone)
            if change is not None:
                times.append(change.astimezone(now.tzinfo))
        return min(times, default=None)

    def expel(self, id: str) -> None:
        """Forget a responder: undoing their admission."""
        person = self.people.pop(id, None)
        if person is not None:
            self._unfile(person.record)
