"""Kill the server again and again under load, and hold it to every promise it made.

    python -m tests.integration.kill_rounds --rounds 50 [--seed N]

Each round starts the real server as a process, lets gateways press and responders accept over real sockets, and kills
it with SIGKILL at a moment drawn at random, sometimes while it still starts. Then, on the disk and from the next
start: every alarm that got a receipt is there; who was told that they have the duty has it; nobody has two; every
open incident has a deadline, after a restart one in the future; what is sent again is answered as before; and a
restart moves no ladder by more than one step. A kill tests the process, not the disk: it cannot show a loss of power.
"""

import argparse
import asyncio
import contextlib
import hashlib
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from callhub.domain.facts import LadderExhausted, StepEntered
from callhub.domain.people import Area, Device, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import Ask, IncidentClass, Level, Policy, Step
from callhub.logs import configure_logs
from callhub.store.base import Commit, DirectoryChange, Document, Filter, Token
from callhub.store.sqlite import SqliteStore
from tests.integration.kill_clients import App, Book, Gateway, until_killed

ELDERS, RESPONDERS, GATEWAYS = 400, 24, 2
PRESSES_PER_S = 80.0
START_S_MAX = 30.0
LOAD_S = (0.1, 1.2)
SETTLE_S = 0.5
WORK_OFF_S = 5.0
"""How long a start may take to work off what was overdue, on a machine that does other things too."""
CLOSED_MAX = 40
"""How many resolved and unanswered incidents a person closes in each round."""
STEP_S = 1.0
LADDER = Policy(
    id="emergency",
    class_=IncidentClass.EMERGENCY,
    kinds=("sos", "fall", "smoke", "unknown"),
    steps=(
        Step("near", (Ask.VOLUNTEER,), radius_m=300, offer_timeout_s=1, step_timeout_s=STEP_S),
        Step("all", (Ask.VOLUNTEER,), offer_timeout_s=1, step_timeout_s=STEP_S),
        Step("desk", (Ask.DESK,), level=Level.COMMUNITY, offer_timeout_s=1, step_timeout_s=STEP_S),
    ),
    repeat_s=5,
    arrival_min_s=5,
)
AREA = ("D", "S", "C")
ENVIRONMENT = {"CALLHUB_WEB__PORT": "0", "CALLHUB_LINKS__PORT": "0", "CALLHUB_LOGS__LEVEL": "warning"}


