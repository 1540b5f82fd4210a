"""Accepted duties: on the way, there, done, late, in need of something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from callhub.domain.facts.fields import private
from callhub.domain.incident import AssignmentState
from callhub.domain.roles import HelpRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """A responder has the duty now; ``slot`` is which of their capacity it uses (emergencies only).

    ``role`` where they have one; ``fetch`` the contact from whom they fetch the key, by id.
    """

    fact: Literal["assigned"] = "assigned"
    assignment: str
    responder: str
    slot: int | None
    arrive_by: datetime
    eta_s: int | None = None
    by_hand: bool = False
    role: HelpRole | None = None
    fetch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentMoved:
    """An assignment changed its state to en route, on scene, cleared or released.

    ``proof``: ``card`` (matched), ``card_mismatch``, ``device`` or None. ``code``: why it was released by callhub.
    """

    fact: Literal["assignment_moved"] = "assignment_moved"
    assignment: str
    state: AssignmentState
    outcome: str | None = None
    proof: str | None = None
    code: str | None = None
    note: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalMissed:
    """The arrival deadline passed; the assignment stays, marked late, and the ladder goes on."""

    fact: Literal["arrival_missed"] = "arrival_missed"
    assignment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActedFor:
    """A human did this on behalf of a responder who called in."""

    fact: Literal["acted_for"] = "acted_for"
    responder: str
    action: str
    via: str = "telephone"
    reason: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedRaised:
    """A responder needs something: ``key second_person ambulance police fire other``."""

    fact: Literal["need_raised"] = "need_raised"
    responder: str
    need: str
    note: str | None = private()
