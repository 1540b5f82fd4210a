"""Desk calls: what was missed or went wrong is shown to desks, one level up each time, until a person acts on it.

Rules of this file: a desk call asks no volunteer and changes neither state nor owner. At the top it is repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.domain import facts as f
from callhub.domain.incident import DeskCall

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case


def call_desk(case: Case, reason: str, *, rearm: str | None = None) -> None:
    """Begin a desk call; a second reason joins the one under way (the first keeps its rung)."""
    incident = case.incident
    if incident.desk_call is not None:
        rearm = incident.desk_call.rearm or rearm
        call = DeskCall(reason, incident.desk_call.rung, incident.desk_call.called + 1, rearm)
    else:
        call = DeskCall(reason, len(incident.area) - 1 if incident.area else None, 1, rearm)
    _show(case, call)


def climb_desks(case: Case) -> None:
    """Nobody acted: one level up, at the top again."""
    call = case.incident.desk_call
    if call is None:
        case.disarm("desk_call")
        return
    rung = None if call.rung is None else max(0, call.rung - 1)
    _show(case, DeskCall(call.reason, rung, call.called + 1, call.rearm))


def _show(case: Case, call: DeskCall) -> None:
    roster = case.turn.world.roster
    area = None if call.rung is None else case.incident.area[call.rung]
    desks = roster.top_desks() if area is None else roster.desks_of(area)
    case.add(f.DeskCalled(call=call, area=area, desks=tuple(desks)))
    case.arm("desk_call", case.policy.desk_call_s, "desk_call")


def acted(case: Case) -> None:
    """A person acted on the incident: the call ends and arms the missed deadline anew."""
    call = case.incident.desk_call
    if call is None:
        return
    case.add(f.DeskCallEnded(reason=call.reason))
    case.disarm("desk_call")
    if call.rearm is None:
        return
    stage = call.rearm.partition(":")[0]
    after_s = {
        "resolution": case.policy.resolution_s,
        "follow_up": case.policy.follow_up_s,
        "service": case.policy.service_check_s,
    }[stage]
    if stage != "resolution" or case.incident.assignments[call.rearm.partition(":")[2]].is_live:
        case.arm(call.rearm, after_s, stage)
