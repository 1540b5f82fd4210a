"""``verify`` finds and names what was altered, and only that.

Method: a journal with everything in it is written; one thing is changed behind the store's back with plain SQL.
"""

import hashlib
import sqlite3
from pathlib import Path

import pytest

from callhub.domain import facts as f
from callhub.domain.incident import Incident, Places
from callhub.domain.people import SYSTEM
from callhub.errors import StoreRefused, StoreUnavailable
from callhub.store.base import Commit, Flaw, Store
from callhub.store.sqlite import SqliteStore, verify_file
from tests.contract.builders import OPERATOR, WANG, Case, at, both, message


def town() -> tuple[Case, Case, list[Commit]]:
    """An open and a closed incident, and a row about neither: seqs 1 to 7."""
    first, second = Case("I-1", 1), Case("I-2", 2)
    test = f.Row(None, 0, at(0), "ev", SYSTEM, (f.TestRecorded(gateway="GW", device="B", alarm="t", at=at(0)),))
    commits = [
        both(first.open(), second.open()),
        first.assign(),
        second.note(),
        Commit(rows=[test]),
        second.close(),
        first.note("钥匙在邻居家"),
    ]
    return first, second, commits


async def fill(store: Store) -> tuple[Case, Case]:
    first, second, commits = town()
    for commit in commits:
        await store.commit(commit)
    return first, second


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A closed database with the town in it."""
    store = SqliteStore(tmp_path / "callhub.db")
    await store.open()
    await fill(store)
    await store.close()
    return store.path


def flipped(stored: bytes, byte: int) -> bytes:
    """The same bytes with one bit changed."""
    return stored[:byte] + bytes([stored[byte] ^ 1]) + stored[byte + 1 :]


def alter(path: Path, statement: str) -> None:
    """Run one statement; ``flipped(column, byte)`` is a function in it."""
    db = sqlite3.connect(path)
    db.create_function("flipped", 2, flipped)
    with db:
        assert db.execute(statement).rowcount == 1
    db.close()


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def overwrite(path: Path, page: int) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096 * page)
        file.write(b"\x7e" * (size - 4096 * page))


def names(path: Path) -> list[tuple[str, str]]:
    return [(flaw.check, flaw.where) for flaw in verify_file(path).flaws]


async def test_a_sound_store_has_no_flaw(store: Store) -> None:
    await fill(store)
    verdict = store.verify()
    assert (verdict.rows, verdict.incidents, verdict.flaws) == (7, 2, ())


def flip(column: str, byte: int = 5) -> str:
    """SQL for the column with one bit changed."""
    return f"flipped({column}, {byte})"


@pytest.mark.parametrize(
    ("statement", "check", "where", "what"),
    [
        (f"UPDATE journal SET body = {flip('body', 60)} WHERE seq = 3", "chain", "journal 3", "column body"),
        (f"UPDATE journal SET body = {flip('body', 60)} WHERE seq = 7", "chain", "journal 7", "column body"),
        (f"UPDATE journal SET chain = {flip('chain')} WHERE seq = 3", "chain", "journal 3", "column chain"),
        (f"UPDATE journal SET chain = {flip('chain')} WHERE seq = 7", "chain", "journal 7", "column chain"),
        (
            f"UPDATE journal SET private_digest = {flip('private_digest')} WHERE seq = 4",
            "chain",
            "journal 4",
            "column private_digest",
        ),
        (f"UPDATE journal SET private = {flip('private', 80)} WHERE seq = 4", "private", "journal 4", "column private"),
        ("UPDATE journal SET private = x'7b7d' WHERE seq = 3", "private", "journal 3", "none was written"),
        ("UPDATE journal SET private = NULL WHERE seq = 4", "private", "journal 4", "no fact says"),
        ("UPDATE journal SET incident = 'I-3' WHERE seq = 3", "chain", "journal 3", "column incident"),
        ("UPDATE journal SET incident = NULL WHERE seq = 3", "chain", "journal 3", "column incident"),
        ("UPDATE journal SET version = 9 WHERE seq = 3", "chain", "journal 3", "column version"),
        ("UPDATE journal SET shard = 1 WHERE seq = 3", "chain", "journal 3", "column shard"),
        ("UPDATE journal SET seq = 30 WHERE seq = 7", "missing", "journal 7", "rows 7 to 29"),
        ("DELETE FROM journal WHERE seq = 4", "missing", "journal 4", "rows 4 to 4"),
        ("DELETE FROM journal WHERE seq = 7", "missing", "journal 7", "rows 7 to 7"),
        ("DELETE FROM journal WHERE seq = 1", "missing", "journal 1", "rows 1 to 1"),
        ("UPDATE head SET seq = 6", "chain", "head", "before the last row"),
        (f"UPDATE head SET chain = {flip('chain')}", "chain", "head", "not that of the last row"),
        ("UPDATE meta SET epoch = 'other'", "chain", "journal 1", "column"),
        ("DELETE FROM meta", "missing", "head", "where its journal stands"),
        (
            f"UPDATE incident SET document = {flip('document', 9)} WHERE id = 'I-1'",
            "document",
            "incident I-1",
            "column document",
        ),
        (
            f"UPDATE incident SET digest = {flip('digest')} WHERE id = 'I-2'",
            "digest",
            "incident I-2",
            "column digest",
        ),
        (f"UPDATE incident SET places = {flip('places', 9)} WHERE id = 'I-1'", "private", "incident I-1", "places"),
        (
            f"UPDATE incident SET places_digest = {flip('places_digest')} WHERE id = 'I-1'",
            "private",
            "incident I-1",
            "places",
        ),
        ("UPDATE incident SET number = 9 WHERE id = 'I-1'", "document", "incident I-1", "column number"),
        ("UPDATE incident SET version = 9 WHERE id = 'I-2'", "document", "incident I-2", "column version"),
        ("UPDATE incident SET state = 'closed' WHERE id = 'I-1'", "document", "incident I-1", "column state"),
        ("UPDATE incident SET class = 'drill' WHERE id = 'I-1'", "document", "incident I-1", "column class"),
        ("UPDATE incident SET elder = NULL WHERE id = 'I-1'", "document", "incident I-1", "column elder"),
        ("UPDATE incident SET area = '/' WHERE id = 'I-1'", "document", "incident I-1", "column area"),
        ("UPDATE incident SET ended_at = NULL WHERE id = 'I-2'", "document", "incident I-2", "column ended_at"),
        ("UPDATE incident SET id = 'I-3' WHERE id = 'I-1'", "missing", "incident I-1", "no document"),
        ("DELETE FROM incident WHERE id = 'I-2'", "missing", "incident I-2", "no document"),
        ("DELETE FROM engagement", "document", "incident I-1", "engagements"),
        ("UPDATE engagement SET slot = 2", "document", "incident I-1", "engagements"),
    ],
)
async def test_one_alteration_is_found_and_named(path: Path, statement: str, check: str, where: str, what: str) -> None:
    alter(path, statement)
    first = verify_file(path).flaws[0]
    assert (first.check, first.where) == (check, where)
    assert what in first.what


async def test_a_forged_document_is_found(path: Path) -> None:
    """Somebody who changes the document and its digest has still not changed what the facts say."""
    db = sqlite3.connect(path)
    (document,) = db.execute("SELECT document FROM incident WHERE id = 'I-1'").fetchone()
    forged = document.replace(b'"drill":false', b'"drill":true')
    with db:
        db.execute(
            "UPDATE incident SET document = ?, digest = ? WHERE id = 'I-1'", (forged, hashlib.sha256(forged).digest())
        )
    db.close()
    assert names(path) == [("document", "incident I-1")]


async def test_a_document_without_rows_is_found(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    stray = Case("I-9", 9)
    stray.open()
    await store.commit(Commit(documents=[stray.document]))
    assert store.verify().flaws == (Flaw("missing", "incident I-9", "it has a document and no journal rows"),)
    await store.close()


async def test_every_byte_of_a_body_counts(path: Path) -> None:
    db = sqlite3.connect(path)
    (body,) = db.execute("SELECT body FROM journal WHERE seq = 5").fetchone()
    for byte in range(0, len(body), 7):
        with db:
            db.execute("UPDATE journal SET body = ? WHERE seq = 5", (flipped(body, byte),))
        assert ("chain", "journal 5") in names(path), byte
    with db:
        db.execute("UPDATE journal SET body = ? WHERE seq = 5", (body,))
    db.close()
    assert names(path) == []


@pytest.mark.parametrize("page", [1, 7, 12])
async def test_a_broken_file_is_a_flaw_not_a_crash(path: Path, page: int) -> None:
    overwrite(path, page)
    assert verify_file(path).flaws[0].check == "file"


async def test_it_works_beside_a_running_server(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    assert verify_file(path).rows == 7
    await store.commit(Case("I-3", 3).open())
    assert (verify_file(path).rows, verify_file(path).flaws) == (8, ())
    await store.close()


async def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        verify_file(tmp_path / "nowhere.db")
    (tmp_path / "text.db").write_text("not a database, and long enough to be looked at " * 20)
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        verify_file(tmp_path / "text.db")


# Erasure


async def test_an_erased_private_part_still_verifies(store: Store) -> None:
    _, second = await fill(store)
    seqs = [seq for seq, _ in store.rows("I-2")]
    await store.commit(Commit(messages=[message("a", "I-2"), message("b", "I-1")]))
    assert await store.erase(seqs, at(99), "ev-erase", OPERATOR) == 8
    assert store.verify().flaws == ()
    bare = [row for _, row in store.rows("I-2")]
    assert [row.version for row in bare] == [1, 2, 3]
    (opened, alarm, _), (note,), (closed, _) = (row.facts for row in bare)
    assert isinstance(opened, f.IncidentOpened)
    assert (opened.phone, opened.address, opened.home, opened.kind) == (None, None, None, "sos")
    assert isinstance(alarm, f.AlarmRecorded)
    assert (alarm.text, alarm.raw, alarm.position) == (None, None, None)
    assert isinstance(note, f.NoteAdded)
    assert note.text is None
    assert isinstance(closed, f.StateChanged)
    assert (closed.reason, closed.outcome) == (None, "helped")
    document = store.incident("I-2")
    assert document is not None
    assert document.incident == second.incident
    assert document.places.home is None
    assert [stored.message.incident for stored in store.outbox(WANG, 0, 9)] == ["I-1"]
    assert store.changes_since(7, 9) == ()


async def test_an_open_incident_is_not_erased(store: Store) -> None:
    first, _ = await fill(store)
    with pytest.raises(StoreRefused):
        await store.erase([seq for seq, _ in store.rows("I-1")], at(99), "ev-erase", OPERATOR)
    with pytest.raises(StoreRefused):
        await store.erase([1, 8], at(99), "ev-erase", OPERATOR)
    assert store.rows("I-1")[0][1] == first.rows[0]
    assert store.head()[1] == 7
    assert store.verify().flaws == ()


@pytest.mark.parametrize("size", [1, 30, 3000])
async def test_what_was_erased_is_not_in_the_file(tmp_path: Path, size: int) -> None:
    """Small texts share a page with others, long ones have pages of their own."""
    store = SqliteStore(tmp_path / "callhub.db")
    await store.open()
    gone, kept = Case("I-1", 1), Case("I-2", 2)
    await store.commit(both(gone.open(), kept.open(), gone.note("张三的秘密" * size), kept.note("钥匙在邻居家")))
    await store.commit(gone.close())
    assert contents(tmp_path).count("张三的秘密".encode()) >= size
    await store.erase([seq for seq, _ in store.rows("I-1")], at(99), "ev-erase", OPERATOR)
    everything = contents(tmp_path)
    await store.close()
    assert everything.count("张三的秘密".encode()) == 0
    assert everything.count("钥匙在邻居家".encode()) >= 1


async def test_nobody_can_announce_an_erasure(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    announced = f.DirectoryChanged(what="erasure", ids=("9", "x"))
    await store.commit(Commit(rows=[f.Row(None, 0, at(9), "ev", OPERATOR, (announced,))]))
    late = Case("I-3", 3)
    await store.commit(late.open())
    await store.close()
    alter(path, "UPDATE journal SET private = NULL WHERE seq = 9")
    assert names(path) == [("private", "journal 9")]


async def test_what_cannot_be_read_of_an_open_case_keeps_no_start_from_the_others(path: Path) -> None:
    alter(path, "UPDATE journal SET body = x'7b' WHERE seq = 7")
    alter(path, "UPDATE incident SET places = x'7b' WHERE id = 'I-1'")
    store = SqliteStore(path)
    await store.open()
    snapshot = await store.load()
    newest_readable = store.rows("I-2")[-1]
    await store.close()
    assert snapshot.rows == {"I-1": ()}
    assert snapshot.places == {"I-1": Places()}
    assert newest_readable[0] == 6
    assert snapshot.last_at == newest_readable[1].at
    assert names(path) == [("chain", "journal 7")]


# Size


async def test_a_long_journal_verifies(store: Store) -> None:
    case = Case("I-1", 1)
    await store.commit(case.open())
    assert case.incident is not None
    rows = [case.step(f.NoteAdded(text=f"{n}"), seconds=n).rows[0] for n in range(4998)]
    await store.commit(Commit(rows=rows, documents=[case.document]))
    await store.commit(case.close())
    verdict = store.verify()
    assert (verdict.rows, verdict.incidents, verdict.flaws) == (5000, 1, ())


async def test_facts_that_cannot_be_replayed_are_named(tmp_path: Path) -> None:
    def broken(incident: Incident | None, row: f.Row) -> Incident:
        raise LookupError(row.event)

    store = SqliteStore(tmp_path / "callhub.db", replay=broken)
    await store.open()
    await fill(store)
    flaws = store.verify().flaws
    await store.close()
    assert [flaw.where for flaw in flaws] == ["incident I-1", "incident I-2"]
    assert "LookupError" in flaws[0].what
