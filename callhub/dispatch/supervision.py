"""Equipment that should be heard: one technical incident for each thing that is wrong, closed when it is well again.

Rules of this file:
1. One open incident for each kind and device, gateway or area. What is reported is not reported again before it was
   well: a person who closes the case has seen it.
2. It closes by itself with the outcome ``recovered``, unless somebody owns it or is on the way: then it is marked, and
   theirs to close; once they let go of it the next sign of life closes it.
3. A gateway that is out speaks for its devices, an area for everything in it. Cases that are open already fold into it
   (outcome ``folded``, or a mark where somebody has them). When it is back, what was silent counts from then.
4. What a restart must know is kept as marks, in the same transaction as the facts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from callhub.dispatch.duties import close
from callhub.dispatch.escalation import enter_step
from callhub.dispatch.roll_calls import after_outage
from callhub.dispatch.silence import Finding, finding_of, instant, seconds
from callhub.domain import facts as f
from callhub.domain.decision import Answer
from callhub.domain.incident import Places, Source
from callhub.domain.policy import IncidentClass, policy_key
from callhub.domain.roll_call import Cause
from callhub.domain.supervision import (
    AREA_LOST,
    FAULTS,
    GATEWAY_LOST,
    LINKED,
    LOW_BATTERY,
    SILENCES,
    SUPERVISION_LOST,
    UNLINKED,
    WATCHED,
    DeviceSaid,
    DevicesHeard,
    GatewayLinkChanged,
    mended,
    reported,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from callhub.dispatch.outages import Watched
    from callhub.dispatch.silence import Gateway
    from callhub.dispatch.turn import Case, Turn
    from callhub.domain.events import DeadlineDue, DirectoryUpdated

RECOVERED = "recovered"
FOLDED = "folded"
NOT_SUPERVISED = "not_supervised"
AGAIN_S = 0.001


# Signs of life


def hear_devices(turn: Turn, event: DevicesHeard) -> Answer:
    """Devices were heard; what was missing or wrong may be well again. About 0.5 us for a device that is well."""
    silence = turn.world.silence
    for said in event.devices:
        ended = silence.hear(said.device, seconds(said.at))
        if ended or (SUPERVISION_LOST, said.device) in silence.open:
            _mend(turn, (SUPERVISION_LOST, said.device), anew=ended)
        if said.battery is not None or said.faults is not None:
            _see_health(turn, said)
    _let_areas_return(turn)
    return Answer()


def _see_health(turn: Turn, said: DeviceSaid) -> None:
    silence = turn.world.silence
    for kind in FAULTS:
        about = (kind, said.device)
        wrong = _is_wrong(turn, kind, said)
        if wrong and about not in silence.reported:
            silence.find(about, seconds(turn.now))
        elif wrong is False:
            silence.taken(about)
            anew = about in silence.reported
            if anew:
                turn.changes.on_undo(partial(silence.reported.add, about))
                silence.reported.discard(about)
                turn.mark(mended(kind), said.device)
            _mend(turn, about, anew=anew)


def _is_wrong(turn: Turn, kind: str, said: DeviceSaid) -> bool | None:
    """Whether this is wrong; None when the device does not say, or its battery is neither low nor well."""
    named = said.faults is not None and kind in said.faults
    if kind != LOW_BATTERY or said.battery is None:
        return None if said.faults is None else named
    rules = turn.world.rules
    if named or said.battery < rules.low_battery:
        return True
    return False if said.battery >= rules.battery_well else None


def change_gateway_link(turn: Turn, event: GatewayLinkChanged) -> Answer:
    """A gateway's first link came up, or its last was lost."""
    silence = turn.world.silence
    if event.up:
        silence.known.add(event.gateway)
        silence.linked.add(event.gateway)
    else:
        silence.linked.discard(event.gateway)
    gateway = silence.gateways.get(event.gateway)
    if gateway is None:
        return Answer()
    lost_at = gateway.since
    if gateway.up is not event.up:
        gateway.up = event.up
        turn.mark(LINKED if event.up else UNLINKED, gateway.id)
        gateway.since = seconds(turn.now)
    if event.up:
        gateway.known = True
        _let_gateway_return(turn, gateway, lost_at)
    else:
        silence.look_after_gateway(gateway)
    return Answer()


def _let_gateway_return(turn: Turn, gateway: Gateway, lost_at: float) -> None:
    """Its devices count from now, and presses since ``lost_at`` may have been missed."""
    was_out, told = gateway.out, gateway.told
    gateway.out = gateway.told = False
    if was_out:
        _count_anew(turn, (turn.world.silence.devices[id] for id in sorted(gateway.devices)))
    if was_out or (GATEWAY_LOST, gateway.id) in turn.world.silence.open:
        _mend(turn, (GATEWAY_LOST, gateway.id), anew=told)
    area = turn.world.silence.path_of(gateway)
    if told and not turn.world.silence.outages.is_out(area):
        after_outage(turn, Cause.GATEWAY, instant(lost_at), area, gateway.id)
    _let_areas_return(turn)


