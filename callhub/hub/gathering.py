"""Tells the engine which presses came in one batch, so that it decides together whom it asks for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from callhub.dispatch.sharing import CASES_MAX
from callhub.domain.events import CasesGathered, HelpAsked
from callhub.domain.people import SYSTEM
from callhub.domain.policy import KINDS, IncidentClass
from callhub.hub.inbox import Ticket
from callhub.hub.minimal import asks_for_help, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable


def gather(tickets: list[Ticket], new_id: Callable[[], str]) -> list[Ticket]:
    """These tickets of one batch; when two to ``CASES_MAX`` may open emergencies, marked and with an end.

    A case that such an event opens waits for the end with a deadline due at once, whatever becomes of the end.
    """
    opening = [ticket for ticket in tickets if _may_open_emergency(ticket)]
    if not 1 < len(opening) <= CASES_MAX:
        return tickets
    for ticket in opening:
        assert isinstance(ticket.event, HelpAsked)
        ticket.event = replace(ticket.event, gathered=True)
    ids = tuple(ticket.event.id for ticket in opening)
    return [*tickets, Ticket(CasesGathered(id=new_id(), actor=SYSTEM, incidents=ids))]


def _may_open_emergency(ticket: Ticket) -> bool:
    return asks_for_help(ticket.event) and kind_of(ticket.event) in KINDS[IncidentClass.EMERGENCY]
