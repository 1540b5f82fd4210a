"""What an incident's family would be told: it waits, because nothing brings it to them yet.

Rules of this file: for operators and above, as the directory's contacts are; whoever is no contact (any more) keeps an
id without a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.dispatch.family_messages import to_contact
from callhub.domain.people import Role
from callhub.protocol.render import stored_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callhub.domain.incident import Incident
    from callhub.store.base import Names, Store
    from callhub.web.access import Caller

WAITING_MAX = 200
"""Messages looked through for one contact; at most four of each incident wait."""
NO_CHANNEL = "no_channel"
"""Why a message waits."""


def family(store: Store, incident: Incident, caller: Caller) -> list[dict[str, Any]]:
    """Each contact of this incident with what waits for them, oldest first; nothing for viewers and departments."""
    if not caller.has(Role.OPERATOR):
        return []
    waiting = {one.contact: _waiting(store, incident, one.contact) for one in incident.family}
    responders = {body["responder"] for bodies in waiting.values() for body in bodies if body["responder"]}
    names = store.names((), responders, (), waiting)
    return [
        {
            "id": one.contact,
            **_record(one.contact, names),
            "inform": [news.value for news in one.inform],
            "responder": one.responder,
            "waiting": [_message(body, names) for body in waiting[one.contact]],
        }
        for one in incident.family
    ]


def _waiting(store: Store, incident: Incident, contact: str) -> list[Mapping[str, Any]]:
    found = store.outbox(to_contact(contact), 0, WAITING_MAX)
    return [stored.message.body for stored in found if stored.message.incident == incident.id]


def _record(contact: str, names: Names) -> dict[str, Any]:
    record = names.contacts.get(contact)
    if record is None:
        return {"name": None, "relation": None, "phone": None}
    return {"name": record.name, "relation": record.relation, "phone": record.phone}


def _message(body: Mapping[str, Any], names: Names) -> dict[str, Any]:
    who = names.responders.get(body["responder"] or "")
    return {
        "what": body["what"],
        "since": stored_time(body["at"]),
        "responder": None if who is None else {"id": who.id, "name": who.name},
        "eta_s": body["eta_s"],
        "why": NO_CHANNEL,
    }
