"""How a call-back begins, is held and ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from callhub.dispatch.call_backs import first_rung
from callhub.domain.call_back import CallBack, CallFirst
from callhub.domain.policy import policy_from_table
from tests.simulation.driver import ELDERS, LADDERS
from tests.unit.dispatch.calling import SENSOR, Calling


def test_the_first_rung_is_the_one_that_asks_somebody() -> None:
    assert first_rung(LADDERS["emergency"]) == 0
    assert first_rung(policy_from_table(SENSOR, "test")) == 1


def test_it_stands_on_its_step_with_its_deadline_and_asks_nobody() -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    until = stage.now + timedelta(seconds=30)
    assert stage.of(id).call_back == CallBack(1, until)
    assert stage.of(id).deadlines["call_back"].at == until
    assert [(fact.step, fact.why) for fact in stage.facts(id, "step_entered")] == [(0, "opened")]
    assert (stage.of(id).offers, stage.of(id).rings) == ({}, True)


@pytest.mark.parametrize("begun", ["unknown", "test", "human"])
def test_what_is_not_called_back(begun: str) -> None:
    stage = Calling("V-1", "DESK-C")
    if begun == "human":
        id = stage.tell(stage.call("E-1", "smoke")).answer.incident or ""
    else:
        id = stage.smoke("BTN-9") if begun == "unknown" else stage.smoke(says_test=True)
    assert stage.of(id).call_back is None
    assert not stage.facts(id, "call_back_began")


@pytest.mark.parametrize(
    ("kind", "seconds", "for_s", "wait_s"),
    [("sos", 20, 10, 20), ("sos", 99, 10, 45), ("sos", 20, 0, None), ("unknown", 20, 10, None)],
)
def test_a_press_is_called_back_where_a_person_set_that(
    kind: str, seconds: int, for_s: int, wait_s: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Calling("V-1")
    kept = CallFirst(seconds, stage.now + timedelta(seconds=for_s))
    monkeypatch.setitem(ELDERS, "E-1", replace(ELDERS["E-1"], call_first=kept))
    id = stage.press("BTN-1", kind)
    call = stage.of(id).call_back
    if wait_s is None:
        assert call is None
        assert stage.told("V-1", "offer")
    else:
        assert call == CallBack(0, stage.now + timedelta(seconds=wait_s), call_first=True)
        assert not stage.told("V-1", "offer")
        assert not stage.facts(id, "step_entered")


def test_holding_and_ending() -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    stage.does(id, "contact", party="elder", result="spoke_ok")
    until = stage.now + timedelta(seconds=90)
    assert stage.of(id).call_back == CallBack(1, until, held=True)
    assert set(stage.of(id).deadlines) == {"held"}
    assert not stage.of(id).rings
    stage.does(id, "escalate")
    assert stage.of(id).call_back is None
    assert stage.ends(id) == ["escalated"]
    assert "held" not in stage.of(id).deadlines


def test_an_end_of_the_case_is_an_end_of_the_call_back() -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    stage.does(id, "cancel")
    assert stage.of(id).call_back is None
