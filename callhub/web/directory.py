"""The directory: elders, devices, responders and areas, each as a list and by id; and a device on test.

Rules of this file: a caller sees the subtree of their area, and what has no area. Telephone numbers, door codes and
notes are for operators and above.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from callhub.domain.events import TestAsked
from callhub.domain.family import FamilyContact
from callhub.domain.people import Area, Device, Elder, Responder, Role
from callhub.errors import NotFound
from callhub.store.base import Need
from callhub.web.access import Caller
from callhub.web.auth import Reader, Writer
from callhub.web.bodies import OnTest, parse, read_body, request_of
from callhub.web.call_first import call_first, list_frequent
from callhub.web.lists import LIMIT_MAX, Cursor, Limit, as_of, collect
from callhub.web.parts import Parts, With
from callhub.web.problems import Json, problem_of
from callhub.web.views import iso, position

Path = tuple[str, ...]
router = APIRouter()


@router.get("/elders")
async def list_elders(
    parts: With,
    caller: Reader,
    phone: Annotated[str | None, Query(max_length=64)] = None,
    frequent: Annotated[str | None, Query(max_length=8)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Elders in the order of their ids; with ``phone`` those with that number. ``frequent``: those who press often."""

    def view(elder: Elder) -> dict[str, Any]:
        return _elder(parts, elder, caller)

    if frequent is not None:
        return await list_frequent(parts, caller, frequent, view)
    return _page(parts, "elders", lambda e: caller.covers(e.area), view, limit, cursor, phone)


@router.get("/elders/{id}")
async def one_elder(parts: With, caller: Reader, id: str) -> Response:
    """One elder."""
    elder = parts.store.person("elders", id)
    if elder is None or not caller.covers(elder.area):
        raise NotFound("elder", id)
    return Json(_elder(parts, elder, caller))


@router.get("/devices")
async def list_devices(parts: With, caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Devices in the order of their ids."""
    return _page(
        parts,
        "devices",
        lambda d: caller.covers(_area_of(parts, d)),
        lambda d: _device(parts, d, caller),
        limit,
        cursor,
    )


@router.get("/devices/{id}")
async def one_device(parts: With, caller: Reader, id: str) -> Response:
    """One device, with its last sign of life and its health as last reported."""
    return Json(_device(parts, _seen_device(parts, caller, id), caller))


@router.post("/devices/{id}/test")
async def test_device(request: Request, parts: With, caller: Writer, id: str) -> Response:
    """Put a device on test: its alarms that say ``test`` are quiet for so many minutes."""
    _seen_device(parts, caller, id)
    body = await read_body(request, parts.settings.web.body_bytes_max)
    minutes = parse(OnTest, body).minutes
    event = TestAsked(
        id=parts.hub.new_id(),
        actor=caller.actor,
        request=request_of(request, caller, body),
        device=id,
        until=parts.hub.now() + timedelta(minutes=minutes),
    )
    answer = await parts.hub.submit(event)
    if answer.code is not None:
        return problem_of(answer)
    return Json(_device(parts, _seen_device(parts, caller, id), caller))


@router.get("/responders")
async def list_responders(parts: With, caller: Reader, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Responders in the order of their ids."""
    return _page(
        parts, "responders", lambda r: caller.covers(r.area), lambda r: _responder(parts, r, caller), limit, cursor
    )


@router.get("/responders/{id}")
async def one_responder(parts: With, caller: Reader, id: str) -> Response:
    """One responder."""
    responder = parts.store.person("responders", id)
    if responder is None or not caller.covers(responder.area):
        raise NotFound("responder", id)
    return Json(_responder(parts, responder, caller))


@router.get("/areas")
async def list_areas(parts: With, caller: Reader, limit: Limit = LIMIT_MAX, cursor: Cursor = None) -> Response:
    """Areas in the order of their ids."""
    paths = paths_of(parts.store.all_areas())
    return _page(parts, "areas", lambda a: caller.covers(paths[a.id]), lambda a: _area(a, paths[a.id]), limit, cursor)


@router.get("/areas/{id}")
async def one_area(parts: With, caller: Reader, id: str) -> Response:
    """One area, with the path from the district down."""
    areas = parts.store.all_areas()
    paths = paths_of(areas)
    found = next((area for area in areas if area.id == id), None)
    if found is None or not caller.covers(paths[id]):
        raise NotFound("area", id)
    return Json(_area(found, paths[id]))


def _page(
    parts: Parts,
    kind: str,
    wanted: Callable[[Any], bool],
    view: Callable[[Any], dict[str, Any]],
    limit: int,
    cursor: str | None,
    phone: str | None = None,
) -> Response:
    page = collect(lambda count, after: parts.store.people(kind, count, after, phone), wanted, limit, cursor)
    items = [view(record) for record in page.items]
    return Json({"items": items, "next": page.next, "as_of": as_of(parts.store, page.as_of)})


def paths_of(areas: tuple[Area, ...]) -> dict[str, Path]:
    """The path of ids from the top down to each area; a parent that is missing or its own ancestor ends it."""
    by_id = {area.id: area for area in areas}

    def path(area: Area) -> Path:
        found = [area.id]
        while area.parent is not None and area.parent in by_id and area.parent not in found:
            area = by_id[area.parent]
            found.append(area.id)
        return tuple(reversed(found))

    return {area.id: path(area) for area in areas}


def _area_of(parts: Parts, device: Device) -> Path:
    if device.elder is None:
        return ()
    elder = parts.store.lookup(Need(elders=frozenset({device.elder}))).elders.get(device.elder)
    return () if elder is None else elder.area


def _seen_device(parts: Parts, caller: Caller, id: str) -> Device:
    device: Device | None = parts.store.person("devices", id)
    if device is None or not caller.covers(_area_of(parts, device)):
        raise NotFound("device", id)
    return device


def _elder(parts: Parts, elder: Elder, caller: Caller) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": elder.id,
        "name": elder.name,
        "area": list(elder.area),
        "address": elder.address,
        "position": position(elder.position),
        "position_source": elder.position_source,
        "language": elder.language,
        "paired": list(elder.paired),
        "active": elder.active,
        "call_first": call_first(elder, parts.hub.now()),
    }
    if caller.has(Role.OPERATOR):
        view |= {"phone": elder.phone, "card": elder.card, "access": elder.access, "notes": elder.notes}
        view["contacts"] = [_contact(contact) for contact in parts.store.family_of(elder.id)]
    return view


