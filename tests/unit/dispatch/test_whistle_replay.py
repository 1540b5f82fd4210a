"""Every fact makes of a whistle what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from callhub.dispatch.whistle_replay import WHISTLE_HANDLERS
from callhub.domain import facts as f
from callhub.domain.incident import Incident, Source
from callhub.domain.people import SYSTEM
from callhub.domain.policy import IncidentClass
from tests.simulation.driver import START

if TYPE_CHECKING:
    from callhub.domain.whistle import Whistle

ME: dict[str, Any] = {"whistle": "1-w1", "department": "FIRE"}
CALLED = f.WhistleCalled(**ME, report_in_s=10, finish_s=60, report_in_by=START, finish_by=START)
LATER = START + timedelta(seconds=5)


def after(*facts: f.Fact) -> Whistle:
    incident = Incident("1", 1, IncidentClass.EMERGENCY, "sos", 1, Source.DEVICE, "p", 1, START)
    for at, fact in ((START, CALLED), *((LATER, fact) for fact in facts)):
        WHISTLE_HANDLERS[type(fact)](incident, fact, at, SYSTEM)
    return incident.whistles["1-w1"]


def test_a_call_has_its_clocks() -> None:
    whistle = after()
    assert (whistle.state, whistle.called_at, whistle.report_in_s, whistle.finish_s) == ("called", START, 10, 60)


REPORTED = f.WhistleReported(**ME)
FINISHED = f.WhistleFinished(**ME, outcome="helped")


@pytest.mark.parametrize(
    ("facts", "changed"),
    [
        ((REPORTED,), {"state": "reported", "reported_at": LATER}),
        ((f.WhistleMissed(**ME, what="not_reported"),), {"state": "missed", "reason": "not_reported"}),
        ((f.WhistleMissed(**ME, what="not_reported"), REPORTED), {"state": "reported", "reported_at": LATER}),
        ((f.WhistleMissed(**ME, what="not_finished"),), {"state": "missed", "reason": "not_finished", "late": True}),
        (
            (f.WhistleMissed(**ME, what="not_finished"), f.WhistleMissed(**ME, what="not_reported")),
            {"state": "missed", "reason": "not_reported", "late": True},
        ),
        ((f.WhistleRefused(**ME, reason="no"),), {"state": "refused"}),
        ((FINISHED,), {"state": "finished", "finished_at": LATER, "outcome": "helped"}),
        (
            (FINISHED, f.WhistleConfirmed(**ME)),
            {"state": "confirmed", "finished_at": LATER, "outcome": "helped"},
        ),
        (
            (f.WhistleMissed(**ME, what="not_finished"), f.WhistleReturned(**ME, finish_s=9, finish_by=LATER)),
            {"state": "reported", "finish_s": 9, "finish_by": LATER},
        ),
        ((f.WhistleWithdrawn(**ME, code="disabled"),), {"state": "withdrawn", "reason": "disabled"}),
    ],
)
def test_each_fact_changes_what_it_says(facts: tuple[f.Fact, ...], changed: dict[str, Any]) -> None:
    assert after(*facts) == replace(after(), **changed)
