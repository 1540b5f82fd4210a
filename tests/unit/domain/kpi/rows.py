"""Journal rows for the figures, written down in a word each."""

from datetime import UTC, datetime, timedelta
from typing import Any

from callhub.domain import facts as f
from callhub.domain.incident import AssignmentState, IncidentState, Owner, OwnerKind, Source
from callhub.domain.people import SYSTEM, Actor, ActorKind, ResponderKind, Role
from callhub.domain.policy import IncidentClass

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OPERATOR = Actor(ActorKind.USER, "li", Role.OPERATOR)


def at(seconds: float) -> datetime:
    """That many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def row(incident: str | None, seconds: float, *facts: f.Fact, actor: Actor = SYSTEM) -> f.Row:
    """What one decision did."""
    return f.Row(incident, 1, at(seconds), "event", actor, facts)


def opened(
    area: tuple[str, ...] = ("D", "S", "C"), class_: IncidentClass = IncidentClass.EMERGENCY, kind: str = "sos"
) -> f.IncidentOpened:
    """A case begins."""
    more: dict[str, Any] = {"number": 1, "urgency": 1, "source": Source.DEVICE, "policy": "p", "needed": 1}
    return f.IncidentOpened(class_=class_, kind=kind, area=area, **more)


def made(offer: str, responder: str = "V-1", kind: ResponderKind = ResponderKind.VOLUNTEER) -> f.OfferMade:
    """Somebody is asked."""
    return f.OfferMade(offer=offer, responder=responder, kind=kind, step=0, respond_by=at(20))


def assigned(responder: str = "V-1") -> f.Assigned:
    """Somebody has the duty."""
    return f.Assigned(assignment=f"a-{responder}", responder=responder, slot=1, arrive_by=at(300))


def moved(state: AssignmentState, responder: str = "V-1") -> f.AssignmentMoved:
    """Somebody sets out, is there, leaves."""
    return f.AssignmentMoved(assignment=f"a-{responder}", state=state)


def became(state: IncidentState) -> f.StateChanged:
    """The state word changes."""
    return f.StateChanged(event="so", state=state)


def taken() -> f.OwnerTaken:
    """A user takes over."""
    return f.OwnerTaken(owner=Owner(OwnerKind.USER, "li"))
