"""Changes without a server: open incidents hear of them all the same."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.dispatch.silence import finding_of
from callhub.domain.decision import Answer
from callhub.domain.events import AlarmRaised, DeadlineDue, DutyMoved, Event, OfferAnswered, OperatorActed
from callhub.domain.facts import DirectoryChanged, HomeMoved
from callhub.domain.incident import AssignmentState, Incident
from callhub.domain.messages import Addressee, AddresseeKind, MessageType
from callhub.domain.people import SYSTEM, Actor, ActorKind, Device, Elder, Role
from callhub.domain.policy import PolicySet
from callhub.intake.alone import alone
from callhub.intake.policy_files import read_policies
from callhub.intake.requests import PoliciesRequest
from callhub.store.base import Commit, Document, Snapshot
from tests.unit.intake.directory_of import DEVICES, ELDERS, NOW, RESPONDERS, Town

GATEWAY = Actor(ActorKind.GATEWAY, "GW-1")
VOLUNTEER = Actor(ActorKind.RESPONDER, "V-1")
OPERATOR = Actor(ActorKind.USER, "anna", Role.OPERATOR)
TABLE = {
    "id": "emergency",
    "class": "emergency",
    "kinds": ["sos", "unknown"],
    "step": [
        {"name": "people", "ask": ["volunteer"]},
        {"name": "desk", "ask": ["desk"], "level": "district"},
    ],
}


@pytest.fixture
async def pressed(town: Town) -> Town:
    """A ward in which E-1 has pressed the button, the volunteer has accepted, and the server has stopped since."""
    await town.settle()
    await town.take("responders", RESPONDERS.replace(",,app", ",mon-sun 00:00-24:00,app"))
    await town.ask(PoliciesRequest(tables={"a.toml": TABLE}))
    engine = DispatchEngine(Rules(), PolicySet(read_policies({"a.toml": TABLE})), NOW)
    engine.restore(await town.store.load(), NOW)
    device, elder = town.store.person("devices", "BTN-0001"), town.store.person("elders", "E-1")
    assert isinstance(device, Device)
    assert isinstance(elder, Elder)
    press = AlarmRaised(
        id="I-1", actor=GATEWAY, gateway="GW-1", alarm="a", device=device.id, kind="sos", device_record=device,
        elder=elder,
    )  # fmt: skip
    yes = OfferAnswered(id="e-2", actor=VOLUNTEER, offer="I-1-1", accept=True, responder="V-1")
    for event in (press, yes):
        await decide(town, engine, event)
    town.events.clear()
    return town


def held(town: Town, id: str = "I-1") -> Incident:
    document = town.store.incident(id)
    assert document is not None
    return document.incident


async def decide(town: Town, engine: DispatchEngine, event: Event, at: datetime = NOW, id: str = "I-1") -> None:
    decision = engine.handle(event, at)
    assert decision.answer.code is None
    incident = engine.incident(id)
    assert incident is not None
    documents = (Document(incident, engine.places(id)),)
    await town.store.commit(Commit(rows=decision.rows, documents=documents, messages=decision.messages))


async def test_with_no_open_incident_only_the_change_is_noted(town: Town) -> None:
    await town.settle()
    answer = await town.take("elders", ELDERS.replace("201", "305"))
    assert answer.ok
    assert (await town.store.load()).rows == {}
    assert town.store.verify().flaws == ()


async def test_a_moved_home_is_a_fact_of_the_open_incident(pressed: Town) -> None:
    before = len(pressed.store.rows("I-1"))
    await pressed.take("elders", ELDERS.replace("201", "305"))
    rows = pressed.store.rows("I-1")[before:]
    facts = [fact for _, row in rows for fact in row.facts]
    assert [fact.address for fact in facts if isinstance(fact, HomeMoved)] == ["富源里 3 号楼 305"]
    assert not any(isinstance(fact, DirectoryChanged) for fact in facts)
    assert pressed.store.verify().flaws == ()


async def test_a_disabled_responder_is_released_and_told(pressed: Town) -> None:
    await pressed.take("responders", RESPONDERS.replace(",1\n", ",0\n"))
    document = pressed.store.incident("I-1")
    assert document is not None
    assert [a.state for a in document.incident.assignments.values()] == [AssignmentState.RELEASED]
    waiting = [s for a in pressed.store.waiting() if a.id == "V-1" for s in pressed.store.outbox(a, 0, 100)]
    assert waiting[-1].message.type is MessageType.STAND_DOWN
    assert waiting[-1].message.body["reason"] == "disabled"
    assert pressed.store.verify().flaws == ()


async def test_a_department_that_is_switched_off_is_withdrawn_told_and_a_desk_is_called(pressed: Town) -> None:
    department = "FIRE,消防,department,D1,,,,,,,app,zh,1\n"
    await pressed.take("responders", RESPONDERS + department)
    engine = DispatchEngine(Rules(), PolicySet(read_policies({"a.toml": TABLE})), NOW)
    engine.restore(await pressed.store.load(), NOW)
    clocks = {"departments": ["FIRE"], "report_in_s": 60, "finish_s": 600}
    call = OperatorActed(id="e-3", actor=OPERATOR, incident="I-1", action="whistle", fields=clocks)
    await decide(pressed, engine, call)
    await pressed.take("responders", RESPONDERS + department.replace(",1\n", ",0\n"))
    incident = held(pressed)
    assert [(w.state, w.reason) for w in incident.whistles.values()] == [("withdrawn", "disabled")]
    assert incident.desk_call is not None
    assert incident.desk_call.reason == "whistle_withdrawn"
    told = [s.message for s in pressed.store.outbox(Addressee(AddresseeKind.RESPONDER, "FIRE"), 0, 100)]
    assert [(m.type, m.body.get("reason")) for m in told] == [(MessageType.STAND_DOWN, "disabled")]
    assert pressed.store.verify().flaws == ()


async def test_what_is_supervised_no_more_closes_its_case_and_what_is_new_is_not_watched_before_a_start(
    pressed: Town,
) -> None:
    await pressed.take("devices", DEVICES + "SMOKE,E-1,GW-1,sensor,,90\n")
    assert [device.watched_at for device in (await pressed.store.load()).supervised] == [None]
    engine = DispatchEngine(Rules(), PolicySet(read_policies({"a.toml": TABLE})), NOW)
    engine.restore(await pressed.store.load(), NOW)
    sensor = pressed.store.person("devices", "SMOKE")
    assert isinstance(sensor, Device)
    later = NOW + timedelta(seconds=91)
    (found,) = [ref.key for ref in engine.due(later) if finding_of(ref.key)]
    silence = DeadlineDue(id="I-2", actor=SYSTEM, key=found, device_record=sensor)
    await decide(pressed, engine, silence, at=later, id="I-2")
    await pressed.take("devices", "id,active\nSMOKE,0\n")
    assert (held(pressed, "I-2").state, held(pressed, "I-2").outcome) == ("closed", "not_supervised")


async def test_what_people_did_is_remembered_of_them(pressed: Town) -> None:
    """Whoever is released had set out: they rest, as they would have beside a server."""
    engine = DispatchEngine(Rules(), PolicySet(read_policies({"a.toml": TABLE})), NOW)
    engine.restore(await pressed.store.load(), NOW)
    on_the_way = DutyMoved(id="e-3", actor=VOLUNTEER, incident="I-1", responder="V-1", action="en_route")
    await decide(pressed, engine, on_the_way)
    await pressed.take("responders", RESPONDERS.replace(",1\n", ",0\n"))
    (habit,) = (await pressed.store.load()).habits
    assert habit.back_at == NOW


async def test_a_case_that_cannot_be_replayed_goes_on_as_it_was_committed(
    pressed: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = pressed.store.load

    async def unreadable() -> Snapshot:
        return replace(await load(), rows={"I-1": ()})

    monkeypatch.setattr(pressed.store, "load", unreadable)
    reply = await pressed.take("responders", RESPONDERS.replace(",1\n", ",0\n"))
    assert reply.ok
    assert [a.state for a in held(pressed).assignments.values()] == [AssignmentState.RELEASED]


async def test_a_case_that_cannot_even_be_held_holds_up_no_import(
    pressed: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = pressed.store.load

    async def unreadable() -> Snapshot:
        return replace(await load(), rows={"I-1": ()}, policies_known={})

    monkeypatch.setattr(pressed.store, "load", unreadable)
    reply = await pressed.take("responders", RESPONDERS + "V-2,Li,volunteer\n")
    assert reply.ok
    assert pressed.store.person("responders", "V-2") is not None
    assert [a.state for a in held(pressed).assignments.values()] == [AssignmentState.ASSIGNED]


async def test_a_change_is_never_dated_before_the_newest_row(pressed: Town) -> None:
    async def submit_early() -> Answer:
        submit = alone(pressed.store, lambda: NOW - timedelta(days=1), Rules)
        return await submit(pressed.events[-1])

    await pressed.take("elders", ELDERS.replace("201", "305"))
    await submit_early()
    assert (await pressed.store.load()).last_at == NOW
