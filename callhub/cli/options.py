"""Options that several commands have, and how a command reads its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from callhub.domain.people import Role

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration that 'callhub init' wrote.")
]
RoleOption = Annotated[Role | None, typer.Option("--role", help="What they may do, weakest first.")]
AreaOption = Annotated[str | None, typer.Option("--area", metavar="ID", help="They see this area and what is below.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


def wrong_usage(why: str) -> typer.BadParameter:
    """The error for arguments that do not fit together; ends with status 2."""
    return typer.BadParameter(why)
