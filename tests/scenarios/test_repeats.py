"""A repeat opens nothing new and gets the first answer; what only looks like one is a new alarm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from callhub.domain import events as e
from callhub.domain.people import Actor, ActorKind
from tests.scenarios.town import Person, Town


def test_a_repeated_alarm_gets_the_first_answer() -> None:
    town = Town()
    town.elder()
    first = town.alarm(alarm="a-1", at=town.now)
    version = town.incident(first.body["incident"]).version
    town.advance(5)

    again = town.alarm(alarm="a-1", at=town.now - timedelta(seconds=5))

    assert again.body == {**first.body, "duplicate": True}
    assert town.incident(first.body["incident"]).version == version
    assert town.last.messages == ()


def test_a_repeat_is_known_long_after_when_it_has_its_own_time() -> None:
    town = Town()
    town.elder()
    at = town.now
    first = town.alarm(alarm="a-1", at=at)
    town.act(first.body["incident"], "close", outcome="false_alarm")
    town.advance(86_400)
    again = town.alarm(alarm="a-1", at=at)
    assert again.body["duplicate"] is True
    assert again.body["incident"] == first.body["incident"]


def test_without_a_time_it_is_a_repeat_while_its_incident_is_open() -> None:
    town = Town()
    town.elder()
    first = town.alarm(alarm="a-1")
    town.advance(3600)
    assert town.alarm(alarm="a-1").body["duplicate"] is True
    town.act(first.body["incident"], "close", outcome="helped")

    new = town.alarm(alarm="a-1")

    assert new.body["duplicate"] is False
    assert new.body["id_reused"] is True
    assert new.body["incident"] != first.body["incident"]


def test_without_a_time_it_is_a_repeat_within_ten_minutes() -> None:
    town = Town()
    town.elder()
    first = town.alarm(alarm="a-1")
    town.act(first.body["incident"], "close", outcome="helped")
    town.advance(600)
    assert town.alarm(alarm="a-1").body["duplicate"] is True
    town.advance(1)
    assert town.alarm(alarm="a-1").body["id_reused"] is True


def test_the_same_id_with_another_kind_device_or_time_is_a_new_alarm() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    first = town.alarm("E-1", alarm="a-1", at=town.now)
    for answer in (
        town.alarm("E-1", alarm="a-1", kind="fall", at=town.now),
        town.alarm("E-2", alarm="a-1", at=town.now),
        town.alarm("E-1", alarm="a-1", at=town.now + timedelta(seconds=1)),
    ):
        assert answer.body["duplicate"] is False
        assert answer.body["id_reused"] is True
    assert len(town.incident(first.body["incident"]).alarms) == 3, "two joined the first elder's case"


def test_another_gateway_s_same_id_is_its_own() -> None:
    town = Town()
    town.elder()
    town.alarm(alarm="a-1")
    answer = town.alarm(alarm="a-1", gateway="GW-2")
    assert (answer.body["duplicate"], answer.body["id_reused"]) == (False, False)


def test_other_fields_may_differ_in_a_repeat() -> None:
    town = Town()
    town.elder()
    town.alarm(alarm="a-1", battery=0.9)
    assert town.alarm(alarm="a-1", battery=0.1, text="help").body["duplicate"] is True


def test_the_receipt_names_what_was_ignored_and_whether_the_device_is_known() -> None:
    town = Town()
    town.elder()
    answer = town.alarm(alarm="a-1", ignored=("position.lat",))
    assert answer.body == {
        "incident": answer.incident,
        "duplicate": False,
        "id_reused": False,
        "device_known": True,
        "ignored": ["position.lat"],
    }
    assert town.alarm(device="X-1").body["device_known"] is False


def test_a_quiet_test_is_recorded_and_opens_nothing() -> None:
    town = Town()
    town.elder()
    town.devices["BTN-E-1"] = replace(town.devices["BTN-E-1"], test_until=town.now + timedelta(minutes=5))

    answer = town.alarm(alarm="t-1", says_test=True)

    assert answer.body["incident"] is None
    assert town.rows == {}
    assert town.notes[-1].facts[0].fact == "test_recorded"
    assert town.alarm(alarm="t-1", says_test=True).body["duplicate"] is True
    assert town.alarm(alarm="t-2").body["incident"] is not None, "a real press is never quiet"
    town.advance(300)
    assert town.alarm(alarm="t-3", says_test=True).body["incident"] is not None


def test_a_cancel_may_come_before_its_alarm() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    early = town.cancels("a-1")
    assert early.body == {
        "incident": None,
        "duplicate": False,
        "id_reused": False,
        "device_known": True,
    } | {k: v for k, v in early.body.items() if k == "ignored"}

    incident = town.press(alarm="a-1")

    assert incident.cancel_requested
    assert incident.state == "seeking"
    assert person.was_asked(), "a request is never a cancel"


def test_a_cancel_before_its_alarm_is_of_its_own_device() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    town.cancels("a-1", elder="E-2")
    assert not town.press("E-1", alarm="a-1").cancel_requested


def test_a_cancel_that_comes_after_the_end_does_not_wait_for_the_next_press() -> None:
    town = Town()
    town.elder()
    first = town.press(alarm="a-1")
    town.act(first.id, "close", outcome="helped")
    assert town.cancels("a-1").body["incident"] is None
    town.advance(700)

    again = town.press(alarm="a-1")

    assert again.id != first.id
    assert not again.cancel_requested


def test_a_cancel_is_a_request_shown_to_everyone_assigned() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press(alarm="a-1")
    person.accepts()

    answer = town.cancels("a-1")

    assert answer.body["incident"] == incident.id
    assert person.hears() == ["update cancel_requested"]
    assert town.incident(incident.id).state == "assigned"
    assert town.incident(incident.id).cancel_requested


def test_a_repeated_cancel_gets_the_first_answer_and_its_id_may_be_reused() -> None:
    town = Town()
    town.elder("E-1")
    town.elder("E-2")
    incident = town.press("E-1", alarm="a-1")
    town.cancels("a-1", id="c-1")
    again = town.cancels("a-1", id="c-1")
    assert (again.body["duplicate"], again.body["incident"]) == (True, incident.id)
    assert len(town.facts(incident.id, "cancel_requested")) == 1
    other = town.cancels("a-9", elder="E-2", id="c-1")
    assert (other.body["duplicate"], other.body["id_reused"], other.body["incident"]) == (False, True, None)


def test_a_signal_with_the_id_of_a_cancel_is_neither_repeat_nor_reuse() -> None:
    town = Town()
    town.elder()
    town.press(alarm="a-1")
    town.cancels("a-1", id="x-1")
    answer = town.signals("confirm", id="x-1")
    assert answer.body["duplicate"] is False
    assert town.signals("confirm", id="x-1").body["duplicate"] is True


def say(
    person: Person, id: str, what: str, event: type[e.Event], **fields: Any
) -> tuple[str | None, dict[str, object]]:
    """A responder's frame with an id of its own."""
    town = person.town
    actor = Actor(ActorKind.RESPONDER, person.id)
    request = town.request(f"responder:{person.id}", id, what)
    answer = town.tell(event(id=town.new_id(), actor=actor, request=request, **fields))
    return answer.code, answer.body


