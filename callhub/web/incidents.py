"""Incidents: list, one, a call by telephone, and what a human does about one.

Rules of this file: reads are of committed documents alone; every write is an event for the hub, and what is answered
is the incident as committed afterwards.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from callhub.domain.events import CallTaken, Event, OfferAnswered, OperatorActed
from callhub.domain.incident import Incident, IncidentState
from callhub.domain.people import Elder, Role
from callhub.domain.policy import EMERGENCY_KINDS, KINDS, SERVICE_KINDS, UNKNOWN
from callhub.errors import InvalidMessage, NotAllowed, NotFound, UnknownOffer
from callhub.store.base import Document, Filter, Need
from callhub.store.records import index_of, is_wanted
from callhub.web.access import Caller, Sight, demand_sight, sight
from callhub.web.auth import Beholder, Writer
from callhub.web.bodies import (
    ACTIONS,
    Call,
    HandOver,
    Identify,
    OfferAnswer,
    if_match_of,
    parse,
    read_body,
    request_of,
)
from callhub.web.family import family
from callhub.web.lists import Cursor, Limit, as_of, collect
from callhub.web.parts import Parts, With
from callhub.web.problems import Json, problem_of
from callhub.web.timeline import ranked_people, single
from callhub.web.views import bare, item, names_for, seen_item

OPEN = "open"
_STATES = frozenset({OPEN, *(state.value for state in IncidentState)})
_LIVE = frozenset({OPEN, "seeking", "assigned", "on_scene", "unanswered", "resolved"})

router = APIRouter()


@router.get("/incidents")
async def list_incidents(
    parts: With,
    caller: Beholder,
    state: Annotated[str | None, Query()] = None,
    class_: Annotated[str | None, Query(alias="class")] = None,
    elder: Annotated[str | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """A page of incidents, newest first."""
    if state is not None and state not in _STATES:
        raise InvalidMessage("state", f"one of {', '.join(sorted(_STATES))}")
    if class_ is not None and class_ not in {each.value for each in KINDS}:
        raise InvalidMessage("class", f"one of {', '.join(each.value for each in KINDS)}")
    if caller.role is None:
        return _called_to(parts, caller, Filter(state=state, elder=elder, class_=class_))
    # Live incidents are few, so they are judged one by one: an owner sees theirs outside the area too.
    area = None if state in _LIVE else caller.area
    wanted = Filter(state=state, area=area, elder=elder, class_=class_, unanswered_too=True)
    page = collect(
        lambda count, after: parts.store.incidents(wanted, count, after),
        # Whose incident it is, is no bare fact: asking for an elder's finds only what is seen whole.
        lambda document: sight(caller, document.incident) > (Sight.NONE if elder is None else Sight.BARE),
        limit,
        cursor,
    )
    names = names_for(parts.store, [document.incident for document in page.items])
    items = [seen_item(document, names, sight(caller, document.incident)) for document in page.items]
    return Json({"items": items, "next": page.next, "as_of": as_of(parts.store, page.as_of)})


def _called_to(parts: Parts, caller: Caller, wanted: Filter) -> Response:
    """The incidents that a whistle grants this department; a few, so that they are one page."""
    _, seq = parts.store.head()
    granted = [
        document
        for document in reversed(parts.store.engaged(caller.id))
        if is_wanted(index_of(document.incident), wanted) and sight(caller, document.incident) is Sight.WHOLE
    ]
    names = names_for(parts.store, [document.incident for document in granted])
    return Json({"items": [item(each, names) for each in granted], "next": None, "as_of": as_of(parts.store, seq)})


@router.get("/incidents/{id}")
async def one_incident(parts: With, caller: Beholder, id: str) -> Response:
    """One incident with its timeline, contacts and decisions."""
    return shown(parts, caller, id)


@router.post("/incidents")
async def take_call(request: Request, parts: With, caller: Writer) -> Response:
    """A call by telephone opens an incident, or joins the open one of the same elder."""
    body = await read_body(request, parts.settings.web.body_bytes_max)
    said = parse(Call, body)
    if not (said.elder or said.phone or said.address):
        raise InvalidMessage("elder", "one of elder, phone and address is needed")
    elder = _elder_of(parts, said)
    text = said.reason
    if said.elder is not None and elder is None:  # a wrong id must not lose a call, nor what was typed
        text = f"{said.elder} {said.reason or ''}".strip()
    event = CallTaken(
        id=parts.hub.new_id(),
        actor=caller.actor,
        request=request_of(request, caller, body),
        source="operator",
        kind=said.kind if said.kind in EMERGENCY_KINDS + SERVICE_KINDS else UNKNOWN,
        elder=elder,
        phone=said.phone,
        address=said.address,
        text=text,
    )
    return await settled(parts, caller, event, event.id, status=201)


@router.post("/incidents/{id}/{action}")
async def act(request: Request, parts: With, caller: Writer, id: str, action: str) -> Response:
    """Do ``action`` on an incident; answers with it as it is then."""
    if action not in ACTIONS:
        raise NotFound("action", action)
    demand_sight(caller, _document(parts, id).incident, action)
    body = await read_body(request, parts.settings.web.body_bytes_max)
    said = parse(ACTIONS[action], body)
    if isinstance(said, HandOver):
        _demand_taker(parts, said.to)
    elder = None
    if isinstance(said, Identify):
        elder = parts.store.lookup(Need(elders=frozenset({said.elder}))).elders.get(said.elder)
        if elder is None:
            raise NotFound("elder", said.elder)
    event = OperatorActed(
        id=parts.hub.new_id(),
        actor=caller.actor,
        request=request_of(request, caller, body),
        incident=id,
        action=action,
        fields=said.model_dump(exclude_none=True),
        if_match=if_match_of(request),
        elder=elder,
    )
    return await settled(parts, caller, event, id)


@router.post("/offers/{id}/answer")
async def answer_offer(request: Request, parts: With, caller: Writer, id: str) -> Response:
    """Answer an offer for somebody who said it otherwise than on their link."""
    incident, _, _ = id.rpartition("-")
    document = parts.store.incident(incident)
    if document is None or sight(caller, document.incident) is not Sight.WHOLE:
        raise UnknownOffer(id)
    responder = _asked(document.incident, id)
    if responder is None:
        raise UnknownOffer(id)
    body = await read_body(request, parts.settings.web.body_bytes_max)
    said = parse(OfferAnswer, body)
    event = OfferAnswered(
        id=parts.hub.new_id(),
        actor=caller.actor,
        request=request_of(request, caller, body),
        offer=id,
        accept=said.answer == "accept",
        reason=said.reason,
        via=said.via,
        responder=responder,
    )
    return await settled(parts, caller, event, incident)


async def settled(parts: Parts, caller: Caller, event: Event, incident: str, status: int = 200) -> Response:
    """Hand the event to the hub; answer with the incident once it is durable, or with the refusal."""
    answer = await parts.hub.submit(event)
    if answer.code is not None:
        return problem_of(answer)
    return shown(parts, caller, answer.incident or incident, status, acted=True)


def shown(parts: Parts, caller: Caller, id: str, status: int = 200, *, acted: bool = False) -> Response:
    """One incident as this caller sees it; whoever acted on it sees at least its bare facts."""
    document = _document(parts, id)
    seen = sight(caller, document.incident)
    if seen is Sight.NONE and not acted:
        raise NotFound("incident", id)
    headers = {"etag": f'"{document.incident.version}"', "location": f"/api/v1/incidents/{id}"}
    if seen is not Sight.WHOLE:
        return Json(bare(document.incident), status, headers)
    rows = parts.store.rows(id)
    names = names_for(parts.store, [document.incident], ranked_people(rows))
    return Json(single(document, names, rows, caller, family(parts.store, document.incident, caller)), status, headers)


def _document(parts: Parts, id: str) -> Document:
    document = parts.store.incident(id)
    if document is None:
        raise NotFound("incident", id)
    return document


def _asked(incident: Incident, offer: str) -> str | None:
    """Whom an offer asks; a whistle is the offer of its department."""
    if offer in incident.whistles:
        return incident.whistles[offer].department
    return incident.offers[offer].responder if offer in incident.offers else None


def _elder_of(parts: Parts, said: Call) -> Elder | None:
    """The elder named by id, else by telephone, else by address."""

    def one(value: str | None) -> frozenset[str]:
        return frozenset({value}) if value else frozenset()

    need = Need(elders=one(said.elder), phones=one(said.phone), addresses=one(said.address))
    found = parts.store.lookup(need)
    return (
        found.elders.get(said.elder or "")
        or found.by_phone.get(said.phone or "")
        or found.by_address.get(said.address or "")
    )


def _demand_taker(parts: Parts, to: str) -> None:
    """Let an incident be handed to somebody who can act on it only.

    Raises:
        NotFound: No such user.
        NotAllowed: A viewer.
    """
    user = parts.store.user(to)
    if user is None:
        raise NotFound("user", to)
    if Role(user.role).rank < Role.OPERATOR.rank:
        raise NotAllowed(f"{to} is not an operator")