def _contact(contact: FamilyContact) -> dict[str, Any]:
    return {
        "id": contact.id,
        "name": contact.name,
        "relation": contact.relation,
        "phone": contact.phone,
        "channels": list(contact.channels),
        "inform": [news.value for news in contact.inform],
        "responder": contact.responder,
        "language": contact.language,
    }


def _device(parts: Parts, device: Device, caller: Caller) -> dict[str, Any]:
    health = parts.store.device_health(device.id)
    view: dict[str, Any] = {
        "id": device.id,
        "elder": device.elder,
        "gateway": device.gateway,
        "kind": device.kind,
        "heartbeat_s": device.heartbeat_s,
        "mobile": device.mobile,
        "active": device.active,
        "test_until": iso(device.test_until),
        "last_seen_at": iso(parts.store.seen_at("device", device.id)),
        "last_tested_at": health.get("last_tested_at"),
        "battery": health.get("battery"),
        "rssi": health.get("rssi"),
        "faults": list(health.get("faults") or ()),
    }
    if caller.has(Role.OPERATOR):
        view["phone"] = device.phone
    return view


def _responder(parts: Parts, responder: Responder, caller: Caller) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": responder.id,
        "name": responder.name,
        "kind": responder.kind.value,
        "area": list(responder.area),
        "level": responder.level,
        "position": position(responder.position),
        "position_source": responder.position_source,
        "skills": list(responder.skills),
        "capacity": responder.capacity,
        "hours": responder.hours,
        "channels": list(responder.channels),
        "language": responder.language,
        "active": responder.active,
        "on_duty": parts.hub.on_duty(responder.id),
        "last_seen_at": iso(parts.store.seen_at("responder", responder.id)),
        "incidents": [document.incident.id for document in parts.store.engaged(responder.id)],
    }
    if caller.has(Role.OPERATOR):
        view["phone"] = responder.phone
    return view


def _area(area: Area, path: Path) -> dict[str, Any]:
    return {
        "id": area.id,
        "parent": area.parent,
        "level": area.level.value,
        "name": area.name,
        "position": position(area.position),
        "path": list(path),
    }