@dataclass
class Rounds:
    """An installation in ``folder``, its clients, and what was found wrong."""

    folder: Path
    rng: random.Random
    book: Book = field(default_factory=Book)
    faults: list[str] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)
    kills: int = 0

    @property
    def config(self) -> Path:
        return self.folder / "callhub.toml"

    async def found(self) -> None:
        """Write the configuration and a small district."""
        self.config.write_text("", encoding="utf-8")
        levels = zip(AREA, (None, *AREA), (Level.DISTRICT, Level.STREET, Level.COMMUNITY), strict=False)
        change = DirectoryChange(
            areas=tuple(Area(id_, parent, level, id_, None) for id_, parent, level in levels),
            elders=tuple(Elder(f"E-{n}", "Li", area=AREA, position=self._place()) for n in range(ELDERS)),
            devices=tuple(Device(f"B-{n}", elder=f"E-{n}") for n in range(ELDERS)),
            responders=(
                *(
                    Responder(id_, "Wang", ResponderKind.VOLUNTEER, area=AREA, position=self._place())
                    for id_ in _responders()
                ),
                Responder("K-1", "Desk", ResponderKind.DESK, area=AREA, level="community", capacity=None),
            ),
            tokens=(
                *(_token("gateway", f"G-{n}") for n in range(GATEWAYS)),
                *(_token("responder", id_) for id_ in _responders()),
                _token("api", "checker", "operator"),
            ),
            policies=(LADDER,),
        )
        async with self.opened() as store:
            await store.commit(Commit(changes=(change,)))
        self.gateways = [
            Gateway(f"G-{n}", _secret("gateway", f"G-{n}"), self.book, self._devices(n), self.rng)
            for n in range(GATEWAYS)
        ]
        self.apps = [App(id_, _secret("responder", id_), self.book, self.rng) for id_ in _responders()]

    def _place(self) -> Position:
        return Position(39.08 + self.rng.uniform(0, 0.01), 117.22 + self.rng.uniform(0, 0.01))

    @staticmethod
    def _devices(gateway: int) -> list[str]:
        return [f"B-{n}" for n in range(ELDERS) if n % GATEWAYS == gateway]

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[SqliteStore]:
        """The store, while no server has it."""
        store = SqliteStore(self.folder / "callhub.db")
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    # One round

    async def round(self, number: int) -> None:
        """Start, check the start, load, kill, check the disk."""
        before = await self._head()
        early = self.rng.random() < 0.15
        with (self.folder / f"log-{number}.txt").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "callhub", "serve", "-c", str(self.config), stdout=-1, stderr=log,
                env=os.environ | ENVIRONMENT,
            )  # fmt: skip
            try:
                if early:
                    await asyncio.sleep(self.rng.uniform(0.2, 0.9))
                else:
                    await self._use(process)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.communicate()
        self.kills += 1
        await self._check_disk(number, before)
        self._check_log(number)

    async def _use(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async with asyncio.timeout(START_S_MAX):
            line = (await process.stdout.readline()).decode()
        ports = re.findall(r":(\d+)", line)
        if len(ports) != 2:
            self.faults.append(f"the server did not start: {line!r}")
            return
        web_port, link_port = map(int, ports)
        go = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            clients = [tasks.create_task(until_killed(app.run(link_port))) for app in self.apps]
            clients += [
                tasks.create_task(until_killed(gateway.run(link_port, PRESSES_PER_S / GATEWAYS, go)))
                for gateway in self.gateways
            ]
            await self._check_running(web_port)
            go.set()
            await asyncio.sleep(self.rng.uniform(*LOAD_S))
            process.kill()
            await process.wait()
            for client in clients:
                client.cancel()

    async def _check_running(self, port: int) -> None:
        """What was overdue is worked off soon, every open incident has a deadline ahead; then a person closes some."""
        headers = {"Authorization": f"Bearer {_secret('api', 'checker')}"}
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=20) as http:
            ready = await http.get("/readyz")
            if ready.status_code != 200:
                self.faults.append(f"not ready after its ready line: {ready.text}")
            late: list[str] = []
            for _ in range(round(WORK_OFF_S / SETTLE_S)):
                await asyncio.sleep(SETTLE_S)
                items = await _open_items(http)
                now = datetime.now(UTC)
                late = [fault for item in items if (fault := _lateness(item, now)) is not None]
                if not late:
                    await self._close_some(http, items)
                    return
            self.faults += late

    async def _close_some(self, http: httpx.AsyncClient, items: list[dict[str, Any]]) -> None:
        done = [item for item in items if item["state"] in ("resolved", "unanswered")]
        for item in self.rng.sample(done, min(CLOSED_MAX, len(done))):
            answer = await http.post(
                f"/api/v1/incidents/{item['id']}/close",
                json={"outcome": "helped"},
                headers={"If-Match": str(item["version"])},
            )
            if answer.status_code not in (200, 412):
                self.faults.append(f"close of {item['id']}: {answer.status_code} {answer.text}")

    # The disk

    async def _head(self) -> int:
        async with self.opened() as store:
            return store.head()[1]

    async def _check_disk(self, number: int, before: int) -> None:
        async with self.opened() as store:
            documents = {document.incident.id: document for document in _open(store)}
            self._check_promises(store)
            live = Counter(a.responder for d in documents.values() for a in d.incident.live)
            for responder, count in live.items():
                if count > 1:
                    self.faults.append(f"round {number}: {responder} has {count} live assignments")
            for document in documents.values():
                if document.incident.next_deadline is None:
                    self.faults.append(f"round {number}: open incident {document.incident.id} has no deadline")
            self._check_cascade(store, number, before)
            for flaw in store.verify().flaws:
                self.faults.append(f"round {number}: verify found {flaw}")
        self.faults += self.book.lies
        self.book.lies.clear()

    def _check_promises(self, store: SqliteStore) -> None:
        for alarm, incident in self.book.receipts.items():
            document = store.incident(incident)
            if document is None or alarm not in {a.id for a in document.incident.alarms}:
                self.faults.append(f"alarm {alarm} had a receipt and is not in incident {incident}")
        for incident, responder in self.book.accepted:
            document = store.incident(incident)
            held = document and any(a.responder == responder for a in document.incident.assignments.values())
            if not held:
                self.faults.append(f"{responder} was told they have incident {incident} and has not")

    def _check_cascade(self, store: SqliteStore, number: int, before: int) -> None:
        """After a start each ladder moves by its deadline at most once before a step's time has passed."""
        changed = store.changes_since(before, 1_000_000) or ()
        for incident in {id_ for _, id_ in changed}:
            moves = [
                row.at
                for seq, row in store.rows(incident)
                if seq > before
                and any(
                    isinstance(fact, LadderExhausted) or (isinstance(fact, StepEntered) and fact.why == "timeout")
                    for fact in row.facts
                )
            ]
            self.steps["moved"] += len(moves)
            for first, second in pairwise(moves):
                if second - first < timedelta(seconds=STEP_S - 0.001):
                    self.faults.append(f"round {number}: the ladder of {incident} moved twice within {second - first}")

    def _check_log(self, number: int) -> None:
        log = (self.folder / f"log-{number}.txt").read_text(encoding="utf-8")
        if "Traceback" in log or "critical" in log or "engine_failed" in log or '"error"' in log:
            self.faults.append(f"round {number}: {log[-2000:]}")


