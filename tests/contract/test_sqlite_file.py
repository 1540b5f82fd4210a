"""What only a file can do: be locked, copied, full, broken, and written in one hop."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from callhub.errors import DatabaseHeld, StoreUnavailable
from callhub.store.base import Commit, DirectoryChange
from callhub.store.sqlite import SqliteStore, verify_file
from callhub.store.sqlite.migrate import scripts
from tests.architecture.source import ROOT
from tests.contract.builders import ELDERS, Case, at, both, message

if TYPE_CHECKING:
    from queue import SimpleQueue

MORE = "-- A second version.\nCREATE TABLE more (n INTEGER) STRICT;\nINSERT INTO more VALUES (1);\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "callhub.db"


@pytest.fixture
def fatal() -> list[str]:
    """What ``on_fatal`` was told."""
    return []


@pytest.fixture
async def store(path: Path, fatal: list[str]) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path, on_fatal=fatal.append)
    await store.open()
    yield store
    await store.close()


def permissions(path: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}


def leave_a_lock(path: Path) -> None:
    path.with_name(path.name + ".lock").write_text("99999999\n")


def deep(folder: Path) -> Path:
    """A folder inside whose path has at least 380 bytes."""
    while len(str(folder)) < 380:
        folder = folder / ("x" * 60)
    folder.mkdir(parents=True)
    return folder


def scribble(path: Path) -> None:
    path.write_text("no database, but long enough to be taken for one " * 30)


def rows_in(path: Path, query: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(path)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


# How it is written


class CountingQueue:
    """Stands before the queue of the writing thread and counts what is handed over."""

    def __init__(self, queue: "SimpleQueue[Any]") -> None:
        self._queue = queue
        self.hops = 0

    def put_nowait(self, item: object) -> None:
        self.hops += 1
        self._queue.put_nowait(item)


async def test_a_commit_is_one_hop(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hop is a function handed to the writing thread; everything else of a commit happens there in one go."""
    writer = store._writing
    queue = CountingQueue(writer._tx)
    monkeypatch.setattr(writer, "_tx", queue)
    case = Case("I-1", 1)
    await store.commit(both(case.open(), case.assign(), messages=[message("a"), message("b")]))
    assert queue.hops == 1
    await store.purge(at(99))
    assert queue.hops == 2


async def test_a_commit_is_one_transaction(store: SqliteStore) -> None:
    trace: list[str] = []
    await store._writing.run(lambda db: db.set_trace_callback(trace.append))
    await store.commit(both(Case("I-1", 1).open(), messages=[message("a")]))
    frame = [statement for statement in trace if statement.startswith(("BEGIN", "COMMIT", "ROLLBACK"))]
    assert frame == ["BEGIN IMMEDIATE", "COMMIT"]
    assert (trace[0], trace[-1]) == (frame[0], frame[-1])


async def test_every_commit_reaches_the_disk(store: SqliteStore) -> None:
    def settings(db: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "wal_autocheckpoint")
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await store._writing.run(settings) == ["wal", 2, 4000]


async def test_a_read_sees_committed_data_only(store: SqliteStore) -> None:
    case = Case("I-1", 1)
    opening = case.open()
    seen = []

    def look(db: sqlite3.Connection) -> None:
        db.execute("UPDATE head SET seq = 99")
        reader = sqlite3.connect(f"file:{store.path}?mode=ro", uri=True)
        seen.append(reader.execute("SELECT seq FROM head").fetchone()[0])
        reader.close()
        raise sqlite3.IntegrityError("enough seen")

    with pytest.raises(Exception, match="enough seen"):
        await store._writing.transact(look)
    assert seen == [0]
    assert store.head()[1] == 0
    await store.commit(opening)
    assert store.head()[1] == 1


async def test_readers_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(StoreUnavailable):
        store._all("DELETE FROM journal")


async def test_only_this_user_reads_the_files(store: SqliteStore, path: Path) -> None:
    await store.commit(Commit(changes=[DirectoryChange(elders=ELDERS)]))
    assert permissions(path) == {0o600}