def test_a_responder_s_repeat_gets_the_stored_answer_and_the_state_as_it_is_now() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    offer = person.offer["offer"]
    first = say(person, "r1", f"accept|{offer}", e.OfferAnswered, offer=offer, accept=True)
    assert first == (None, {"ok": True, "state": "assigned"})
    person.reports("en_route")
    version = town.incident(incident.id).version

    again = say(person, "r1", f"accept|{offer}", e.OfferAnswered, offer=offer, accept=True)

    assert again == (None, {"ok": True, "state": "en_route"})
    assert town.incident(incident.id).version == version


def test_a_refused_message_stays_refused_when_it_is_repeated() -> None:
    town = Town()
    town.elder()
    person, other = town.responder("V-1", 100), town.responder("V-2", 200)
    town.press()
    other.accepts()
    offer = person.offer["offer"]
    for _ in range(2):
        code, _body = say(person, "r1", f"accept|{offer}", e.OfferAnswered, offer=offer, accept=True)
        assert code == "offer_not_open"


def test_a_responder_s_id_used_for_something_else_is_new_and_says_so() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    offer = person.offer["offer"]
    say(person, "r1", f"accept|{offer}", e.OfferAnswered, offer=offer, accept=True)

    fields = {"incident": incident.id, "responder": "V-1", "action": "en_route"}
    assert say(person, "r1", f"en_route|{incident.id}", e.DutyMoved, **fields) == (
        None,
        {"ok": True, "state": "en_route", "id_reused": True},
    )


def test_a_person_s_write_with_the_same_idempotency_key_happens_once() -> None:
    town = Town()
    town.elder()
    incident = town.press()
    for _ in range(2):
        answer = town.act(incident.id, "note", text="once", key="k-1")
        assert answer.body == {"ok": True}
    assert len(town.facts(incident.id, "note_added")) == 1
