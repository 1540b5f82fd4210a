"""What is overdue for its weekly test or its half-yearly drill, and the whole list as evidence.

Rules of this file: a caller sees the subtree of their area. What was never tried out is overdue. A page ends after a
bounded number of reads, and others go on in between, because a district has tens of thousands of devices.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from starlette.responses import Response, StreamingResponse

from callhub.domain.drills import DRILLED_AREA, DRILLED_ELDER
from callhub.domain.people import Area, Device, Elder
from callhub.store.base import Need, Page
from callhub.web.access import Caller
from callhub.web.auth import Reader
from callhub.web.directory import paths_of
from callhub.web.lists import LIMIT_MAX, READS_MAX, Cursor, Limit, as_of
from callhub.web.parts import Parts, With
from callhub.web.problems import Json
from callhub.web.spreadsheet import UTF_8, cell, line
from callhub.web.views import iso

Item = dict[str, Any]

router = APIRouter()


@dataclass(frozen=True, slots=True)
class _Listing:
    """A list of one ``kind`` of the directory: ``view`` shows a record, or gives None when it is not wanted."""

    kind: str
    columns: tuple[str, ...]
    view: Callable[[Any], Item | None]


@router.get("/reports/overdue")
async def overdue(
    parts: With,
    caller: Reader,
    what: Annotated[Literal["tests", "drills"], Query()],
    of: Annotated[Literal["areas", "elders"], Query()] = "areas",
    every: Annotated[bool, Query(alias="all")] = False,
    format_: Annotated[Literal["json", "csv"] | None, Query(alias="format")] = None,
    accept: Annotated[str, Header()] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Devices overdue for a test, or areas (or elders) for a drill; ``all``: also what is in time, as evidence."""
    clerk = _Clerk(parts, caller, every)
    listing = clerk.listing("devices" if what == "tests" else of)
    if format_ == "csv" or (format_ is None and "text/csv" in accept):
        name = f"{what}-{parts.hub.now().astimezone(parts.settings.place.zone):%Y%m%d-%H%M}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return StreamingResponse(_csv(parts, listing), 200, headers, "text/csv; charset=utf-8")
    page = await _collect(parts, listing, min(limit, LIMIT_MAX), cursor)
    return Json({"items": list(page.items), "next": page.next, "as_of": as_of(parts.store, page.as_of)})


async def _collect(parts: Parts, listing: _Listing, limit: int, cursor: str | None) -> Page:
    """A page of at most ``limit`` wanted items in the order of their ids."""
    items: list[Item] = []
    first: int | None = None
    for _ in range(READS_MAX):
        page = parts.store.people(listing.kind, limit - len(items), cursor)
        first = page.as_of if first is None else first
        items += [item for record in page.items if (item := listing.view(record)) is not None]
        cursor = page.next
        if cursor is None or len(items) == limit:
            break
        await asyncio.sleep(0)
    return Page(tuple(items), cursor, first or 0)


async def _csv(parts: Parts, listing: _Listing) -> AsyncIterator[bytes]:
    """The whole list, a piece for each page; with a mark of UTF-8, for spreadsheets."""
    yield UTF_8 + line(listing.columns)
    cursor: str | None = None
    while True:
        page = await _collect(parts, listing, LIMIT_MAX, cursor)
        yield b"".join(line([cell(item.get(column)) for column in listing.columns]) for item in page.items)
        cursor = page.next
        if cursor is None:
            return


class _Clerk:
    """Looks up when a thing was last tried out, for one caller."""

    def __init__(self, parts: Parts, caller: Caller, every: bool) -> None:
        self._store = parts.store
        self._caller = caller
        self._every = every
        self._now = parts.hub.now()
        self._routine = parts.settings.routine
        self._paths = paths_of(parts.store.all_areas())

    def listing(self, kind: str) -> _Listing:
        """What is listed for ``devices``, ``areas`` or ``elders``."""
        return {
            "devices": _Listing(
                kind, ("device", "kind", "elder", "area", "last_tested_at", "due_at", "overdue"), self._device
            ),
            "areas": _Listing(
                kind, ("area", "name", "level", "path", "last_drill_at", "due_at", "overdue"), self._area
            ),
            "elders": _Listing(kind, ("elder", "name", "area", "last_drill_at", "due_at", "overdue"), self._elder),
        }[kind]

    def _device(self, device: Device) -> Item | None:
        elder = None
        if device.elder is not None:
            elder = self._store.lookup(Need(elders=frozenset({device.elder}))).elders.get(device.elder)
        area = elder.area if elder is not None else ()
        if not device.active or not self._caller.covers(area):
            return None
        said = self._store.device_health(device.id).get("last_tested_at")
        at = datetime.fromisoformat(said) if said is not None else None
        about = {
            "device": device.id,
            "kind": device.kind,
            "elder": None if device.elder is None else {"id": device.elder, "name": elder.name if elder else None},
            "area": list(area),
        }
        return self._judged(about, "last_tested_at", at, self._routine.test_days_max)

    def _area(self, area: Area) -> Item | None:
        path = self._paths[area.id]
        if not self._caller.covers(path):
            return None
        about = {"area": area.id, "name": area.name, "level": area.level.value, "path": list(path)}
        at = self._store.seen_at(DRILLED_AREA, area.id)
        return self._judged(about, "last_drill_at", at, self._routine.drill_days_max)

    def _elder(self, elder: Elder) -> Item | None:
        if not elder.active or not self._caller.covers(elder.area):
            return None
        about = {"elder": {"id": elder.id, "name": elder.name}, "name": elder.name, "area": list(elder.area)}
        at = self._store.seen_at(DRILLED_ELDER, elder.id)
        return self._judged(about, "last_drill_at", at, self._routine.drill_days_max)

    def _judged(self, about: Item, name: str, at: datetime | None, days: float) -> Item | None:
        due_at = None if at is None else at + timedelta(days=days)
        overdue = due_at is None or due_at < self._now
        if not overdue and not self._every:
            return None
        return {**about, name: iso(at), "due_at": iso(due_at), "overdue": overdue}
