"""How facts about whistles change an incident; part of ``replay``, by the same rules."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from callhub.domain import facts as f
from callhub.domain.whistle import Whistle, WhistleState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from callhub.domain.incident import Incident
    from callhub.domain.people import Actor


def _called(i: Incident, fact: f.WhistleCalled, at: datetime, actor: Actor) -> None:
    i.whistles[fact.whistle] = Whistle(
        id=fact.whistle,
        department=fact.department,
        state=WhistleState.CALLED,
        called_at=at,
        report_in_s=fact.report_in_s,
        finish_s=fact.finish_s,
        report_in_by=fact.report_in_by,
        finish_by=fact.finish_by,
    )


def _whistle(i: Incident, id: str, **changes: Any) -> None:
    i.whistles[id] = replace(i.whistles[id], **changes)


def _reported(i: Incident, fact: f.WhistleReported, at: datetime, actor: Actor) -> None:
    _whistle(i, fact.whistle, state=WhistleState.REPORTED, reported_at=at, reason=None)


def _missed(i: Incident, fact: f.WhistleMissed, at: datetime, actor: Actor) -> None:
    late = i.whistles[fact.whistle].late or fact.what == "not_finished"
    _whistle(i, fact.whistle, state=WhistleState.MISSED, reason=fact.what, late=late)


def _refused(i: Incident, fact: f.WhistleRefused, at: datetime, actor: Actor) -> None:
    _whistle(i, fact.whistle, state=WhistleState.REFUSED, reason=None)


def _finished(i: Incident, fact: f.WhistleFinished, at: datetime, actor: Actor) -> None:
    _whistle(i, fact.whistle, state=WhistleState.FINISHED, finished_at=at, outcome=fact.outcome, reason=None)


def _confirmed(i: Incident, fact: f.WhistleConfirmed, at: datetime, actor: Actor) -> None:
    _whistle(i, fact.whistle, state=WhistleState.CONFIRMED)


def _returned(i: Incident, fact: f.WhistleReturned, at: datetime, actor: Actor) -> None:
    clock = {"finish_s": fact.finish_s, "finish_by": fact.finish_by, "late": False}
    state = WhistleState.REPORTED
    _whistle(i, fact.whistle, state=state, finished_at=None, outcome=None, reason=None, **clock)


def _withdrawn(i: Incident, fact: f.WhistleWithdrawn, at: datetime, actor: Actor) -> None:
    _whistle(i, fact.whistle, state=WhistleState.WITHDRAWN, reason=fact.code)


WHISTLE_HANDLERS: Mapping[type, Callable[[Incident, Any, datetime, Actor], None]] = MappingProxyType(
    {
        f.WhistleCalled: _called,
        f.WhistleReported: _reported,
        f.WhistleMissed: _missed,
        f.WhistleRefused: _refused,
        f.WhistleFinished: _finished,
        f.WhistleConfirmed: _confirmed,
        f.WhistleReturned: _returned,
        f.WhistleWithdrawn: _withdrawn,
    }
)
"""What each fact does to the incident."""
