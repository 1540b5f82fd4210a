"""Roll-calls: asking for one, how far each has got, and which homes were seen to, as evidence.

Rules of this file: a supervisor or above asks, for homes of their subtree alone; nobody sees a home outside their own,
also where the roll-call is of everywhere. Reads are of what is committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, Header, Query, Request
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from callhub.domain import facts as f
from callhub.domain.events import RollCallAsked
from callhub.domain.people import Role
from callhub.domain.policy import IncidentClass
from callhub.domain.roll_call import ROLL_CALL, Cause, Gap, RollCall
from callhub.errors import InvalidMessage, NotAllowed, NotFound
from callhub.store.base import Filter
from callhub.web.access import Sight, sight
from callhub.web.auth import Reader, Writer
from callhub.web.bodies import Id, parse, read_body, request_of
from callhub.web.directory import paths_of
from callhub.web.incidents import shown
from callhub.web.lists import LIMIT_MAX, Cursor, Limit, as_of, collect
from callhub.web.parts import With
from callhub.web.problems import Json, problem_of
from callhub.web.spreadsheet import UTF_8, cell, line
from callhub.web.views import iso, item, names_for

if TYPE_CHECKING:
    from callhub.store.base import Document
    from callhub.web.access import Caller
    from callhub.web.parts import Parts

_Line: TypeAlias = tuple[Any, ...]
"""What is said of a home; its id comes first."""
COLUMNS = ("home", "state", "outcome", "check", "began_at", "checked_at")

router = APIRouter()


class AskRollCall(BaseModel):
    """``POST /roll-calls``: where (neither: wherever the caller may look), the gap, and why."""

    area: Id | None = None
    gateway: Id | None = None
    since: Annotated[AwareDatetime, Field(alias="from")]
    until: AwareDatetime
    reason: Annotated[str, Field(min_length=1, max_length=4000)]


@router.post("/roll-calls")
async def ask_roll_call(request: Request, parts: With, caller: Writer) -> Response:
    """Have the homes of a gap checked: 201 with the incident, 200 where the open roll-call of that place goes on."""
    if not caller.has(Role.SUPERVISOR):
        raise NotAllowed("this needs the role supervisor")
    body = await read_body(request, parts.settings.web.body_bytes_max)
    said = parse(AskRollCall, body)
    if not said.reason.strip():
        raise InvalidMessage("reason", "why the homes are to be checked")
    area = _area_of(parts, caller, said)
    event = RollCallAsked(
        id=parts.hub.new_id(),
        actor=caller.actor,
        request=request_of(request, caller, body),
        cause=Cause.ASKED,
        gap=Gap(said.since, said.until, said.gateway, area[-1] if area else None),
        area=area,
        reason=said.reason,
    )
    answer = await parts.hub.submit(event)
    if answer.code is not None:
        return problem_of(answer)
    id = answer.incident or event.id
    return shown(parts, caller, id, 201 if id == event.id or answer.repeat else 200, acted=True)


def _area_of(parts: Parts, caller: Caller, said: AskRollCall) -> tuple[str, ...]:
    """The path of the area that is asked for; empty for a gateway, and for everywhere."""
    if said.gateway is not None:
        if said.area is not None:
            raise InvalidMessage("gateway", "an area or a gateway, not both")
        if caller.area is not None:
            raise NotAllowed("the homes behind a gateway may lie outside your area: name an area")
        known = parts.store.tokens_of("gateway", said.gateway) or parts.store.seen_at("gateway", said.gateway)
        if not known:
            raise InvalidMessage("gateway", "no such gateway")
        return ()
    wanted = said.area or caller.area
    if wanted is None:
        return ()
    path = paths_of(parts.store.all_areas()).get(wanted)
    if path is None or not caller.covers(path):
        raise InvalidMessage("area", "no such area")
    return path


@router.get("/roll-calls")
async def list_roll_calls(
    parts: With,
    caller: Reader,
    state: Annotated[Literal["open"] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Roll-calls, newest first."""
    wanted = Filter(state=state, class_=IncidentClass.TECHNICAL.value, elderless=True)
    page = collect(
        lambda count, after: parts.store.incidents(wanted, count, after),
        lambda document: document.incident.kind == ROLL_CALL and sight(caller, document.incident) is Sight.WHOLE,
        limit,
        cursor,
    )
    names = names_for(parts.store, [document.incident for document in page.items])
    items = [item(document, names) for document in page.items]
    return Json({"items": items, "next": page.next, "as_of": as_of(parts.store, page.as_of)})


@router.get("/roll-calls/{id}")
async def one_roll_call(
    parts: With,
    caller: Reader,
    id: str,
    format_: Annotated[Literal["json", "csv"] | None, Query(alias="format")] = None,
    accept: Annotated[str, Header()] = "",
    limit: Limit = LIMIT_MAX,
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """One roll-call with the homes not yet checked, those being checked first; as CSV every home, as evidence.

    The CSV reads the rows of the roll-call, about 15 us each, two for a home.
    """
    document = parts.store.incident(id)
    call = document.incident.roll_call if document is not None else None
    if document is None or call is None or sight(caller, document.incident) is not Sight.WHOLE:
        raise NotFound("roll_call", id)
    if format_ == "csv" or (format_ is None and "text/csv" in accept):
        homes = _seen_by(parts, caller, list(_homes(call, parts.store.rows(id))))
        table = (COLUMNS, *([cell(value) for value in home] for home in homes))
        name = f"roll-call-{document.incident.number}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Response(UTF_8 + b"".join(map(line, table)), 200, headers, "text/csv; charset=utf-8")
    return Json(_single(parts, caller, document, call, min(limit, LIMIT_MAX), after))


def _seen_by(parts: Parts, caller: Caller, homes: Sequence[_Line]) -> Sequence[_Line]:
    """Of lines that begin with a home those in the caller's subtree; about 8 us each, for who sees everything none."""
    if caller.area is None:
        return homes
    known = parts.store.names({home for home, *_ in homes}, (), ()).elders
    return [one for one in homes if one[0] in known and caller.covers(known[one[0]].area)]


def _single(parts: Parts, caller: Caller, document: Document, call: RollCall, limit: int, after: int) -> dict[str, Any]:
    left = _seen_by(parts, caller, [*call.open, *((home, None) for home in call.waiting)])
    page = left[after : after + limit]
    elders = parts.store.names([home for home, _ in page], (), ()).elders
    return {
        **item(document, names_for(parts.store, [document.incident])),
        "unreached": [
            {"home": home, "name": elders[home].name if home in elders else None, "check": check}
            for home, check in page
        ],
        "next": after + limit if after + limit < len(left) else None,
    }


def _homes(call: RollCall, rows: Iterable[tuple[int, f.Row]]) -> Iterator[_Line]:
    """Each home that was seen to in that order, then those that were not."""
    began: dict[str, datetime] = {}
    for _, row in rows:
        for fact in row.facts:
            match fact:
                case f.HomesListed():
                    for home in fact.pressed:
                        yield home, "checked", "pressed", None, None, iso(row.at)
                case f.HomeCheckBegan():
                    began[fact.home] = row.at
                case f.HomeChecked():
                    begun_at = began.pop(fact.home, None) if fact.check is not None else None
                    yield fact.home, "checked", fact.outcome, fact.check, iso(begun_at), iso(row.at)
                case _:
                    pass
    for home, check in call.open:
        yield home, "open", None, check, iso(began.get(home)), None
    for home in call.waiting:
        yield home, "waiting", None, None, None, None
