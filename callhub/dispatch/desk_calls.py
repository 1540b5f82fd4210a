"""Desk calls: what was missed or went wrong is shown to desks, one level up each time, until a person acts on it.

Rules of this file: a desk call asks no volunteer and changes neither state nor owner. At the top it is repeated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from callhub.domain import facts as f
from callhub.domain.incident import DeskCall
from callhub.domain.whistle import WhistleState

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case

WHISTLE_CLOCKS = frozenset({"report_in", "finish"})
"""Deadlines of departments: they go on beside the ladder, also when the incident is resolved or reopened."""
WHISTLE_REFUSED = "refused"
"""Stands in ``rearm`` for a refusal, which has no deadline to arm anew."""


def call_desk(case: Case, reason: str, *, rearm: str | None = None) -> None:
    """Begin a desk call; a second reason joins the one under way, which keeps its rung and all that was missed."""
    under_way = case.incident.desk_call
    missed = (rearm,) if rearm is not None else ()
    if under_way is not None:
        missed = tuple(dict.fromkeys((*under_way.rearm, *missed)))
        _show(case, DeskCall(reason, under_way.rung, under_way.called + 1, missed))
    else:
        area = case.incident.area
        _show(case, DeskCall(reason, len(area) - 1 if area else None, 1, missed))


def climb_desks(case: Case, call: DeskCall) -> None:
    """Nobody acted: one level up, at the top again."""
    rung = None if call.rung is None else max(0, call.rung - 1)
    _show(case, DeskCall(call.reason, rung, call.called + 1, call.rearm))


def _show(case: Case, call: DeskCall) -> None:
    """Call the desks of this level; a level that has none would only cost time and is passed."""
    roster, path = case.turn.world.roster, case.incident.area
    rung, area = call.rung, None
    desks = roster.top_desks()
    if rung is not None:
        while rung > 0 and not roster.desks_of(path[rung]):
            rung -= 1
        area = path[rung]
        desks = roster.desks_of(area)
    case.add(f.DeskCalled(call=replace(call, rung=rung), area=area, desks=tuple(desks)))
    case.arm("desk_call", case.policy.desk_call_s, "desk_call")


def end_call(case: Case) -> DeskCall | None:
    """End the desk call, if there is one, and return it."""
    call = case.incident.desk_call
    if call is not None:
        case.add(f.DeskCallEnded(reason=call.reason))
        case.disarm("desk_call")
    return call


def acted(case: Case) -> None:
    """A person acted on the incident: the call ends and arms what was missed anew, as far as it is still awaited."""
    call = end_call(case)
    for key in call.rearm if call is not None else ():
        stage, _, of = key.partition(":")
        if _is_awaited(case, stage, of):
            case.arm(key, _after_s(case, stage, of), stage)


def keep_whistles(case: Case, call: DeskCall | None) -> None:
    """Begin anew for the whistles of a call that ended although nobody looked at them: the incident was resolved."""
    for key in call.rearm if call is not None else ():
        stage, _, of = key.partition(":")
        if stage == WHISTLE_REFUSED and case.incident.whistles[of].state is WhistleState.REFUSED:
            call_desk(case, "whistle_refused", rearm=key)
        elif stage in WHISTLE_CLOCKS and _is_awaited(case, stage, of):
            call_desk(case, "whistle_missed", rearm=key)


_AFTER = {
    "resolution": "resolution_s",
    "follow_up": "follow_up_s",
    "service": "service_check_s",
    "held": "owner_check_s",
}


def _after_s(case: Case, stage: str, of: str) -> float:
    """The whole time again; a whistle has clocks of its own."""
    found: float
    if stage in WHISTLE_CLOCKS:
        found = getattr(case.incident.whistles[of], f"{stage}_s")
    else:
        found = getattr(case.policy, _AFTER[stage])
    return found


def _is_awaited(case: Case, stage: str, of: str) -> bool:
    if stage == "report_in":
        return case.incident.whistles[of].is_offered
    if stage == "finish":
        return case.incident.whistles[of].is_awaited
    if stage == "held":
        return case.incident.call_back is not None and case.incident.call_back.held
    if stage == "resolution":
        return case.incident.assignments[of].is_live
    return stage == "follow_up" or case.incident.services.get(of) == "requested"
