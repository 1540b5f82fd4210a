"""What is recorded when the engine itself fails: no decision, only that somebody needs help and nobody has it yet.

Rules of this file: nothing here uses the engine's logic. Whatever it was given, it makes rows that can be stored, and
an incident that keeps ringing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from callhub.domain import facts as f
from callhub.domain.decision import Answer, Decision
from callhub.domain.events import AlarmRaised, CallTaken, DeadlineDue, Event, FrameFaulty
from callhub.domain.family import relatives
from callhub.domain.incident import Deadline, Incident, IncidentState, Places, Source
from callhub.domain.policy import KINDS, UNKNOWN, IncidentClass, policy_key

if TYPE_CHECKING:
    from callhub.domain.people import Elder
    from callhub.domain.policy import Policy

REASON = "engine_error"
REPEAT = "repeat"
REPEAT_WINDOW_S = 600
"""How long an alarm without a time of its own counts as a repeat, as in PROTOCOL section 1."""

_CLASS_OF = {kind: class_ for class_, kinds in KINDS.items() if class_ is not IncidentClass.DRILL for kind in kinds}


def asks_for_help(event: Event) -> bool:
    """Whether this event must reach a human whatever happens."""
    return isinstance(event, AlarmRaised | CallTaken) or (isinstance(event, FrameFaulty) and event.wants_help)


def kind_of(event: Event) -> str:
    """The kind of incident that the event asks for; ``unknown`` when it names none."""
    kind = event.kind if isinstance(event, AlarmRaised | CallTaken) else UNKNOWN
    return kind if kind in _CLASS_OF else UNKNOWN


def repeated(event: Event, now: datetime, is_open: bool) -> Decision | None:
    """The first answer again, if this event was answered before; ``is_open``: its incident still is."""
    if event.request is None:
        return None
    for prior in reversed(event.request.prior):
        timed = not isinstance(event, AlarmRaised) or event.at is not None
        recent = now - prior.at <= timedelta(seconds=REPEAT_WINDOW_S)
        if prior.fingerprint == event.request.fingerprint and not prior.refused and (timed or is_open or recent):
            body = prior.answer | ({"duplicate": True} if isinstance(event, AlarmRaised) else {})
            return Decision(answer=Answer(body=body, incident=prior.incident, repeat=True))
    return None


def unanswered_incident(event: Event, number: int, policy: Policy, now: datetime) -> tuple[Decision, Places]:
    """An incident of the event's own class and kind that nobody has answered yet, and its private companion.

    Args:
        event: Asks for help.
        number: The next incident number.
        policy: The ladder of its kind; it starts when the incident repeats.
        now: Engine time, aware.
    """
    opened = _opened(event, number, policy)
    facts: list[f.Fact] = [opened, _alarm(event, now)]
    facts += [
        f.StateChanged(event="exhausted", state=IncidentState.UNANSWERED),
        f.LadderExhausted(),
        f.DeadlinesChanged(armed={REPEAT: Deadline(now + timedelta(seconds=policy.repeat_s), "unanswered")}),
    ]
    row = f.Row(incident=event.id, version=1, at=now, event=event.id, actor=event.actor, facts=tuple(facts))
    elder = _elder(event)
    places = Places() if elder is None else Places(elder.position, elder.position_source, clean(elder.address) or "")
    return Decision(rows=(row,), answer=_answer(event)), places


def unanswered_deadline(event: DeadlineDue, incident: Incident, repeat_s: float, now: datetime) -> Decision:
    """An open incident whose deadline could not be handled: whatever is overdue is replaced by a repeat."""
    overdue = tuple(key for key, deadline in incident.deadlines.items() if deadline.at <= now)
    again = Deadline(now + timedelta(seconds=repeat_s), "unanswered")
    facts: tuple[f.Fact, ...] = (
        f.StateChanged(event="exhausted", state=IncidentState.UNANSWERED, reason=REASON),
        f.LadderExhausted(again=incident.exhausted),
        f.DeadlinesChanged(armed={REPEAT: again}, disarmed=tuple(key for key in overdue if key != REPEAT)),
    )
    row = f.Row(
        incident=incident.id, version=incident.version + 1, at=now, event=event.id, actor=event.actor, facts=facts
    )
    return Decision(rows=(row,))


def roll_call_held_up(event: DeadlineDue, incident: Incident, now: datetime) -> Decision:
    """The roll-call ``incident`` goes on in a moment, with the home of this event behind the others."""
    fact = f.RollCallHeldUp(home=event.home.id if event.home is not None else None, reason=REASON)
    return Decision(rows=(f.Row(incident.id, incident.version + 1, now, event.id, event.actor, (fact,)),))


def clean(text: str | None) -> str | None:
    """``text`` as something UTF-8 can hold: lone surrogates and NUL are written out."""
    if text is None:
        return None
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


def _elder(event: Event) -> Elder | None:
    return event.elder if isinstance(event, AlarmRaised | CallTaken) else None


def _opened(event: Event, number: int, policy: Policy) -> f.IncidentOpened:
    elder = _elder(event)
    more: dict[str, Any] = {"source": Source.DEVICE}
    match event:
        case AlarmRaised():
            more |= {"gateway": event.gateway, "device": event.device, "says_test": event.says_test}
            more["device_known"] = event.device_record is not None
        case FrameFaulty():
            more["gateway"] = event.gateway
        case CallTaken():
            more |= {"source": Source(event.source), "text": clean(event.text), "phone": clean(event.phone)}
            more["address"] = clean(event.address)
        case _:
            pass
    if elder is not None:
        more |= {"elder": elder.id, "area": elder.area, "paired": elder.paired, "family": relatives(elder.family)}
        more |= {"home": elder.position, "address": clean(elder.address)}
    return f.IncidentOpened(
        number=number,
        class_=_CLASS_OF[kind_of(event)],
        kind=kind_of(event),
        urgency=policy.urgency,
        policy=policy_key(policy),
        needed=policy.needed,
        reason=REASON,
        **more,
    )


def _alarm(event: Event, now: datetime) -> f.AlarmRecorded:
    more: dict[str, Any] = {"id": event.id}
    match event:
        case AlarmRaised():
            more |= {"id": event.alarm, "gateway": event.gateway, "device": event.device, "at": event.at}
            more |= {"says_test": event.says_test, "device_known": event.device_record is not None}
            more |= {"ignored": event.ignored, "raw": clean(event.raw)}
        case FrameFaulty():
            more |= {"id": event.alarm or event.id, "gateway": event.gateway, "raw": clean(event.raw)}
        case CallTaken():
            more["text"] = clean(event.text)
        case _:
            pass
    return f.AlarmRecorded(kind=kind_of(event), received_at=now, **more)


def _answer(event: Event) -> Answer:
    match event:
        case AlarmRaised():
            body = {
                "incident": event.id,
                "duplicate": False,
                "id_reused": bool(event.request is not None and event.request.prior),
                "device_known": event.device_record is not None,
                "ignored": list(event.ignored),
            }
            return Answer(body, incident=event.id)
        case FrameFaulty():
            return Answer({"message": event.message, "field": event.field_name}, code=event.code, incident=event.id)
        case _:
            return Answer(
                {"ok": True, "state": IncidentState.UNANSWERED.value, "incident": event.id}, incident=event.id
            )
