"""``import``, ``token``, ``user`` and ``policy apply``: the commands that change the directory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from callhub.cli.change import change
from callhub.cli.check import warnings_for
from callhub.cli.options import AreaOption, ConfigFile, DryRun, RoleOption, wrong_usage
from callhub.cli.secret import hashed, new_password, new_token, piped_password
from callhub.domain.people import Role
from callhub.errors import ConfigError
from callhub.intake.csv_import import Crs, ImportKind
from callhub.intake.policy_files import policy_tables, read_policies
from callhub.intake.requests import (
    ImportRequest,
    PoliciesRequest,
    RevokeRequest,
    TokenKind,
    TokenRequest,
    UserAddRequest,
    UserRemoveRequest,
)
from callhub.settings import load_settings

policy_commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Escalation policies.")


def import_file(
    config: ConfigFile,
    kind: Annotated[ImportKind, typer.Argument(metavar="KIND", help="areas, elders, devices, responders or contacts")],
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="CSV with a header; UTF-8 or GB18030.")],
    crs: Annotated[Crs, typer.Option(help="What its positions are measured in.")] = Crs.WGS84,
    dry_run: DryRun = False,
) -> None:
    """Add and update areas, elders, devices, responders or contacts from a CSV file; removes none, all rows or none."""
    try:
        data = file.read_bytes()
    except OSError as wrong:
        raise ConfigError(str(file), "", f"cannot be read: {wrong.strerror}") from wrong
    change(config, ImportRequest(kind=kind, file=str(file), data=data, crs=crs, dry_run=dry_run))


def token(
    config: ConfigFile,
    words: Annotated[
        list[str], typer.Argument(metavar="gateway|responder|api ID | revoke KIND ID", show_default=False)
    ],
    role: RoleOption = None,
    area: AreaOption = None,
) -> None:
    """Make a token, which is shown once and alone on standard output, or revoke all tokens of a client."""
    match words:
        case ["revoke", kind, id]:
            if role is not None or area is not None:
                raise wrong_usage("revoke takes neither --role nor --area")
            change(config, RevokeRequest(kind=_token_kind(kind), id=id))
        case [word, id] if word != "revoke":
            kind_ = _token_kind(word)
            if kind_ is not TokenKind.API and (role is not None or area is not None):
                raise wrong_usage("--role and --area are for api tokens; a gateway or responder has its own rights")
            if kind_ is TokenKind.API:
                role = role or Role.VIEWER
            secret, digest = new_token()
            change(config, TokenRequest(kind=kind_, id=id, digest=digest, role=role, area=area))
            print(secret)
        case _:
            raise wrong_usage("write 'gateway ID', 'responder ID', 'api ID' or 'revoke KIND ID'")


def _token_kind(word: str) -> TokenKind:
    for kind in TokenKind:
        if kind == word:
            return kind
    raise wrong_usage(f"{word!r} has no tokens; write one of {', '.join(TokenKind)}")


def user(
    config: ConfigFile,
    words: Annotated[list[str], typer.Argument(metavar="add NAME | remove NAME", show_default=False)],
    role: RoleOption = None,
    area: AreaOption = None,
) -> None:
    """Add a console user (password from a pipe, or made and shown once), or remove one and end their sessions."""
    match words:
        case ["add", name]:
            if role is None:
                raise wrong_usage(f"--role is needed: one of {', '.join(Role)}")
            _add_user(config, name, role, area)
        case ["remove", name]:
            if role is not None or area is not None:
                raise wrong_usage("remove takes neither --role nor --area")
            change(config, UserRemoveRequest(name=name))
        case _:
            raise wrong_usage("write 'add NAME --role ROLE' or 'remove NAME'")


def _add_user(config: Path, name: str, role: Role, area: str | None) -> None:
    given = piped_password()
    password = given or new_password()
    change(config, UserAddRequest(name=name, role=role, area=area, password=hashed(password)))
    if given is None:
        print("their password, shown only now:", file=sys.stderr, flush=True)
        print(password)


@policy_commands.command("apply")
def apply_policies(config: ConfigFile, dry_run: DryRun = False) -> None:
    """Put the ladders of the folder 'policies' in force for new incidents; open ones keep theirs."""
    settings = load_settings(config)
    tables = policy_tables(settings.policies_dir)
    policies = read_policies(tables)  # a slip is named here, before anybody is asked
    for line in warnings_for(policies, settings.place.language):
        print(line, file=sys.stderr, flush=True)
    change(config, PoliciesRequest(tables=tables, dry_run=dry_run))
