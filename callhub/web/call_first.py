"""Call-first for one elder, and who presses so often that it may be wanted.

Rules of this file: a supervisor or above sets and ends it, for an elder of their subtree, with a reason and an end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from callhub.domain.call_back import CALL_FIRST_S_MAX, PRESSES
from callhub.domain.events import CallFirstAsked
from callhub.domain.people import Elder, Role
from callhub.domain.policy import IncidentClass
from callhub.errors import InvalidMessage, NotAllowed, NotFound
from callhub.store.base import Filter
from callhub.web.access import Caller
from callhub.web.auth import Writer
from callhub.web.bodies import Text, parse, read_body, request_of
from callhub.web.lists import LIMIT_MAX, as_of
from callhub.web.parts import Parts, With
from callhub.web.problems import Json, problem_of
from callhub.web.views import iso

FREQUENT_PRESSES = 3
"""So many presses within the time asked for make somebody a frequent presser."""
DAYS_MAX = 366
LONGEST_OPEN = timedelta(days=1)
"""How long before the time asked for an incident may have opened and still be looked at for presses that joined it."""

router = APIRouter()


class SetCallFirst(BaseModel):
    """``POST /elders/{id}/call-first``: seconds of the call-back (0 ends it), until when, and why."""

    seconds: Annotated[int, Field(ge=0, le=CALL_FIRST_S_MAX, strict=True)]
    until: AwareDatetime | None = None
    reason: Text | None = None


class EndCallFirst(BaseModel):
    """``DELETE /elders/{id}/call-first``: it has a body only when somebody says why."""

    reason: Text | None = None


@router.post("/elders/{id}/call-first")
async def set_call_first(request: Request, parts: With, caller: Writer, id: str) -> Response:
    """The presses of this elder are called back first, for so long."""
    _demand(parts, caller, id)
    body = await read_body(request, parts.settings.web.body_bytes_max)
    said = parse(SetCallFirst, body)
    if said.seconds and not (said.reason or "").strip():
        raise InvalidMessage("reason", "why presses of this elder are held back")
    return await _ask(request, parts, caller, body, id, said)


@router.delete("/elders/{id}/call-first")
async def end_call_first(request: Request, parts: With, caller: Writer, id: str) -> Response:
    """Presses of this elder go at once again."""
    _demand(parts, caller, id)
    body = await read_body(request, parts.settings.web.body_bytes_max)
    reason = parse(EndCallFirst, body).reason
    return await _ask(request, parts, caller, body, id, SetCallFirst(seconds=0, reason=reason))


def _demand(parts: Parts, caller: Caller, id: str) -> None:
    if not caller.has(Role.SUPERVISOR):
        raise NotAllowed("this needs the role supervisor")
    elder = parts.store.person("elders", id)
    if elder is None or not caller.covers(elder.area):
        raise NotFound("elder", id)


async def _ask(request: Request, parts: Parts, caller: Caller, body: bytes, id: str, said: SetCallFirst) -> Response:
    event = CallFirstAsked(
        id=parts.hub.new_id(),
        actor=caller.actor,
        request=request_of(request, caller, body),
        elder=id,
        seconds=said.seconds,
        until=said.until,
        reason=said.reason,
    )
    answer = await parts.hub.submit(event)
    if answer.code is not None:
        return problem_of(answer)
    return Json({"id": id, "call_first": call_first(parts.store.person("elders", id), parts.hub.now())})


def call_first(elder: Elder | None, now: datetime) -> dict[str, Any] | None:
    """What is in force for an elder, or None."""
    kept = elder.call_first if elder is not None else None
    return None if kept is None or kept.until <= now else {"seconds": kept.seconds, "until": iso(kept.until)}


@dataclass(slots=True)
class _Count:
    presses: int = 0
    incidents: int = 0
    last_at: datetime | None = None


async def list_frequent(parts: Parts, caller: Caller, days: str, view: Callable[[Elder], dict[str, Any]]) -> Response:
    """Elders with ``FREQUENT_PRESSES`` presses or more in so many days (``30d``), most first, at most ``LIMIT_MAX``.

    Reads the incidents of that time page by page, about 20 ms each, and lets others go on in between.

    Raises:
        InvalidMessage: ``days`` is no number of days.
    """
    number = days.removesuffix("d")
    if number == days or not number.isascii() or not number.isdecimal() or not 1 <= int(number[:4]) <= DAYS_MAX:
        raise InvalidMessage("frequent", f"a number of days, 1d to {DAYS_MAX}d")
    _, seq = parts.store.head()
    counts = await _count(parts, caller, parts.hub.now() - timedelta(days=int(number)))
    often = [(id, count) for id, count in counts.items() if count.presses >= FREQUENT_PRESSES]
    often.sort(key=lambda found: (-found[1].presses, found[0]))
    items = []
    for id, count in often:
        elder = parts.store.person("elders", id)
        if elder is not None and caller.covers(elder.area):
            numbers = {"presses": count.presses, "incidents": count.incidents, "last_press_at": iso(count.last_at)}
            items.append({**view(elder), **numbers})
    return Json({"items": items[:LIMIT_MAX], "next": None, "as_of": as_of(parts.store, seq)})


async def _count(parts: Parts, caller: Caller, since: datetime) -> dict[str, _Count]:
    counts: dict[str, _Count] = {}
    wanted = Filter(area=caller.area, class_=IncidentClass.EMERGENCY.value)
    cursor: str | None = None
    while True:
        page = parts.store.incidents(wanted, LIMIT_MAX, cursor)
        for document in page.items:
            incident = document.incident
            pressed = [
                alarm.received_at
                for alarm in incident.alarms
                if alarm.device is not None and alarm.kind in PRESSES and alarm.received_at >= since
            ]
            if incident.elder is not None and pressed:
                count = counts.setdefault(incident.elder, _Count())
                count.presses += len(pressed)
                count.incidents += 1
                count.last_at = max(count.last_at or pressed[-1], pressed[-1])
        cursor = page.next
        if cursor is None or page.items[-1].incident.opened_at < since - LONGEST_OPEN:
            return counts
        await asyncio.sleep(0)
