"""Alarms: a repeat, a quiet test, joining an open incident, or opening a new one.

Rules of this file:
1. No alarm is refused. What only looks like a repeat is a new alarm.
2. An emergency joins an open emergency of the same elder; with the elder unknown, of the same gateway and device;
   with neither, none. A service joins only the same elder and kind, a technical one the same device or gateway and
   kind. Anything else opens a new incident.
3. A more urgent alarm, or a press that joins an incident that only said "test", starts the ladder anew at once; what
   joins a call-back ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from callhub.dispatch import call_back_answers, call_backs
from callhub.dispatch.answers import settle
from callhub.dispatch.escalation import check_watched, enter_step, first_step, restart, resume
from callhub.domain import facts as f
from callhub.domain.decision import Answer
from callhub.domain.events import HelpAsked, early_cancel
from callhub.domain.family import relatives
from callhub.domain.incident import JOINABLE, Incident, Places, Source
from callhub.domain.policy import KINDS, UNKNOWN, IncidentClass, policy_key

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case, Turn
    from callhub.domain.events import AlarmRaised, CallTaken, FrameFaulty, PriorAnswer
    from callhub.domain.people import Device, Elder, Position

CLASS_OF = {kind: class_ for class_, kinds in KINDS.items() if class_ is not IncidentClass.DRILL for kind in kinds}
GATEWAY_FAULT = "gateway_fault"
DRILL_URGENCY = 5
"""At least this number for a drill, whatever its ladder says: nothing real waits for one."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What all ways of asking for help have in common."""

    id: str
    source: Source
    kind: str
    gateway: str | None = None
    device: str | None = None
    device_known: bool | None = None
    record: Device | None = None
    elder: Elder | None = None
    at: datetime | None = None
    position: Position | None = None
    battery: float | None = None
    text: str | None = None
    phone: str | None = None
    address: str | None = None
    says_test: bool = False
    ignored: tuple[str, ...] = ()
    raw: str | None = None
    drill: bool = False

    @property
    def class_(self) -> IncidentClass:
        """By kind, but for a drill."""
        return IncidentClass.DRILL if self.drill else CLASS_OF[self.kind]


def raise_alarm(turn: Turn, event: AlarmRaised) -> Answer:
    """A gateway's alarm; the answer is its receipt."""
    prior = event.request.prior if event.request is not None else ()
    mine = [p for p in prior if p.fingerprint.startswith("alarm|")]
    repeated = _repeat_of(turn, event, mine)
    if repeated is not None:
        return Answer({**repeated.answer, "duplicate": True}, incident=repeated.incident, repeat=True)
    known = event.device_record is not None
    receipt = {
        "incident": None,
        "duplicate": False,
        "id_reused": bool(mine),
        "device_known": known,
        "ignored": list(event.ignored),
    }
    if event.says_test and _is_on_test(event.device_record, turn.now):
        turn.note(f.TestRecorded(gateway=event.gateway, device=event.device, alarm=event.alarm, at=turn.now))
        return Answer(receipt)
    case = take(turn, _signal(event, known))
    early = turn.changes.early_cancel(event.gateway, event.alarm, event.device) or _kept_cancel(turn, event, prior)
    if early is not None:
        case.add(f.CancelRequested(id=early, gateway=event.gateway, device=event.device, alarm=event.alarm))
    return Answer({**receipt, "incident": case.id}, incident=case.id)


def _kept_cancel(turn: Turn, event: AlarmRaised, prior: tuple[PriorAnswer, ...]) -> str | None:
    """The cancel that came before this alarm and is not in memory any more; only the first alarm of that id has one."""
    if any(p.fingerprint.startswith(f"alarm|{event.device}|") for p in prior):
        return None
    since = turn.now - timedelta(seconds=turn.world.rules.repeat_window_s)
    mine = [p for p in prior if p.fingerprint == early_cancel(event.device) and p.at >= since]
    kept = [str(p.answer["cancel"]) for p in mine]
    return kept[-1] if kept else None


def _signal(event: AlarmRaised, known: bool) -> Signal:
    return Signal(
        id=event.alarm,
        source=Source.DEVICE,
        kind=event.kind if event.kind in CLASS_OF else UNKNOWN,
        gateway=event.gateway,
        device=event.device,
        device_known=known,
        record=event.device_record,
        elder=event.elder,
        at=event.at,
        position=event.position,
        battery=event.battery,
        text=event.text,
        says_test=event.says_test,
        ignored=event.ignored,
        raw=event.raw,
    )


