"""A real journal under another policy, read while its server holds the database."""

import asyncio
import json
import sqlite3
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callhub.domain.people import Position, Responder
from callhub.errors import ConfigError, StoreUnavailable
from callhub.lab.cells import compare
from callhub.lab.ladders import Ladder, read_ladder
from callhub.lab.replay import IN_FORCE, replayed_district, replayed_ladders
from callhub.store.base import Commit, DirectoryChange, Document, Marks
from callhub.store.sqlite import SqliteStore
from callhub.store.sqlite.history import History, read_history
from tests.scenarios.town import NOON, Town, metres_north
from tests.unit.cli.test_commands import run
from tests.unit.lab.builders import policy_file


def day() -> Town:
    """Two homes and seven volunteers; one home presses twice, the other once, and then there is smoke."""
    town = Town()
    town.elder("E-1", paired=("V-5",))
    town.elder("E-2", position=metres_north(4000))
    town.desk(("D",), "district")
    for n in range(6):
        town.responder(f"V-{n}", 100 + n)
    town.responder("V-6", 4100)
    town.press("E-1")
    town.advance(30)
    town.press("E-1", "fall")
    town.advance(600)
    town.press("E-2")
    town.press("E-2", "smoke")
    return town


def told(town: Town) -> tuple[Responder, ...]:
    return tuple(person.record for person in town.engine._world.roster.people.values())


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Path]:
    """The journal of that day; the store stays open, as a running server's is."""
    town, path = day(), tmp_path / "callhub.db"
    store = SqliteStore(path)
    await store.open()
    homeless = Responder("V-7", "V-7", told(town)[-1].kind, area=("D",), level="district")
    policies = tuple(town.policies.by_id.values())
    await store.commit(
        Commit(
            rows=[row for rows in (town.notes, *town.rows.values()) for row in rows],
            documents=[Document(town.incident(id), town.engine.places(id)) for id in town.rows],
            changes=[DirectoryChange(responders=(*told(town), homeless), policies=policies)],
            marks=Marks(positions={"V-7": (metres_north(50), NOON)}),
        )
    )
    yield path
    await store.close()


def content(database: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(database.parent.glob("callhub.db*")) if file.suffix != ".db-shm"]


def mine(folder: Path, **changes: str) -> Ladder:
    file = policy_file(folder, "mine", **changes)
    return read_ladder("mine", tomllib.loads(file.read_text(encoding="utf-8")), str(file))


async def test_presses_keep_their_times_homes_and_paired_people(database: Path, tmp_path: Path) -> None:
    history = read_history(database)
    district = replayed_district(history, mine(tmp_path), str(database), 1)
    assert [((p.at - NOON).total_seconds(), p.kind, p.elder.id if p.elder else None) for p in district.presses] == [
        (0, "sos", "E-1"),
        (30, "fall", "E-1"),
        (630, "sos", "E-2"),
    ], "a fire is not of this policy's kinds"
    first = district.presses[0].elder
    assert first is not None
    assert (first.position, first.paired) == (Position(39.08, 117.22), ("V-5",))


async def test_people_live_where_they_do_and_say_what_they_said(database: Path, tmp_path: Path) -> None:
    district = replayed_district(read_history(database), mine(tmp_path), str(database), 1)
    people = {person.id: person for person in district.responders}
    assert people["V-0"].position == metres_north(100)
    assert people["V-7"].position == metres_north(50), "no home: where the app saw them last"
    assert {duty.responder for _, duty in district.changes} == {f"V-{n}" for n in range(7)}
    assert "DESK-D" not in district.behaviours
    assert district.density_per_km2 > 0


async def test_the_table_has_what_is_in_force_and_the_new_ladder(database: Path, tmp_path: Path) -> None:
    history = read_history(database)
    ladder = mine(tmp_path)
    district = replayed_district(history, ladder, str(database), 1)
    rows = [compare(district, each, 1) for each in replayed_ladders(history, ladder)]
    assert [row.policy for row in rows] == [IN_FORCE, "mine"]
    assert [row.incidents for row in rows] == [2, 2], "the second press of E-1 joins the first"
    again = [compare(district, each, 1) for each in replayed_ladders(history, ladder)]
    assert again == rows


async def test_a_fire_keeps_its_own_ladder(database: Path, tmp_path: Path) -> None:
    history = read_history(database)
    now, then = replayed_ladders(history, mine(tmp_path))
    assert {kind for policy in then.beside for kind in policy.kinds} >= {"smoke", "gas", "meal"}
    assert not {kind for policy in then.beside for kind in policy.kinds} & set(then.policy.kinds)
    assert len(now.beside) + 1 == len(history.policies)


async def test_a_journal_without_such_a_press_is_refused(database: Path, tmp_path: Path) -> None:
    history = read_history(database)
    ladder = mine(tmp_path, kinds='["medical", "unknown"]')
    with pytest.raises(ConfigError, match="no press of the policy's kinds"):
        replayed_district(history, ladder, str(database), 1)


async def test_nothing_is_written(database: Path) -> None:
    before = content(database)
    read_history(database)
    assert content(database) == before


def test_a_database_without_policies_has_only_the_new_ladder(tmp_path: Path) -> None:
    history = History(rows=(), responders=(), duties=(), positions={}, policies=())
    assert [each.name for each in replayed_ladders(history, mine(tmp_path))] == ["mine"]


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database" * 100)
    for name in ("x.db", "nowhere.db"):
        with pytest.raises(StoreUnavailable):
            read_history(tmp_path / name)


async def test_another_version_says_what_to_do(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "empty.db")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    with pytest.raises(StoreUnavailable, match="start the server once"):
        read_history(tmp_path / "empty.db")


async def test_the_command_shows_both_in_the_promised_shape(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ("lab", "--replay", str(database), "--policy", str(policy_file(tmp_path, "mine")), "--json")
    assert await asyncio.to_thread(run, *args) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["policy"] for row in rows] == ["in_force", "mine"]
    assert {row["incidents"] for row in rows} == {2}, "the fall joined the first press"
