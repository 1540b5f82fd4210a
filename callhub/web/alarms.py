"""``POST /alarms``: a gateway's message by plain HTTP, with the same receipt as on its link.

Rules of this file: what a link would take is taken here, and what names no ``type`` is an alarm: it was posted to
``/alarms``. A body that cannot be read opens its incident as well, and is answered with the error as a problem
document. A moment without the store is waited for, as on a link.
"""

from __future__ import annotations

import asyncio

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from callhub.domain.messages import Addressee, AddresseeKind
from callhub.errors import HTTP_STATUS, ErrorCode, NotAllowed, StoreUnavailable
from callhub.protocol.session import GatewaySession, Received, Wire, text_of
from callhub.store.base import Need
from callhub.web.access import Caller
from callhub.web.auth import identify
from callhub.web.bodies import read_body
from callhub.web.parts import Parts, With
from callhub.web.problems import Json, problem

AGAIN_S = 0.5
"""Seconds before a store that was away is asked again who posts."""

log = structlog.get_logger()
router = APIRouter()


@router.post("/alarms")
async def post_alarm(request: Request, parts: With) -> Response:
    """One message of a gateway; for an alarm the receipt, once it is durable."""
    body = await read_body(request, parts.settings.links.frame_bytes_max)
    caller = await _sender(request, parts)
    if caller.kind != "gateway":
        raise NotAllowed("alarms are posted with a gateway token")
    session = GatewaySession(caller.id)
    received = session.receive(text_of(body), id=parts.hub.new_id(), assumed="alarm")
    try:
        known = _mark(parts, caller.id, received)
    except StoreUnavailable as away:
        if received.event is None:
            raise
        log.warning("marks_lost", id=caller.id, why=away.message)
        known = set()
    if received.event is not None:
        wire: Wire | None = session.answer(received, await parts.hub.submit(received.event))
    else:
        wire = received.error or session.result(received, known)
    if wire is None:
        return Response(status_code=204)
    if wire["type"] != "error":
        return Json(wire)
    code = ErrorCode(wire["code"])
    return problem(code, HTTP_STATUS[code], str(wire["message"]), {"field": wire.get("field"), "id": wire.get("id")})


async def _sender(request: Request, parts: Parts) -> Caller:
    """Who posts; waits for a store that is away as long as the sender does. The body must have been read."""
    while True:
        try:
            return identify(request, parts)
        except StoreUnavailable as away:
            if await request.is_disconnected():
                raise
            log.warning("alarm_waits", why=away.message)
        await asyncio.sleep(AGAIN_S)


def _mark(parts: Parts, gateway: str, received: Received) -> set[str]:
    """Note the signs of life; which of the devices named are known."""
    hub = parts.hub
    hub.mark_seen("gateway", gateway)
    if received.confirmed is not None:
        hub.confirm(Addressee(AddresseeKind.GATEWAY, gateway), received.confirmed)
    named = frozenset(seen.device for seen in received.devices)
    known = set(parts.store.lookup(Need(devices=named)).devices) if named else set()
    for seen in received.devices:
        if seen.device in known:
            hub.mark_seen("device", seen.device)
            if seen.health:
                hub.mark_device(seen.device, seen.health)
    return known
