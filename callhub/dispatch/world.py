"""What the engine remembers: open incidents, people, ladders, and what is due.

Rules of this file: memory grows with open work, not with elders. Everything here but the incidents, their places and
the people is an index that can be made again from them (``note`` and ``forget`` keep it).
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from callhub.dispatch.roster import Load, Person, Roster
from callhub.dispatch.silence import Silence, instant, seconds
from callhub.domain.incident import Incident, OfferState, Places
from callhub.domain.policy import IncidentClass, Policy, PolicySet, policy_key
from callhub.domain.roll_call import HOME_CHECK, ROLL_CALL

if TYPE_CHECKING:
    from datetime import datetime

    from callhub.dispatch.rules import Rules
    from callhub.dispatch.sharing import Solve
    from callhub.domain.habits import Habit

K = TypeVar("K")

EARLY_CANCELS_MAX = 10_000
"""Cancels that came before their alarm, remembered until it comes; the oldest give way."""


@dataclass(frozen=True, slots=True, order=True)
class DueRef:
    """Something that is due: an incident's next deadline, or a timer of a person or watcher (``key``)."""

    at: datetime
    incident: str = ""
    key: str = ""


@dataclass(slots=True)
class World:
    """The state of one shard; see the rules above."""

    rules: Rules
    policies: PolicySet
    roster: Roster
    solve: Solve | None = None
    known: dict[str, Policy] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    places: dict[str, Places] = field(default_factory=dict)
    ended: OrderedDict[str, tuple[Incident, Places]] = field(default_factory=OrderedDict)
    seeking: set[str] = field(default_factory=set)
    roll_calls: set[str] = field(default_factory=set)
    checking: set[str] = field(default_factory=set)
    number: int = 0
    by_elder: dict[str, set[str]] = field(default_factory=dict)
    by_device: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    early_cancels: OrderedDict[tuple[str, str, str], str] = field(default_factory=OrderedDict)
    timers: dict[str, datetime] = field(default_factory=dict)
    habits: dict[str, Habit] = field(default_factory=dict)
    silence: Silence = field(init=False)
    _heap: list[DueRef] = field(default_factory=list)
    _queued: dict[str, datetime] = field(default_factory=dict)
    _keys: dict[str, tuple[str | None, tuple[tuple[str, str], ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.silence = Silence(self.rules)

    # Incidents

    def policy(self, incident: Incident) -> Policy:
        """The ladder frozen into an incident."""
        return self.known[incident.policy]

    def freeze(self, policy: Policy) -> str:
        """Keep a ladder for an incident that opens with it; its key."""
        key = policy_key(policy)
        self.known.setdefault(key, policy)
        return key

    def note(self, incident: Incident, *, queue: bool = True) -> None:
        """Bring the indexes up to date after an incident changed; ``queue``: also when something is due next."""
        id = incident.id
        if incident.is_open:
            self.incidents[id] = incident
            self._index(incident)
        else:
            self._retire(incident)
        if incident.ladder_runs:
            self.seeking.add(id)
        else:
            self.seeking.discard(id)
        if incident.kind == ROLL_CALL:
            _keep(self.roll_calls, id, wanted=incident.is_open)
        self.silence.note(incident)
        if queue:
            self._queue(incident)

    def _index(self, incident: Incident) -> None:
        devices = tuple(
            dict.fromkeys((a.gateway or "", a.device or "") for a in incident.alarms if a.gateway is not None)
        )
        keys = (incident.elder, devices)
        if self._keys.get(incident.id) == keys:
            return
        self._unindex(incident.id)
        self._keys[incident.id] = keys
        if incident.elder is not None:
            self.by_elder.setdefault(incident.elder, set()).add(incident.id)
        for key in devices:
            self.by_device.setdefault(key, set()).add(incident.id)

    def _unindex(self, id: str) -> None:
        elder, devices = self._keys.pop(id, (None, ()))
        if elder is not None:
            _discard(self.by_elder, elder, id)
        for key in devices:
            _discard(self.by_device, key, id)

    def _retire(self, incident: Incident) -> None:
        self._unindex(incident.id)
        self.incidents.pop(incident.id, None)
        self.ended[incident.id] = (incident, self.places_of(incident.id))
        self.places.pop(incident.id, None)
        while len(self.ended) > self.rules.ended_kept:
            self.ended.popitem(last=False)

    def places_of(self, id: str) -> Places:
        """Where help is needed in an incident, open or ended."""
        held = self.places.get(id)
        if held is None and id in self.ended:
            return self.ended[id][1]
        return held if held is not None else Places()

    def forget(self, id: str) -> None:
        """Take an incident out altogether: undoing its opening."""
        self._unindex(id)
        self.incidents.pop(id, None)
        self.places.pop(id, None)
        self.ended.pop(id, None)
        self.seeking.discard(id)
        self.roll_calls.discard(id)
        self._queued.pop(id, None)
        self.silence.forget(id)

    def weigh(self, incident: Incident, responder: str) -> None:
        """Count anew what one responder has in one incident; services and desks use no capacity."""
        person = self.roster.people.get(responder)
        if person is None:
            return
        assignment = incident.assignment_of(responder) if incident.is_open else None
        offer = incident.offer_of(responder) if incident.is_open else None
        _keep(person.duties, incident.id, wanted=assignment is not None)
        _keep(person.asked, incident.id, wanted=offer is not None)
        is_open = offer is not None and offer.state is OfferState.OPEN
        if incident.class_ is IncidentClass.EMERGENCY and (assignment is not None or is_open):
            slot = assignment.slot if assignment is not None else None
            person.loads[incident.id] = Load(slot, live=assignment is not None, open=is_open)
        else:
            person.loads.pop(incident.id, None)
        if incident.kind == HOME_CHECK:
            _keep(person.checks, incident.id, wanted=assignment is not None or is_open)
            _keep(self.checking, responder, wanted=bool(person.checks))

    def unweigh(self, id: str, person: Person) -> None:
        """Forget what one responder has in an incident that never was."""
        person.loads.pop(id, None)
        for ids in (person.asked, person.duties, person.checks):
            ids.discard(id)
        _keep(self.checking, person.record.id, wanted=bool(person.checks))

    def expect_alarm(self, gateway: str, alarm: str, device: str, cancel: str) -> None:
        """Remember a cancel that came before its alarm."""
        self.early_cancels[(gateway, alarm, device)] = cancel
        while len(self.early_cancels) > EARLY_CANCELS_MAX:
            self.early_cancels.popitem(last=False)

    def open_of_elder(self, elder: str) -> list[Incident]:
        """Open incidents of an elder, oldest first."""
        return [self.incidents[id] for id in sorted(self.by_elder.get(elder, ()))]

    def open_of_device(self, gateway: str, device: str | None) -> list[Incident]:
        """Open incidents that an alarm of this gateway and device opened or joined, oldest first."""
        return [self.incidents[id] for id in sorted(self.by_device.get((gateway, device or ""), ()))]

    # What is due

    def _queue(self, incident: Incident) -> None:
        deadline = incident.next_deadline if incident.is_open else None
        if deadline is None:
            self._queued.pop(incident.id, None)
        elif self._queued.get(incident.id) != deadline.at:
            self._queued[incident.id] = deadline.at
            heapq.heappush(self._heap, DueRef(deadline.at, incident.id))

    def set_timer(self, key: str, at: datetime | None) -> None:
        """Arm or disarm a timer that is no fact: ``duty:ID`` or ``watcher:NAME``."""
        if at is None:
            self.timers.pop(key, None)
        elif self.timers.get(key) != at:
            self.timers[key] = at
            heapq.heappush(self._heap, DueRef(at, "", key))

    def _is_stale(self, ref: DueRef) -> bool:
        if ref.incident:
            return self._queued.get(ref.incident) != ref.at
        return self.timers.get(ref.key) != ref.at

    def next_due(self) -> datetime | None:
        """When something is due next; O(log n) for each entry that was changed meanwhile."""
        queued, silent = self._next_queued(), self.silence.next_due()
        return queued if silent is None else min(instant(silent), queued or instant(silent))

    def _next_queued(self) -> datetime | None:
        while self._heap and self._is_stale(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0].at if self._heap else None

    def due(self, now: datetime, most: int) -> list[DueRef]:
        """Up to ``most`` things that are due, most overdue first; they stay queued until they are handled.

        What supervision found comes after them: equipment waits for people.
        """
        found: list[DueRef] = []
        while len(found) < most:
            at = self._next_queued()
            if at is None or at > now:
                break
            found.append(heapq.heappop(self._heap))
        for ref in found:
            heapq.heappush(self._heap, ref)
        refs = list(dict.fromkeys(found))
        silent = self.silence.due(seconds(now))
        return (
            refs + [DueRef(instant(at), "", f"{kind}:{subject}") for at, (kind, subject) in silent][: most - len(refs)]
        )


def _discard(index: dict[K, set[str]], key: K, id: str) -> None:
    ids = index[key]
    ids.discard(id)
    if not ids:
        del index[key]


def _keep(ids: set[str], id: str, *, wanted: bool) -> None:
    if wanted:
        ids.add(id)
    else:
        ids.discard(id)
