"""A roll-call through the real loop and a real file: restarts, faults, and the measurement as a command."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from callhub.bench import roll_call as bench
from callhub.clock import ManualClock
from callhub.dispatch import roll_calls
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.domain import events as e
from callhub.domain.people import SYSTEM, Actor, ActorKind, Device, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import PolicySet
from callhub.domain.roll_call import Cause, Gap
from callhub.errors import EngineFault, StoreCorrupt
from callhub.hub import Hub
from callhub.intake.policy_files import policy_tables, read_policies
from callhub.settings import shipped
from callhub.store.base import Commit, DirectoryChange
from callhub.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from callhub.dispatch.turn import Turn
    from callhub.domain.incident import Incident
    from callhub.domain.roll_call import RollCall
    from callhub.store.base import Found, Need

START = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
AREA = ("D", "S", "C")
LADDERS = read_policies(policy_tables(shipped() / "policies"))
HOMES, PEOPLE = 12, 3


class Ward:
    """Homes, volunteers and a hub over one file, which is opened anew with each start."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder / "callhub.db")
        self.clock = ManualClock(START)
        self.roll_call = ""

    async def settle_in(self) -> None:
        people = [Responder(f"V-{n}", "Wang", ResponderKind.VOLUNTEER, AREA, "community") for n in range(PEOPLE)]
        elders = tuple(Elder(f"E-{n:02}", "Li", AREA, position=Position(39.08, 117.22)) for n in range(HOMES))
        devices = tuple(Device(f"B-{n:02}", elder.id, "GW") for n, elder in enumerate(elders))
        near = tuple(
            Responder(one.id, one.name, one.kind, AREA, "community", Position(39.081, 117.22)) for one in people
        )
        change = DirectoryChange(elders=elders, devices=devices, responders=near, policies=tuple(LADDERS))
        await self.store.open()
        await self.store.commit(Commit(changes=(change,)))
        await self.store.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Hub]:
        """A server's core from its start to its stop, with everybody on duty."""
        await self.store.open()
        self.engine = DispatchEngine(Rules(night=""), PolicySet(LADDERS), self.clock.now())
        self.hub = Hub(self.engine, self.store, self.clock)
        await self.hub.recover()
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.hub.run())
            for n in range(PEOPLE):
                actor = Actor(ActorKind.RESPONDER, f"V-{n}")
                self.hub.notice(e.LinkChanged(id=self.hub.new_id(), actor=actor, responder=actor.id, up=True))
                await self.says(actor.id, e.PresenceSaid, responder=actor.id, available=True)
            yield self.hub
            self.hub.stop()
        await self.store.close()

    async def says(self, who: str, event: type[e.Event], **fields: Any) -> None:
        actor = Actor(ActorKind.RESPONDER, who)
        await self.hub.submit(event(id=self.hub.new_id(), actor=actor, **fields))

    async def asks(self) -> None:
        gap = Gap(START - timedelta(hours=1), START)
        event = e.RollCallAsked(id=self.hub.new_id(), actor=SYSTEM, cause=Cause.ASKED, gap=gap)
        self.roll_call = (await self.hub.submit(event)).incident or ""

    async def passes(self, seconds: float) -> None:
        """Time passes; every deadline is decided at its moment and on disk before this returns."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while (due := self.engine.next_due()) is not None and due <= end:
            self.clock.advance_to(max(due, self.clock.now()))
            await self.says("V-0", e.PresenceSaid, responder="V-0", available=True)  # what is due goes before it
            if self.engine.next_due() == due:
                break  # it failed, and is left alone for a while
        self.clock.advance_to(end)
        await self.says("V-0", e.PresenceSaid, responder="V-0", available=True)

    async def round(self) -> None:
        """Whoever is asked says yes, and has seen to the home a minute later."""
        await self.passes(6)
        for n in range(PEOPLE):
            asked = [o for i in self.cases() for o in i.live_offers if o.responder == f"V-{n}"]
            if asked:
                await self.says(f"V-{n}", e.OfferAnswered, offer=asked[0].id, accept=True)
        await self.passes(60)
        for n in range(PEOPLE):
            for incident in self.cases():
                if incident.assignment_of(f"V-{n}") is not None:
                    said = {"incident": incident.id, "responder": f"V-{n}", "action": "cleared"}
                    await self.says(f"V-{n}", e.DutyMoved, **said, fields={"outcome": "helped"})

    def cases(self) -> list[Incident]:
        return sorted(self.engine.open_incidents(), key=lambda incident: incident.number)

    @property
    def document(self) -> Incident:
        document = self.store.incident(self.roll_call)
        assert document is not None
        return document.incident

    @property
    def how_far(self) -> RollCall:
        call = self.document.roll_call
        assert call is not None
        return call

    def checked(self) -> list[str]:
        rows = self.store.rows(self.roll_call)
        return [fact.home for _, row in rows for fact in row.facts if fact.fact == "home_checked"]


@pytest.fixture
async def ward(tmp_path: Path) -> Ward:
    ward = Ward(tmp_path)
    await ward.settle_in()
    return ward


ALL = [f"E-{n:02}" for n in range(HOMES)]


async def test_a_restart_in_the_middle_goes_on_to_100_percent_no_home_twice_none_forgotten(ward: Ward) -> None:
    async with ward.open():
        await ward.asks()
        for _ in range(2):
            await ward.round()
        assert 0 < ward.how_far.checked < HOMES
        assert ward.how_far.open
    ward.clock.advance(30)
    async with ward.open():
        for _ in range(12):
            await ward.round()
        assert (ward.document.state, ward.document.outcome) == ("closed", "all_checked")
        assert sorted(ward.checked()) == ALL
        assert ward.store.verify().flaws == ()


async def test_a_restart_before_the_homes_were_known_lists_them(ward: Ward) -> None:
    async with ward.open():
        with mock.patch.object(roll_calls, "_list", side_effect=EngineFault("x")):
            await ward.asks()
            await ward.passes(1)
        assert not ward.how_far.listed
    async with ward.open():
        await ward.passes(31)
        assert ward.how_far.homes == HOMES


async def test_our_own_exception_at_one_home_keeps_no_other_waiting(ward: Ward) -> None:
    real = roll_calls._check

    def fails_once(turn: Turn, id: str, home: str, elder: Elder | None) -> None:
        if home == "E-00" and ward.how_far.checked < 3:
            raise EngineFault("scripted")
        real(turn, id, home, elder)

    async with ward.open():
        with mock.patch.object(roll_calls, "_check", fails_once):
            await ward.asks()
            await ward.passes(1)
            assert ward.how_far.waiting[-1] == "E-00"
            for _ in range(14):
                await ward.round()
        assert sorted(ward.checked()) == ALL
        assert ward.store.verify().flaws == ()


async def test_a_record_that_is_spoilt_on_disk_opens_a_check_all_the_same(ward: Ward) -> None:
    async with ward.open():
        spoil = "UPDATE elder SET record = x'7b' WHERE id = 'E-00'"
        await ward.store._writing.run(lambda db: db.execute(spoil).fetchall())
        await ward.asks()
        for _ in range(8):
            await ward.round()
        left = [incident for incident in ward.cases() if incident.kind == "home_check"]
        assert [incident.elder for incident in left] == ["E-00"]
        assert sorted(ward.checked()) == ALL[1:]


async def test_homes_that_cannot_be_looked_up_are_tried_again_and_presses_go_on(ward: Ward) -> None:
    real = ward.store.lookup
    async with ward.open() as hub:

        def spoilt(need: Need) -> Found:
            if need.gaps:
                raise StoreCorrupt("scripted")
            return real(need)

        with mock.patch.object(ward.store, "lookup", spoilt):
            await ward.asks()
            await ward.passes(1)
            press = e.AlarmRaised(
                id=hub.new_id(),
                actor=Actor(ActorKind.GATEWAY, "GW"),
                gateway="GW",
                alarm="a",
                device="B-01",
                kind="sos",
            )
            assert (await hub.submit(press)).body["incident"]
            assert not ward.how_far.listed
        await ward.passes(70)
        assert ward.how_far.homes == HOMES
        assert ward.how_far.checked == 1, "whoever pressed meanwhile reached us"


def test_the_measurement_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--homes", "60", "--people", "40", "--away", "0.5", "--acceptance", "0.8", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["homes"], said["checked"], said["away"]) == (60, 60, 0.5)
    assert said["minutes"] is not None
    assert said["alerts"] >= 60
    assert bench.main(["--homes", "3", "--people", "2", "--acceptance", "1"]) == 0
    assert "share_after_min" in capsys.readouterr().out
