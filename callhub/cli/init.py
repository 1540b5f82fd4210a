"""``callhub init``: a new installation in a folder of its own."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from callhub.cli.change import ChangeRefused, do_alone
from callhub.cli.secret import hashed, new_password
from callhub.clock import SystemClock
from callhub.domain.people import Role
from callhub.errors import ConfigError
from callhub.intake.policy_files import policy_tables, read_policies
from callhub.intake.requests import PoliciesRequest, UserAddRequest
from callhub.settings import load_settings, shipped

CONFIG_NAME = "callhub.toml"
POLICIES_NAME = "policies"
ADMINISTRATOR = "admin"


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new, or holds no callhub yet.")],
) -> None:
    """Write a configuration, the ladders and an empty database; print the first administrator's password once."""
    _refuse_used(directory)
    password = new_password()
    with _removed_on_failure(directory):
        config = _copy_files(directory)
        settings = load_settings(config)
        tables = policy_tables(directory / POLICIES_NAME)
        read_policies(tables)
        admin = UserAddRequest(name=ADMINISTRATOR, role=Role.ADMIN, password=hashed(password))
        for request in (PoliciesRequest(tables=tables), admin):
            reply = asyncio.run(do_alone(settings, request, SystemClock()))
            if not reply.ok:
                raise ChangeRefused(reply)
    print(f"{config} is ready. Sign in as '{ADMINISTRATOR}' with the password below; it is shown only now.")
    print(f"password: {password}")
    print(f"Next: callhub serve -c {config}", file=sys.stderr)


def _refuse_used(directory: Path) -> None:
    if not directory.exists():
        return
    if not directory.is_dir():
        raise ConfigError(str(directory), "", "is no folder; name a new one")
    found = sorted(
        entry.name
        for entry in directory.iterdir()
        if entry.name in (CONFIG_NAME, POLICIES_NAME) or ".db" in entry.suffixes
    )
    if found:
        raise ConfigError(str(directory), "", f"holds {', '.join(found)} already; name another folder")


def _copy_files(directory: Path) -> Path:
    source = shipped()
    directory.mkdir(parents=True, mode=0o700, exist_ok=True)  # it will hold names and addresses
    config = directory / CONFIG_NAME
    shutil.copyfile(source / CONFIG_NAME, config)
    # ``examples`` lies below it and is not in force: a ladder with hours is a district's own decision.
    shutil.copytree(source / POLICIES_NAME, directory / POLICIES_NAME, copy_function=shutil.copyfile)
    return config


@contextmanager
def _removed_on_failure(directory: Path) -> Iterator[None]:
    """Leave the folder as it was when something fails, so that the command can be given again."""
    before = set(directory.iterdir()) if directory.exists() else None
    try:
        yield
    except BaseException:
        if before is None:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            for entry in set(directory.iterdir()) - before:
                if entry.is_dir():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
        raise
