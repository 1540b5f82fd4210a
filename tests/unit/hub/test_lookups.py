"""What a batch knows: the store's answer, and over it what the batch itself did."""

from dataclasses import replace

import pytest

from callhub.clock import ManualClock
from callhub.domain.events import (
    AlarmRaised,
    CallTaken,
    CancelAsked,
    DirectoryUpdated,
    DrillAsked,
    DutyMoved,
    OfferAnswered,
    OperatorActed,
    PriorAnswer,
    Request,
    RequestKey,
    SignalSent,
)
from callhub.domain.family import FamilyContact, relatives
from callhub.domain.incident import Incident, IncidentState, Places, Source
from callhub.domain.people import SYSTEM, Device, Elder
from callhub.domain.policy import IncidentClass
from callhub.errors import StoreCorrupt
from callhub.hub.lookups import Known, need_of
from callhub.store.base import Commit, DirectoryChange, Document, Need, StoredAnswer
from tests.unit.hub.scripted import START, FailingStore

KEY = RequestKey("gateway:GW", "c-1")
ELDER = Elder("E-1", "Li")
INCIDENT = Incident(
    id="I-1", number=1, class_=IncidentClass.EMERGENCY, kind="sos", urgency=1, source=Source.DEVICE, policy="p",
    needed=1, opened_at=START, version=1, elder="E-1",
)  # fmt: skip


def cancel(device: str = "B-1") -> CancelAsked:
    request = Request(KEY, f"cancel|{device}")
    return CancelAsked(id="c", actor=SYSTEM, request=request, gateway="GW", alarm=None, device=device)


def moved() -> DutyMoved:
    return DutyMoved(id="d", actor=SYSTEM, incident="I-1", responder="V-1", action="on_scene")


def held(id_: str) -> Incident | None:
    return INCIDENT if id_ == "I-1" else None


def nothing_held(_: str) -> Incident | None:
    return None


async def filled() -> FailingStore:
    store = FailingStore()
    await store.open()
    ended = replace(INCIDENT, state=IncidentState.CLOSED, ended_at=START)
    change = DirectoryChange(elders=(ELDER,), devices=(Device("B-1", elder="E-1"),))
    document = Document(ended, Places(address="3 Fuyuan Li"))
    await store.commit(Commit(changes=(change,), documents=(document,)))
    return store


def test_each_event_names_what_it_needs() -> None:
    signal = SignalSent(id="s", actor=SYSTEM, gateway="GW", device="B-2", signal="card")
    need = need_of([cancel(), signal, moved()], held)
    assert need == Need(requests=frozenset({KEY}), devices=frozenset({"B-1", "B-2"}), elders=frozenset({"E-1"}))


async def test_the_elder_of_the_incident_comes_with_a_report_and_of_the_device_with_a_signal() -> None:
    store = await filled()
    known = Known(store, [cancel(), moved()], held)
    assert known.complete(moved()) == replace(moved(), elder=ELDER)
    completed = known.complete(cancel())
    assert isinstance(completed, CancelAsked)
    assert completed.elder == ELDER
    assert len(store.lookups) == 1


async def test_what_nobody_needs_is_not_looked_up() -> None:
    store = await filled()
    acted = OperatorActed(id="o", actor=SYSTEM, incident="I-1", action="note")
    assert Known(store, [acted], held).complete(acted) == acted
    assert store.lookups == []


async def test_an_incident_that_the_engine_no_longer_holds_is_brought_along() -> None:
    known = Known(await filled(), [], nothing_held)
    acted = OperatorActed(id="o", actor=SYSTEM, incident="I-1", action="reopen")
    answered = OfferAnswered(id="a", actor=SYSTEM, offer="I-1-3", accept=True)
    for event in (acted, answered, moved()):
        completed = known.complete(event)
        assert isinstance(completed, OperatorActed | OfferAnswered | DutyMoved)
        assert completed.ended is not None
        assert completed.ended.state is IncidentState.CLOSED
        assert completed.ended_places == Places(address="3 Fuyuan Li")
    elsewhere = replace(acted, incident="I-2")
    assert known.complete(elsewhere) == elsewhere


SON, NEIGHBOUR = FamilyContact("C-1", "E-1", "李明"), FamilyContact("C-2", "E-1", "王芳", responder="V-1")


