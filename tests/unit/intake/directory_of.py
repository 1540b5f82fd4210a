"""A directory over a store in memory, without a hub: what is submitted is committed and kept for the test to see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from callhub.dispatch.rules import Rules
from callhub.domain.decision import Answer
from callhub.domain.events import DirectoryUpdated
from callhub.intake.alone import alone
from callhub.intake.csv_import import Crs, ImportKind
from callhub.intake.directory import Directory
from callhub.intake.requests import ImportRequest, Reply, Request
from callhub.store.memory import MemoryStore

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)

AREAS = """id,parent,level,name,lat,lon
D1,,district,河西区,39.0900,117.2200
S1,D1,street,友谊路街,39.0850,117.2200
C1,S1,community,富源里,39.0810,117.2200
G1,C1,grid,富源里一网格,,
"""
ELDERS = """id,name,area,address,lat,lon,phone,card,language,paired,access,notes,active
E-1,李奶奶,G1,富源里 3 号楼 201,39.0800,117.2200,13800000001,CARD1,zh,V-1,钥匙在邻居王家,听力不好,1
"""
DEVICES = """id,elder,gateway,kind,phone,heartbeat_s,mobile,active
BTN-0001,E-1,GW-1,button,,,0,1
"""
RESPONDERS = """id,name,kind,area,lat,lon,phone,skills,capacity,hours,channels,language,active
V-1,王师傅,volunteer,G1,39.0815,117.2210,13900000001,,,,app,zh,1
"""


@dataclass
class Town:
    """A store with its directory; ``events`` are those submitted, oldest first."""

    store: MemoryStore
    events: list[DirectoryUpdated] = field(default_factory=list)

    def __post_init__(self) -> None:
        commit = alone(self.store, lambda: NOW, Rules)
        numbers = count(1)

        async def submit(event: DirectoryUpdated) -> Answer:
            self.events.append(event)
            return await commit(event)

        self.directory = Directory(self.store, submit, lambda: NOW, lambda: f"id-{next(numbers)}")

    async def ask(self, request: Request) -> Reply:
        return await self.directory.answer(request)

    async def take(self, kind: str, text: str | bytes, crs: Crs = Crs.WGS84, *, dry_run: bool = False) -> Reply:
        data = text.encode() if isinstance(text, str) else text
        request = ImportRequest(kind=ImportKind(kind), file=f"{kind}.csv", data=data, crs=crs, dry_run=dry_run)
        return await self.ask(request)

    async def settle(self) -> None:
        """Import the four files of one small ward."""
        for kind, text in (("areas", AREAS), ("elders", ELDERS), ("devices", DEVICES), ("responders", RESPONDERS)):
            reply = await self.take(kind, text)
            assert reply.ok, reply.message
        self.events.clear()


@asynccontextmanager
async def open_town() -> AsyncIterator[Town]:
    """A town with nobody in it."""
    store = MemoryStore()
    await store.open()
    try:
        yield Town(store)
    finally:
        await store.close()
