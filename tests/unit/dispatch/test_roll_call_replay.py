"""How the facts of a roll-call change its incident."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callhub.dispatch.replay import apply_fact
from callhub.domain import facts as f
from callhub.domain.incident import Incident, Source
from callhub.domain.people import SYSTEM
from callhub.domain.policy import IncidentClass
from callhub.domain.roll_call import Cause, Gap
from callhub.errors import EngineFault
from tests.scenarios.town import NOON

GAP = Gap(NOON - timedelta(hours=1), NOON)


def after(*facts: f.Fact) -> Incident:
    """A roll-call with these facts."""
    incident = Incident("I", 1, IncidentClass.TECHNICAL, "roll_call", 2, Source.SYSTEM, "p", 1, NOON)
    for fact in facts:
        apply_fact(incident, fact, NOON, SYSTEM)
    return incident


BEGAN = f.RollCallBegan(cause=Cause.ASKED, gap=GAP)
LISTED = f.HomesListed(homes=("E-1", "E-2", "E-3"), pressed=("E-4",))


def seen(incident: Incident) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], int]:
    call = incident.roll_call
    assert call is not None
    return call.waiting, call.open, call.checked


def test_homes_wait_are_checked_and_are_done() -> None:
    began = f.HomeCheckBegan(home="E-1", check="C")
    assert seen(after(BEGAN, LISTED)) == (("E-1", "E-2", "E-3"), (), 1)
    assert seen(after(BEGAN, LISTED, began)) == (("E-2", "E-3"), (("E-1", "C"),), 1)
    assert seen(after(BEGAN, LISTED, began, f.HomeChecked(home="E-1", outcome="helped"))) == (("E-2", "E-3"), (), 2)


def test_a_home_that_waits_may_be_done_without_a_check() -> None:
    assert seen(after(BEGAN, LISTED, f.HomeChecked(home="E-2", outcome="pressed"))) == (("E-1", "E-3"), (), 2)


def test_when_the_gap_grows_its_homes_are_to_be_listed_anew() -> None:
    longer = f.RollCallExtended(cause=Cause.SERVER, gap=Gap(GAP.since, NOON + timedelta(hours=1)))
    call = after(BEGAN, LISTED, longer).roll_call
    assert call is not None
    assert (call.cause, call.gap.until, call.listed) == (Cause.SERVER, NOON + timedelta(hours=1), False)


def test_a_home_that_is_listed_again_is_not_being_checked_any_more() -> None:
    began = f.HomeCheckBegan(home="E-1", check="C")
    assert seen(after(BEGAN, LISTED, began, f.HomesListed(homes=("E-1", "E-2"))))[:2] == (("E-1", "E-2"), ())


def test_what_is_no_roll_call_cannot_have_homes() -> None:
    with pytest.raises(EngineFault, match="no roll-call"):
        after(LISTED)


def test_a_home_that_failed_waits_behind_the_others() -> None:
    assert seen(after(BEGAN, LISTED, f.RollCallHeldUp(home="E-1", reason="engine_error")))[0] == ("E-2", "E-3", "E-1")


def test_our_own_exception_before_the_homes_were_known_moves_none() -> None:
    assert seen(after(BEGAN, LISTED, f.RollCallHeldUp(home=None, reason="engine_error"))) == seen(after(BEGAN, LISTED))
