"""The real engine in the real loop: a press to closed, poison, restart, storm."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from callhub.auditor import Auditor
from callhub.clock import ManualClock
from callhub.dispatch import engine as engine_module
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.replay import apply
from callhub.dispatch.rules import Rules
from callhub.domain.events import (
    AlarmRaised,
    DirectoryUpdated,
    DutyMoved,
    LinkChanged,
    OfferAnswered,
    OperatorActed,
    PresenceSaid,
    Request,
    RequestKey,
)
from callhub.domain.facts import Row
from callhub.domain.incident import Incident, IncidentState, OfferState
from callhub.domain.messages import Addressee, AddresseeKind, MessageType
from callhub.domain.people import SYSTEM, Actor, ActorKind, Device, Elder, Position, Responder, ResponderKind, Role
from callhub.domain.policy import Ask, IncidentClass, Level, Policy, PolicySet, Step
from callhub.hub import Hub
from callhub.metrics import create_metrics
from callhub.store.base import Commit, DirectoryChange, Document, Filter, Snapshot
from callhub.store.memory import MemoryStore

START = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
HOME = Position(39.08, 117.22)
LADDER = Policy(
    id="emergency",
    class_=IncidentClass.EMERGENCY,
    kinds=("sos", "fall", "unknown"),
    steps=(
        Step("neighbours", (Ask.VOLUNTEER,), offer_timeout_s=20, step_timeout_s=60),
        Step("desk", (Ask.DESK,), level=Level.COMMUNITY, offer_timeout_s=30, step_timeout_s=60),
    ),
)
AREA = ("D", "S", "C")
VOLUNTEERS = 6
OPERATOR = Actor(ActorKind.USER, "op", Role.OPERATOR)


@dataclass(slots=True)
class Town:
    """One elder for each device, six volunteers near by, a desk; a hub over a memory store that outlives it."""

    store: MemoryStore = field(default_factory=lambda: MemoryStore(epoch="town"))
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    elders: int = 3
    hub: Hub = field(init=False)
    engine: DispatchEngine = field(init=False)

    async def settle_in(self) -> None:
        """Fill the directory."""
        ids = range(1, self.elders + 1)
        change = DirectoryChange(
            elders=tuple(Elder(f"E-{n}", "Li", area=AREA, position=HOME, address="3 Fuyuan Li") for n in ids),
            devices=tuple(Device(f"B-{n}", elder=f"E-{n}") for n in ids),
            responders=tuple(
                Responder(
                    f"V-{n}", "Wang", ResponderKind.VOLUNTEER, area=AREA, level="community",
                    position=Position(39.08 + n / 1000, 117.22),
                )
                for n in range(1, VOLUNTEERS + 1)
            ),
            policies=(LADDER,),
        )  # fmt: skip
        desk = Responder("K-1", "Desk", ResponderKind.DESK, area=AREA, level="community", capacity=None)
        change = replace(change, responders=(*change.responders, desk))
        await self.store.open()
        await self.store.commit(Commit(changes=(change,)))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Hub]:
        """A server's core from its start to its stop."""
        self.engine = DispatchEngine(Rules(), PolicySet((LADDER,)), self.clock.now())
        self.hub = Hub(self.engine, self.store, self.clock)
        await self.hub.recover()
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.hub.run())
            yield self.hub
            self.hub.stop()

    async def everybody_on_duty(self) -> None:
        """All volunteers say that they are available, and have a link."""
        for n in range(1, VOLUNTEERS + 1):
            actor = Actor(ActorKind.RESPONDER, f"V-{n}")
            self.hub.notice(LinkChanged(id=self.hub.new_id(), actor=actor, responder=actor.id, up=True))
            said = PresenceSaid(id=self.hub.new_id(), actor=actor, responder=actor.id, available=True)
            assert (await self.hub.submit(said)).code is None

    def press(self, alarm: str, device: str = "B-1", kind: str = "sos") -> AlarmRaised:
        """An alarm as the gateway's link makes it."""
        request = Request(RequestKey("gateway:GW", alarm), f"alarm|{device}|{kind}|")
        actor = Actor(ActorKind.GATEWAY, "GW")
        return AlarmRaised(
            id=self.hub.new_id(), actor=actor, request=request, gateway="GW", alarm=alarm, device=device, kind=kind,
            raw="{}",
        )  # fmt: skip

    def accept(self, offer: str, responder: str) -> OfferAnswered:
        """A responder says yes."""
        actor = Actor(ActorKind.RESPONDER, responder)
        request = Request(RequestKey(f"responder:{responder}", f"r-{offer}"), f"accept|{offer}")
        return OfferAnswered(
            id=self.hub.new_id(), actor=actor, request=request, offer=offer, accept=True, responder=responder
        )

    def document(self, id_: str | None) -> Document:
        document = self.store.incident(id_ or "")
        assert document is not None
        return document

    def state(self, id_: str | None) -> IncidentState:
        return self.document(id_).incident.state

    async def until(self, at: datetime) -> None:
        """Move the clock from wake to wake up to ``at``."""
        while (wake := self.clock.next_wake()) is not None and wake <= at:
            self.clock.advance_to(wake)
            await passes()
        self.clock.advance_to(at)
        await passes()


