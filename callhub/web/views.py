"""An incident as REST and the stream show it: the committed document, joined with names.

Rules of this file: exactly the fields of the contract, plus what a console needs (``ringing``, names, ``desk_call``).
Times are RFC 3339 in UTC. An id without a record keeps its id and has no name.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from callhub.dispatch.messages import go_to
from callhub.domain.incident import AssignmentState, Incident, OwnerKind
from callhub.protocol.render import wire_time
from callhub.web.access import Sight

if TYPE_CHECKING:
    from callhub.domain.incident import AlarmRef, Assignment, Offer, Owner, Places
    from callhub.domain.people import Position
    from callhub.domain.roles import Part
    from callhub.domain.whistle import Whistle
    from callhub.store.base import Document, Names, Store

_FLAGS = ("says_test", "cancel_requested", "device_says_arrived", "drill")


def iso(at: datetime | None) -> str | None:
    """An instant as on the links, ``2026-11-24T05:00:00Z``; None stays None."""
    return None if at is None else wire_time(at)


def names_for(store: Store, incidents: Iterable[Incident], more: Iterable[str] = ()) -> Names:
    """The records behind every id in these incidents, and of ``more`` responders, in one read."""
    elders: set[str] = set()
    responders: set[str] = set(more)
    areas: set[str] = set()
    contacts: set[str] = set()
    for incident in incidents:
        elders |= {incident.elder} if incident.elder else set()
        areas |= set(incident.area)
        responders |= {offer.responder for offer in incident.offers.values()}
        responders |= {assignment.responder for assignment in incident.assignments.values()}
        responders |= {whistle.department for whistle in incident.whistles.values()}
        if incident.owner is not None and incident.owner.kind is OwnerKind.DESK:
            responders.add(incident.owner.id)
        contacts |= {part.fetch for part in incident.roles.values() if part.fetch is not None}
    return store.names(elders, responders, areas, contacts)


def bare(incident: Incident) -> dict[str, Any]:
    """The facts that every user may see of an unanswered incident, and whether it rings."""
    return {
        "id": incident.id,
        "number": incident.number,
        "kind": incident.kind,
        "state": incident.state.value,
        "opened_at": iso(incident.opened_at),
        "ringing": incident.rings,
        "bare": True,
    }


def seen_item(document: Document, names: Names, seen: Sight) -> dict[str, Any]:
    """The list item for a caller with this sight, which is not NONE."""
    return item(document, names) if seen is Sight.WHOLE else bare(document.incident)


def item(document: Document, names: Names) -> dict[str, Any]:
    """The list item: everything but timeline, contacts and decisions."""
    incident, places = document.incident, document.places
    deadline = incident.next_deadline
    return {
        "id": incident.id,
        "number": incident.number,
        "version": incident.version,
        "class": incident.class_.value,
        "kind": incident.kind,
        "urgency": incident.urgency,
        "source": incident.source.value,
        "state": incident.state.value,
        "seeking": incident.ladder_runs,
        "ringing": incident.rings,
        "reason": incident.reason,
        "opened_at": iso(incident.opened_at),
        "answered_at": iso(incident.answered_at),
        "ended_at": iso(incident.ended_at),
        "outcome": incident.outcome,
        "policy": incident.policy,
        "needed": incident.needed,
        "step": incident.step,
        "gateway": incident.gateway,
        "device": incident.device,
        "device_known": incident.device_known,
        "elder": _elder(incident, names),
        "area": list(incident.area),
        "place": [names.areas[id].name for id in incident.area if id in names.areas],
        "go_to": go_to(places),
        "moved_to": _moved_to(places),
        "fix": _fix(places),
        "flags": [flag for flag in _FLAGS if getattr(incident, flag)],
        "unwatched": incident.unwatched,
        "owner": _owner(incident.owner, names),
        "next_deadline": None if deadline is None else {"at": iso(deadline.at), "why": deadline.why},
        "desk_call": None if incident.desk_call is None else incident.desk_call.reason,
        "call_back": _call_back(incident),
        "offers": [_offer(incident, offer, names) for offer in incident.offers.values()],
        "assignments": [_assignment(incident, assignment, names) for assignment in incident.assignments.values()],
        "alarms": [_alarm(alarm) for alarm in incident.alarms],
        "alarms_more": incident.alarms_more,
        "services": dict(incident.services),
        "whistles": [_whistle(whistle, names, places) for whistle in incident.whistles.values()],
        "follows": incident.follows,
        "part_of": incident.part_of,
        "roll_call": _roll_call(incident),
        "joined_version": incident.joined_version,
    }


def position(place: Position | None) -> dict[str, float] | None:
    """WGS 84 degrees, or None."""
    return None if place is None else {"lat": place.lat, "lon": place.lon}


def _elder(incident: Incident, names: Names) -> dict[str, Any] | None:
    if incident.elder is None:
        return None
    record = names.elders.get(incident.elder)
    return {"id": incident.elder, "name": None if record is None else record.name}


def _call_back(incident: Incident) -> dict[str, Any] | None:
    call = incident.call_back
    if call is None:
        return None
    return {"state": "held" if call.held else "running", "until": iso(call.until), "call_first": call.call_first}


def _roll_call(incident: Incident) -> dict[str, Any] | None:
    """How far a roll-call has got, in numbers alone: its homes may be thousands."""
    call = incident.roll_call
    if call is None:
        return None
    return {
        "cause": call.cause.value,
        "from": iso(call.gap.since),
        "until": iso(call.gap.until),
        "gateway": call.gap.gateway,
        "area": call.gap.area,
        "listed": call.listed,
        "homes": call.homes,
        "checked": call.checked,
        "open": len(call.open),
        "waiting": len(call.waiting),
    }


def _moved_to(places: Places) -> dict[str, Any] | None:
    """The home at opening when an import has moved it since: both are shown."""
    if places.new_home is None and not places.new_address:
        return None
    return {"was": {"address": places.address or None, "position": position(places.home)}}


def _fix(places: Places) -> dict[str, Any] | None:
    if places.fix is None:
        return None
    return {
        "position": position(places.fix),
        "accuracy_m": places.fix.accuracy_m,
        "at": iso(places.fix_at),
        "used": places.fix_wins,
    }


def _owner(owner: Owner | None, names: Names) -> dict[str, Any] | None:
    if owner is None:
        return None
    name = owner.id
    if owner.kind is OwnerKind.DESK and owner.id in names.responders:
        name = names.responders[owner.id].name
    return {"kind": owner.kind.value, "id": owner.id, "name": name}


def _person(id: str, names: Names) -> dict[str, Any]:
    record = names.responders.get(id)
    return {
        "responder": id,
        "name": None if record is None else record.name,
        "kind": None if record is None else record.kind.value,
    }


def _offer(incident: Incident, offer: Offer, names: Names) -> dict[str, Any]:
    return {
        "id": offer.id,
        **_person(offer.responder, names),
        "state": offer.state.value,
        "step": offer.step,
        "offered_at": iso(offer.offered_at),
        "respond_by": iso(offer.respond_by),
        "reminded_at": iso(offer.reminded_at),
        "answered_at": iso(offer.answered_at),
        "distance_m": offer.distance_m,
        "eta_s": offer.eta_s,
        "stand_down": offer.stand_down,
        "by_hand": offer.by_hand,
        "need": "key" if offer.id in incident.key_offers else None,
    }


def _assignment(incident: Incident, assignment: Assignment, names: Names) -> dict[str, Any]:
    released = assignment.state is AssignmentState.RELEASED  # ended, but nothing was cleared
    return {
        "id": assignment.id,
        **_person(assignment.responder, names),
        "state": assignment.state.value,
        "assigned_at": iso(assignment.assigned_at),
        "en_route_at": iso(assignment.en_route_at),
        "on_scene_at": iso(assignment.on_scene_at),
        "cleared_at": None if released else iso(assignment.cleared_at),
        "released_at": iso(assignment.cleared_at) if released else None,
        "arrive_by": iso(assignment.arrive_by),
        "eta_s": assignment.eta_s,
        "late": assignment.late,
        "outcome": assignment.outcome,
        "proof": assignment.proof,
        **_role(incident.roles.get(assignment.id), names),
    }


def _role(part: Part | None, names: Names) -> dict[str, Any]:
    """What somebody does, and from which contact they fetch the key; both null where nobody has a role."""
    if part is None or part.fetch is None:
        return {"role": None if part is None else part.role.value, "fetch": None}
    record = names.contacts.get(part.fetch)
    return {"role": part.role.value, "fetch": {"contact": part.fetch, "name": None if record is None else record.name}}


def _whistle(whistle: Whistle, names: Names, places: Places) -> dict[str, Any]:
    record = names.responders.get(whistle.department)
    return {
        "id": whistle.id,
        "department": whistle.department,
        "name": None if record is None else record.name,
        "state": whistle.state.value,
        "called_at": iso(whistle.called_at),
        "report_in_by": iso(whistle.report_in_by),
        "finish_by": iso(whistle.finish_by),
        "reported_at": iso(whistle.reported_at),
        "finished_at": iso(whistle.finished_at),
        "late": whistle.late,
        "outcome": whistle.outcome,
        "reason": places.words.get(f"{whistle.id}:reason") or whistle.reason,
    }


def _alarm(alarm: AlarmRef) -> dict[str, Any]:
    return {
        "id": alarm.id,
        "gateway": alarm.gateway,
        "device": alarm.device,
        "kind": alarm.kind,
        "received_at": iso(alarm.received_at),
        "at": iso(alarm.at),
        "joined": alarm.joined,
        "says_test": alarm.says_test,
    }
