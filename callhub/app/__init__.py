"""The composition root: builds every part from the settings, runs them in one task group, and stops them in order.

Rules of this package:
1. It knows every part; no part knows it.
2. A part that ends unexpectedly ends the process with a status other than 0: half a server would keep silent about
   what it lost, and whatever supervises the process starts it again.
3. The stop has an order: stop accepting, drain, commit, close links, end viewers, stop the web, close the store.
"""

from callhub.app.listeners import listen
from callhub.app.parts import rules_of
from callhub.app.process import serve
from callhub.app.server import Server

__all__ = ["Server", "listen", "rules_of", "serve"]
