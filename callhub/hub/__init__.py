"""The single-writer loop: events in, one batch at a time decided and committed, and only then answers and news.

Nothing else reads or changes the engine's state, and nobody outside sees what a batch did before it is durable.
"""

from callhub.hub.ids import UuidSource
from callhub.hub.loop import Hub
from callhub.hub.ports import DueRef, Engine
from callhub.hub.stream import Stream, Subscription

__all__ = ["DueRef", "Engine", "Hub", "Stream", "Subscription", "UuidSource"]
