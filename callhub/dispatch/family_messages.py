"""What the family is told: that an emergency opened, that somebody comes, is there, and that it closed.

Rules of this file:
1. Of emergencies alone: nobody is frightened by a drill, by what only says test, by a service or a machine.
2. A contact is told what is so now and was not so for them before the turn; so whoever is named later hears what is so
   by then.
3. At most one message of each kind waits for a contact and an incident: a newer one takes the place of the older.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.dispatch.messages import progress_state
from callhub.domain.family import News
from callhub.domain.incident import IncidentState
from callhub.domain.messages import Addressee, AddresseeKind, Message, MessageType
from callhub.domain.policy import IncidentClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from callhub.dispatch.turn import Case
    from callhub.domain.incident import Incident

_COMING = ("assigned", "en_route")


def to_contact(id: str) -> Addressee:
    """The address of somebody around an elder."""
    return Addressee(AddresseeKind.CONTACT, id)


def told_family(case: Case) -> Iterator[Message]:
    """Messages of one case in a turn, to the contacts of its elder."""
    if not case.incident.family:
        return
    before = case.before
    known = {one.contact: one.inform for one in before.family} if before is not None else {}
    was, now = _so(before), _so(case.incident)
    for contact in case.incident.family:
        for news, who in now.items():
            heard = news in known.get(contact.contact, ()) and news in was and was[news] == who
            if news in contact.inform and not heard:
                yield _message(case, contact.contact, news)


def _so(incident: Incident | None) -> Mapping[News, str | None]:
    """What is so of an emergency, in the order in which it happens, with who comes."""
    if incident is None or incident.class_ is not IncidentClass.EMERGENCY or incident.says_test:
        return {}
    if not incident.is_open:
        return {News.CLOSED: None}
    state, responder, _ = progress_state(incident)
    so: dict[News, str | None] = {News.OPENED: None}
    if state in _COMING:
        so[News.COMING] = responder
    elif state == IncidentState.ON_SCENE:
        so[News.THERE] = None
    return so


def _message(case: Case, contact: str, news: News) -> Message:
    incident = case.incident
    _, responder, eta_s = progress_state(incident)
    body = {
        "incident": incident.id,
        "what": news.value,
        "at": case.turn.now,
        "kind": incident.kind,
        "state": incident.state.value,
        "elder": incident.elder,
        "responder": responder,
        "eta_s": eta_s,
    }
    return Message(to_contact(contact), MessageType.FAMILY, incident.id, f"family:{incident.id}:{news.value}", body)
