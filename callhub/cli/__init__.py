"""The command line. ``main`` runs one command and ends the process with its status.

Rules of this package: one module for each command. What went wrong is one message on standard error that names the
field, row or key and what to do; status 2 for what the caller can mend, 1 for failures; never a traceback. Results for
other programs (a token, a password) stand alone on standard output, everything for people beside them on standard
error.
"""

from callhub.cli.commands import main

__all__ = ["main"]
