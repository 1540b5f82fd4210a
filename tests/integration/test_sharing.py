"""Presses of one moment through the real hub into a real file: shared, refused, and cut off in between."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from structlog.testing import capture_logs

from callhub.clock import ManualClock
from callhub.dispatch import gathering
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.domain.events import AlarmRaised, LinkChanged, PresenceSaid, Request, RequestKey
from callhub.domain.incident import Incident
from callhub.domain.people import Actor, ActorKind, Device, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import Ask, IncidentClass, Level, Policy, PolicySet, Step
from callhub.errors import StoreRefused
from callhub.hub import Hub
from callhub.solver import least_cost_solver
from callhub.store.base import Commit, Committed, DirectoryChange, Filter
from callhub.store.sqlite import SqliteStore

START = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
AREA = ("D", "S", "C")
LADDER = Policy(
    id="emergency",
    class_=IncidentClass.EMERGENCY,
    kinds=("sos", "unknown"),
    steps=(
        Step("near", (Ask.VOLUNTEER,), fan_out=2, fan_out_max=2, radius_m=2000),
        Step("desk", (Ask.DESK,), level=Level.COMMUNITY),
    ),
)


class Died(BaseException):
    """The process ends here."""


class Store(SqliteStore):
    """Ends the process in the commit after ``lives`` more, or refuses what ``refuses`` more ask for."""

    lives: int | None = None
    refuses = 0

    async def commit(self, commit: Commit) -> Committed:
        if self.refuses:
            self.refuses -= 1
            raise StoreRefused("scripted")
        if self.lives is not None:
            self.lives -= 1
            if self.lives < 0:
                raise Died
        return await super().commit(commit)


class Street:
    """Two elders 100 m apart and two volunteers, over a database that outlives the hub."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock(START)
        self.path = path
        self.store: Store
        self.hub: Hub

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Hub]:
        self.store = Store(self.path)
        await self.store.open()
        try:
            await self.store.commit(Commit(changes=(directory(),)))
            engine = DispatchEngine(Rules(), PolicySet((LADDER,)), self.clock.now(), least_cost_solver())
            self.hub = Hub(engine, self.store, self.clock)
            await self.hub.recover()
            async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
                tasks.create_task(self.hub.run())
                yield self.hub
                self.hub.stop()
        finally:
            await self.store.close()

    async def everybody_is_there(self) -> None:
        for id in ("V-1", "V-2"):
            actor = Actor(ActorKind.RESPONDER, id)
            self.hub.notice(LinkChanged(id=self.hub.new_id(), actor=actor, responder=id, up=True))
            await self.hub.submit(PresenceSaid(id=self.hub.new_id(), actor=actor, responder=id, available=True))

    async def two_presses(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for n in (1, 2):
                tasks.create_task(self.hub.submit(self.press(n)))

    def press(self, n: int) -> AlarmRaised:
        request = Request(RequestKey("gateway:GW", f"a-{n}"), f"alarm|B-{n}|sos|")
        return AlarmRaised(
            id=self.hub.new_id(), actor=Actor(ActorKind.GATEWAY, "GW"), request=request, gateway="GW", alarm=f"a-{n}",
            device=f"B-{n}", kind="sos", raw="{}",
        )  # fmt: skip

    def stored(self) -> list[Incident]:
        """The open cases as the database has them, oldest first."""
        page = self.store.incidents(Filter(state="open"), 10, None)
        return sorted((document.incident for document in page.items), key=lambda incident: incident.number)

    async def until_asked(self, people: int) -> list[list[str]]:
        """Who is asked in each case, once that many are in all."""
        async with asyncio.timeout(10):
            while True:
                found = [[offer.responder for offer in incident.open_offers] for incident in self.stored()]
                if sum(map(len, found)) >= people:
                    return found
                await asyncio.sleep(0)


def directory() -> DirectoryChange:
    return DirectoryChange(
        elders=tuple(Elder(f"E-{n}", "Li", area=AREA, position=Position(39.08 + n / 1000, 117.22)) for n in (1, 2)),
        devices=tuple(Device(f"B-{n}", elder=f"E-{n}") for n in (1, 2)),
        responders=tuple(
            Responder(f"V-{n}", "Wang", ResponderKind.VOLUNTEER, AREA, "community", Position(39.08 - n / 1000, 117.22))
            for n in (1, 2)
        ),
        policies=(LADDER,),
    )


@contextlib.contextmanager
def sharing_fails() -> Iterator[None]:
    """The joint decision raises; the traceback is not printed, which takes seconds."""
    with mock.patch.object(gathering, "share", side_effect=ZeroDivisionError), capture_logs() as logs:
        yield
    assert "engine_failed" in {log["event"] for log in logs}


@pytest.fixture
def street(tmp_path: Path) -> Street:
    return Street(tmp_path / "callhub.db")


async def test_presses_of_one_batch_share_the_people_in_one_commit(street: Street) -> None:
    async with street.open():
        await street.everybody_is_there()
        seq = street.store.head()[1]
        await street.two_presses()
        assert await street.until_asked(2) == [["V-1"], ["V-2"]]
        assert all(set(incident.deadlines) == {"step", f"offer:{incident.id}-1"} for incident in street.stored())
        rows = await street.store.journal(seq, 10)
        assert [row.version for _, row in rows] == [1, 1, 2, 2]
        assert len({row.at for _, row in rows}) == 1
        assert street.store.verify().flaws == ()


async def test_a_press_alone_is_one_row_as_ever(street: Street) -> None:
    async with street.open():
        await street.everybody_is_there()
        await street.hub.submit(street.press(1))
        (incident,) = street.stored()
        assert (incident.version, len(incident.open_offers)) == (1, 2)


async def test_if_the_decision_raises_each_case_asks_by_itself_at_once(street: Street) -> None:
    async with street.open():
        await street.everybody_is_there()
        with sharing_fails():
            await street.two_presses()
            assert await street.until_asked(2) == [["V-1", "V-2"], []]
        assert not any("gathered" in incident.deadlines for incident in street.stored())


async def test_a_batch_that_the_store_refuses_keeps_every_press_and_still_asks(street: Street) -> None:
    async with street.open():
        await street.everybody_is_there()
        street.store.refuses = 1
        await street.two_presses()
        assert await street.until_asked(2) == [["V-1"], ["V-2"]]


async def press_and_die(street: Street, *, commits: int, decided: bool) -> None:
    """Two presses, and the process ends after so many commits; ``decided``: the joint decision does not raise."""
    async with street.open():
        await street.everybody_is_there()
        street.store.lives = commits
        with contextlib.nullcontext() if decided else sharing_fails():
            await street.two_presses()
            await asyncio.Event().wait()


async def test_a_process_that_dies_in_the_commit_keeps_no_press_and_gave_no_receipt(street: Street) -> None:
    with pytest.raises(BaseExceptionGroup):
        await press_and_die(street, commits=0, decided=True)
    async with street.open():
        assert street.stored() == []
        await street.everybody_is_there()
        await street.two_presses()
        assert await street.until_asked(2) == [["V-1"], ["V-2"]]


async def test_a_process_that_dies_before_anybody_is_asked_asks_when_it_starts_again(street: Street) -> None:
    with pytest.raises(BaseExceptionGroup):
        await press_and_die(street, commits=1, decided=False)
    async with street.open():
        assert sum(map(len, await street.until_asked(2))) == 2
        assert not any("gathered" in incident.deadlines for incident in street.stored())
