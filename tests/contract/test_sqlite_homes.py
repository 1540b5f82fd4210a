"""Records of homes that are spoilt on disk: somebody lives there all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from callhub.domain.people import Device, Elder
from callhub.domain.roll_call import Gap, Listed
from callhub.store.base import Commit, DirectoryChange, Need
from callhub.store.sqlite import SqliteStore
from tests.contract.builders import Case, at

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("column", ["elder.record", "device.record", "incident.document"])
@pytest.mark.parametrize("gap", [Gap(at(-60), at(0)), Gap(at(-60), at(0), "GW"), Gap(at(-60), at(0), None, "D")])
async def test_a_home_with_a_spoilt_record_is_concerned(tmp_path: Path, column: str, gap: Gap) -> None:
    table, name = column.split(".")
    store = SqliteStore(tmp_path / "callhub.db")
    await store.open()
    try:
        change = DirectoryChange(elders=(Elder("E-1", "Li", area=("D",)),), devices=(Device("B", "E-1", "GW"),))
        await store.commit(Commit(changes=(change,)))
        await store.commit(Case("I-1", 1).open(60))
        await store._writing.run(lambda db: db.execute(f"UPDATE {table} SET {name} = x'7b'").fetchall())
        expected = Listed(("E-1",)) if table == "incident" else Listed(pressed=("E-1",))
        assert store.lookup(Need(gaps=frozenset({gap}))).homes[gap] == expected
    finally:
        await store.close()
