"""What the routes need, handed to each through the application's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request

from callhub.hub import Hub
from callhub.metrics import Metrics
from callhub.settings import Settings
from callhub.store.base import Store
from callhub.web.tickets import Tickets
from callhub.web.viewers import Viewers


class Auditor(Protocol):
    """The check that no deadline was missed, as readiness sees it."""

    @property
    def ok(self) -> bool:
        """Whether the last check found every open incident with a deadline ahead."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts behind the routes. ``links_ready`` says whether the listener for devices and apps accepts."""

    hub: Hub
    store: Store
    viewers: Viewers
    metrics: Metrics
    tickets: Tickets
    settings: Settings
    auditor: Auditor
    links_ready: Callable[[], bool]


async def parts_of(request: Request) -> Parts:
    """The parts of the application that serves this request."""
    parts: Parts = request.app.state.parts
    return parts


With = Annotated[Parts, Depends(parts_of)]
