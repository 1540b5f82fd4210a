"""Whatever is committed, refused, purged or erased: memory and file answer every question alike, to the byte.

Method: hypothesis draws a history; both stores live through it side by side and are asked everything after each step.
"""

import asyncio
import tempfile
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callhub.domain import facts as f
from callhub.domain.events import PriorAnswer, RequestKey
from callhub.domain.incident import IncidentState
from callhub.domain.people import SYSTEM, Position
from callhub.errors import StoreRefused
from callhub.store.base import Commit, DirectoryChange, Filter, Marks, Need, Store, StoredAnswer, Token, User
from callhub.store.memory import MemoryStore
from callhub.store.sqlite import SqliteStore
from tests.contract.builders import (
    AREAS,
    DEVICES,
    ELDERS,
    GATEWAY,
    OPERATOR,
    RESPONDERS,
    WANG,
    Case,
    at,
    message,
    policy,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from callhub.domain.messages import Addressee

AREA_PATHS = (("D", "S", "C", "G"), ("D", "S2"), ())
PEOPLE = ("V-1", "V-2")
KEYS = tuple(RequestKey("gateway:GW", id) for id in ("a-1", "a-2"))


@dataclass
class Town:
    """The cases so far, and how a drawn step becomes a part of a commit."""

    cases: list[Case] = field(default_factory=list)

    def rows(self, draw: st.DataObject, seconds: float) -> Commit:
        """One decision on a new or an old incident."""
        cases = [case for case in self.cases if case.incident is not None and case.incident.is_open]
        if not cases or draw.draw(st.integers(0, 3)) == 0:
            n = len(self.cases) + 1
            area = draw.draw(st.sampled_from(AREA_PATHS))
            self.cases.append(Case(f"I-{n}", n, elder=draw.draw(st.sampled_from((None, "E-1", "E-2"))), area=area))
            return self.cases[-1].open(seconds)
        case = draw.draw(st.sampled_from(cases))
        person = draw.draw(st.sampled_from(PEOPLE))
        steps: tuple[Callable[[], Commit], ...] = (
            lambda: case.offer(person, seconds),
            lambda: case.assign(person, draw.draw(st.sampled_from((None, 1, 2))), seconds),
            lambda: case.note(draw.draw(st.text(max_size=5)), seconds),
            lambda: case.state(IncidentState.UNANSWERED, seconds=seconds),
            lambda: case.close(seconds),
            lambda: self._free(case, seconds),
        )
        return draw.draw(st.sampled_from(steps))()

    @staticmethod
    def _free(case: Case, seconds: float) -> Commit:
        incident = case.incident
        return case.release(seconds) if incident is not None and incident.assignments else case.note("x", seconds)


def drawn_change(draw: st.DataObject) -> DirectoryChange:
    some = st.booleans()
    token = draw.draw(st.sampled_from(("aa", "bb")))
    return DirectoryChange(
        areas=AREAS if draw.draw(some) else (),
        elders=tuple(replace(elder, active=draw.draw(some)) for elder in ELDERS if draw.draw(some)),
        devices=tuple(replace(device, mobile=draw.draw(some)) for device in DEVICES if draw.draw(some)),
        responders=RESPONDERS if draw.draw(some) else (),
        users=(User("li", draw.draw(st.sampled_from(("viewer", "admin"))), None, "hash"),) if draw.draw(some) else (),
        removed_users=("li",) if draw.draw(some) else (),
        tokens=(Token(token, draw.draw(st.sampled_from(("session", "api"))), "li", None, None, at(0)),),
        revoked=(("api", "li"),) if draw.draw(some) else (),
        policies=(policy("night", repeat_s=draw.draw(st.integers(60, 62))), policy()) if draw.draw(some) else None,
    )


def drawn_marks(draw: st.DataObject) -> Marks:
    seconds = draw.draw(st.integers(0, 5))
    whom: Addressee = draw.draw(st.sampled_from((WANG, GATEWAY)))
    return Marks(
        seen={(draw.draw(st.sampled_from(("device", "gateway"))), "BTN"): at(seconds)},
        positions={draw.draw(st.sampled_from(PEOPLE)): (Position(39.0, 117.0 + seconds), at(seconds))},
        confirmed={whom: draw.draw(st.integers(-1, 12))},
        device_health={"BTN": {draw.draw(st.sampled_from(("battery", "rssi"))): seconds}},
    )


def drawn_outside(draw: st.DataObject) -> tuple[f.Fact, ...]:
    seconds = draw.draw(st.integers(0, 9))
    return draw.draw(
        st.sampled_from(
            (
                (f.DutyChanged(responder="V-1", available=seconds > 4, until=at(seconds)),),
                (f.TestWindowOpened(device="BTN", until=at(seconds)),),
                (f.TestRecorded(gateway="GW", device="BTN", alarm="a", at=at(seconds)),),
            )
        )
    )


def drawn_commit(draw: st.DataObject, town: Town, seconds: float) -> Commit:
    parts = draw.draw(
        st.sets(st.sampled_from(("rows", "change", "marks", "outside", "answers", "messages")), min_size=1)
    )
    rows: list[f.Row] = []
    if "rows" in parts:
        for _ in range(draw.draw(st.integers(1, 3))):
            rows += town.rows(draw, seconds).rows
    if "outside" in parts:
        rows.append(f.Row(None, 0, at(seconds), "ev", SYSTEM, drawn_outside(draw)))
    touched = {row.incident for row in rows}
    keys = st.sampled_from((None, "a", "b"))
    messages = st.builds(
        lambda key, n, to: message(key, f"I-{n}", to, n=n), keys, st.integers(1, 3), st.sampled_from((WANG, GATEWAY))
    )
    answer = PriorAnswer(
        draw.draw(st.sampled_from(("x", "y"))), at(seconds), None, {"ok": True}, draw.draw(st.booleans())
    )
    return Commit(
        rows=rows,
        documents=[case.document for case in town.cases if case.id in touched],
        changes=[drawn_change(draw)] if "change" in parts else (),
        marks=drawn_marks(draw) if "marks" in parts else Marks(),
        answers=[StoredAnswer(draw.draw(st.sampled_from(KEYS)), answer)] if "answers" in parts else (),
        messages=draw.draw(st.lists(messages, max_size=4)) if "messages" in parts else (),
    )


def everything(store: Store, seq: int) -> list[object]:
    """Every read there is."""
    need = Need(
        frozenset(KEYS), frozenset({"BTN", "BTN-2"}), frozenset({"E-2"}), frozenset({"13800000000"}), frozenset({"x"})
    )
    filters = [
        Filter(state=state, area=area, elder=elder, unanswered_too=too)
        for state in (None, "open", "closed", "unanswered")
        for area in (None, "S", "S2")
        for elder in (None, "E-1")
        for too in (False, True)
    ]
    lists = [store.incidents(wanted, limit, None) for wanted in filters for limit in (2, 50)]
    return [
        store.head(),
        store.lookup(need),
        [(store.outbox(to, after, 3), store.outbox_head(to)) for to in (WANG, GATEWAY) for after in (0, 3)],
        store.waiting(),
        lists,
        [store.incidents(Filter(), 2, page.next) for page in lists if page.next],
        [store.engaged(person) for person in PEOPLE],
        [(store.incident(f"I-{n}"), store.rows(f"I-{n}")) for n in range(1, 9)],
        [store.changes_since(since, 5) for since in (0, seq - 1, seq, seq + 1)],
        [store.people(kind, 1, None) for kind in ("areas", "elders", "devices", "responders")],
        [store.seen_at(kind, "BTN") for kind in ("device", "gateway")],
        store.device_health("BTN"),
        store.all_areas(),
        (store.users(), store.user("li"), store.token("aa"), store.token("bb")),
        store.names(["E-1"], ["V-1"], ["S"]),
    ]


async def live(draw: st.DataObject, folder: Path) -> None:
    file = SqliteStore(folder / "callhub.db", salt=bytes)
    await file.open()
    try:
        memory = MemoryStore(epoch=file.head()[0], salt=bytes)
        await memory.open()
        town = Town()
        for n in range(draw.draw(st.integers(1, 8))):
            await step(draw, file, memory, town, n)
            seq = memory.head()[1]
            assert everything(file, seq) == everything(memory, seq)
            assert await file.load() == await memory.load()
        chains = file._all("SELECT chain FROM journal ORDER BY seq")
        assert [chain for (chain,) in chains] == [record.chain for record in memory._journal]
        assert file.verify() == memory.verify()
        assert file.verify().flaws == ()
    finally:
        await file.close()


async def step(draw: st.DataObject, file: SqliteStore, memory: MemoryStore, town: Town, n: int) -> None:
    what = draw.draw(st.sampled_from(("commit", "commit", "commit", "commit", "purge", "erase")))
    stores: tuple[Store, Store] = (file, memory)
    if what == "purge":
        assert await file.purge(at(n), at(n), at(n)) == await memory.purge(at(n), at(n), at(n))
        return
    before = deepcopy(town.cases)
    seqs = draw.draw(st.sets(st.integers(1, 9), max_size=3)) if what == "erase" else set()
    commit = drawn_commit(draw, town, n) if what == "commit" else Commit()
    outcomes: list[object] = []
    for store in stores:
        try:
            if what == "erase":
                outcomes.append(await store.erase(sorted(seqs), at(n), "ev-erase", OPERATOR))
            else:
                outcomes.append(await store.commit(commit))
        except StoreRefused:
            outcomes.append("refused")
            town.cases = before
    assert outcomes[0] == outcomes[1]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_memory_and_file_agree_on_every_read(draw: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(draw, Path(folder)))
