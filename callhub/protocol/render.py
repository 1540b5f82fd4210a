"""Messages as clients read them: machine data from the outbox, with the names joined.

Rules of this file: an offer shows no full address, telephone or door code; an assignment does. What the store does not
know any more is null or empty, never an error: a message must go out. Times are RFC 3339 in UTC with ``Z``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any, Protocol

from callhub.domain.family import FamilyContact
from callhub.domain.messages import MessageType, Stored
from callhub.domain.people import Area, Elder, Responder
from callhub.domain.policy import Level
from callhub.texts import text

Wire = dict[str, Any]
_PLACE_LEVELS = (Level.COMMUNITY, Level.GRID)
_COMING = ("assigned", "en_route")
_OTHER_MANNERS = frozenset({("seeking", "call_back"), ("seeking", "service"), ("unanswered", "service")})
"""States of which an elder is told otherwise when the incident waits for a call back, or is a service."""
"""States in which somebody is expected, with minutes when they are known."""


class NamesLike(Protocol):
    """Records by id; ids that are unknown (any more) are absent."""

    @property
    def elders(self) -> Mapping[str, Elder]:
        """Elders by id."""

    @property
    def responders(self) -> Mapping[str, Responder]:
        """Responders by id."""

    @property
    def areas(self) -> Mapping[str, Area]:
        """Areas by id."""

    @property
    def contacts(self) -> Mapping[str, FamilyContact]:
        """Contacts of elders by id."""


def wire_time(at: datetime) -> str:
    """An aware instant as RFC 3339 in UTC: ``2026-11-24T05:00:00.250Z``, milliseconds only when there are any."""
    moment = at.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds") + "Z"


def stored_time(value: datetime | str | None) -> str | None:
    """A time from a body: an instant before it was stored, its text afterwards."""
    if value is None:
        return None
    return wire_time(datetime.fromisoformat(value) if isinstance(value, str) else value)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return wire_time(value)
    raise TypeError(f"{type(value).__name__} has no form on the wire")


def encode(wire: Wire) -> str:
    """One compact JSON text frame."""
    return json.dumps(wire, ensure_ascii=False, separators=(",", ":"), default=_plain)


def wanted_names(body: Mapping[str, Any]) -> tuple[set[str], set[str], set[str], set[str]]:
    """The ids of elders, responders, areas and contacts whose records ``render`` needs for this body."""
    fetch = body.get("fetch") or {}
    elders = {body["elder"]} if body.get("elder") else set()
    responders = {id for id in (body.get("responder"), fetch.get("responder")) if id}
    return elders, responders, set(body.get("area") or ()), {fetch["contact"]} if fetch else set()


def render(stored: Stored, names: NamesLike, language: str) -> Wire:
    """The wire message of an outbox row. ``language`` is used for ``say`` when the elder's is not known."""
    message = stored.message
    fields = _FIELDS[message.type](message.body, names, language)
    return {"type": message.type.value, "seq": stored.seq, **fields, **_extras(message.body, names)}


def welcome_item(type: MessageType, body: Mapping[str, Any], names: NamesLike, language: str) -> Wire:
    """An offer or assignment as ``welcome`` holds it: the message without a ``seq``."""
    return {"type": type.value, **_FIELDS[type](body, names, language), **_extras(body, names)}


def _extras(body: Mapping[str, Any], names: NamesLike) -> Wire:
    """What a message carries only when its body does: ``drill``, ``need``, ``role`` with ``fetch``, and ``whistle``."""
    extras: Wire = {"drill": True} if body.get("drill") else {}
    extras |= {name: body[name] for name in ("need", "role") if body.get(name)}
    if "fetch" in body:
        extras["fetch"] = _holder(body["fetch"], names)
    whistle = body.get("whistle")
    if whistle:
        clocks = {name: stored_time(whistle.get(name)) for name in ("report_in_by", "finish_by")}
        extras["whistle"] = {"id": whistle.get("id"), **clocks, "text": whistle.get("text")}
    return extras


def _holder(fetch: Mapping[str, Any] | None, names: NamesLike) -> Wire | None:
    """Whom the key is fetched from: by the contact's own telephone, else by that of the responder they are."""
    if fetch is None:
        return None
    contact = names.contacts.get(fetch.get("contact") or "")
    record = names.responders.get(fetch.get("responder") or "")
    place = record.position if record else None
    return {
        "name": contact.name if contact else record.name if record else None,
        "phone": (contact.phone if contact else "") or (record.phone if record else ""),
        "position": {"lat": place.lat, "lon": place.lon} if place else None,
    }


def gateway_welcome(gateway: str, seq: int, time: datetime, fallback_phone: str) -> Wire:
    """The first message on a gateway's link. ``seq`` is the last one given out; the unconfirmed follow."""
    return {
        "type": "welcome",
        "gateway": gateway,
        "seq": seq,
        "time": wire_time(time),
        "fallback_phone": fallback_phone,
    }


