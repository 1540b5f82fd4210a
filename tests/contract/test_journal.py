"""The journal in order, a page at a time."""

from pathlib import Path

import pytest

from callhub.domain.people import SYSTEM
from callhub.errors import StoreCorrupt, StoreUnavailable
from callhub.store.base import Store
from callhub.store.sqlite import SqliteStore
from callhub.store.sqlite.journal import read_journal
from tests.contract.builders import Case, at, both


async def test_pages_are_in_order_and_together_the_whole_journal(store: Store) -> None:
    first, second = Case("I-1", 1), Case("I-2", 2)
    await store.commit(first.open())
    await store.commit(both(second.open(), first.close()))
    assert await store.journal(0, 2) == tuple((seq, row) for seq, row in await store.journal(0, 10) if seq <= 2)
    found = await store.journal(0, 10)
    assert [seq for seq, _ in found] == [1, 2, 3]
    assert [row.incident for _, row in found] == ["I-1", "I-2", "I-1"]
    assert (await store.journal(2, 10), await store.journal(3, 10)) == (found[2:], ())


async def test_private_parts_are_left_where_they_are(store: Store) -> None:
    case = Case("I-1", 1)
    await store.commit(case.open())
    ((_, bare),) = await store.journal(0, 1)
    ((_, whole),) = store.rows("I-1")
    assert (whole.facts[1].text, bare.facts[1].text) == ("摔倒了", None)  # type: ignore[union-attr]  # an alarm
    assert (bare.at, bare.actor, len(bare.facts)) == (whole.at, whole.actor, len(whole.facts))


async def test_what_was_erased_reads_the_same(store: Store) -> None:
    case = Case("I-1", 1)
    await store.commit(case.open())
    await store.commit(case.close())
    before = await store.journal(0, 10)
    await store.erase([1], at(999), "event", SYSTEM)
    after = await store.journal(0, 10)
    assert after[:-1] == before
    assert after[-1][1].incident is None


async def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "callhub.db")
    await store.open()
    await store.commit(Case("I-1", 1).open())
    await store._writing.run(lambda db: db.execute("UPDATE journal SET body = x'7b'").fetchall())
    with pytest.raises(StoreCorrupt):
        await store.journal(0, 1)
    await store._writing.run(lambda db: db.execute("DROP TABLE journal").fetchall())
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        read_journal(store.path, 0, 1)
    await store.close()
