"""Drills: an emergency is practised at somebody's home."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from callhub.domain.events import DrillAsked
from callhub.domain.people import Elder
from callhub.errors import InvalidMessage, NotFound
from callhub.web.auth import Writer
from callhub.web.bodies import Drill, parse, read_body, request_of
from callhub.web.incidents import settled
from callhub.web.parts import With

router = APIRouter()


@router.post("/drills")
async def begin_drill(request: Request, parts: With, caller: Writer) -> Response:
    """Begin a drill on the ladder of the real emergency; the elder lies in the caller's area."""
    body = await read_body(request, parts.settings.web.body_bytes_max)
    said = parse(Drill, body)
    if not said.reason.strip():
        raise InvalidMessage("reason", "why it is practised")
    elder: Elder | None = parts.store.person("elders", said.elder)
    if elder is None or not caller.covers(elder.area):
        raise NotFound("elder", said.elder)
    event = DrillAsked(
        id=parts.hub.new_id(),
        actor=caller.actor,
        request=request_of(request, caller, body),
        elder=elder,
        kind=said.kind,
        reason=said.reason,
    )
    return await settled(parts, caller, event, event.id, status=201)
