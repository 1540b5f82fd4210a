"""callhub: an emergency one-touch call dispatch server.

An elder presses one button; callhub stores the press, asks the nearest people who can come, and keeps asking until
someone has said yes, has arrived, and the case is closed.

The package is layered (see ``docs/architecture.md``): ``domain``, ``dispatch`` and ``protocol`` are pure; everything
that touches a socket, a disk or a clock lies above them, and ``app`` alone knows every part.
"""

__version__ = "0.1.0"
