"""``callhub serve``: the server."""

from __future__ import annotations

from callhub.cli.change import read_installed
from callhub.cli.options import ConfigFile


def serve(config: ConfigFile) -> None:
    """Run the server until SIGTERM or Ctrl-C; prints one line when it is ready."""
    settings = read_installed(config)
    from callhub.app import serve as run  # the whole server; other commands start without it

    run(settings)
