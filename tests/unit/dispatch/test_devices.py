"""What a device says beside its alarm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from callhub.domain.events import Event
from tests.unit.dispatch.stage import Stage


def asked(stage: Stage, event: Event, fingerprint: str, id: str = "x-1") -> Event:
    """The same event as a gateway's message with an id of its own."""
    return replace(event, request=stage._request("gateway:GW", id, fingerprint))


def test_a_cancel_is_a_request_shown_to_everyone_assigned() -> None:
    stage = Stage("V-1")
    id = stage.press(id="a-1")
    stage.yes(id, "V-1")
    answer = stage.tell(asked(stage, stage.cancel("BTN-1", "a-1"), "cancel|BTN-1")).answer
    assert answer.body["incident"] == id
    assert stage.of(id).cancel_requested
    assert stage.of(id).state == "assigned"
    assert stage.told("V-1", "update")[-1]["what"] == "cancel_requested"
    again = stage.tell(asked(stage, stage.cancel("BTN-1", "a-1"), "cancel|BTN-1")).answer
    assert (again.repeat, again.body["duplicate"]) == (True, True)
    other = stage.tell(asked(stage, stage.cancel("BTN-2", "a-1"), "cancel|BTN-2")).answer
    assert (other.body["id_reused"], other.body["incident"]) == (True, None)


def test_a_cancel_without_its_alarms_id_means_the_newest_case_of_the_device() -> None:
    stage = Stage()
    assert stage.tell(stage.cancel("BTN-1", None)).answer.incident is None
    id = stage.press()
    assert stage.tell(stage.cancel("BTN-1", None)).answer.incident == id


def test_a_cancel_may_come_before_its_alarm() -> None:
    stage = Stage()
    assert stage.tell(stage.cancel("BTN-1", "a-1")).answer.incident is None
    assert not stage.of(stage.press("BTN-2", id="a-1")).cancel_requested, "of another device"
    id = stage.press(id="a-1")
    assert stage.of(id).cancel_requested


@pytest.mark.parametrize(
    ("signal", "card", "state"),
    [("arrived", None, "on_scene"), ("card", "CARD-1", "on_scene"), ("card", "CARD-9", "assigned"),
     ("confirm", None, "assigned")],
)  # fmt: skip
def test_a_signal_counts_as_arrival_when_exactly_one_is_on_the_way(signal: str, card: str | None, state: str) -> None:
    stage = Stage("V-1")
    id = stage.press()
    stage.yes(id, "V-1")
    event = asked(stage, stage.signal("BTN-1", signal, card), "signal|BTN-1")
    assert stage.tell(event).answer.incident == id
    assert stage.of(id).state == state
    assert stage.tell(asked(stage, stage.signal("BTN-1", signal, card), "signal|BTN-1")).answer.repeat


def test_a_signal_with_two_on_the_way_is_only_shown() -> None:
    stage = Stage("V-1", "V-2")
    id = stage.press("BTN-1", "smoke")
    stage.yes(id, "V-1")
    stage.yes(id, "V-2")
    stage.tell(stage.signal("BTN-1", "arrived"))
    assert stage.of(id).device_says_arrived
    assert stage.of(id).state == "assigned"


def test_a_signal_of_nothing_open_is_received_and_no_more() -> None:
    stage = Stage()
    answer = stage.tell(stage.signal("BTN-1", "arrived")).answer
    assert (answer.code, answer.incident) == (None, None)


def test_a_signal_of_another_device_of_the_elder_finds_their_case() -> None:
    stage = Stage("V-1")
    id = stage.tell(stage.call("E-1")).answer.incident
    assert stage.tell(stage.signal("BTN-1", "arrived")).answer.incident == id


def test_a_message_of_another_kind_with_the_same_print_is_no_repeat() -> None:
    stage = Stage()
    stage.press(id="x-1")
    odd = asked(stage, stage.cancel("BTN-1", "x-1"), "alarm|BTN-1|sos|")
    assert not stage.tell(odd).answer.repeat
