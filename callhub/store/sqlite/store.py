"""``SqliteStore``: opening, closing, and what goes through the writing thread."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from callhub.dispatch.replay import apply
from callhub.errors import StoreError, StoreUnavailable
from callhub.store.ledger import SHARD, entries_of, erasure_row, genesis
from callhub.store.sqlite.check import verify_file
from callhub.store.sqlite.connection import PATH_BYTES_MAX, WriteConnection, open_reading
from callhub.store.sqlite.held import Hold
from callhub.store.sqlite.journal import read_journal
from callhub.store.sqlite.migrate import migrate, scripts
from callhub.store.sqlite.purging import purge_answers, purge_messages, purge_sessions
from callhub.store.sqlite.reading import SqliteReads
from callhub.store.sqlite.writing import encode_commit, erase_private, write_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from callhub.domain.facts import Row
    from callhub.domain.people import Actor
    from callhub.store.base import Commit, Committed, Verdict
    from callhub.store.verify import Replay

_log = structlog.get_logger(__name__)


def leave(why: str) -> None:
    """End the process at once, without any clean-up: after a disk error nobody may be told anything any more."""
    _log.critical("disk_failed", why=why, exit_code=os.EX_IOERR)
    os._exit(os.EX_IOERR)


class SqliteStore(SqliteReads):
    """``Store`` in one SQLite file; see there.

    Args:
        path: The file; made when it is not there, its folder is not.
        on_fatal: Called when the disk failed, in any thread; the default ends the process with 74.
        salt: Gives that many random bytes; replaced where runs must repeat.
        replay: Applies journal rows, for ``verify``.
        migrations: The scripts that make the tables, in order.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        on_fatal: Callable[[str], None] = leave,
        salt: Callable[[int], bytes] = secrets.token_bytes,
        replay: Replay = apply,
        migrations: Sequence[str] | None = None,
    ) -> None:
        super().__init__(on_fatal)
        self.path = Path(path).absolute()
        self._salt = salt
        self._replay = replay
        self._migrations = scripts() if migrations is None else tuple(migrations)
        self._hold: Hold | None = None
        self._writer: WriteConnection | None = None

    async def open(self) -> None:
        """Open and migrate, and finish a checkpoint, so that no start leaves work to the first alarm.

        Raises:
            DatabaseHeld: Another process holds it.
            StoreUnavailable: It cannot be opened, or is newer than this program.
        """
        if self._writer is not None:
            return
        if len(os.fsencode(self.path)) > PATH_BYTES_MAX:
            raise StoreUnavailable(f"the path is longer than the {PATH_BYTES_MAX} bytes that SQLite can open")
        self._hold = Hold(self.path)
        try:
            _create(self.path)
            writer = WriteConnection(self.path, self._on_fatal)
            await writer.start()
            self._writer = writer
            found = await writer.run(self._prepare)
            self._reader = open_reading(self.path)
        except sqlite3.Error as error:
            await self.close()
            raise StoreUnavailable(f"{self.path} cannot be opened: {error}") from error
        except BaseException:
            await self.close()
            raise
        self._epoch = self._one("SELECT epoch FROM meta")[0]
        # One connection writes, and readers never checkpoint: what SQLite before 3.51.3 gets wrong when two
        # connections checkpoint at once cannot happen here.
        _log.info("store_opened", version=len(self._migrations), version_found=found, sqlite=sqlite3.sqlite_version)

    def _prepare(self, db: sqlite3.Connection) -> int:
        found = migrate(db, self.path, self._migrations)
        db.execute("BEGIN IMMEDIATE")
        epoch = self._salt(8).hex()
        db.execute("INSERT OR IGNORE INTO meta (only_row, epoch) VALUES (1, ?)", (epoch,))
        epoch = db.execute("SELECT epoch FROM meta").fetchone()[0]
        db.execute(
            "INSERT OR IGNORE INTO head (shard, fence, seq, chain, outbox_seq) VALUES (?, 0, 0, ?, 0)",
            (SHARD, genesis(epoch, SHARD)),
        )
        db.execute("COMMIT")
        _checkpoint(db)
        return found

    async def close(self) -> None:
        """Checkpoint, close, let others have the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        writer, self._writer = self._writer, None
        hold, self._hold = self._hold, None
        try:
            if writer is not None:
                try:
                    await writer.run(_checkpoint)
                except StoreError as error:
                    _log.warning("checkpoint_failed", why=error.message)
                await writer.close()
        finally:
            if hold is not None:
                hold.release()

    async def commit(self, commit: Commit) -> Committed:
        """One transaction in one hop. A caller that is cancelled stops waiting; the commit is finished all the same."""
        encoded = encode_commit(commit, self._salt)
        return await self._writing.transact(partial(write_commit, encoded=encoded))

    @property
    def _writing(self) -> WriteConnection:
        if self._writer is None:
            raise StoreUnavailable("the store is not open")
        return self._writer

    async def erase(self, seqs: Sequence[int], at: datetime, event: str, actor: Actor) -> int:
        """Blank private parts; the bytes are overwritten in the file and gone from the log when this returns."""
        entries = entries_of([erasure_row(sorted(set(seqs)), at, event, actor)], self._salt)
        await self._writing.run(lambda db: db.execute("PRAGMA secure_delete = ON").fetchall())
        try:
            return await self._writing.transact(partial(erase_private, seqs=seqs, entries=entries))
        finally:
            await self._writing.run(lambda db: db.execute("PRAGMA secure_delete = OFF").fetchall())
            await self._writing.run(_checkpoint)

    async def purge(
        self,
        ended_before: datetime,
        answered_before: datetime | None = None,
        signed_in_before: datetime | None = None,
    ) -> int:
        """Remove what is old, in transactions of at most ``PURGED_MAX`` rows."""
        removed = await purge_messages(self._writing, ended_before)
        if answered_before is not None:
            removed += await purge_answers(self._writing, answered_before)
        if signed_in_before is not None:
            removed += await purge_sessions(self._writing, signed_in_before)
        return removed

    async def journal(self, after: int, limit: int) -> tuple[tuple[int, Row], ...]:
        """(seq, row) after ``after``, read by another thread."""
        return await asyncio.to_thread(read_journal, self.path, after, limit)

    def verify(self) -> Verdict:
        """Check everything against everything, on a connection of its own."""
        return verify_file(self.path, self._replay, len(self._migrations))


def _create(path: Path) -> None:
    """Make an empty file that only this user reads: it will hold names and telephone numbers."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as wrong:
        raise StoreUnavailable(f"{path} cannot be written: {wrong.strerror}") from wrong


def _checkpoint(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
