"""What is kept of each incident for the figures: one small record, folded from its journal rows.

Rules of this file:
1. A record is a tuple and a change replaces it, so that a list of records is a consistent picture, also for a thread.
2. The first of its kind counts and stays: a reopened case keeps its first answer, acceptance and arrival.
3. Drills and roll-calls leave no record. Facts that no figure needs are passed over.
4. Offers are plain tuples of plain values, which the garbage collector soon leaves out: looking through a year's
   records again and again would hold up the event loop.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from callhub.domain import facts as f
from callhub.domain.incident import ENDED, AssignmentState, IncidentState
from callhub.domain.people import ResponderKind
from callhub.domain.policy import IncidentClass
from callhub.domain.roll_call import HOME_CHECK, ROLL_CALL

_PLACES = frozenset({ResponderKind.DESK, ResponderKind.DEPARTMENT})


class Sending(StrEnum):
    """What an offer tells about its delivery: an answer is the only confirmation that the journal holds."""

    WAITING = "waiting"
    """Sent once; nothing is known yet, or it was taken back before anything was."""
    UNHEARD = "unheard"
    """Sent once; no answer in time."""
    AGAIN = "again"
    """A reminder was sent."""
    FIRST = "first"
    """Answered, late or not, with no reminder before."""
    LATER = "later"
    """Answered after a reminder."""


Asked = tuple[str, str, str, str, int]
"""One offer to a person, no desk and no department: its id, the responder, their kind, the ``Sending``, and how many
assignments came of it."""


class Case(NamedTuple):
    """One incident; about 0.5 KB and 0.2 KB for each offer. Times are aware UTC, engine time.

    Args:
        class_: As it is now; never a drill.
        kind: As it is now.
        area: Path of area ids from the district down, as it is now; empty without one.
        opened_at: When it was recorded.
        answered_at: First human contact, or first take-over by a user, an ``api`` client or a desk.
        accepted_at: First time that somebody had the duty to come.
        arrived_at: First time that somebody with that duty was on scene.
        ended_at: When it was closed or cancelled; None while open, also again.
        unanswered: Whether the ladder ever ran out.
        asked: Every offer to a person, oldest first.
    """

    class_: IncidentClass
    kind: str
    area: tuple[str, ...]
    opened_at: datetime
    answered_at: datetime | None = None
    accepted_at: datetime | None = None
    arrived_at: datetime | None = None
    ended_at: datetime | None = None
    unanswered: bool = False
    asked: tuple[Asked, ...] = ()


class CaseBook:
    """The records of all incidents whose rows were folded, in the order in which they opened.

    Rows must come in the order of the journal. Those of an incident whose opening was not folded are passed over, so a
    book may begin anywhere. ``at`` is the time of the newest row, None before the first.
    """

    def __init__(self) -> None:
        self.at: datetime | None = None
        self._cases: OrderedDict[str, Case] = OrderedDict()

    def __len__(self) -> int:
        return len(self._cases)

    def fold(self, row: f.Row) -> None:
        """Take one row in; about 2 us a fact that matters."""
        self.at = row.at
        if row.incident is None:
            return
        before = case = self._cases.get(row.incident)
        for fact in row.facts:
            if isinstance(fact, f.IncidentOpened):
                case = _opened(fact, row.at)
            elif case is not None and (handler := _HANDLERS.get(type(fact))) is not None:
                case = handler(case, fact, row)
        if case is not None and case is not before:
            self._cases[row.incident] = case

    def case(self, incident: str) -> Case | None:
        """The record of one incident."""
        return self._cases.get(incident)

    def cases(self) -> list[Case]:
        """Every record as it is now."""
        return list(self._cases.values())

    def forget_before(self, at: datetime) -> None:
        """Drop every incident that opened before then; its later rows are passed over."""
        while self._cases and next(iter(self._cases.values())).opened_at < at:
            self._cases.popitem(last=False)


def _opened(fact: f.IncidentOpened, at: datetime) -> Case | None:
    if fact.class_ is IncidentClass.DRILL or fact.kind in (ROLL_CALL, HOME_CHECK):
        return None
    return Case(fact.class_, sys.intern(fact.kind), tuple(map(sys.intern, fact.area)), at)


def _urgent(case: Case, fact: f.AlarmMadeUrgent, row: f.Row) -> Case:
    return case._replace(class_=fact.class_, kind=sys.intern(fact.kind))


def _identified(case: Case, fact: f.ElderIdentified, row: f.Row) -> Case:
    return case._replace(area=tuple(map(sys.intern, fact.area)))


def _owned(case: Case, fact: f.OwnerTaken, row: f.Row) -> Case:
    return case if case.answered_at is not None else case._replace(answered_at=row.at)


def _contact(case: Case, fact: f.ContactMade, row: f.Row) -> Case:
    return case._replace(answered_at=row.at) if case.answered_at is None and row.actor.is_human else case


def _state(case: Case, fact: f.StateChanged, row: f.Row) -> Case:
    ended_at = row.at if fact.state in ENDED else None
    return case._replace(ended_at=ended_at, unanswered=case.unanswered or fact.state is IncidentState.UNANSWERED)


def _offered(case: Case, fact: f.OfferMade, row: f.Row) -> Case:
    if fact.kind in _PLACES:
        return case
    asked = (fact.offer, sys.intern(fact.responder), fact.kind.value, Sending.WAITING.value, 0)
    return case._replace(asked=(*case.asked, asked))


_SILENT = {"waiting": "unheard"}
_REMINDED = {"waiting": "again", "unheard": "again"}
_ANSWERED = {"waiting": "first", "unheard": "first", "again": "later"}


def _silent(case: Case, fact: f.OfferSilent, row: f.Row) -> Case:
    return _sent(case, fact.offer, _SILENT)


def _reminded(case: Case, fact: f.OfferReminded, row: f.Row) -> Case:
    return _sent(case, fact.offer, _REMINDED)


def _answered(case: Case, fact: f.OfferAccepted | f.OfferDeclined, row: f.Row) -> Case:
    return _sent(case, fact.offer, _ANSWERED)


def _sent(case: Case, offer: str, becomes: dict[str, str]) -> Case:
    for n, (id, responder, kind, sending, assignments) in enumerate(case.asked):
        if id == offer:
            return _with(case, n, (id, responder, kind, becomes.get(sending, sending), assignments))
    return case


def _assigned(case: Case, fact: f.Assigned, row: f.Row) -> Case:
    # A duty comes of this person's newest offer here; the fact does not name it.
    newest = max((n for n, (_, who, *_) in enumerate(case.asked) if who == fact.responder), default=None)
    if newest is not None:
        id, responder, kind, sending, assignments = case.asked[newest]
        case = _with(case, newest, (id, responder, kind, sending, assignments + 1))
    return case if case.accepted_at is not None else case._replace(accepted_at=row.at)


def _with(case: Case, n: int, asked: Asked) -> Case:
    return case._replace(asked=(*case.asked[:n], asked, *case.asked[n + 1 :]))


def _moved(case: Case, fact: f.AssignmentMoved, row: f.Row) -> Case:
    if fact.state is not AssignmentState.ON_SCENE or case.arrived_at is not None:
        return case
    return case._replace(arrived_at=row.at)


_HANDLERS: dict[type, Callable[[Case, Any, f.Row], Case]] = {
    f.AlarmMadeUrgent: _urgent,
    f.ElderIdentified: _identified,
    f.OwnerTaken: _owned,
    f.ContactMade: _contact,
    f.StateChanged: _state,
    f.OfferMade: _offered,
    f.OfferSilent: _silent,
    f.OfferReminded: _reminded,
    f.OfferAccepted: _answered,
    f.OfferDeclined: _answered,
    f.Assigned: _assigned,
    f.AssignmentMoved: _moved,
}
