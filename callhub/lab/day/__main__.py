"""``python -m callhub.lab.day``: a district's day through the real server, and whether any law was broken.

A day of 300 calls takes about half a minute. Status 1 when anything is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from callhub.errors import CallhubError, ConfigError
from callhub.lab.day.play import play_day
from callhub.lab.day.report import as_json, as_text, report_on
from callhub.logs import configure_logs

PREFIX = "sqlite:///"


def main(arguments: list[str] | None = None) -> int:
    """Play one day and show it; 0 when nothing is broken, 1 when something is, 2 when it cannot be played."""
    options = _options(arguments)
    configure_logs("error")
    try:
        with TemporaryDirectory(prefix="callhub-day-") as folder:
            path = _path(options.store) if options.store else Path(folder, "callhub.db")
            played = asyncio.run(play_day(path, options.seed, options.incidents))
    except CallhubError as wrong:
        print(f"callhub: {wrong.message}", file=sys.stderr)
        return 2
    report = report_on(played, options.seed)
    print(as_json(report) if options.json else as_text(report))
    for what in report.broken():
        print(what, file=sys.stderr)
    return 0 if report.holds else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m callhub.lab.day", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another day; the same seed, the same journal")
    parser.add_argument("--incidents", type=int, default=300, help="calls for help, before what equipment adds")
    parser.add_argument("--store", metavar="sqlite:///PATH", help="keep the database there; it must be new")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser.parse_args(arguments)


def _path(url: str) -> Path:
    if not url.startswith(PREFIX) or len(url) == len(PREFIX):
        raise ConfigError("--store", "", f"write {PREFIX}PATH")
    return Path(url.removeprefix(PREFIX))


if __name__ == "__main__":
    sys.exit(main())
