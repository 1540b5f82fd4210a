"""What happens when nobody did anything in time.

Rules of this file: a deadline that fires is disarmed and advances one thing. A miss is never only a mark: it asks
somebody else, or calls a desk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.dispatch import call_back_answers, service_hours, whistles
from callhub.dispatch.answers import clear_owner, let_fall_silent
from callhub.dispatch.desk_calls import call_desk, climb_desks
from callhub.dispatch.duties import after_departure
from callhub.dispatch.escalation import GATHERED, ask_alone, climb, enter_step, repeat
from callhub.domain import facts as f

if TYPE_CHECKING:
    from collections.abc import Callable

    from callhub.dispatch.turn import Case, Turn


def fire(turn: Turn, id: str) -> None:
    """Fire what is due of an incident, most overdue first; nothing when nothing is due (any more).

    What is due together fires together, so that one event always leaves the incident waiting for something later.
    """
    incident = turn.world.incidents.get(id)
    if incident is None:
        return
    due = sorted((d.at, key) for key, d in incident.deadlines.items() if d.at <= turn.now)
    if not due:
        return
    case = turn.case(id)
    for at, key in due:
        armed = incident.deadlines.get(key)
        if armed is not None and armed.at == at:
            stage, _, of = key.partition(":")
            case.disarm(key)
            _STAGES[stage](case, of)


def _offer(case: Case, of: str) -> None:
    let_fall_silent(case, case.incident.offers[of])


def _step(case: Case, of: str) -> None:
    climb(case, "timeout")


def _gathered(case: Case, of: str) -> None:
    ask_alone(case)


def _repeat(case: Case, of: str) -> None:
    if case.incident.owner is not None:
        # Only where a defect took the owner's own check.
        clear_owner(case, "owner_check_missed")
    elif case.incident.ladder_runs:
        if service_hours.is_closed(case.turn.world, case.policy, case.turn.now):
            case.arm("repeat", 0, "repeat")  # a start that came late: when the window opens
        else:
            repeat(case)
    else:
        # Only where a defect took the deadline of those who have it.
        call_desk(case, "engine_error")


def _window(case: Case, of: str) -> None:
    if case.incident.ladder_runs:
        enter_step(case, int(of), "window")


def _owner_check(case: Case, of: str) -> None:
    clear_owner(case, "owner_check_missed")


def _arrival(case: Case, of: str) -> None:
    case.add(f.ArrivalMissed(assignment=of))
    # Somebody else may have done all there was to do: then only the one who is late was still waited for.
    after_departure(case, "late", from_first=case.incident.assignments[of].by_hand)


def _resolution(case: Case, of: str) -> None:
    case.add(f.ResolutionMissed(assignment=of))
    call_desk(case, "resolution_missed", rearm=f"resolution:{of}")


def _follow_up(case: Case, of: str) -> None:
    case.add(f.FollowUpMissed())
    call_desk(case, "follow_up_missed", rearm="follow_up")


def _service(case: Case, of: str) -> None:
    case.add(f.ServiceMissed(party=of))
    call_desk(case, "service_missed", rearm=f"service:{of}")


def _desk_call(case: Case, of: str) -> None:
    call = case.incident.desk_call
    assert call is not None, "the deadline and the call begin and end together"
    climb_desks(case, call)


_STAGES: dict[str, Callable[[Case, str], None]] = {
    "offer": _offer,
    "step": _step,
    GATHERED: _gathered,
    "repeat": _repeat,
    "owner_check": _owner_check,
    "arrival": _arrival,
    "resolution": _resolution,
    "follow_up": _follow_up,
    "service": _service,
    "desk_call": _desk_call,
    "call_back": call_back_answers.time_out,
    "held": call_back_answers.held_too_long,
    "window": _window,
    "report_in": whistles.report_in_missed,
    "finish": whistles.finish_missed,
}
