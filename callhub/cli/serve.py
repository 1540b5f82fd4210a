"""``callhub serve``: the server."""

from __future__ import annotations

from callhub.cli.options import ConfigFile
from callhub.settings import load_settings


def serve(config: ConfigFile) -> None:
    """Run the server until SIGTERM or Ctrl-C; prints one line when it is ready."""
    settings = load_settings(config)
    from callhub.app import serve as run  # the whole server; other commands start without it

    run(settings)
