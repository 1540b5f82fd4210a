"""The commands and their names, and what happens to an error that reaches the top."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

import callhub
from callhub.cli.change import ChangeRefused
from callhub.cli.check import check_config
from callhub.cli.demo import demo
from callhub.cli.directory import import_file, policy_commands, token, user
from callhub.cli.init import init
from callhub.cli.lab import lab
from callhub.cli.press import press
from callhub.cli.serve import serve
from callhub.cli.verify import verify
from callhub.errors import CallhubError
from callhub.intake.directory import refusal
from callhub.logs import configure_logs

INTERRUPTED = 130
"""What a shell reports for a program that ended by Ctrl-C."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="callhub: from an elder's button to a person at the door.",
)
app.command()(demo)
app.command()(init)
app.command()(serve)
app.command("import")(import_file)
app.command()(token)
app.command()(user)
app.add_typer(policy_commands, name="policy")
app.command()(press)
app.command("check-config")(check_config)
app.command()(verify)
app.command()(lab)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"callhub {callhub.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""
    del version


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process: status 0, 2 for what the caller can mend, 1 for failures."""
    configure_logs("warning")  # standard output is for results; the server sets up its own
    try:
        app(args=args, prog_name="callhub")
    except ChangeRefused as refused:
        _end(refused.message, refused.status)
    except CallhubError as wrong:
        _end(wrong.message, refusal(wrong).status)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as wrong:
        where = f": {wrong.filename}" if wrong.filename else ""
        _end(f"{wrong.strerror or wrong}{where}", 1)
    sys.exit(0)


def _end(message: str, status: int) -> NoReturn:
    print(f"callhub: {message}", file=sys.stderr)
    sys.exit(status)
