"""``callhub verify``: whether the record is what was once written."""

from __future__ import annotations

import sys

import typer

from callhub.cli.change import read_installed
from callhub.cli.options import ConfigFile
from callhub.store.sqlite import verify_file


def verify(config: ConfigFile) -> None:
    """Check the journal's chain and every incident's digest, beside a running server too; status 1 when not intact."""
    database = read_installed(config).database
    verdict = verify_file(database)
    read = f"{_counted(verdict.rows, 'journal row')}, {_counted(verdict.incidents, 'incident')}"
    if not verdict.flaws:
        print(f"{database}: intact ({read})")
        return
    for flaw in verdict.flaws:
        print(f"{flaw.where}: {flaw.what} ({flaw.check})")
    flaws = _counted(len(verdict.flaws), "flaw")
    print(f"callhub: {database} is not what was written: {flaws} ({read})", file=sys.stderr)
    raise typer.Exit(1)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