def _responders() -> list[str]:
    return [f"V-{n}" for n in range(RESPONDERS)]


def _secret(kind: str, id_: str) -> str:
    return f"secret-of-{kind}-{id_}"


def _token(kind: str, id_: str, role: str | None = None) -> Token:
    digest = hashlib.sha256(_secret(kind, id_).encode()).hexdigest()
    return Token(digest, kind, id_, role, None, datetime(2026, 1, 1, tzinfo=UTC))


def _open(store: SqliteStore) -> list[Document]:
    documents: list[Document] = []
    cursor: str | None = None
    while True:
        page = store.incidents(Filter(state="open"), 200, cursor)
        documents += page.items
        cursor = page.next
        if cursor is None:
            return documents


async def _open_items(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    query = {"state": "open", "limit": "200"}
    while True:
        page = (await http.get("/api/v1/incidents", params=query)).json()
        items += page["items"]
        if page["next"] is None:
            return items
        query["cursor"] = page["next"]


def _lateness(item: dict[str, Any], now: datetime) -> str | None:
    """What is wrong with an open incident's deadline, if anything."""
    deadline = item["next_deadline"]
    if deadline is None:
        return f"incident {item['id']} ({item['state']}) waits for nothing"
    if datetime.fromisoformat(deadline["at"]) < now - timedelta(seconds=SETTLE_S):
        return f"incident {item['id']} waits for {deadline}, now it is {now.isoformat()}"
    return None


async def play(folder: Path, count: int, seed: int, *, say: bool = False) -> Rounds:
    """Play ``count`` rounds in an empty folder; stops at the first fault."""
    rounds = Rounds(folder, random.Random(seed))
    await rounds.found()
    for number in range(1, count + 1):
        began = time.monotonic()
        await rounds.round(number)
        if say:
            book = rounds.book
            took_s = time.monotonic() - began
            print(
                f"round {number}: {len(book.receipts)} receipts, {len(book.unanswered)} without, "
                f"{book.duplicates} sent again, {len(book.accepted)} accepted, {rounds.steps['moved']} steps, "
                f"{took_s:.1f} s",
                flush=True,
            )
        if rounds.faults:
            break
    return rounds


def main() -> int:
    """Play, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    configure_logs("error")
    with tempfile.TemporaryDirectory(prefix="callhub-kill-") as folder:
        rounds = asyncio.run(play(Path(folder), options.rounds, options.seed, say=True))
    for fault in rounds.faults:
        print(f"FAULT {fault}")
    print(f"kills={rounds.kills} receipts={len(rounds.book.receipts)} faults={len(rounds.faults)}")
    return 1 if rounds.faults else 0


if __name__ == "__main__":
    sys.exit(main())