def _let_areas_return(turn: Turn) -> None:
    silence = turn.world.silence
    for area in list(silence.outages.back()):
        heard = silence.outages.out[area]
        turn.changes.on_undo(partial(silence.outages.out.update, {area: heard}))
        del silence.outages.out[area]
        turn.mark(mended(AREA_LOST), area)
        _release_area(turn, area, heard)
        for id in _mend(turn, (AREA_LOST, area), anew=True):
            incident = turn.world.incidents.get(id) or turn.world.ended[id][0]
            after_outage(turn, Cause.AREA, incident.opened_at, incident.area)


def _release_area(turn: Turn, area: str, heard: set[str]) -> None:
    """What is in it and was not heard yet counts from now, gateways too."""
    silence = turn.world.silence
    inside = [device for device in silence.devices.values() if area in device.area]
    for id in sorted({device.gateway for device in inside if device.gateway is not None}):
        gateway = silence.gateways[id]
        if gateway.out:
            gateway.out = gateway.told = False
            gateway.since = seconds(turn.now)
            silence.look_after_gateway(gateway)
    _count_anew(turn, (device for device in inside if device.id not in heard and device.silent_at is not None))


def _count_anew(turn: Turn, devices: Iterable[Watched]) -> None:
    for device in devices:
        turn.world.silence.count_anew(device, seconds(turn.now))
        turn.mark(WATCHED, device.id)


# What was found


def fire(turn: Turn, event: DeadlineDue) -> Answer:
    """Decide on a finding: open one case, or none if something larger speaks for it."""
    silence = turn.world.silence
    about = finding_of(event.key)
    found_at = silence.taken(about) if about is not None else None
    if about is None or found_at is None:
        return Answer()
    kind, subject = about
    turn.changes.on_undo(partial(silence.find, about, found_at))
    if kind == SUPERVISION_LOST:
        _device_is_silent(turn, event, silence.devices.get(subject))
    elif kind == GATEWAY_LOST:
        _gateway_is_out(turn, silence.gateways.get(subject))
    else:
        silence.reported.add(about)
        turn.changes.on_undo(partial(silence.reported.discard, about))
        _report(turn, about, event)
    return Answer()


def _device_is_silent(turn: Turn, event: DeadlineDue, device: Watched | None) -> None:
    silence = turn.world.silence
    if device is None or device.silent_at is None or device.told:
        return
    if _is_part_of_more(turn, (SUPERVISION_LOST, device.id), [device.area]) or silence.is_behind_outage(device):
        return
    device.told = True
    turn.changes.on_undo(partial(setattr, device, "told", False))
    _report(turn, (SUPERVISION_LOST, device.id), event, heard_at=device.since, silent=1)


def _gateway_is_out(turn: Turn, gateway: Gateway | None) -> None:
    silence = turn.world.silence
    if gateway is None or not gateway.out or gateway.told:
        return
    about = (GATEWAY_LOST, gateway.id)
    if _is_part_of_more(turn, about, sorted({silence.devices[id].area for id in gateway.devices})):
        return
    gateway.told = True
    turn.changes.on_undo(partial(setattr, gateway, "told", False))
    devices = len(gateway.devices)
    area = silence.path_of(gateway)
    into = _report(turn, about, None, area=area, heard_at=gateway.since, devices=devices, silent=devices)
    for id in sorted(gateway.devices):
        _fold(turn, (SUPERVISION_LOST, id), into)


def _is_part_of_more(turn: Turn, about: Finding, paths: list[tuple[str, ...]]) -> bool:
    """Whether an area speaks for this; opens the area's own case when this is what makes it out."""
    silence = turn.world.silence
    for path in paths:
        area = silence.outages.found(path, seconds(turn.now))
        if area is not None:
            _area_is_out(turn, path[: path.index(area) + 1])
            # One event opens one case: whether there is more to say is decided in a moment.
            silence.find(about, seconds(turn.now) + AGAIN_S)
            return True
    return all(silence.outages.is_out(path) for path in paths)


