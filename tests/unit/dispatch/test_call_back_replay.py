"""Every fact about calling back makes of an incident what it says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callhub.dispatch.call_back_replay import CALL_BACK_HANDLERS
from callhub.domain import facts as f
from callhub.domain.call_back import CallBack
from callhub.domain.incident import Incident, Source
from callhub.domain.people import SYSTEM
from callhub.domain.policy import IncidentClass
from tests.simulation.driver import START

LATER = START + timedelta(seconds=5)
BEGAN = f.CallBackBegan(step=1, until=START)


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ((BEGAN,), CallBack(1, START)),
        ((f.CallBackBegan(step=0, until=START, call_first=True),), CallBack(0, START, call_first=True)),
        ((BEGAN, f.CallBackHeld(until=LATER)), CallBack(1, LATER, held=True)),
        ((BEGAN, f.LadderWaits(step=2, until=LATER)), CallBack(1, START)),
        ((BEGAN, f.CallBackEnded(why="help")), None),
    ],
)
def test_what_is_left(facts: tuple[f.Fact, ...], left: CallBack | None) -> None:
    incident = Incident("1", 1, IncidentClass.EMERGENCY, "smoke", 2, Source.DEVICE, "p", 1, START)
    for fact in facts:
        CALL_BACK_HANDLERS[type(fact)](incident, fact, START, SYSTEM)
    assert incident.call_back == left
