"""How facts about calling back change an incident; part of ``replay``, whose rules hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from callhub.domain import facts as f
from callhub.domain.call_back import CallBack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from callhub.domain.incident import Incident
    from callhub.domain.people import Actor


def _began(i: Incident, fact: f.CallBackBegan, at: datetime, actor: Actor) -> None:
    i.call_back = CallBack(fact.step, fact.until, fact.call_first)


def _held(i: Incident, fact: f.CallBackHeld, at: datetime, actor: Actor) -> None:
    assert i.call_back is not None, "only a call-back under way is held"
    i.call_back = replace(i.call_back, until=fact.until, held=True)


def _ended(i: Incident, fact: f.CallBackEnded, at: datetime, actor: Actor) -> None:
    i.call_back = None


def _waits(i: Incident, fact: f.LadderWaits, at: datetime, actor: Actor) -> None:
    """For the timeline: what it waits for is a deadline."""


CALL_BACK_HANDLERS: Mapping[type, Callable[[Incident, Any, datetime, Actor], None]] = {
    f.CallBackBegan: _began,
    f.CallBackHeld: _held,
    f.CallBackEnded: _ended,
    f.LadderWaits: _waits,
}