async def with_family() -> FailingStore:
    store = await filled()
    change = DirectoryChange(elders=(Elder("E-2", "Zhao"),), contacts=(SON, NEIGHBOUR))
    await store.commit(Commit(changes=(change,)))
    return store


async def test_what_opens_a_case_brings_the_elders_family() -> None:
    known = Known(await with_family(), [], nothing_held)
    home = replace(ELDER, family=(SON, NEIGHBOUR))
    press = AlarmRaised(id="a", actor=SYSTEM, gateway="GW", alarm="1", device="B-1", kind="sos", elder=ELDER)
    call = CallTaken(id="t", actor=SYSTEM, source="operator", kind="sos", elder=ELDER)
    drill = DrillAsked(id="d", actor=SYSTEM, elder=ELDER, kind="sos", reason="half-yearly")
    named = OperatorActed(id="o", actor=SYSTEM, incident="I-9", action="identify", elder=ELDER)
    known._found.devices["B-1"] = Device("B-1", elder="E-1")
    for event in (press, call, drill, named):
        completed = known.complete(event)
        assert isinstance(completed, AlarmRaised | CallTaken | DrillAsked | OperatorActed)
        assert completed.elder == home
    nobody = replace(call, elder=None)
    assert known.complete(nobody) == nobody


async def test_contacts_that_cannot_be_read_keep_no_press_from_being_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    store = await with_family()

    def spoilt(_: str) -> tuple[FamilyContact, ...]:
        raise StoreCorrupt("a stored FamilyContact cannot be read")

    monkeypatch.setattr(store, "family_of", spoilt)
    call = Known(store, [], nothing_held).complete(
        CallTaken(id="t", actor=SYSTEM, source="operator", kind="sos", elder=ELDER)
    )
    assert isinstance(call, CallTaken)
    assert call.elder == ELDER


def contacts(*changed: FamilyContact) -> DirectoryUpdated:
    return DirectoryUpdated(id="u", actor=SYSTEM, what="contacts", change=DirectoryChange(contacts=changed))


async def test_an_import_of_contacts_brings_the_families_of_open_incidents_alone() -> None:
    elsewhere = replace(INCIDENT, id="I-2", elder="E-2", family=relatives((SON,)))
    strange = replace(INCIDENT, id="I-3", elder=None)
    again = replace(INCIDENT, id="I-4")
    known = Known(await with_family(), [], held, lambda: [INCIDENT, elsewhere, strange, again])
    renamed = replace(NEIGHBOUR, inform=())
    completed = known.complete(contacts(renamed, FamilyContact("C-9", "E-9", "x")))
    assert isinstance(completed, DirectoryUpdated)
    assert completed.families == (("E-1", (SON, renamed)),)


async def test_a_contact_who_moves_to_another_elder_leaves_the_first_and_the_next_event_knows() -> None:
    elsewhere = replace(INCIDENT, id="I-2", elder="E-2")
    left = replace(INCIDENT, family=relatives((SON, NEIGHBOUR)))
    known = Known(await with_family(), [], held, lambda: [left, elsewhere])
    moved_son = replace(SON, elder="E-2")
    completed = known.complete(contacts(moved_son))
    assert isinstance(completed, DirectoryUpdated)
    assert dict(completed.families) == {"E-1": (NEIGHBOUR,), "E-2": (moved_son,)}
    known.changed(DirectoryChange(contacts=(moved_son,)))
    call = known.complete(CallTaken(id="t", actor=SYSTEM, source="operator", kind="sos", elder=ELDER))
    assert isinstance(call, CallTaken)
    assert call.elder == replace(ELDER, family=(NEIGHBOUR,))


async def test_answers_and_changes_of_the_batch_lie_over_the_store() -> None:
    known = Known(await filled(), [cancel()], nothing_held)
    prior = PriorAnswer("cancel|B-1", ManualClock(START).now(), None, {"incident": None})
    known.answered(StoredAnswer(KEY, prior))
    known.changed(DirectoryChange(elders=(Elder("E-2", "Zhao"),), devices=(Device("B-1", elder="E-2"),)))
    completed = known.complete(cancel())
    assert isinstance(completed, CancelAsked)
    assert completed.request is not None
    assert completed.request.prior == (prior,)
    assert completed.elder == Elder("E-2", "Zhao")
