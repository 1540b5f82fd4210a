"""What apps and gateways are told: types, keys and bodies, as they leave the engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from callhub.domain import events as e
from callhub.domain.messages import AddresseeKind, Message
from callhub.domain.people import Actor, ActorKind, Device
from tests.scenarios.town import AREA, HOME, Person, Town, ladder


def told(town: Town, person: Person) -> list[Message]:
    """What came with the last event."""
    return [m for m in town.last.messages if m.addressee.id == person.id]


def coming() -> tuple[Town, Person, str]:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()
    person.accepts()
    return town, person, incident.id


def test_an_offer() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    incident = town.press()

    (message,) = told(town, person)

    assert message.addressee.kind is AddresseeKind.RESPONDER
    assert (message.type, message.incident, message.key) == ("offer", incident.id, f"offer:{incident.id}-1")
    assert message.body == {
        "offer": f"{incident.id}-1",
        "incident": incident.id,
        "kind": "sos",
        "urgency": 2,
        "elder": "E-1",
        "area": list(AREA),
        "distance_m": 100,
        "eta_s": 177,
        "respond_by": town.now + timedelta(seconds=20),
        "reminder": False,
    }


def test_an_assignment() -> None:
    town, person, incident = coming()
    (message,) = told(town, person)
    assert (message.type, message.key) == ("assignment", f"assignment:{incident}-a1")
    assert message.body == {
        "incident": incident,
        "state": "assigned",
        "version": town.incident(incident).version,
        "go_to": {
            "address": "Fuyuanli 3",
            "position": {"lat": HOME.lat, "lon": HOME.lon},
            "accuracy_m": None,
            "source": "home",
        },
        "elder": "E-1",
        "arrive_by": town.now + timedelta(seconds=300),
        "late": False,
    }


def test_a_stand_down_takes_the_place_of_its_offer() -> None:
    town = Town()
    town.elder()
    first, second = town.responder("V-1", 100), town.responder("V-2", 200)
    incident = town.press()
    first.accepts()
    (message,) = told(town, second)
    assert (message.type, message.key) == ("stand_down", f"offer:{incident.id}-2")
    assert message.body == {"offer": f"{incident.id}-2", "incident": incident.id, "reason": "filled"}


def test_a_stand_down_of_somebody_on_the_way_names_the_offer_they_said_yes_to() -> None:
    town, person, incident = coming()
    town.act(incident, "cancel")
    (message,) = told(town, person)
    assert message.body == {"offer": f"{incident}-1", "incident": incident, "reason": "cancelled"}


def test_a_reminder_is_the_same_offer_under_the_same_key() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    town.press()
    town.advance(130)
    offers = [m for m in person.inbox if m.type == "offer"]
    assert [m.body["reminder"] for m in offers] == [False, True]
    assert offers[0].key == offers[1].key
    assert offers[1].body["respond_by"] > offers[0].body["respond_by"]


def test_an_update_is_never_replaced() -> None:
    town, person, incident = coming()
    town.act(incident, "note", text="ring twice")
    (message,) = told(town, person)
    assert (message.type, message.key) == ("update", None)
    assert message.body == {
        "incident": incident,
        "what": "note",
        "version": town.incident(incident).version,
        "kind": None,
        "text": "ring twice",
    }


def test_nobody_is_told_what_they_did_themselves() -> None:
    _, person, _ = coming()
    for action in ("en_route", "on_scene"):
        person.reports(action)
        assert person.hears() == []
    person.reports("cleared", outcome="helped")
    assert person.hears() == []


def test_feedback_is_told_to_nobody_on_the_way() -> None:
    town, person, incident = coming()
    town.act(incident, "feedback", rating=3)
    assert person.hears() == []


def progress(town: Town, gateway: str = "GW") -> list[dict[str, Any]]:
    return [m.body for m in town.sent if m.addressee.id == gateway and m.type == "progress"]


def test_progress_goes_to_every_gateway_with_its_own_alarms_under_one_key() -> None:
    town, person, incident = coming()
    town.devices["PENDANT"] = Device("PENDANT", elder="E-1", gateway="GW-2")
    town.alarm(device="PENDANT", gateway="GW-2", alarm="p-1")
    town.alarm(alarm="a-2")
    person.reports("on_scene")

    sent = [m for m in town.last.messages if m.type == "progress"]

    assert {m.addressee.id: m.body["alarms"] for m in sent} == {
        "GW": [town.incident(incident).alarms[0].id, "a-2"],
        "GW-2": ["p-1"],
    }
    assert {m.key for m in sent} == {f"progress:{incident}"}
    assert sent[0].addressee.kind is AddresseeKind.GATEWAY
    assert sent[0].body | {"alarms": []} == {
        "incident": incident,
        "alarms": [],
        "state": "on_scene",
        "responder": "V-1",
        "eta_s": None,
        "elder": "E-1",
    }


def test_progress_is_sent_when_the_state_changes_and_not_otherwise() -> None:
    town, person, incident = coming()
    for _ in range(3):
        town.act(incident, "note", text="x")
        town.signals("confirm", id=f"s-{town.count}")
    assert [body["state"] for body in progress(town)] == ["seeking", "assigned"]
    assert progress(town)[-1]["eta_s"] == person.offer["eta_s"]


def test_progress_names_the_next_person_when_the_first_gives_it_back() -> None:
    town = Town(ladder(needed=2))
    town.elder()
    first, second = town.responder("V-1", 100), town.responder("V-2", 200)
    town.responder("V-3", 300)
    town.press()
    first.accepts()
    second.accepts()
    first.reports("release")
    assert [(body["state"], body["responder"]) for body in progress(town)] == [
        ("seeking", None),
        ("assigned", "V-1"),
        ("assigned", "V-2"),
    ]


def test_a_gateway_that_only_sent_frames_nobody_can_read_hears_no_progress() -> None:
    town = Town()
    town.tell(
        e.FrameFaulty(
            id=town.new_id(), actor=Actor(ActorKind.GATEWAY, "GW"), gateway="GW", wants_help=False, code="unknown_type"
        )
    )
    assert progress(town) == []


def test_no_message_holds_a_name_a_telephone_or_a_door_code() -> None:
    town = Town()
    town.elder(name="Li Secret", phone="13800000000", access="door 4711", notes="hard of hearing")
    town.elders["E-1"] = replace(town.elders["E-1"], position=HOME)
    person = town.responder("V-1", phone="13900000000")
    incident = town.press()
    person.accepts()
    person.reports("on_scene")
    person.reports("cleared", outcome="helped")
    town.act(incident.id, "close", outcome="helped")
    said = str([m.body for m in town.sent])
    for secret in ("Secret", "1380", "1390", "4711", "hearing"):
        assert secret not in said


def test_presence_says_how_they_stand_now() -> None:
    town = Town()
    person = town.responder("V-1", on_duty=False, hours="00:00-24:00")
    assert person.goes(on_duty=True).body == {"ok": True, "state": "on_duty"}
    assert person.goes(on_duty=False).body == {"ok": True, "state": "off_duty"}
    assert person.goes(on_duty=False, until=town.now).body == {"ok": True, "state": "on_duty"}, "hours count again"
    assert Person(town, "nobody").goes(on_duty=True).code == "not_found"


def test_desks_are_told_like_everybody_who_is_asked() -> None:
    town = Town()
    town.elder()
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    assert (desk.offer["distance_m"], desk.offer["eta_s"]) == (None, None)
    town.act(incident.id, "close", outcome="false_alarm")
    assert desk.hears() == ["stand_down closed"]
