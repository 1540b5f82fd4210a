"""Who is there, and what changes when they come or go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from callhub.domain import events as e
from callhub.domain.incident import Incident
from callhub.domain.people import SYSTEM, ActorKind, Device
from callhub.domain.policy import policy_from_table
from tests.simulation.driver import ELDERS, OPERATOR, TABLES, north
from tests.unit.dispatch.stage import Stage


def directory(stage: Stage, **fields: object) -> e.DirectoryUpdated:
    return e.DirectoryUpdated(id=stage.id(), actor=SYSTEM, what="x", **fields)  # type: ignore[arg-type]  # by name


def test_going_off_duty_withdraws_offers_and_never_an_assignment() -> None:
    stage = Stage("V-1", "V-2", "V-3")
    mine, other = stage.press(), stage.press("BTN-2")
    stage.yes(mine, "V-1")
    answer = stage.tell(stage.presence("V-2", available=False)).answer
    assert answer.body["state"] == "off_duty"
    assert stage.offer(other, "V-2").stand_down == "off_duty"
    stage.tell(stage.presence("V-1", available=False))
    assert stage.of(mine).live
    assert stage.tell(stage.presence("nobody", available=True)).answer.code == "not_found"


def test_the_same_said_again_is_no_new_fact_and_a_position_may_come_along() -> None:
    stage = Stage("V-1")
    said = len(stage.facts(None, "duty_changed"))
    stage.tell(replace(stage.presence("V-1", available=True), position=north(700)))
    assert len(stage.facts(None, "duty_changed")) == said
    assert stage.offer(stage.press(), "V-1").distance_m == 700


def test_presence_ends_by_itself_and_hours_count_again() -> None:
    stage = Stage("V-1")
    stage.tell(stage.presence("V-1", available=True, for_s=10))
    id = stage.press()
    stage.wait(11)
    assert stage.offer(id, "V-1").stand_down == "off_duty"
    last = stage.facts(None, "duty_changed")[-1]
    assert (last.cause, last.available) == ("until_over", False)
    stage.restart()
    assert stage.tell(stage.record("V-1", hours="mon-sun 00:00-24:00")).answer.code is None
    assert stage.engine.on_duty("V-1", stage.now), "what was said before is over after a restart too"
    assert not stage.engine.on_duty("nobody", stage.now)


def test_hours_that_begin_ask_at_once() -> None:
    stage = Stage()
    stage.tell(stage.record("V-1", hours="tue 04:05-12:00"))
    stage.tell(stage.link("V-1", up=True))
    id = stage.press()
    assert not stage.of(id).live_offers
    stage.wait(245)
    assert stage.offer(id, "V-1").state == "open"


def test_a_timer_of_somebody_unknown_is_no_error() -> None:
    stage = Stage()
    for key in ("duty:nobody", None):
        assert not stage.tell(e.DeadlineDue(id=stage.id(), actor=SYSTEM, key=key)).rows


def test_whoever_links_or_comes_near_is_asked_at_once() -> None:
    stage = Stage("V-1", "V-3")
    stage.tell(stage.link("V-1", up=False))
    stage.wait(61)
    id = stage.press("BTN-2")
    assert [o.responder for o in stage.of(id).open_offers] == ["V-3"]
    stage.tell(stage.link("V-1", up=True))
    assert stage.offer(id, "V-1").state == "open"
    far = stage.press("BTN-1", "meal")
    assert not stage.of(far).live_offers
    assert not stage.tell(stage.link("nobody", up=True)).rows
    assert not stage.tell(stage.seen("nobody", 5)).rows
    stage.ready("V-2")
    stage.tell(stage.seen("V-2", 5000))
    stage.tell(stage.seen("V-2", 20))


def test_nobody_watching_an_emergency_is_a_fact() -> None:
    stage = Stage("DESK-C")
    id = stage.press()
    assert stage.of(id).unwatched
    stage.tell(stage.watch("anna", watching=True))
    assert not stage.of(id).unwatched
    assert stage.offer(id, "DESK-C").state == "open"
    stage.tell(stage.remove("anna"))
    assert stage.of(id).unwatched


def test_after_a_restart_somebody_has_a_minute_to_come_back_and_watch() -> None:
    stage = Stage(watched=True)
    id = stage.press()
    stage.restart()
    assert not stage.of(id).unwatched
    stage.wait(61)
    assert stage.of(id).unwatched


def test_an_owner_whose_console_is_gone_for_a_minute_is_cleared() -> None:
    stage = Stage("V-1", watched=True)
    id = stage.press()
    stage.does(id, "take-over")
    stage.tell(stage.watch("anna", watching=False))
    stage.wait(30)
    stage.tell(stage.watch("anna", watching=True))
    stage.does(id, "note", text="x")
    stage.wait(60)
    assert stage.of(id).owner is not None
    stage.tell(stage.watch("anna", watching=False))
    stage.does(id, "note", text="x")
    stage.wait(61)
    assert stage.of(id).owner is None
    assert stage.facts(id, "owner_cleared")[-1].why == "owner_away"


def test_somebody_away_who_owns_nothing_is_no_news() -> None:
    stage = Stage(watched=True)
    stage.tell(stage.watch("anna", watching=False))
    stage.wait(61)
    stage.engine._world.set_timer("watcher:anna", stage.now)
    stage.tell(stage.watch("anna", watching=True))
    assert not stage.tell(e.DeadlineDue(id=stage.id(), actor=SYSTEM, key="watcher:anna")).rows


def test_a_disabled_person_is_stood_down_and_released() -> None:
    stage = Stage("V-1", "V-2")
    mine, other = stage.press("BTN-2"), stage.press("BTN-2", "meal")
    stage.yes(mine, "V-2")
    stage.does(other, "assign", responder="V-2")
    stage.tell(stage.record("V-2", active=False))
    assert stage.offer(other, "V-2").stand_down == "disabled"
    assert not stage.of(mine).live
    assert stage.told("V-2", "stand_down")[-1]["reason"] == "disabled"


def test_a_revoked_person_keeps_the_duty_and_the_desk_is_called() -> None:
    stage = Stage("V-1", "V-2")
    mine, other = stage.press("BTN-2"), stage.press()
    stage.yes(mine, "V-2")
    assert stage.offer(other, "V-2").state == "open"
    stage.tell(stage.revoke("V-2"))
    assert stage.offer(other, "V-2").state == "silent", "a yes by telephone is still a yes"
    call = stage.of(mine).desk_call
    assert call is not None
    assert call.reason == "revoked"
    stage.reports(mine, "V-2", "on_scene")
    stage.does(mine, "note", text="x")
    stage.tell(stage.revoke("V-2"))
    assert stage.of(mine).desk_call is None, "who is there needs no telephone"
    stage.tell(stage.revoke("nobody"))


@pytest.mark.parametrize(("owner", "event"), [("user", "remove"), ("api", "revoke"), ("desk", "disable")])
def test_an_owner_who_is_gone_is_cleared(owner: str, event: str) -> None:
    stage = Stage("DESK-C", watched=True)
    id = stage.press()
    if owner == "desk":
        stage.yes(id, "DESK-C")
        stage.tell(stage.record("DESK-C", active=False))
    elif owner == "user":
        stage.does(id, "take-over")
        stage.tell(stage.remove("anna"))
    else:
        stage.does(id, "take-over", user=replace(OPERATOR, kind=ActorKind.API, id="care"))
        stage.tell(directory(stage, revoked=(("gateway", "GW"), ("api", "care"))))
    assert stage.of(id).owner is None
    assert stage.facts(id, "owner_cleared")[-1].why == "user_removed"


def test_other_ladders_are_for_new_cases_only() -> None:
    stage = Stage("V-1")
    old = stage.press()
    changed = policy_from_table({**TABLES[0], "urgency": 5}, "test")
    stage.tell(directory(stage, policies=(changed,)))
    assert stage.of(stage.press("BTN-2")).urgency == 5
    assert stage.of(old).urgency == 2


def test_a_home_that_moved_is_shown_beside_the_old_one_and_told() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    moved = replace(ELDERS["E-1"], position=north(800), address="9")
    stage.tell(directory(stage, elders=(moved,)))
    places = stage.engine.places(id)
    assert (places.address, places.new_address, places.new_home) == ("1", "9", north(800))
    assert stage.told("V-1", "update")[-1]["what"] == "go_to_changed"
    stage.tell(directory(stage, elders=(moved,)))
    assert len(stage.facts(id, "home_moved")) == 1
    stage.tell(directory(stage, moved_devices=(Device("BTN-1", elder="E-2"), Device("BTN-9", elder="E-2"))))
    assert stage.facts(id, "home_moved")[-1].what == "device"


def test_a_device_that_stays_with_its_elder_is_no_news() -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.tell(directory(stage, moved_devices=(Device("BTN-1", elder="E-1", mobile=True),)))
    assert not stage.facts(id, "home_moved")


def test_a_new_home_beside_another_change_of_the_same_import() -> None:
    stage = Stage("V-1")
    id = stage.press()
    same = ELDERS["E-1"]
    stage.tell(directory(stage, responders=(replace(stage.people["V-1"], active=False),), elders=(same,)))
    assert not stage.facts(id, "home_moved")
    assert stage.offer(id, "V-1").stand_down == "disabled"


def test_hours_ended_by_an_import_withdraw_offers() -> None:
    stage = Stage()
    stage.tell(stage.record("V-1", hours="mon-sun 00:00-24:00"))
    stage.tell(stage.link("V-1", up=True))
    id = stage.press()
    stage.tell(stage.record("V-1", hours=""))
    assert stage.offer(id, "V-1").stand_down == "off_duty"


def test_a_test_window_is_a_fact() -> None:
    stage = Stage()
    until = stage.now + timedelta(minutes=10)
    answer = stage.tell(e.TestAsked(id=stage.id(), actor=OPERATOR, device="BTN-1", until=until)).answer
    assert answer.body == {"ok": True, "until": until}
    assert stage.facts(None, "test_window_opened")[0].until == until


class _Walked(dict[str, Incident]):
    """Open incidents that count how often somebody goes through all of them."""

    times = 0

    def __getattribute__(self, name: str) -> object:
        if name in ("values", "items"):
            self.times += 1
        return super().__getattribute__(name)


def test_an_import_of_many_devices_does_not_go_through_every_case_for_each() -> None:
    stage = Stage("V-1")
    id = stage.press()
    world = stage.engine._world
    world.incidents = walked = _Walked(world.incidents)
    stage.tell(directory(stage, moved_devices=tuple(Device(f"BTN-{n}", elder="E-2") for n in range(1, 500))))
    assert len(stage.facts(id, "home_moved")) == 1
    assert walked.times < 10, "3,000 devices and 1,000 open cases held up everybody for more than a second"
