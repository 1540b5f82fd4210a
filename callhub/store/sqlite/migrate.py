"""From the file's version to this program's, one numbered script at a time, each after a copy that was checked.

Rules of this file: ``PRAGMA user_version`` is the version. A copy is called ``callhub.db.vN`` after the version it
holds, never ``*.db``, so that nobody takes it for the database. Scripts hold statements only, no transaction.
"""

from __future__ import annotations

import os
import sqlite3
from importlib import resources
from typing import TYPE_CHECKING

from callhub.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

APPLICATION_ID = 0x43414C48
"""``CALH``: marks the file as ours."""


def scripts() -> tuple[str, ...]:
    """The shipped migrations, in order; the last one's number is the version this program works with."""
    folder = resources.files("callhub.store") / "sql" / "sqlite"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(file.read_text(encoding="utf-8") for file in files)


def version_of(connection: sqlite3.Connection) -> int:
    """The version of an open file; 0 for an empty one.

    Raises:
        StoreUnavailable: It is a database of another program.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if mark != APPLICATION_ID and (tables or version or mark):
        raise StoreUnavailable("the file is a database of another program")
    return version


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[str]) -> int:
    """Bring an open file up to date; the version it had.

    Raises:
        StoreUnavailable: The file is newer than this program, or of another one, or a copy is not what it should be.
    """
    found = version_of(connection)
    if found > len(steps):
        raise StoreUnavailable(
            f"the database has version {found}, this callhub knows {len(steps)}: install a newer one"
        )
    for version in range(found, len(steps)):
        if found > 0:  # a file that was empty a moment ago is worth no copy
            copy(connection, path.with_name(f"{path.name}.v{version}"))
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in split(steps[version]):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return found


def split(script: str) -> list[str]:
    """The statements of a script (``executescript`` would commit on its own)."""
    statements, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            statements.append(part)
            part = ""
    return statements


def copy(connection: sqlite3.Connection, target: Path) -> None:
    """Copy the database to ``target`` and check the copy; a file of that name from an earlier attempt is replaced.

    Raises:
        StoreUnavailable: The copy is not sound.
    """
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600))
    made = sqlite3.connect(part, isolation_level=None)
    try:
        connection.backup(made)
        made.execute("PRAGMA journal_mode = DELETE").fetchall()
        answer = made.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        made.close()
    if answer != "ok":
        raise StoreUnavailable(f"the copy {part.name} made before the migration is not sound: {answer}")
    _sync(part)
    part.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
