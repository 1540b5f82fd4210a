"""The web application: every route, every error as a problem document, safe headers on every answer."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callhub import __version__
from callhub.errors import CallhubError
from callhub.hub import Hub
from callhub.metrics import Metrics
from callhub.settings import Settings
from callhub.store.base import Store
from callhub.web import (
    alarms,
    auth,
    call_first,
    directory,
    drills,
    health,
    incidents,
    overdue,
    pages,
    reports,
    roll_calls,
    stream,
)
from callhub.web.bodies import first_fault
from callhub.web.parts import Auditor, Parts
from callhub.web.problems import on_callhub_error, on_fault, on_http_error
from callhub.web.tickets import Tickets
from callhub.web.viewers import Viewers

BASE = "/api/v1"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


def create_app(
    hub: Hub,
    store: Store,
    viewers: Viewers,
    metrics: Metrics,
    auditor: Auditor,
    settings: Settings,
    tickets: Tickets,
    links_ready: Callable[[], bool],
) -> FastAPI:
    """The application; it runs nothing by itself.

    Args:
        hub: Takes every write.
        store: Gives every read.
        viewers: The open streams; whoever calls this runs ``viewers.run()`` and calls ``viewers.stop()`` before the
            web server is stopped, or its streams hold it up.
        metrics: Shown at ``/metrics``.
        auditor: Its ``ok`` is part of ``/readyz``.
        settings: ``web``: session length, largest body, cookies; ``links``: largest frame.
        tickets: Given out here, taken back by the links.
        links_ready: Whether the listener for gateways and apps accepts.
    """
    app = FastAPI(
        title="callhub",
        version=__version__,
        openapi_url=f"{BASE}/openapi.json",
        docs_url=None,  # those pages load code from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = Parts(hub, store, viewers, metrics, tickets, settings, auditor, links_ready)
    app.state.passwords = auth.Passwords(hub)
    for routes in (auth, incidents, directory, call_first, drills, overdue, alarms, reports, roll_calls, stream):
        app.include_router(routes.router, prefix=BASE)
    for routes in (health, pages):
        app.include_router(routes.router)
    app.add_exception_handler(CallhubError, on_callhub_error)
    app.add_exception_handler(RequestValidationError, _on_wrong_query)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(Exception, on_fault)
    app.add_middleware(SafeHeaders)
    return app


async def _on_wrong_query(request: Request, error: Exception) -> Response:
    """A wrong query key or header, with its name."""
    assert isinstance(error, RequestValidationError)
    fault = error.errors()[0]
    return await on_callhub_error(request, first_fault(tuple(fault["loc"][1:]), str(fault["msg"])))


class SafeHeaders:
    """Adds the headers that keep a browser from guessing types, framing the page or telling others where it was."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely if scope["type"] == "http" else send)
