"""What comes of calling the elder back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callhub.domain import events as e
from callhub.domain.people import Actor, ActorKind, Role
from tests.simulation.driver import OPERATOR
from tests.unit.dispatch.calling import Calling


@pytest.mark.parametrize(
    ("party", "result", "why"),
    [
        ("elder", "needs_help", "help"),
        ("family", "needs_help", "help"),
        ("elder", "silent", "no_voice"),
        ("elder", "no_answer", "no_voice"),
        ("family", "no_answer", None),
        ("family", "spoke_ok", None),
        ("120", "requested", None),
    ],
)
def test_words_that_end_it_and_words_that_do_not(party: str, result: str, why: str | None) -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    stage.does(id, "contact", party=party, result=result)
    assert stage.ends(id) == ([why] if why else [])
    assert bool(stage.told("V-1", "offer")) is (why is not None)
    stage.does(id, "contact", party=party, result=result)  # said again, it changes nothing more
    assert len(stage.ends(id)) == (1 if why else 0)


def test_only_a_human_holds_it() -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    bot = Actor(ActorKind.API, "bot", Role.VIEWER)
    stage.tell(stage.act(id, "contact", bot, party="elder", result="spoke_ok"))
    call = stage.of(id).call_back
    assert call is not None
    assert not call.held


def test_the_elder_s_confirm_goes_to_the_case_that_waits_for_it() -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    stage.press("BTN-1", "meal")
    assert stage.tell(stage.signal("BTN-1", "confirm")).answer.incident == id
    assert stage.ends(id) == ["help"]
    stage.tell(stage.signal("BTN-1", "confirm"))
    assert stage.ends(id) == ["help"], "nobody waits any more"


def test_a_confirm_of_an_unknown_device_is_no_answer() -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    assert stage.tell(stage.signal("BTN-9", "confirm")).answer.incident is None
    assert stage.ends(id) == []


def test_what_joins_ends_it_but_for_the_same_sensor_saying_the_same() -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    stage.smoke()
    assert stage.ends(id) == []
    stage.press("BTN-1", "gas")
    assert stage.ends(id) == ["pressed"]
    stage.press("BTN-1", "gas")
    assert stage.ends(id) == ["pressed"]


def test_a_telephone_call_that_joins_ends_it() -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    stage.tell(stage.call("E-1", "smoke"))
    assert stage.ends(id) == ["pressed"]


def test_no_word_in_time_means_go() -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    stage.wait(30)
    assert stage.ends(id) == ["timeout"]
    assert (stage.of(id).step, bool(stage.told("V-1", "offer"))) == (1, True)


def test_where_enough_are_coming_nobody_else_is_asked() -> None:
    stage = Calling("V-1", "V-2")
    id = stage.smoke()
    stage.does(id, "assign", responder="V-2", confirmed_by="telephone")
    stage.wait(30)
    assert stage.ends(id) == ["came"]
    assert not stage.told("V-1", "offer")


def test_what_is_held_too_long_calls_desks_and_a_person_s_act_arms_it_again() -> None:
    stage = Calling("V-1", "DESK-C")
    id = stage.smoke()
    stage.does(id, "contact", party="elder", result="spoke_ok")
    stage.wait(90)
    call = stage.of(id).desk_call
    assert call is not None
    assert (call.reason, stage.of(id).rings) == ("held_missed", True)
    stage.does(id, "note", text="seen")
    assert stage.of(id).deadlines["held"].at == stage.now + timedelta(seconds=90)
    stage.wait(90)
    stage.press("BTN-1", "sos")
    stage.does(id, "note", text="seen")
    assert "held" not in stage.of(id).deadlines


def test_an_owner_who_is_gone_leaves_what_is_held_as_it_is() -> None:
    stage = Calling("V-1")
    id = stage.smoke()
    stage.does(id, "take-over")
    stage.does(id, "contact", party="elder", result="spoke_ok")
    stage.tell(stage.remove("anna"))
    assert (stage.of(id).owner, stage.ends(id)) == (None, [])


def asked(stage: Calling, **fields: Any) -> e.CallFirstAsked:
    given: dict[str, Any] = {"seconds": 30, "until": stage.now + timedelta(days=1), "reason": "often", **fields}
    return e.CallFirstAsked(id=stage.id(), actor=OPERATOR, elder="E-1", **given)


def test_call_first_is_a_fact_that_says_until_when() -> None:
    stage = Calling()
    until = stage.now + timedelta(days=90)
    assert stage.tell(asked(stage, until=until)).answer.code is None
    assert stage.tell(asked(stage, seconds=0, until=None)).answer.code is None
    kept = [(fact.elder, fact.seconds, fact.until, fact.reason) for fact in stage.facts(None, "call_first_changed")]
    assert kept == [("E-1", 30, until, "often"), ("E-1", 0, None, "often")]


@pytest.mark.parametrize(
    ("seconds", "days", "field"),
    [(46, 1, "seconds"), (-1, 1, "seconds"), (1, None, "until"), (1, 0, "until"), (1, 91, "until")],
)
def test_call_first_is_bounded(seconds: int, days: float | None, field: str) -> None:
    stage = Calling()
    until = None if days is None else stage.now + timedelta(days=days)
    answer = stage.tell(asked(stage, seconds=seconds, until=until)).answer
    assert (answer.code, answer.body["field"]) == ("invalid_message", field)
    assert not stage.facts(None, "call_first_changed")