async def test_a_stop_leaves_one_file_with_everything(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.commit(Case("I-1", 1).open())
    await store.close()
    assert sorted(os.listdir(path.parent)) == ["callhub.db", "callhub.db.lock"]
    assert rows_in(path, "SELECT count(*) FROM journal") == [(1,)]


async def test_what_was_committed_survives_a_kill(path: Path) -> None:
    """A process commits, says so, and is killed."""
    code = (
        "import asyncio, sys\n"
        "from callhub.store.sqlite import SqliteStore\n"
        "from tests.contract.builders import Case\n"
        "async def main():\n"
        f"    store = SqliteStore({str(path)!r})\n"
        "    await store.open()\n"
        "    await store.commit(Case('I-1', 1).open())\n"
        "    print('durable', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        async with asyncio.timeout(30):
            while b"durable" not in (line := await child.stdout.readline()):
                assert line, "the process ended without a commit"
        with pytest.raises(DatabaseHeld) as caught:
            await SqliteStore(path).open()
        assert caught.value.data["pid"] == child.pid
    finally:
        child.kill()
        await child.wait()
    store = SqliteStore(path)
    await store.open()
    assert store.head()[1] == 1
    assert store.verify().flaws == ()
    await store.close()


# Locks and places


async def test_a_held_database_names_its_process(store: SqliteStore, path: Path) -> None:
    with pytest.raises(DatabaseHeld) as caught:
        await SqliteStore(path).open()
    assert caught.value.data["pid"] == os.getpid()
    assert store.head()[1] == 0


async def test_a_lock_file_left_behind_does_not_matter(path: Path) -> None:
    leave_a_lock(path)
    store = SqliteStore(path)
    await store.open()
    with pytest.raises(DatabaseHeld) as caught:
        await SqliteStore(path).open()
    await store.close()
    assert caught.value.data["pid"] == os.getpid()


async def test_a_failed_open_lets_go(path: Path) -> None:
    scribble(path)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await SqliteStore(path).open()


@pytest.mark.parametrize("name", ["callhub.db", "a b?c#d%41.db", "数据.db"])
async def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "夜班 & co"
    folder.mkdir()
    store = SqliteStore(folder / name)
    await store.open()
    await store.commit(Case("I-1", 1).open())
    assert store.verify().flaws == ()
    await store.close()
    assert (folder / name).exists()


async def test_long_paths(tmp_path: Path) -> None:
    folder = deep(tmp_path)
    store = SqliteStore(folder / "callhub.db")
    await store.open()
    await store.commit(Case("I-1", 1).open())
    await store.close()
    longest = folder / ("y" * (480 - len(str(folder)) - 1))
    store = SqliteStore(longest)
    await store.open()
    await store.commit(Case("I-1", 1).open())
    await store.close()
    with pytest.raises(StoreUnavailable, match="480 bytes"):
        await SqliteStore(longest.with_name(longest.name + "y")).open()


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="nowhere"):
        await SqliteStore(tmp_path / "nowhere" / "callhub.db").open()


# Failing disks


async def test_a_full_disk_is_fatal(store: SqliteStore, fatal: list[str]) -> None:
    case = Case("I-1", 1)
    await store.commit(case.open())

    def no_more_pages(db: sqlite3.Connection) -> None:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    await store._writing.run(no_more_pages)
    with pytest.raises(StoreUnavailable, match="full"):
        await store.commit(Commit(messages=[message(None, text="x" * 50_000)]))
    assert fatal == ["database or disk is full"]
    assert (store.head()[1], store.waiting()) == (1, ())
    # Nothing is tried again, not even what would fit.
    with pytest.raises(StoreUnavailable, match="full"):
        await store.commit(case.note())
    assert store.head()[1] == 1


async def test_a_disk_error_is_fatal_before_anybody_learns_of_it(store: SqliteStore, fatal: list[str]) -> None:
    def broken(db: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    with pytest.raises(StoreUnavailable, match="disk I/O error"):
        await store._writing.transact(broken)
    assert fatal == ["disk I/O error"]


async def test_a_disk_error_ends_the_process(path: Path) -> None:
    """The operating system refuses to let the file grow: a real error from a real write."""
    code = (
        "import asyncio, resource, signal\n"
        "from callhub.store.base import Commit\n"
        "from callhub.store.sqlite import SqliteStore\n"
        "from tests.contract.builders import message\n"
        "async def main():\n"
        f"    store = SqliteStore({str(path)!r})\n"
        "    await store.open()\n"
        "    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "    try:\n"
        "        await store.commit(Commit(messages=[message(None, text='x' * 50_000)]))\n"
        "    finally:\n"
        "        print('still here', flush=True)\n"
        "asyncio.run(main())\n"
    )
    run = partial(subprocess.run, capture_output=True, text=True, timeout=30, check=False, cwd=ROOT)
    done = await asyncio.to_thread(run, [sys.executable, "-c", code])
    assert done.returncode == os.EX_IOERR, done.stderr
    assert "still here" not in done.stdout


async def test_another_writer_is_waited_for_and_then_not_fatal(
    store: SqliteStore, path: Path, fatal: list[str]
) -> None:
    def impatient(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA busy_timeout = 1").fetchall()

    await store._writing.run(impatient)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    case = Case("I-1", 1)
    opening = case.open()
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.commit(opening)
    other.execute("ROLLBACK")
    other.close()
    await store.commit(opening)
    assert fatal == []


# Migrations

VERSION = len(scripts())


async def filled(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await store.commit(Case("I-1", 1).open())
    await store.close()


async def test_a_migration_leaves_a_copy_that_was_checked(path: Path) -> None:
    await filled(path)
    newer = SqliteStore(path, migrations=(*scripts(), MORE))
    await newer.open()
    assert newer.head()[1] == 1
    assert newer.verify().flaws == ()
    await newer.close()
    assert rows_in(path, "SELECT n FROM more") == [(1,)]
    copy = path.with_name(f"callhub.db.v{VERSION}")
    assert verify_file(copy).rows == 1
    assert permissions(path) == {0o600}
    assert sorted(os.listdir(path.parent)) == ["callhub.db", "callhub.db.lock", f"callhub.db.v{VERSION}"]
    # The copy is a database that the older program opens.
    older = SqliteStore(copy)
    await older.open()
    assert older.head()[1] == 1
    await older.close()


async def test_a_database_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    await filled(path)
    older = sqlite3.connect(path)
    older.executescript("DROP TABLE contact; DROP TABLE habit; DROP INDEX answer_old; PRAGMA user_version = 1;")
    older.close()
    newer = SqliteStore(path)
    await newer.open()
    snapshot = await newer.load()
    assert (snapshot.habits, set(snapshot.rows)) == ((), {"I-1"})
    assert rows_in(path, "SELECT name FROM sqlite_schema WHERE name = 'answer_old'") == [("answer_old",)]
    assert newer.family_of("E-1") == ()
    assert newer.verify().flaws == ()
    await newer.close()


async def test_a_new_file_leaves_no_copy(path: Path) -> None:
    store = SqliteStore(path, migrations=(*scripts(), MORE))
    await store.open()
    await store.close()
    # The shipped version lived for a moment, without anything in it.
    assert not path.with_name(f"callhub.db.v{VERSION}").exists()


async def test_a_failed_migration_changes_nothing(path: Path) -> None:
    await filled(path)
    broken = SqliteStore(path, migrations=(*scripts(), MORE + "INSERT INTO nowhere VALUES (1);\n"))
    with pytest.raises(StoreUnavailable):
        await broken.open()
    assert rows_in(path, "PRAGMA user_version") == [(VERSION,)]
    assert rows_in(path, "SELECT name FROM sqlite_schema WHERE name = 'more'") == []
    # A second attempt replaces the copy of the first.
    newer = SqliteStore(path, migrations=(*scripts(), MORE))
    await newer.open()
    await newer.close()
    assert verify_file(path.with_name(f"callhub.db.v{VERSION}")).rows == 1


async def test_a_newer_database_is_not_touched(path: Path) -> None:
    newer = SqliteStore(path, migrations=(*scripts(), MORE))
    await newer.open()
    await newer.close()
    with pytest.raises(StoreUnavailable, match=f"version {VERSION + 1}"):
        await SqliteStore(path).open()
    with pytest.raises(StoreUnavailable, match=f"version {VERSION + 1}"):
        verify_file(path)


async def test_a_database_of_another_program_is_not_touched(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (n)")
    db.close()
    with pytest.raises(StoreUnavailable, match="another program"):
        await SqliteStore(path).open()
    assert rows_in(path, "SELECT name FROM sqlite_schema") == [("theirs",)]
