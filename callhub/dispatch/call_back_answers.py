"""What comes of calling the elder back: a voice, silence, a signal, another alarm, or nothing in time.

Rules of this file:
1. Only a human who spoke to the elder and found all well holds the ladder. Then it waits to be closed; after
   ``owner_check_s`` desks are called for that, one level up each time, and no volunteer is asked.
2. Help, silence, no answer, the elder's ``confirm`` and another alarm end it at once, also while it is held. Only the
   same sensor saying the same again is no news.
3. No clear word in time means go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.dispatch import call_backs
from callhub.dispatch.desk_calls import call_desk
from callhub.dispatch.escalation import enter_step
from callhub.domain import facts as f
from callhub.domain.call_back import CALL_FIRST_DAYS_MAX, CALL_FIRST_S_MAX
from callhub.domain.decision import Answer
from callhub.errors import InvalidMessage

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case, Turn
    from callhub.domain.events import CallFirstAsked
    from callhub.domain.incident import AlarmRef

VOICELESS = frozenset({"silent", "no_answer"})


def heard(case: Case, party: str, result: str, *, human: bool) -> None:
    """Somebody spoke, or tried to: ``party`` and ``result`` as in the action ``contact``."""
    if case.incident.call_back is None:
        return
    if result == "needs_help":
        go(case, "help")
    elif party == "elder" and result in VOICELESS:
        go(case, "no_voice")
    elif party == "elder" and result == "spoke_ok" and human:
        call_backs.hold(case)


def confirmed(case: Case) -> None:
    """The elder's own device says: help."""
    if case.incident.call_back is not None:
        go(case, "help")


def ends_it(case: Case, alarm: AlarmRef) -> bool:
    """Whether this alarm, which has just joined, ends a call-back."""
    call = case.incident.call_back
    if call is None:
        return False
    same = (alarm.gateway, alarm.device, alarm.kind)
    repeated = any((a.gateway, a.device, a.kind) == same for a in case.incident.alarms[:-1])
    return call.call_first or alarm.device is None or not repeated


def go(case: Case, why: str) -> None:
    """End the call-back; people are asked at once, unless enough are coming."""
    call = case.incident.call_back
    assert call is not None, "whoever says go has seen one"
    if case.incident.ladder_runs:
        enter_step(case, call.step, why)
    else:
        call_backs.end(case, "came")


def time_out(case: Case, of: str) -> None:
    """Nobody has said in time that all is well."""
    go(case, "timeout")


def held_too_long(case: Case, of: str) -> None:
    """All was well, and nobody has closed it: desks are called for that."""
    call_desk(case, "held_missed", rearm=call_backs.HELD)


def ask_call_first(turn: Turn, event: CallFirstAsked) -> Answer:
    """A person sets, changes or ends call-first for one elder; raises ``InvalidMessage`` naming the field."""
    if not 0 <= event.seconds <= CALL_FIRST_S_MAX:
        raise InvalidMessage("seconds", f"a whole number from 0 to {CALL_FIRST_S_MAX}")
    if event.seconds == 0:
        turn.note(f.CallFirstChanged(elder=event.elder, seconds=0, reason=event.reason))
        return Answer({"ok": True})
    if event.until is None:
        raise InvalidMessage("until", "when it ends; it is never for good")
    if not 0 < (event.until - turn.now).total_seconds() <= CALL_FIRST_DAYS_MAX * 86_400:
        raise InvalidMessage("until", f"a time to come, at most {CALL_FIRST_DAYS_MAX} days ahead")
    turn.note(f.CallFirstChanged(elder=event.elder, seconds=event.seconds, until=event.until, reason=event.reason))
    return Answer({"ok": True})
