"""``callhub demo``: a simulated district against a real server."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    seconds: Annotated[
        float | None, typer.Option(min=1, metavar="N", help="End so many seconds after it is ready.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Another town, other people.")] = 1,
    speed: Annotated[float, typer.Option(min=1, max=1000, metavar="X", help="How much faster than life.")] = 20,
    http_port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="P", help="Else 8700, or a free one. 0: any free one.")
    ] = None,
    link_port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="P", help="Else 8701, or a free one. 0: any free one.")
    ] = None,
) -> None:
    """Run a simulated Hexi district against the real server; prints the console's address and a login."""
    from callhub.demo.run import run  # it needs the whole server

    raise typer.Exit(run(seconds=seconds, seed=seed, speed=speed, http_port=http_port, link_port=link_port))
