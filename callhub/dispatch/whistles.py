"""Whistles: an area calls departments to an incident, each on a clock to report in and one to finish.

Rules of this file:
1. A whistle stands beside the ladder: it makes no offer and no assignment, uses no capacity, and moves neither the
   state word nor the owner.
2. A refusal and a miss call desks. A late report is still a report; ``finished`` counts when it is confirmed.
3. Whoever may act on the incident may call departments, confirm and return; withdrawing needs a supervisor and a
   reason. An incident with a whistle out cannot be closed; cancelling it withdraws them all.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from callhub.dispatch.desk_calls import WHISTLE_REFUSED, call_desk
from callhub.dispatch.lifecycle import WhistleEvent, advance_whistle
from callhub.domain import facts as f
from callhub.domain.people import ResponderKind, Role
from callhub.errors import Conflict, IllegalTransition, InvalidMessage, NotAllowed, NotFound

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case, Turn
    from callhub.domain.events import OperatorActed
    from callhub.domain.incident import Incident
    from callhub.domain.people import Responder
    from callhub.domain.whistle import Whistle

CLOCK_S_MAX = 31 * 86_400
"""A month; whatever takes longer is no whistle."""

# What the calling side does


def call(case: Case, event: OperatorActed) -> None:
    """Call departments; all of them or, when one of them cannot be called, none."""
    _demand_human(event)
    departments = _departments(case, event)
    report_in_s, finish_s = _seconds(event, "report_in_s"), _seconds(event, "finish_s")
    if finish_s < report_in_s:
        raise InvalidMessage("finish_s", "nobody can finish before they have to report in")
    text, now = _text(event, "text"), case.turn.now
    for department in departments:
        whistle = f"{case.id}-w{len(case.incident.whistles) + 1}"
        case.add(
            f.WhistleCalled(
                whistle=whistle,
                department=department,
                report_in_s=report_in_s,
                finish_s=finish_s,
                report_in_by=now + timedelta(seconds=report_in_s),
                finish_by=now + timedelta(seconds=finish_s),
                text=text,
                reason=_text(event, "reason"),
            )
        )
        _remember(case, whistle, "text", text)
        case.arm(f"report_in:{whistle}", report_in_s, "report_in")
        case.arm(f"finish:{whistle}", finish_s, "finish")


def _demand_human(event: OperatorActed) -> None:
    if not event.actor.is_human:
        raise NotAllowed("departments are called by operators")


def _departments(case: Case, event: OperatorActed) -> list[str]:
    """The departments named, each once; raises with the first that cannot be called."""
    named = event.fields.get("departments")
    if not isinstance(named, list | tuple) or not named:
        raise InvalidMessage("departments", "at least one department to call")
    people = case.turn.world.roster.people
    for n, id in enumerate(named):
        person = people.get(id) if isinstance(id, str) else None
        if person is None:
            raise NotFound("department", str(id))
        if person.record.kind is not ResponderKind.DEPARTMENT:
            raise InvalidMessage(f"departments.{n}", f"{id} is a {person.record.kind}, not a department")
        if not person.record.active:
            raise InvalidMessage(f"departments.{n}", f"{id} is not active any more")
        whistle = _out_to(case.incident, id)
        if whistle is not None:
            raise Conflict(f"{id} is called already, by {whistle.id}", version=case.incident.version)
    return list(dict.fromkeys(named))


def _out_to(incident: Incident, department: str) -> Whistle | None:
    """The whistle that stands in the way of another one to the same department: one that waits for somebody's word."""
    return next((w for w in incident.whistles.values() if w.department == department and w.is_shown), None)


def _seconds(event: OperatorActed, name: str) -> int:
    value = event.fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= CLOCK_S_MAX:
        raise InvalidMessage(name, f"whole seconds, 1 to {CLOCK_S_MAX}")
    return value


def _text(event: OperatorActed, name: str) -> str | None:
    value = event.fields.get(name)
    return value if isinstance(value, str) and value.strip() else None


def _named(case: Case, event: OperatorActed) -> Whistle:
    id = _text(event, "whistle")
    if id is None:
        raise InvalidMessage("whistle", "the whistle's id")
    whistle = case.incident.whistles.get(id)
    if whistle is None:
        raise NotFound("whistle", id)
    return whistle


def confirm(case: Case, event: OperatorActed) -> None:
    """What was finished is found done: the whistle is over."""
    _demand_human(event)
    whistle = _named(case, event)
    advance_whistle(whistle.state, WhistleEvent.CONFIRM)
    case.add(f.WhistleConfirmed(whistle=whistle.id, department=whistle.department, reason=_text(event, "reason")))