def _repeat_of(turn: Turn, event: AlarmRaised, prior: list[PriorAnswer]) -> PriorAnswer | None:
    """The first answer to the same alarm, or None.

    Without a time of its own it is the same while its incident is open, or within the window.
    """
    if event.request is None:
        return None
    window = timedelta(seconds=turn.world.rules.repeat_window_s)
    for answer in reversed(prior):
        if answer.fingerprint != event.request.fingerprint:
            continue
        is_open = answer.incident is not None and answer.incident in turn.world.incidents
        if event.at is not None or is_open or turn.now - answer.at <= window:
            return answer
    return None


def _is_on_test(device: Device | None, now: datetime) -> bool:
    return device is not None and device.test_until is not None and now < device.test_until


def take_call(turn: Turn, event: CallTaken) -> Answer:
    """A call by telephone, a responder's report, or something callhub noticed about itself."""
    signal = Signal(
        id=event.id,
        source=Source(event.source),
        kind=event.kind if event.kind in CLASS_OF else UNKNOWN,
        elder=event.elder,
        text=event.text,
        phone=event.phone,
        address=event.address,
    )
    case = take(turn, signal)
    return Answer({"ok": True, "state": case.incident.state.value, "incident": case.id}, incident=case.id)


def faulty_frame(turn: Turn, event: FrameFaulty) -> Answer:
    """A frame that cannot be read: an emergency of kind ``unknown`` when it asked for help, else a technical fault."""
    signal = Signal(
        id=event.alarm or event.id,
        source=Source.DEVICE if event.wants_help else Source.SYSTEM,
        kind=UNKNOWN if event.wants_help else GATEWAY_FAULT,
        gateway=event.gateway,
        device_known=False if event.wants_help else None,
        raw=event.raw,
    )
    case = take(turn, signal)
    body = {"message": event.message, "field": event.field_name}
    return Answer(body, code=event.code, incident=case.id)


def take(turn: Turn, signal: Signal) -> Case:
    """Join an open incident or open a new one."""
    joined = _incident_to_join(turn, signal)
    if joined is not None:
        return _join(turn, turn.case(joined.id), signal)
    return open_case(turn, signal)


def _incident_to_join(turn: Turn, signal: Signal) -> Incident | None:
    """The oldest open incident this signal belongs to, or None."""
    world = turn.world
    same_device = world.open_of_device(signal.gateway, signal.device) if signal.gateway is not None else []
    same_elder = world.open_of_elder(signal.elder.id) if signal.elder is not None else []
    if signal.class_ is IncidentClass.EMERGENCY:
        near = same_elder if signal.elder is not None else same_device
        fitting = [i for i in near if i.class_ is IncidentClass.EMERGENCY and i.state in JOINABLE]
        # An incident that nobody could place and that this device opened is the same case once its elder is known.
        if not fitting and signal.elder is not None:
            fitting = [
                i for i in same_device if signal.device and i.class_ is IncidentClass.EMERGENCY and i.state in JOINABLE
            ]
            fitting = [i for i in fitting if i.elder in (None, signal.elder.id)]
    elif signal.class_ is IncidentClass.SERVICE:
        fitting = [i for i in same_elder if i.kind == signal.kind and i.state in JOINABLE]
    else:
        near = same_device or same_elder
        if signal.gateway is None and signal.elder is None:
            # About callhub itself: one case of its kind, also when a restart notices the same again.
            near = [i for i in world.incidents.values() if i.gateway is None and i.elder is None]
        fitting = [i for i in near if i.kind == signal.kind and i.state in JOINABLE]
    return fitting[0] if fitting else None


def _join(turn: Turn, case: Case, signal: Signal) -> Case:
    incident = case.incident
    only_said_test, ran_before = incident.says_test, incident.ladder_runs
    case.add(_recorded(turn, signal, joined=True))
    _see_fix(case, signal, turn.now)
    policy = turn.world.policies.choose(signal.kind, turn.world.rules.local(turn.now))
    urgent = policy.urgency < incident.urgency
    if urgent:
        turn.world.freeze(policy)
        case.add(
            f.AlarmMadeUrgent(
                kind=signal.kind,
                urgency=policy.urgency,
                policy=policy_key(policy),
                needed=policy.needed,
                class_=signal.class_,
            )
        )
        settle(case)
    if (urgent or (only_said_test and not signal.says_test)) and incident.ladder_runs:
        restart(case)
        enter_step(case, 0, "urgent")
    elif call_back_answers.ends_it(case, incident.alarms[-1]):
        call_back_answers.go(case, "pressed")
    elif not ran_before:
        resume(case, "urgent")  # somebody who has left already has not seen to this alarm
    return case


