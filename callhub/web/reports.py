"""Reports: how calls are answered, told from the journal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from callhub.domain.kpi import Wanted
from callhub.domain.policy import IncidentClass
from callhub.errors import InvalidMessage, NotFound
from callhub.hub.kpi import recount
from callhub.protocol.fields import Instant
from callhub.web.access import Caller
from callhub.web.auth import Reader
from callhub.web.directory import paths_of
from callhub.web.lists import as_of
from callhub.web.parts import Parts, With
from callhub.web.problems import Json
from callhub.web.views import iso

PERIOD_DAYS = 30
"""What a report is about when it does not say from when."""
_CLASSES = tuple(each.value for each in IncidentClass if each is not IncidentClass.DRILL)
_FIRST = datetime.min.replace(tzinfo=UTC)
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)

router = APIRouter()


@router.get("/reports/kpi")
async def kpi(
    parts: With,
    caller: Reader,
    since: Annotated[str | None, Query(alias="from")] = None,
    until: Annotated[str | None, Query(alias="to")] = None,
    area: Annotated[str | None, Query()] = None,
    class_: Annotated[str | None, Query(alias="class")] = None,
    source: Annotated[Literal["journal", "live"], Query()] = "journal",
) -> Response:
    """The figures of the incidents that opened in a period: counted from the journal, or as the live counters say."""
    # The next whole second: the end of a period is not part of it, and what is answered can be asked for again.
    end = _instant("to", until) or parts.hub.now().replace(microsecond=0) + timedelta(seconds=1)
    begin = _instant("from", since) or end - min(timedelta(days=PERIOD_DAYS), end - _FIRST)
    if begin >= end:
        raise InvalidMessage("from", "from must be before to")
    if class_ is not None and class_ not in _CLASSES:
        raise InvalidMessage("class", f"one of {', '.join(_CLASSES)}; drills are in no figure")
    wanted = Wanted(begin, end, _area(parts, caller, area), IncidentClass(class_) if class_ is not None else None)
    live = parts.hub.kpi
    counted = await (live.report(wanted) if source == "live" else recount(parts.store, wanted, live.timezone))
    names = parts.store.names((), (), [row["area"] for row in counted.figures["by_area"] if row["area"] is not None])
    for row in counted.figures["by_area"]:
        row["name"] = names.areas[row["area"]].name if row["area"] in names.areas else None
    about = {
        "source": source,
        "as_of": as_of(parts.store, counted.seq),
        "from": iso(begin),
        "to": iso(end),
        "timezone": str(live.timezone),
        "area": wanted.area,
        "class": class_,
    }
    return Json(about | counted.figures)


def _instant(name: str, text: str | None) -> datetime | None:
    """An instant from a query, where ``+08:00`` arrives as ``" 08:00"`` unless it was escaped."""
    if text is None:
        return None
    try:
        return _INSTANT.validate_python(text.replace(" ", "+"))
    except ValidationError as wrong:
        raise InvalidMessage(name, wrong.errors()[0]["msg"]) from wrong


def _area(parts: Parts, caller: Caller, area: str | None) -> str | None:
    """The node that is asked for, or the caller's own; one outside of what they see is not there for them."""
    if area is None:
        return caller.area
    path = paths_of(parts.store.all_areas()).get(area)
    if path is None or not caller.covers(path):
        raise NotFound("area", area)
    return area