def give_back(case: Case, event: OperatorActed) -> None:
    """Not done yet, or not in time: a new clock for a department that has reported in."""
    _demand_human(event)
    whistle = _named(case, event)
    advance_whistle(whistle.state, WhistleEvent.RETURN)
    if whistle.reported_at is None:
        raise IllegalTransition("whistle", "not yet reported", WhistleEvent.RETURN)
    finish_s = _seconds(event, "finish_s")
    case.add(
        f.WhistleReturned(
            whistle=whistle.id,
            department=whistle.department,
            finish_s=finish_s,
            finish_by=case.turn.now + timedelta(seconds=finish_s),
            reason=_text(event, "reason"),
        )
    )
    case.arm(f"finish:{whistle.id}", finish_s, "finish")


def call_off(case: Case, event: OperatorActed) -> None:
    """A supervisor withdraws a whistle, and says why."""
    role = event.actor.role
    if not event.actor.is_human or role is None or role.rank < Role.SUPERVISOR.rank:
        raise NotAllowed("only a supervisor may withdraw a whistle")
    reason = _text(event, "reason")
    if reason is None:
        raise InvalidMessage("reason", "why it is withdrawn")
    withdraw(case, _named(case, event), reason=reason)


# What becomes of a whistle


def withdraw(case: Case, whistle: Whistle, *, code: str | None = None, reason: str | None = None) -> None:
    """Call it off; the department gets a stand-down."""
    advance_whistle(whistle.state, WhistleEvent.WITHDRAW)
    case.add(f.WhistleWithdrawn(whistle=whistle.id, department=whistle.department, code=code, reason=reason))
    _remember(case, whistle.id, "reason", reason)
    _stop_clocks(case, whistle)


def withdraw_all(case: Case, code: str) -> None:
    """The incident is cancelled: nobody is waited for any more."""
    for whistle in [w for w in case.incident.whistles.values() if w.is_out]:
        withdraw(case, whistle, code=code)


def refuse_close(incident: Incident) -> None:
    """Raise ``Conflict`` while a whistle is neither confirmed nor withdrawn."""
    out = [f"{w.id} ({w.department}, {w.state.value})" for w in incident.whistles.values() if w.is_out]
    if out:
        raise Conflict(f"whistles are out: {', '.join(out)}", version=incident.version)


def report(case: Case, whistle: Whistle, via: str) -> None:
    """The department reports in, late or not."""
    advance_whistle(whistle.state, WhistleEvent.REPORT)
    case.add(f.WhistleReported(whistle=whistle.id, department=whistle.department, via=via))
    case.disarm(f"report_in:{whistle.id}")


def refuse(case: Case, whistle: Whistle, via: str, reason: str | None) -> None:
    """The department will not, or cannot any more: desks are called."""
    advance_whistle(whistle.state, WhistleEvent.REFUSE)
    case.add(f.WhistleRefused(whistle=whistle.id, department=whistle.department, via=via, reason=reason))
    _remember(case, whistle.id, "reason", reason)
    _stop_clocks(case, whistle)
    call_desk(case, "whistle_refused", rearm=f"{WHISTLE_REFUSED}:{whistle.id}")


def finish(case: Case, whistle: Whistle, outcome: str, note: str | None) -> None:
    """The department says that it is done."""
    advance_whistle(whistle.state, WhistleEvent.FINISH)
    case.add(f.WhistleFinished(whistle=whistle.id, department=whistle.department, outcome=outcome, note=note))
    _stop_clocks(case, whistle)


def report_in_missed(case: Case, of: str) -> None:
    """Deadline: the department did not report in."""
    _miss(case, of, "not_reported", f"report_in:{of}")


def finish_missed(case: Case, of: str) -> None:
    """Deadline: the department did not finish."""
    _miss(case, of, "not_finished", f"finish:{of}")


def _miss(case: Case, of: str, what: str, key: str) -> None:
    whistle = case.incident.whistles[of]
    advance_whistle(whistle.state, WhistleEvent.MISS)
    case.add(f.WhistleMissed(whistle=of, department=whistle.department, what=what))
    call_desk(case, "whistle_missed", rearm=key)


def drop_departments(turn: Turn, records: tuple[Responder, ...]) -> None:
    """Withdraw what is out to departments that are gone, or are none any more, and call desks for it."""
    gone = {r.id for r in records if not r.active or r.kind is not ResponderKind.DEPARTMENT}
    for incident in list(turn.world.incidents.values()) if gone else ():
        for whistle in list(incident.whistles.values()):
            if whistle.department in gone and whistle.is_awaited:
                case = turn.case(incident.id)
                withdraw(case, whistle, code="disabled")
                call_desk(case, "whistle_withdrawn")


def _stop_clocks(case: Case, whistle: Whistle) -> None:
    case.disarm(f"report_in:{whistle.id}", f"finish:{whistle.id}")


def _remember(case: Case, whistle: str, what: str, words: str | None) -> None:
    """Keep what a person wrote beside the incident, where it is no part of its digest and can be erased."""
    if words:
        places = case.places
        places.words = {**places.words, f"{whistle}:{what}": words}
