"""Alarms: no press is lost, none is counted twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from callhub.domain.events import PriorAnswer, early_cancel
from callhub.domain.people import Device, Position
from tests.simulation.driver import DEVICES, OPERATOR
from tests.unit.dispatch.stage import Stage


def test_a_press_opens_a_case_with_everything_that_is_known() -> None:
    stage = Stage("V-1", watched=True)
    id = stage.press()
    assert stage.last is not None
    receipt = {"incident": id, "duplicate": False, "id_reused": False, "device_known": True, "ignored": []}
    assert stage.last.answer.body == receipt
    held = stage.of(id)
    assert (held.number, held.elder, held.area, held.unwatched) == (1, "E-1", ("D", "S", "C", "G"), False)
    assert stage.engine.places(id).address == "1"


def test_a_repeat_gets_the_first_receipt_and_a_reused_id_is_a_new_alarm() -> None:
    stage = Stage()
    first = stage.press(id="a-1")
    assert stage.press(id="a-1") == first
    assert stage.last is not None
    assert stage.last.answer.repeat
    assert stage.last.answer.body["duplicate"] is True
    stage.press("BTN-2", id="a-1")
    assert stage.last.answer.body["id_reused"] is True


def test_without_a_time_of_its_own_it_is_a_repeat_while_open_or_for_ten_minutes() -> None:
    stage = Stage()
    first = stage.press(id="a-1")
    stage.now += timedelta(hours=2)
    assert stage.press(id="a-1") == first
    stage.does(first, "close", outcome="helped")
    assert stage.press(id="a-1") != first


def test_with_a_time_of_its_own_it_is_a_repeat_for_ever() -> None:
    stage = Stage()
    event = replace(stage.alarm("BTN-1", id="a-1"), at=stage.now)
    first = stage.tell(event).answer.incident
    stage.does(first or "", "close", outcome="helped")
    stage.now += timedelta(days=2)
    again = replace(stage.alarm("BTN-1", id="a-1"), at=event.at)
    assert stage.tell(again).answer.incident == first


def test_an_alarm_without_a_request_is_never_a_repeat() -> None:
    stage = Stage()
    event = replace(stage.alarm("BTN-1"), request=None, kind="nonsense")
    id = stage.tell(event).answer.incident
    assert stage.of(id or "").kind == "unknown"


def test_a_test_is_quiet_only_while_the_device_is_on_test() -> None:
    stage = Stage("V-1", "DESK-C", watched=True)
    on_test = replace(DEVICES["BTN-1"], test_until=stage.now + timedelta(minutes=5))
    quiet = stage.tell(replace(stage.alarm("BTN-1", says_test=True), device_record=on_test))
    assert quiet.answer.body["incident"] is None
    assert stage.facts(None, "test_recorded")[0].device == "BTN-1"
    id = stage.press(says_test=True)
    held = stage.of(id)
    assert (held.says_test, held.step, [o.responder for o in held.open_offers]) == (True, 1, ["DESK-C"])


def test_a_real_press_ends_what_only_said_test() -> None:
    stage = Stage("V-1", "DESK-C", watched=True)
    id = stage.press(says_test=True)
    stage.ready("V-2")
    assert not stage.told("V-2", "offer"), "nobody is asked to run for a test"
    assert stage.press(says_test=True) == id
    assert stage.of(id).step == 1
    assert stage.press() == id
    assert stage.of(id).step == 0
    assert stage.told("V-1", "offer")


@pytest.mark.parametrize(
    ("first", "second", "joins"),
    [
        (("BTN-1", "sos"), ("BTN-1", "sos"), True),
        (("BTN-1", "sos"), ("BTN-2", "sos"), False),
        (("BTN-1", "sos"), ("BTN-1", "meal"), False),
        (("BTN-1", "meal"), ("BTN-1", "meal"), True),
        (("UNKNOWN", "sos"), ("UNKNOWN", "sos"), True),
        (("UNKNOWN", "sos"), ("UNKNOWN-2", "sos"), False),
        (("UNKNOWN", "gateway_fault"), ("UNKNOWN", "gateway_fault"), True),
        (("UNKNOWN", "meal"), ("UNKNOWN", "meal"), False),
    ],
)
def test_what_joins_what(first: tuple[str, str], second: tuple[str, str], joins: bool) -> None:
    stage = Stage()
    one, two = stage.press(*first), stage.press(*second)
    assert (one == two) is joins
    if first[0] == second[0] == "BTN-1" and not joins:
        assert stage.of(two).follows == one


def test_a_button_that_found_its_elder_joins_the_case_it_opened() -> None:
    stage = Stage("V-1")
    id = stage.press("UNKNOWN")
    known = Device("UNKNOWN", elder="E-1", gateway="GW")
    event = replace(stage.alarm("UNKNOWN"), device_record=known, elder=stage.alarm("BTN-1").elder)
    assert stage.tell(event).answer.incident == id


def test_a_more_urgent_alarm_starts_its_own_ladder_and_everyone_assigned_hears_of_it() -> None:
    stage = Stage("V-1", "V-2", "DESK-C", watched=True)
    id = stage.press()
    stage.does(id, "escalate")
    stage.yes(id, "V-1")
    assert stage.press("BTN-1", "smoke") == id
    held = stage.of(id)
    assert (held.kind, held.needed, held.step, held.urgency) == ("smoke", 2, 0, 1)
    assert [o.responder for o in held.open_offers] == ["V-2"]
    assert stage.told("V-1", "update")[-1] == {
        "incident": id, "what": "alarm_joined", "version": held.version, "kind": "smoke", "text": None,
    }  # fmt: skip


def test_a_more_urgent_alarm_that_needs_nobody_else_keeps_the_ladder_resting() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press()
    stage.yes(id, "V-1")
    stage.does(id, "assign", responder="V-2", confirmed_by="telephone")
    stage.press("BTN-1", "smoke")
    assert not stage.of(id).live_offers
    assert "step" not in stage.of(id).deadlines
    stage.does(id, "assign", responder="V-3")
    stage.ready("V-3")
    assert stage.does(id, "assign", responder="V-3").code is None, "by hand, on the new and shorter ladder"


def test_a_call_by_telephone_may_know_nobody() -> None:
    stage = Stage("DESK-D", watched=True)
    answer = stage.tell(replace(stage.call(None, "nonsense"), address="Fuyuanli 3", phone="1")).answer
    id = answer.incident or ""
    assert (stage.of(id).kind, stage.of(id).source) == ("unknown", "operator")
    assert stage.engine.places(id).address == "Fuyuanli 3"
    assert stage.tell(stage.call(None)).answer.incident != id


def test_a_frame_that_cannot_be_read_reaches_people_when_it_asked_for_help() -> None:
    stage = Stage()
    help_, fault = (stage.tell(stage.faulty(wants_help=wants)).answer for wants in (True, False))
    assert (help_.code, fault.code) == ("invalid_message", "invalid_message")
    assert stage.of(help_.incident or "").class_ == "emergency"
    assert stage.of(fault.incident or "").kind == "gateway_fault"
    assert stage.tell(stage.faulty(wants_help=True)).answer.incident == help_.incident


NEAR = Position(39.09, 117.22, 15)


@pytest.mark.parametrize(
    ("mobile", "age_s", "accuracy_m", "source"),
    [(True, 0, 15, "device"), (False, 0, 15, "home"), (True, 500, 15, "home"), (True, 0, 500, "home"),
     (True, 0, None, "home")],
)  # fmt: skip
def test_a_devices_own_fix_wins_only_if_mobile_fresh_and_accurate(
    mobile: bool, age_s: int, accuracy_m: float | None, source: str
) -> None:
    stage = Stage("V-1")
    event = replace(
        stage.alarm("BTN-1"),
        at=stage.now - timedelta(seconds=age_s),
        position=replace(NEAR, accuracy_m=accuracy_m),
        device_record=replace(DEVICES["BTN-1"], mobile=mobile),
    )
    id = stage.tell(event).answer.incident or ""
    target = stage.engine.places(id).target
    assert target is not None
    assert target[1] == source


def test_where_no_home_is_known_any_fix_is_better_than_none_and_a_good_one_is_kept() -> None:
    stage = Stage("V-1")
    id = stage.tell(replace(stage.alarm("BTN-3"), position=replace(NEAR, accuracy_m=None))).answer.incident or ""
    assert stage.engine.places(id).fix is not None
    mobile = replace(DEVICES["BTN-3"], mobile=True)
    stage.tell(replace(stage.alarm("BTN-3"), position=NEAR, device_record=mobile))
    assert stage.engine.places(id).target == (NEAR, "device")
    old = replace(stage.alarm("BTN-3"), position=Position(1, 1), at=stage.now - timedelta(hours=1))
    stage.tell(old)
    assert stage.engine.places(id).target == (NEAR, "device")


def test_who_reports_by_api_is_kept() -> None:
    stage = Stage()
    decision = stage.tell(stage.call("E-1"))
    assert decision.rows[0].actor == OPERATOR


def test_what_callhub_says_about_itself_is_one_case_of_its_kind() -> None:
    stage = Stage("DESK-D", watched=True)
    one, two = (stage.tell(stage.call(None, "gateway_fault")).answer.incident for _ in range(2))
    assert one == two


def test_a_cancel_that_only_the_store_remembers_is_still_shown_once() -> None:
    stage = Stage()
    event = stage.alarm("BTN-1", id="a-1")
    assert event.request is not None
    kept = PriorAnswer(early_cancel("BTN-1"), stage.now, None, {"cancel": "c-1"})
    asked = replace(event.request, prior=(kept,))
    id = stage.tell(replace(event, request=asked)).answer.incident or ""
    assert stage.of(id).cancel_requested
    stage.does(id, "close", outcome="helped")
    earlier = PriorAnswer("alarm|BTN-1|smoke|", stage.now, id, {})
    again = replace(stage.alarm("BTN-1", id="a-1"), request=replace(asked, prior=(kept, earlier)))
    assert not stage.of(stage.tell(again).answer.incident or "").cancel_requested
