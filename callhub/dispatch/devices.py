"""What a device says beside its alarm: a request to cancel, a sign of arrival, a card, a confirmation.

Rules of this file:
1. A cancel from a button is a request, shown to people and to everyone assigned; never a cancel.
2. A device's word goes to the open incident that its alarm opened or joined.
3. ``arrived`` and ``card`` are shown as "device says", and count as arrival only when exactly one person is on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.dispatch.call_back_answers import confirmed
from callhub.dispatch.duties import arrive
from callhub.domain import facts as f
from callhub.domain.decision import Answer
from callhub.domain.incident import AssignmentState, Incident
from callhub.domain.policy import IncidentClass

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case, Turn
    from callhub.domain.events import CancelAsked, Event, SignalSent


def ask_cancel(turn: Turn, event: CancelAsked) -> Answer:
    """A request to cancel; without its alarm it is remembered until that comes."""
    repeat = repeated(event, "cancel|")
    if repeat is not None:
        return repeat
    incident = _of_alarm(turn, event)
    request_id = event.request.key.id if event.request is not None else event.id
    if incident is None:
        if event.alarm is not None and not _is_over(turn, event):
            turn.changes.expect_alarm(event.gateway, event.alarm, event.device, request_id)
        return _receipt(event, event.device_record is not None, None)
    case = turn.case(incident.id)
    case.add(f.CancelRequested(id=request_id, gateway=event.gateway, device=event.device, alarm=event.alarm))
    return _receipt(event, event.device_record is not None, case.id)


def _of_alarm(turn: Turn, event: CancelAsked) -> Incident | None:
    open_ones = turn.world.open_of_device(event.gateway, event.device)
    if event.alarm is None:
        return _foremost(open_ones)
    return _foremost([i for i in open_ones if _has(i, event)])


def _has(incident: Incident, event: CancelAsked) -> bool:
    """Whether it has the alarm, or forgot so many of this device that it may have had it."""
    of = [alarm.id for alarm in incident.alarms if (alarm.gateway, alarm.device) == (event.gateway, event.device)]
    return event.alarm in of or (bool(of) and incident.alarms_more > 0)


def _is_over(turn: Turn, event: CancelAsked) -> bool:
    """Whether the alarm came and its case has ended: a later press under the same id must not look cancelled."""
    return any(_has(incident, event) for incident, _ in turn.world.ended.values())


def _foremost(incidents: list[Incident]) -> Incident | None:
    """The case that a device means when it has several open: the newest, emergencies before anything else."""
    return max(incidents, key=lambda i: (i.class_ is IncidentClass.EMERGENCY, i.id), default=None)


def send_signal(turn: Turn, event: SignalSent) -> Answer:
    """A sign from the device at the elder's home."""
    repeat = repeated(event, "signal|")
    if repeat is not None:
        return repeat
    known = event.device_record is not None
    open_ones = turn.world.open_of_device(event.gateway, event.device)
    if not open_ones and event.elder is not None:
        open_ones = [i for i in turn.world.open_of_elder(event.elder.id) if i.state.value != "resolved"]
    incident = _called_back(turn, event) or _foremost(open_ones)
    if incident is None:
        return _receipt(event, known, None)
    case = turn.case(incident.id)
    matches = None
    if event.signal == "card":
        matches = event.elder is not None and bool(event.elder.card) and event.card == event.elder.card
    case.add(
        f.DeviceSignalled(
            id=event.request.key.id if event.request is not None else event.id,
            gateway=event.gateway,
            device=event.device,
            signal=event.signal,
            matches=matches,
            card=event.card,
        )
    )
    if event.signal in {"arrived", "card"} and matches is not False:
        _arrive_if_only_one(case)
    elif event.signal == "confirm":
        confirmed(case)
    return _receipt(event, known, case.id)


def _called_back(turn: Turn, event: SignalSent) -> Incident | None:
    """The case of this elder that waits for a voice: a button may answer for a sensor."""
    if event.signal != "confirm" or event.elder is None:
        return None
    return _foremost([i for i in turn.world.open_of_elder(event.elder.id) if i.call_back is not None])


def _arrive_if_only_one(case: Case) -> None:
    on_the_way = [a for a in case.incident.live if a.state is not AssignmentState.ON_SCENE]
    if len(on_the_way) == 1:
        arrive(case, on_the_way[0], "device")


def repeated(event: Event, prefix: str) -> Answer | None:
    """The first answer to the same message of a gateway, as a duplicate."""
    if event.request is None:
        return None
    same = [p for p in event.request.prior if p.fingerprint == event.request.fingerprint]
    if not same or not same[0].fingerprint.startswith(prefix):
        return None
    return Answer({**same[0].answer, "duplicate": True}, incident=same[0].incident, repeat=True)


def _receipt(event: Event, known: bool, incident: str | None) -> Answer:
    prior = event.request.prior if event.request is not None else ()
    kind = event.request.fingerprint.partition("|")[0] if event.request is not None else ""
    reused = any(p.fingerprint.startswith(f"{kind}|") for p in prior)
    body: dict[str, Any] = {
        "incident": incident,
        "duplicate": False,
        "id_reused": reused,
        "device_known": known,
    }
    return Answer(body, incident=incident)