async def passes() -> None:
    """Let the event loop run until whatever could happen without the clock has happened."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture
async def town() -> Town:
    """A filled directory; the server is not open yet."""
    town = Town()
    await town.settle_in()
    return town


async def test_from_a_press_to_closed(town: Town) -> None:
    async with town.open() as hub:
        await town.everybody_on_duty()
        receipt = await hub.submit(town.press("a-1"))
        assert receipt.body["device_known"] is True
        offers = town.document(receipt.incident).incident.open_offers
        assert [offer.responder for offer in offers] == ["V-1", "V-2", "V-3"]
        messages = town.store.outbox(Addressee(AddresseeKind.RESPONDER, "V-1"), 0, 10)
        assert [stored.message.type for stored in messages] == [MessageType.OFFER]

        said = await hub.submit(town.accept(offers[0].id, "V-1"))
        assert said.body["state"] == "assigned"
        assert town.state(receipt.incident) is IncidentState.ASSIGNED
        stand_down = town.store.outbox(Addressee(AddresseeKind.RESPONDER, "V-2"), 0, 10)[-1]
        assert stand_down.message.type is MessageType.STAND_DOWN

        actor = Actor(ActorKind.RESPONDER, "V-1")
        for action, fields in (("en_route", {}), ("on_scene", {}), ("cleared", {"outcome": "helped"})):
            moved = DutyMoved(
                id=hub.new_id(), actor=actor, incident=receipt.incident or "", responder="V-1", action=action,
                fields=fields,
            )  # fmt: skip
            assert (await hub.submit(moved)).code is None
        assert town.state(receipt.incident) is IncidentState.RESOLVED
        close = OperatorActed(
            id=hub.new_id(), actor=OPERATOR, incident=receipt.incident or "", action="close",
            fields={"outcome": "helped"},
        )  # fmt: skip
        assert (await hub.submit(close)).code is None
        assert town.state(receipt.incident) is IncidentState.CLOSED
    assert town.store.verify().flaws == ()


async def test_the_ladder_never_goes_silent_and_the_auditor_agrees(town: Town) -> None:
    auditor = Auditor(town.store, town.clock, create_metrics(), overdue_s_max=0.5)
    async with town.open() as hub:
        await town.everybody_on_duty()
        receipt = await hub.submit(town.press("a-1"))
        for minutes in range(1, 11):
            await town.until(START + timedelta(minutes=minutes))
            assert await auditor.audit() == []
        assert town.state(receipt.incident) is IncidentState.UNANSWERED
        offers = town.document(receipt.incident).incident.offers.values()
        late = next(offer for offer in offers if offer.state is OfferState.SILENT)
        said = await hub.submit(town.accept(late.id, late.responder))  # a late yes is a yes
        assert said.body["state"] == "assigned"
    assert town.store.verify().flaws == ()


async def test_an_owner_lost_exactly_in_time_is_no_defect_and_the_ladder_repeats_at_that_instant(town: Town) -> None:
    async with town.open() as hub:
        receipt = await hub.submit(town.press("a-1"))  # nobody is on duty
        taken_at = START + timedelta(minutes=5)
        await town.until(taken_at)
        assert town.state(receipt.incident) is IncidentState.UNANSWERED
        await hub.submit(
            OperatorActed(id=hub.new_id(), actor=OPERATOR, incident=receipt.incident or "", action="take-over")
        )
        await town.until(taken_at + timedelta(seconds=LADDER.owner_check_s))
        facts = [fact for _, row in town.store.rows(receipt.incident or "") for fact in row.facts]
        assert [fact for fact in facts if getattr(fact, "reason", None) == "engine_error"] == []
        codes = [fact.fact for fact in facts if fact.fact in ("owner_cleared", "ladder_exhausted")]
        assert codes[-2:] == ["owner_cleared", "ladder_exhausted"]


async def test_a_restart_is_no_cascade_and_forgets_no_alarm(town: Town) -> None:
    async with town.open() as hub:
        await town.everybody_on_duty()
        receipt = await hub.submit(town.press("a-1"))
        accepted = await hub.submit(town.press("a-2", device="B-2"))
        offer = town.document(accepted.incident).incident.open_offers[0]
        await hub.submit(town.accept(offer.id, offer.responder))
        before = town.document(receipt.incident).incident
    town.clock.advance(3600)
    async with town.open() as hub:
        await passes()
        again = await hub.submit(town.press("a-1"))
        assert again.incident == receipt.incident
        assert again.body["duplicate"] is True
        await town.until(town.clock.now() + timedelta(seconds=10))
        after = town.document(receipt.incident).incident
        assert after.step <= before.step + 1  # an hour away is one step, and its patience begins now
        assert after.state is IncidentState.SEEKING
        assert after.next_deadline is not None
        assert after.next_deadline.at > town.clock.now()
        assert town.document(accepted.incident).incident.assignment_of(offer.responder) is not None
    assert town.store.verify().flaws == ()


@contextmanager
def breaking(kind: type, times: int = 1_000_000) -> Iterator[None]:
    """Make the real engine raise on events of this type."""
    original = engine_module._HANDLERS[kind]
    left = times

    def broken(turn: object, event: object) -> object:
        nonlocal left
        answer = original(turn, event)  # type: ignore[arg-type]  # as the engine calls it
        if getattr(event, "device", "B-2") == "B-2" and left > 0:
            left -= 1
            raise ZeroDivisionError  # after it has changed everything
        return answer

    engine_module._HANDLERS[kind] = broken  # type: ignore[assignment]  # as above
    try:
        yield
    finally:
        engine_module._HANDLERS[kind] = original


async def test_an_exception_for_one_alarm_leaves_it_unanswered_and_others_alone(town: Town) -> None:
    async with town.open() as hub:
        await town.everybody_on_duty()
        with breaking(AlarmRaised):
            good, bad, other = await asyncio.gather(
                *(hub.submit(town.press(f"a-{n}", device=f"B-{n}")) for n in (1, 2, 3))
            )
        incident = town.document(bad.incident).incident
        assert (incident.state, incident.reason, incident.elder) == (IncidentState.UNANSWERED, "engine_error", "E-2")
        assert [len(town.document(each.incident).incident.open_offers) for each in (good, other)] == [3, 3]
        for taken in (good, other):
            await hub.submit(OperatorActed(
                id=hub.new_id(), actor=OPERATOR, incident=taken.incident or "", action="close",
                fields={"outcome": "other"},
            ))  # fmt: skip
        await town.until(town.clock.now() + timedelta(seconds=LADDER.repeat_s + 1))
        incident = town.document(bad.incident).incident  # its repeat asks people, by the engine this time
        assert incident.open_offers
    assert town.store.verify().flaws == ()


@pytest.mark.parametrize("where", ["apply", "rows", "bytes"])
async def test_a_case_that_cannot_be_replayed_silences_nobody(
    town: Town, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    async with town.open() as hub:
        await town.everybody_on_duty()
        good, bad = [await hub.submit(town.press(f"a-{n}", device=f"B-{n}")) for n in (1, 2)]
    spoilt = 0
    if where == "rows":
        rows = (*town.store.rows(bad.incident or ""),)
        monkeypatch.setattr(town.store, "load", partial(_spoilt, town.store.load, bad.incident, rows[0][1]))
    elif where == "bytes":
        spoilt = town.store.rows(bad.incident or "")[-1][0]
        town.store._journal[spoilt - 1] = replace(town.store._journal[spoilt - 1], body=b"{")
    else:

        def broken(incident: Incident | None, row: Row) -> Incident:
            if row.incident == bad.incident:
                raise ZeroDivisionError
            return apply(incident, row)

        monkeypatch.setattr(engine_module, "apply", broken)
    async with town.open() as hub:  # a start with a defect, or after damage, that concerns one case
        await town.everybody_on_duty()
        again = await hub.submit(town.press("a-2", device="B-2"))
        assert (again.incident, again.body["duplicate"]) == (bad.incident, True)
        await town.until(town.clock.now() + timedelta(seconds=3 * LADDER.repeat_s))
        for id_ in (good.incident, bad.incident):
            incident = town.document(id_).incident
            assert incident.next_deadline is not None
            assert incident.next_deadline.at > town.clock.now()
            offer = incident.live_offers[0]
            assert (await hub.submit(town.accept(offer.id, offer.responder))).body["state"] == "assigned"
    monkeypatch.undo()
    flaws = {flaw.where for flaw in town.store.verify().flaws}
    assert flaws == ({f"journal {spoilt}"} if where == "bytes" else set())


async def _spoilt(load: Callable[[], Awaitable[Snapshot]], incident: str | None, first: Row) -> Snapshot:
    """What the store holds, with rows of one incident that do not fit each other."""
    snapshot = await load()
    return replace(snapshot, rows={**snapshot.rows, incident or "": (replace(first, facts=()),)})


async def test_a_directory_change_is_committed_with_its_facts_and_told(town: Town) -> None:
    async with town.open() as hub:
        following = hub.committed.subscribe()
        record = Responder("V-9", "Zhao", ResponderKind.VOLUNTEER, area=AREA, position=HOME)
        change = DirectoryChange(responders=(record,), revoked=(("gateway", "GW"),), removed_users=("old",))
        event = DirectoryUpdated(
            id=hub.new_id(), actor=SYSTEM, what="import", responders=(record,), revoked=(("gateway", "GW"),),
            removed_users=("old",), change=change,
        )  # fmt: skip
        assert (await hub.submit(event)).code is None
        news = await following.next()
        assert news is not None
        assert (news.revoked, news.removed_users) == ((("gateway", "GW"),), ("old",))
        assert town.store.person("responders", "V-9") == record


async def test_a_storm_holds_every_law(town: Town) -> None:
    town.elders = 200
    await town.settle_in()
    async with town.open() as hub:
        await town.everybody_on_duty()
        presses = [town.press(f"a-{n}", device=f"B-{n}") for n in range(1, 201)]
        receipts = await asyncio.gather(*(hub.submit(press) for press in presses))
        assert len({receipt.incident for receipt in receipts}) == 200
        for _ in range(30):
            await town.until(town.clock.now() + timedelta(seconds=10))
            listed = [item.incident for item in town.store.incidents(Filter(state="open"), 200, None).items]
            for incident in listed:
                assert incident.next_deadline is not None
                assert incident.next_deadline.at >= town.clock.now()
                for offer in incident.open_offers[:1]:
                    if offer.kind is ResponderKind.VOLUNTEER:
                        await hub.submit(town.accept(offer.id, offer.responder))
        last = [item.incident for item in town.store.incidents(Filter(state="open"), 200, None).items]
        busy = [a.responder for i in last for a in i.live]
        assert len(busy) == len(set(busy)) > 0
    assert town.store.verify().flaws == ()
