"""Calling the elder back: when a ladder begins with it, and how it begins, is held and ends.

Rules of this file:
1. Only what a device says is called back, only where somebody can be called, and never what only says test.
2. A call-back asks nobody to come and rings, because it needs a human voice. To take it over is not yet to have spoken:
   its clock goes on.
3. Whatever makes the ladder ask people ends it. It never begins a second time: ``escalation.enter_step`` passes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.domain import facts as f
from callhub.domain.call_back import CALL_FIRST_S_MAX, PRESSES
from callhub.domain.incident import Source

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case
    from callhub.domain.people import Elder
    from callhub.domain.policy import Policy

CALL_BACK, HELD = "call_back", "held"
"""Keys and stages of its two deadlines."""


def first_rung(policy: Policy) -> int:
    """The first step that asks somebody."""
    return 1 if policy.steps[0].calls_back else 0


def begin(case: Case, elder: Elder | None) -> bool:
    """Begin a new incident with a call-back if that is so for its ladder or its elder; whether it was."""
    incident, first = case.incident, case.policy.steps[0]
    if incident.source is not Source.DEVICE or incident.says_test or elder is None:
        return False
    call_first = elder.call_first
    if first.calls_back:
        case.add(f.StepEntered(step=0, name=first.name, why="opened"))
        wait_s, by_person = first.step_timeout_s, False
    elif incident.kind in PRESSES and call_first is not None and case.turn.now < call_first.until:
        wait_s, by_person = min(call_first.seconds, CALL_FIRST_S_MAX), True
    else:
        return False
    case.arm(CALL_BACK, wait_s, CALL_BACK)
    until = incident.deadlines[CALL_BACK].at
    case.add(f.CallBackBegan(step=first_rung(case.policy), until=until, call_first=by_person))
    return True


def hold(case: Case) -> None:
    """The elder is well: the ladder waits for a human to close, and says so when nobody does."""
    case.disarm(CALL_BACK)
    case.arm(HELD, case.policy.owner_check_s, HELD)
    case.add(f.CallBackHeld(until=case.incident.deadlines[HELD].at))


def end(case: Case, why: str) -> None:
    """Nobody is waited for any more; nothing happens when nobody was."""
    if case.incident.call_back is not None:
        case.disarm(CALL_BACK, HELD)
        case.add(f.CallBackEnded(why=why))