def _area_is_out(turn: Turn, path: tuple[str, ...]) -> None:
    silence, area = turn.world.silence, path[-1]
    outages = silence.outages
    before = dict(outages.out)
    turn.changes.on_undo(partial(setattr, outages, "out", before))
    inside = {a for device in silence.devices.values() if area in device.area for a in device.area[len(path) :]}
    outages.out = {one: heard for one, heard in before.items() if one not in inside} | {area: set()}
    for one in sorted(inside & before.keys()):
        turn.mark(mended(AREA_LOST), one)
    counted = {"devices": outages.devices(area), "silent": outages.silent(area)}
    into = _report(turn, (AREA_LOST, area), None, area=path, **counted)
    for about in sorted(about for about in silence.open if about[0] in SILENCES and about != (AREA_LOST, area)):
        if any(area in turn.world.incidents[id].area for id in silence.open.get(about, ())):
            _fold(turn, about, into)


# Cases


def _report(
    turn: Turn,
    about: Finding,
    event: DeadlineDue | None,
    *,
    area: tuple[str, ...] = (),
    heard_at: float | None = None,
    devices: int = 1,
    silent: int = 0,
) -> str:
    """Open a case, or say in the open one that it is wrong again; the case's id."""
    kind, subject = about
    turn.mark(reported(kind), subject)
    already = sorted(turn.world.silence.open.get(about, ()))
    if already:
        for id in already:
            turn.case(id).add(f.FaultReturned(kind=kind, subject=subject))
        return already[0]
    case = _open(turn, about, event, area)
    last = instant(heard_at) if heard_at is not None else None
    case.add(f.FaultFound(kind=kind, subject=subject, heard_at=last, devices=devices, silent=silent))
    enter_step(case, 0, "opened")
    return case.id


def _open(turn: Turn, about: Finding, event: DeadlineDue | None, area: tuple[str, ...]) -> Case:
    kind, subject = about
    world = turn.world
    policy = world.policies.choose(kind, turn.now.astimezone(world.rules.timezone))
    world.freeze(policy)
    record = event.device_record if event is not None else None
    elder = event.elder if event is not None else None
    is_device = kind not in (GATEWAY_LOST, AREA_LOST)
    gateway = subject if kind == GATEWAY_LOST else record.gateway if record is not None else None
    device = subject if is_device else None
    fact = f.IncidentOpened(
        number=world.number + 1,
        class_=IncidentClass.TECHNICAL,
        kind=kind,
        urgency=policy.urgency,
        source=Source.SYSTEM,
        policy=policy_key(policy),
        needed=policy.needed,
        gateway=gateway,
        device=device,
        device_known=record is not None if is_device else None,
        elder=elder.id if elder is not None else None,
        area=elder.area if elder is not None else area,
        paired=elder.paired if elder is not None else (),
        address=elder.address if elder is not None else None,
        home=elder.position if elder is not None else None,
    )
    places = Places() if elder is None else Places(elder.position, elder.position_source, elder.address)
    case = turn.open(fact, places)
    # No gateway in the signal: nobody sent it, so nobody is told of its progress.
    case.add(f.AlarmRecorded(id=turn.event.id, device=device, kind=kind, received_at=turn.now))
    return case


def _mend(turn: Turn, about: Finding, *, anew: bool) -> list[str]:
    """It is well again; ``anew``: it was not a moment ago. The cases that were open about it."""
    kind, subject = about
    ids = sorted(turn.world.silence.open.get(about, ()))
    for id in ids:
        case = turn.case(id)
        if anew or not _is_taken(case):
            case.add(f.FaultMended(kind=kind, subject=subject))
        if not _is_taken(case):
            close(case, RECOVERED)
    return ids


def _fold(turn: Turn, about: Finding, into: str) -> None:
    for id in sorted(turn.world.silence.open.get(about, ())):
        case = turn.case(id)
        case.add(f.FaultFolded(into=into))
        if not _is_taken(case):
            close(case, FOLDED)


def _is_taken(case: Case) -> bool:
    """Whether a person or a department has it: it is for people to end."""
    incident = case.incident
    return incident.owner is not None or bool(incident.live) or incident.has_whistle_out


# The directory


def change_supervised(turn: Turn, event: DirectoryUpdated) -> None:
    """Devices came, went or moved; what came counts from now."""
    silence = turn.world.silence
    for record in event.supervised:
        old = silence.devices.get(record.device)
        if record.heartbeat_s <= 0:
            silence.unwatch(record.device)
            for id in sorted(silence.open.get((SUPERVISION_LOST, record.device), ())):
                case = turn.case(id)
                if not _is_taken(case):
                    close(case, NOT_SUPERVISED)
            continue
        device = silence.watch(record, seconds(turn.now))
        silence.look_after(device)
        if old is None:
            turn.mark(WATCHED, device.id)
        if device.gateway in silence.linked:
            turn.mark(LINKED, device.gateway)
    homes = dict(event.homes)
    for device in list(silence.devices.values()) if homes else ():
        area = homes.get(device.elder or "", device.area)
        if area != device.area:
            silence.move(device, area)
