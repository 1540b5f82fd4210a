"""The life of incidents, offers, assignments and whistles, as tables.

Rules of this file:
1. Every transition lives here. A pair that is not in a table is illegal: it raises and changes nothing.
2. The tables say what may follow what; who decides it, and what else happens, is elsewhere.
3. ``docs/states.md`` is drawn from these tables.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from callhub.domain.incident import AssignmentState, IncidentState, OfferState
from callhub.domain.whistle import WhistleState
from callhub.errors import IllegalTransition

if TYPE_CHECKING:
    from collections.abc import Mapping


class IncidentEvent(StrEnum):
    """What can happen to an incident's state word."""

    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    LEFT = "left"
    VACATED = "vacated"
    EXHAUSTED = "exhausted"
    RESTARTED = "restarted"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REOPENED = "reopened"


S, E = IncidentState, IncidentEvent

INCIDENT: Mapping[tuple[IncidentState, IncidentEvent], IncidentState] = MappingProxyType(
    {
        (S.SEEKING, E.ACCEPTED): S.ASSIGNED,
        (S.SEEKING, E.EXHAUSTED): S.UNANSWERED,
        (S.SEEKING, E.RESTARTED): S.SEEKING,
        (S.SEEKING, E.CLOSED): S.CLOSED,
        (S.SEEKING, E.CANCELLED): S.CANCELLED,
        (S.ASSIGNED, E.ACCEPTED): S.ASSIGNED,
        (S.ASSIGNED, E.ARRIVED): S.ON_SCENE,
        (S.ASSIGNED, E.VACATED): S.SEEKING,
        (S.ASSIGNED, E.EXHAUSTED): S.UNANSWERED,
        (S.ASSIGNED, E.RESTARTED): S.ASSIGNED,
        (S.ASSIGNED, E.RESOLVED): S.RESOLVED,
        (S.ASSIGNED, E.CLOSED): S.CLOSED,
        (S.ASSIGNED, E.CANCELLED): S.CANCELLED,
        (S.ON_SCENE, E.ACCEPTED): S.ON_SCENE,
        (S.ON_SCENE, E.ARRIVED): S.ON_SCENE,
        (S.ON_SCENE, E.LEFT): S.ASSIGNED,
        (S.ON_SCENE, E.VACATED): S.SEEKING,
        (S.ON_SCENE, E.EXHAUSTED): S.UNANSWERED,
        (S.ON_SCENE, E.RESTARTED): S.ON_SCENE,
        (S.ON_SCENE, E.RESOLVED): S.RESOLVED,
        (S.ON_SCENE, E.CLOSED): S.CLOSED,
        (S.ON_SCENE, E.CANCELLED): S.CANCELLED,
        (S.UNANSWERED, E.ACCEPTED): S.ASSIGNED,
        (S.UNANSWERED, E.ARRIVED): S.ON_SCENE,
        (S.UNANSWERED, E.LEFT): S.UNANSWERED,
        (S.UNANSWERED, E.VACATED): S.UNANSWERED,
        (S.UNANSWERED, E.EXHAUSTED): S.UNANSWERED,
        (S.UNANSWERED, E.RESTARTED): S.SEEKING,
        (S.UNANSWERED, E.RESOLVED): S.RESOLVED,
        (S.UNANSWERED, E.CLOSED): S.CLOSED,
        (S.UNANSWERED, E.CANCELLED): S.CANCELLED,
        (S.RESOLVED, E.CLOSED): S.CLOSED,
        (S.RESOLVED, E.REOPENED): S.SEEKING,
        (S.CLOSED, E.REOPENED): S.SEEKING,
        (S.CANCELLED, E.REOPENED): S.SEEKING,
    }
)


class OfferEvent(StrEnum):
    """What can happen to an offer."""

    TIMED_OUT = "timed_out"
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


F, G = OfferState, OfferEvent