def open_case(turn: Turn, signal: Signal) -> Case:
    """Open a new incident, whatever else is open, and begin its ladder."""
    world = turn.world
    policy = world.policies.choose(signal.kind, world.rules.local(turn.now), drill=signal.drill)
    world.freeze(policy)
    elder = signal.elder
    fact = f.IncidentOpened(
        number=world.number + 1,
        class_=signal.class_,
        kind=signal.kind,
        urgency=max(policy.urgency, DRILL_URGENCY) if signal.drill else policy.urgency,
        source=signal.source,
        policy=policy_key(policy),
        needed=policy.needed,
        gateway=signal.gateway,
        device=signal.device,
        device_known=signal.device_known,
        elder=elder.id if elder is not None else None,
        area=elder.area if elder is not None else (),
        paired=elder.paired if elder is not None else (),
        family=relatives(elder.family) if elder is not None else (),
        says_test=signal.says_test and signal.class_ is IncidentClass.EMERGENCY,
        follows=_follows(turn, signal),
        text=signal.text,
        phone=signal.phone,
        address=signal.address or (elder.address if elder is not None else None),
        home=elder.position if elder is not None else None,
    )
    case = turn.open(fact, _places(signal))
    case.add(_recorded(turn, signal, joined=False))
    _see_fix(case, signal, turn.now)
    check_watched(case)
    if not call_backs.begin(case, elder):
        enter_step(case, first_step(case.incident, policy), "opened", gather=_gathers(turn, case))
    return case


def _gathers(turn: Turn, case: Case) -> bool:
    """Whether who comes is decided together with other cases of the batch."""
    gathered = isinstance(turn.event, HelpAsked) and turn.event.gathered
    return gathered and case.incident.class_ is IncidentClass.EMERGENCY


def _places(signal: Signal) -> Places:
    elder = signal.elder
    if elder is None:
        return Places(address=signal.address or "")
    return Places(home=elder.position, home_source=elder.position_source, address=elder.address)


def _follows(turn: Turn, signal: Signal) -> str | None:
    """The newest open incident of the same elder (unknown: of the same device) that this one could not join.

    Practice and the real thing do not follow each other.
    """
    if signal.elder is not None:
        before = turn.world.open_of_elder(signal.elder.id)
    elif signal.gateway is not None and signal.device is not None:
        before = turn.world.open_of_device(signal.gateway, signal.device)
    else:
        return None
    real = [incident for incident in before if incident.class_ is not IncidentClass.DRILL]
    return real[-1].id if real and not signal.drill else None


def _recorded(turn: Turn, signal: Signal, *, joined: bool) -> f.AlarmRecorded:
    return f.AlarmRecorded(
        id=signal.id,
        gateway=signal.gateway,
        device=signal.device,
        kind=signal.kind,
        received_at=turn.now,
        at=signal.at,
        joined=joined,
        says_test=signal.says_test,
        device_known=signal.device_known,
        battery=signal.battery,
        ignored=signal.ignored,
        text=signal.text,
        position=signal.position,
        raw=signal.raw,
    )


def _see_fix(case: Case, signal: Signal, now: datetime) -> None:
    """Keep the alarm's own position; it wins over home only for a mobile device with a fresh and accurate fix.

    Where no home is known any position is better than none.
    """
    if signal.position is None:
        return
    rules = case.turn.world.rules
    fresh = signal.at is None or abs(now - signal.at) <= timedelta(seconds=rules.fix_fresh_s)
    accuracy_m = signal.position.accuracy_m
    accurate = accuracy_m is not None and accuracy_m <= rules.fix_accuracy_m_max
    mobile = signal.record is not None and signal.record.mobile
    places = case.places
    good = mobile and fresh and accurate
    if places.fix_wins and not good and (places.home is not None or not fresh):
        return
    wins = good or places.home is None
    case.turn.world.places[case.id] = replace(places, fix=signal.position, fix_at=signal.at or now, fix_wins=wins)
