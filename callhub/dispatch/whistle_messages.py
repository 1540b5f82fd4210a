"""What departments are told: the offer with its whistle, the assignment after they reported in, the stand-down.

Rules of this file: as in ``messages``. What a person wrote with a whistle comes from ``Places.words``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.dispatch.messages import drill_part, go_to, to_responder
from callhub.domain.messages import Message, MessageType
from callhub.domain.people import ActorKind
from callhub.domain.whistle import Whistle, WhistleState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callhub.dispatch.turn import Case
    from callhub.domain.incident import Incident, Places


def whistle_part(whistle: Whistle, places: Places) -> dict[str, Any]:
    """The whistle itself, as offers and assignments carry it."""
    return {
        "id": whistle.id,
        "report_in_by": whistle.report_in_by,
        "finish_by": whistle.finish_by,
        "text": places.words.get(f"{whistle.id}:text"),
    }


def whistle_offer_body(incident: Incident, whistle: Whistle, places: Places) -> dict[str, Any]:
    """What a department is asked: like a responder's offer, with the whistle instead of ``eta_s``."""
    return {
        "offer": whistle.id,
        "incident": incident.id,
        "kind": incident.kind,
        "urgency": incident.urgency,
        "elder": incident.elder,
        "area": list(incident.area),
        "distance_m": None,
        "respond_by": whistle.report_in_by,
        "reminder": False,
        "whistle": whistle_part(whistle, places),
        **drill_part(incident),
    }


def whistle_assignment_body(incident: Incident, whistle: Whistle, places: Places) -> dict[str, Any]:
    """What a department that reported in needs. It has a time to finish and none to arrive."""
    return {
        "incident": incident.id,
        "state": "assigned" if whistle.is_taken else "cleared",
        "version": incident.version,
        "go_to": go_to(places),
        "elder": incident.elder,
        "arrive_by": None,
        "late": whistle.late,
        "whistle": whistle_part(whistle, places),
        **drill_part(incident),
    }


def told_departments(case: Case) -> Iterator[Message]:
    """All messages of one case in a turn that go to its departments because of their whistles."""
    before = case.before.whistles if case.before is not None else {}
    moved = go_to(case.places) != go_to(case.places_before)
    for whistle in case.incident.whistles.values():
        old = before.get(whistle.id)
        if old is None:
            yield _message(case, whistle, MessageType.OFFER, whistle_offer_body(case.incident, whistle, case.places))
        elif whistle.state is WhistleState.WITHDRAWN:
            if old.state is not WhistleState.WITHDRAWN:
                yield _stand_down(case, whistle)
        elif _is_news(case, old, whistle) or (whistle.is_taken and moved):
            body = whistle_assignment_body(case.incident, whistle, case.places)
            yield _message(case, whistle, MessageType.ASSIGNMENT, body)


def _is_news(case: Case, old: Whistle, new: Whistle) -> bool:
    """Reported in, another clock, late; or finished by somebody who acted for the department."""
    if new.is_taken:
        return not old.is_taken or (old.finish_by, old.late) != (new.finish_by, new.late)
    actor = case.turn.event.actor
    own = actor.kind is ActorKind.RESPONDER and actor.id == new.department
    return old.is_taken and new.state is WhistleState.FINISHED and not own


def _stand_down(case: Case, whistle: Whistle) -> Message:
    reason = whistle.reason or "cancelled"
    body = {"offer": whistle.id, "incident": case.id, "reason": reason, **drill_part(case.incident)}
    return _message(case, whistle, MessageType.STAND_DOWN, body)


def _message(case: Case, whistle: Whistle, type: MessageType, body: dict[str, Any]) -> Message:
    key = "assignment" if type is MessageType.ASSIGNMENT else "offer"
    return Message(to_responder(whistle.department), type, case.id, f"{key}:{whistle.id}", body)
