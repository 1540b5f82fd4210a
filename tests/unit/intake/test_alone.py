"""Changes without a server: open incidents hear of them all the same."""

from datetime import timedelta

import pytest

from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.domain.decision import Answer
from callhub.domain.events import AlarmRaised, Event, OfferAnswered
from callhub.domain.facts import DirectoryChanged, HomeMoved
from callhub.domain.incident import AssignmentState
from callhub.domain.messages import MessageType
from callhub.domain.people import Actor, ActorKind, Device, Elder
from callhub.domain.policy import PolicySet
from callhub.intake.alone import alone
from callhub.intake.policy_files import read_policies
from callhub.intake.requests import PoliciesRequest
from callhub.store.base import Commit, Document
from tests.unit.intake.directory_of import ELDERS, NOW, RESPONDERS, Town

GATEWAY = Actor(ActorKind.GATEWAY, "GW-1")
VOLUNTEER = Actor(ActorKind.RESPONDER, "V-1")
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


async def decide(town: Town, engine: DispatchEngine, event: Event) -> None:
    decision = engine.handle(event, NOW)
    assert decision.answer.code is None
    incident = engine.incident("I-1")
    assert incident is not None
    documents = (Document(incident, engine.places("I-1")),)
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


async def test_a_change_is_never_dated_before_the_newest_row(pressed: Town) -> None:
    async def submit_early() -> Answer:
        submit = alone(pressed.store, lambda: NOW - timedelta(days=1), Rules)
        return await submit(pressed.events[-1])

    await pressed.take("elders", ELDERS.replace("201", "305"))
    await submit_early()
    assert (await pressed.store.load()).last_at == NOW