def responder_welcome(
    responder: str, seq: int, time: datetime, on_duty: bool, offers: list[Wire], assignments: list[Wire]
) -> Wire:
    """The first message on a responder's link: the whole truth for this person."""
    return {
        "type": "welcome",
        "responder": responder,
        "seq": seq,
        "time": wire_time(time),
        "on_duty": on_duty,
        "offers": offers,
        "assignments": assignments,
    }


def _offer(body: Mapping[str, Any], names: NamesLike, _language: str) -> Wire:
    elder = names.elders.get(body.get("elder") or "")
    wire = _picked(body, "offer", "incident", "kind", "urgency")
    wire["elder"] = {"name": elder.name} if elder else None
    wire["place"] = _place(body.get("area") or (), names)
    wire["distance_m"] = body.get("distance_m")
    if "whistle" not in body:
        wire["eta_s"] = body.get("eta_s")
    wire["respond_by"] = stored_time(body.get("respond_by"))
    wire["reminder"] = bool(body.get("reminder"))
    return wire


def _place(path: list[str] | tuple[str, ...], names: NamesLike) -> str:
    """The names of community and grid; of an area higher up only if there is nothing nearer."""
    areas = [names.areas[id_] for id_ in path if id_ in names.areas]
    near = [area.name for area in areas if area.level in _PLACE_LEVELS]
    return " ".join(near) or (areas[-1].name if areas else "")


def _stand_down(body: Mapping[str, Any], _names: NamesLike, _language: str) -> Wire:
    return _picked(body, "offer", "incident", "reason")


def _assignment(body: Mapping[str, Any], names: NamesLike, _language: str) -> Wire:
    wire = _picked(body, "incident", "state", "version", "go_to")
    elder = names.elders.get(body.get("elder") or "")
    wire["elder"] = elder and {
        "name": elder.name,
        "phone": elder.phone,
        "access": elder.access,
        "notes": elder.notes,
        "language": elder.language,
    }
    wire["arrive_by"] = stored_time(body.get("arrive_by"))
    wire["late"] = bool(body.get("late"))
    return wire


def _update(body: Mapping[str, Any], names: NamesLike, _language: str) -> Wire:
    wire = _picked(body, "incident", "what", "version", "kind", "text")
    return {**wire, "responder": _who(body, names)} if "responder" in body else wire


def _who(body: Mapping[str, Any], names: NamesLike) -> Wire | None:
    """Somebody who comes, by name and kind; None while nobody does."""
    responder = names.responders.get(body.get("responder") or "")
    return {"name": responder.name, "kind": responder.kind.value} if responder else None


def _family(body: Mapping[str, Any], names: NamesLike, _language: str) -> Wire:
    elder = names.elders.get(body.get("elder") or "")
    wire = _picked(body, "incident", "what", "kind", "state")
    wire["at"] = stored_time(body.get("at"))
    wire["elder"] = {"name": elder.name} if elder else None
    wire["responder"] = _who(body, names)
    wire["eta_s"] = body.get("eta_s")
    return wire


def _progress(body: Mapping[str, Any], names: NamesLike, language: str) -> Wire:
    elder = names.elders.get(body.get("elder") or "")
    responder = names.responders.get(body.get("responder") or "")
    wire = _picked(body, "incident", "alarms", "state")
    wire["responder"] = _who(body, names)
    wire["eta_s"] = body.get("eta_s")
    wire["say"] = _say(body, responder, elder.language if elder else language)
    return wire


def _say(body: Mapping[str, Any], responder: Responder | None, language: str) -> str:
    """One sentence for the elder, spoken or shown by the button's station."""
    name = responder.name if responder else text(language, "say.somebody")
    state, eta_s = body.get("state"), body.get("eta_s")
    if (state, body.get("manner")) in _OTHER_MANNERS:
        return text(language, f"say.{state}_{body['manner']}")
    if state not in _COMING:
        return text(language, f"say.{state}", name=name)
    if eta_s is None:
        return text(language, f"say.{state}_no_eta", name=name)
    return text(language, f"say.{state}", name=name, minutes=max(1, ceil(eta_s / 60)))


def _picked(body: Mapping[str, Any], *names: str) -> Wire:
    return {name: body.get(name) for name in names}


_FIELDS: dict[MessageType, Callable[[Mapping[str, Any], NamesLike, str], Wire]] = {
    MessageType.OFFER: _offer,
    MessageType.STAND_DOWN: _stand_down,
    MessageType.ASSIGNMENT: _assignment,
    MessageType.UPDATE: _update,
    MessageType.PROGRESS: _progress,
    MessageType.FAMILY: _family,
}