OFFER: Mapping[tuple[OfferState, OfferEvent], OfferState] = MappingProxyType(
    {
        (F.OPEN, G.TIMED_OUT): F.SILENT,
        (F.OPEN, G.ACCEPT): F.ACCEPTED,
        (F.OPEN, G.DECLINE): F.DECLINED,
        (F.OPEN, G.WITHDRAW): F.WITHDRAWN,
        (F.SILENT, G.ACCEPT): F.ACCEPTED,
        (F.SILENT, G.DECLINE): F.DECLINED,
        (F.SILENT, G.WITHDRAW): F.WITHDRAWN,
    }
)

A = AssignmentState

ASSIGNMENT: Mapping[tuple[AssignmentState, AssignmentState], AssignmentState] = MappingProxyType(
    {
        (before, after): after
        for before, afters in {
            A.ASSIGNED: (A.EN_ROUTE, A.ON_SCENE, A.CLEARED, A.RELEASED),
            A.EN_ROUTE: (A.ON_SCENE, A.CLEARED, A.RELEASED),
            A.ON_SCENE: (A.CLEARED, A.RELEASED),
        }.items()
        for after in afters
    }
)
"""Skipping forward is legal, going back is not."""


class WhistleEvent(StrEnum):
    """What can happen to a call to one department."""

    REPORT = "report"
    MISS = "miss"
    REFUSE = "refuse"
    FINISH = "finish"
    CONFIRM = "confirm"
    RETURN = "return"
    WITHDRAW = "withdraw"


W, H = WhistleState, WhistleEvent

WHISTLE: Mapping[tuple[WhistleState, WhistleEvent], WhistleState] = MappingProxyType(
    {
        (W.CALLED, H.REPORT): W.REPORTED,
        (W.CALLED, H.MISS): W.MISSED,
        (W.CALLED, H.REFUSE): W.REFUSED,
        (W.CALLED, H.WITHDRAW): W.WITHDRAWN,
        (W.MISSED, H.REPORT): W.REPORTED,
        (W.MISSED, H.MISS): W.MISSED,
        (W.MISSED, H.REFUSE): W.REFUSED,
        (W.MISSED, H.FINISH): W.FINISHED,
        (W.MISSED, H.RETURN): W.REPORTED,
        (W.MISSED, H.WITHDRAW): W.WITHDRAWN,
        (W.REPORTED, H.MISS): W.MISSED,
        (W.REPORTED, H.REFUSE): W.REFUSED,
        (W.REPORTED, H.FINISH): W.FINISHED,
        (W.REPORTED, H.WITHDRAW): W.WITHDRAWN,
        (W.FINISHED, H.CONFIRM): W.CONFIRMED,
        (W.FINISHED, H.RETURN): W.REPORTED,
        (W.FINISHED, H.WITHDRAW): W.WITHDRAWN,
        (W.REFUSED, H.WITHDRAW): W.WITHDRAWN,
    }
)


def advance_incident(state: IncidentState, event: IncidentEvent) -> IncidentState:
    """The state after an event; raises ``IllegalTransition`` when the table does not know the pair."""
    after = INCIDENT.get((state, event))
    if after is None:
        raise IllegalTransition("incident", state, event)
    return after


def advance_offer(state: OfferState, event: OfferEvent) -> OfferState:
    """The state of an offer after an event; raises ``IllegalTransition``."""
    after = OFFER.get((state, event))
    if after is None:
        raise IllegalTransition("offer", state, event)
    return after


def advance_assignment(state: AssignmentState, to: AssignmentState) -> AssignmentState:
    """The state of an assignment after a report; raises ``IllegalTransition``."""
    after = ASSIGNMENT.get((state, to))
    if after is None:
        raise IllegalTransition("assignment", state, to)
    return after


def advance_whistle(state: WhistleState, event: WhistleEvent) -> WhistleState:
    """The state of a whistle after an event; raises ``IllegalTransition``."""
    after = WHISTLE.get((state, event))
    if after is None:
        raise IllegalTransition("whistle", state, event)
    return after
