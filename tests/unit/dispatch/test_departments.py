"""What departments say of their whistle, by themselves or through somebody on the telephone."""

from __future__ import annotations

from typing import Any

import pytest

from callhub.dispatch.departments import state_for
from callhub.domain import events as e
from tests.simulation.driver import OPERATOR
from tests.unit.dispatch.called import Called, at_work


def by_telephone(stage: Called, *, yes: bool) -> e.OfferAnswered:
    offer = f"{stage.id_}-w1"
    return e.OfferAnswered(id=stage.id(), actor=OPERATOR, offer=offer, accept=yes, via="telephone", reason="called in")


def test_reporting_in_twice_is_one_report() -> None:
    stage = at_work()
    again = stage.says("FIRE", yes=True)
    assert (again.code, again.body["state"]) == (None, "assigned")
    assert len(stage.facts(stage.id_, "whistle_reported")) == 1
    assert stage.says("FIRE", yes=False).code == "offer_not_open", "who reported in says release"


def test_refusing_twice_is_one_refusal_and_no_report_follows() -> None:
    stage = Called()
    stage.whistles("FIRE")
    assert stage.says("FIRE", yes=False).body["state"] == "declined"
    assert stage.says("FIRE", yes=False).code is None
    assert len(stage.facts(stage.id_, "whistle_refused")) == 1
    assert stage.says("FIRE", yes=True).code == "offer_not_open"


def test_only_the_department_answers_its_whistle() -> None:
    stage = Called()
    stage.whistles("FIRE")
    assert stage.says("WATER", yes=True).code == "unknown_offer"
    assert stage.says("FIRE", yes=True, number=9).code == "unknown_offer"
    event = e.OfferAnswered(id=stage.id(), actor=OPERATOR, offer="nothing-w1", accept=True)
    assert stage.tell(event).answer.code == "unknown_offer"


@pytest.mark.parametrize(("yes", "state"), [(True, "reported"), (False, "refused")])
def test_somebody_answers_for_a_department_on_the_telephone(yes: bool, state: str) -> None:
    stage = Called()
    stage.whistles("FIRE")
    stage.does(stage.id_, "take-over")
    stage.wait(5)
    stage.tell(by_telephone(stage, yes=yes))
    assert stage.whistle().state == state
    assert [(fact.responder, fact.via) for fact in stage.facts(stage.id_, "acted_for")] == [("FIRE", "telephone")]
    assert stage.facts(stage.id_, "owner_acted"), "it was the owner who took the call"


def test_the_actions_of_people_on_the_telephone_serve_departments_too() -> None:
    stage = Called("V-1")
    stage.whistles("FIRE")
    for _ in range(2):
        assert stage.does(stage.id_, "accept", responder="FIRE").code is None
    assert len(stage.facts(stage.id_, "whistle_reported")) == 1
    for action in ("en-route", "on-scene"):
        assert stage.does(stage.id_, action, responder="FIRE").code is None
    assert stage.does(stage.id_, "cleared", responder="FIRE", outcome="helped", note="dry").code is None
    assert stage.whistle().state == "finished"
    assert stage.does(stage.id_, "accept", responder="V-1").code is None, "others are assigned as ever"
    assert len(stage.of(stage.id_).assignments) == 1


def test_what_a_department_says_at_work() -> None:
    stage = at_work()
    assert stage.reports(stage.id_, "FIRE", "en_route").body["state"] == "assigned"
    assert stage.reports(stage.id_, "FIRE", "on_scene").code is None
    assert [fact.action for fact in stage.facts(stage.id_, "department_moved")] == ["en_route", "on_scene"]
    assert stage.reports(stage.id_, "FIRE", "need", need="police").code is None
    assert stage.reports(stage.id_, "FIRE", "need", need="luck").code == "invalid_message"
    assert stage.calls() == ["need"]
    assert stage.reports(stage.id_, "FIRE", "cleared", outcome="fine").code == "invalid_message"
    assert stage.reports(stage.id_, "FIRE", "cleared", outcome="helped").body["state"] == "cleared"
    assert stage.reports(stage.id_, "FIRE", "cleared", outcome="helped").code == "not_assigned"


def test_finishing_must_know_of_an_alarm_that_joined() -> None:
    stage = at_work()
    stage.press("BTN-1", "smoke")
    assert stage.reports(stage.id_, "FIRE", "cleared", outcome="helped").code == "conflict"
    seen: dict[str, Any] = {"outcome": "helped", "version": stage.of(stage.id_).version}
    assert stage.reports(stage.id_, "FIRE", "cleared", **seen).code is None


def test_a_department_that_cannot_go_on_releases_itself_which_is_a_refusal() -> None:
    stage = at_work()
    assert stage.reports(stage.id_, "FIRE", "release", reason="another fire").body["state"] == "released"
    assert (stage.whistle().state, stage.calls()) == ("refused", ["whistle_refused"])
    assert stage.engine.places(stage.id_).words[f"{stage.whistle().id}:reason"] == "another fire"
    assert stage.says("FIRE", yes=False).code == "offer_not_open"


def test_a_report_from_who_was_not_called_or_not_yet_reported_in_is_none() -> None:
    stage = Called()
    assert stage.reports("nothing", "FIRE", "cleared", outcome="helped").code == "not_found"
    assert stage.reports(stage.id_, "FIRE", "cleared", outcome="helped").code == "not_assigned"
    stage.whistles("FIRE")
    assert stage.reports(stage.id_, "FIRE", "cleared", outcome="helped").code == "not_assigned"
    stage.does(stage.id_, "cancel")
    assert stage.reports(stage.id_, "FIRE", "cleared", outcome="helped").code == "not_assigned"
    assert stage.reports(stage.id_, "WATER", "cleared", outcome="helped").code == "not_found"


def test_the_word_for_each_state() -> None:
    stage = Called("V-1")

    def word() -> str | None:
        return state_for(stage.of(stage.id_), "FIRE")

    assert word() is None
    assert state_for(stage.of(stage.id_), "V-1") == "open"
    stage.whistles("FIRE")
    assert word() == "open"
    stage.wait(20)
    assert word() == "silent"
    stage.says("FIRE", yes=True)
    stage.wait(30)
    assert word() == "assigned", "late, and at work"
    stage.reports(stage.id_, "FIRE", "cleared", outcome="helped")
    assert word() == "cleared"
    stage.does(stage.id_, "whistle-confirm", whistle=stage.whistle().id)
    assert word() == "cleared"
    stage.whistles("FIRE")
    stage.does(stage.id_, "cancel")
    assert word() == "withdrawn"
