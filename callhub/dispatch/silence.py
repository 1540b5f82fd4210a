"""Who has been silent for how long, without a deadline for each device.

Rules of this file:
1. A device lies in one bucket of ``BUCKET_S``. When the bucket is due its last sign of life is looked at: heard since,
   so it goes into a later bucket; else it is silent. A sign of life moves one number and no queue.
2. What is found (silence, a fault that a device told of) is a *finding*: it is due at once, and whoever decides on it
   takes it away. Findings of gateways come first, so that their devices say nothing of their own.
3. Devices behind a gateway that is out are not looked at: its outage is theirs.
4. Signs of life and links are true whatever becomes of a decision, so they are not put back when one fails.
   What was reported is.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from math import ceil
from typing import TYPE_CHECKING

from callhub.dispatch.outages import Outages, Watched
from callhub.domain.incident import IncidentState
from callhub.domain.policy import IncidentClass
from callhub.domain.supervision import AREA_LOST, FAULTS, GATEWAY_LOST, SUPERVISION_LOST

if TYPE_CHECKING:
    from callhub.dispatch.rules import Rules
    from callhub.domain.incident import Incident
    from callhub.domain.people import Supervised

BUCKET_S = 0.5
"""How late a silence may be found; half of what is allowed leaves room for the loop itself."""
CHECKS_MAX = 5000
"""Devices looked at before the loop gets its turn back; about 3 ms."""
FINDINGS_MAX = 64
"""Findings handed out at once, so that an emergency never waits behind an outage."""

Finding = tuple[str, str]
"""A technical kind and the device, gateway or area it is about."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = frozenset((SUPERVISION_LOST, GATEWAY_LOST, AREA_LOST, *FAULTS))


def seconds(at: datetime) -> float:
    """Seconds since 1970 of an aware instant."""
    return (at - _EPOCH).total_seconds()


def instant(at: float) -> datetime:
    """The instant of those seconds, aware UTC, to the microsecond."""
    return _EPOCH + timedelta(seconds=at)


def finding_of(key: str | None) -> Finding | None:
    """What a timer's key is about; None when it is no finding."""
    kind, _, subject = (key or "").partition(":")
    return (kind, subject) if kind in _KINDS else None


def subject_of(incident: Incident) -> Finding | None:
    """What a technical incident is about; None when it is none that supervision opened."""
    if incident.class_ is not IncidentClass.TECHNICAL or incident.kind not in _KINDS:
        return None
    if incident.kind == AREA_LOST:
        subject = incident.area[-1] if incident.area else None
    else:
        subject = incident.gateway if incident.kind == GATEWAY_LOST else incident.device
    return (incident.kind, subject) if subject is not None else None


@dataclass(slots=True, eq=False)
class Gateway:
    """A gateway with supervised devices.

    ``known``: it had a link once, so that it can lose it; equipment that only pushes HTTP never has. ``since`` is from
    when its silence counts while it is not ``up``. ``out``: it was without a link for too long. ``told``: that was
    reported.
    """

    id: str
    since: float
    devices: set[str] = field(default_factory=set)
    known: bool = False
    up: bool = False
    out: bool = False
    told: bool = False


class Silence:
    """What supervision remembers: about 0.4 KB for each supervised device.

    ``open`` are the open incidents by what they are about, ``reported`` the faults that were reported and not yet
    mended.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.devices: dict[str, Watched] = {}
        self.gateways: dict[str, Gateway] = {}
        self.linked: set[str] = set()
        self.known: set[str] = set()
        self.outages = Outages(rules.area_devices_min, rules.area_window_s)
        self.open: dict[Finding, set[str]] = {}
        self.reported: set[Finding] = set()
        self._about: dict[str, Finding] = {}
        self._buckets: dict[int, list[Watched]] = {}
        self._bucket_heap: list[int] = []
        self._gateway_heap: list[tuple[float, str]] = []
        self._findings: dict[Finding, float] = {}
        self._gateway_findings: dict[Finding, float] = {}

    # Open incidents

    def note(self, incident: Incident) -> None:
        """Keep ``open`` up to date after an incident changed."""
        about = subject_of(incident)
        if about is None:
            return
        if incident.state in (IncidentState.CLOSED, IncidentState.CANCELLED):
            self.forget(incident.id)
        elif incident.id not in self._about:
            self._about[incident.id] = about
            self.open.setdefault(about, set()).add(incident.id)

    def forget(self, id: str) -> None:
        """An incident is over, or never was."""
        about = self._about.pop(id, None)
        if about is not None:
            ids = self.open[about]
            ids.discard(id)
            if not ids:
                del self.open[about]

    # Who is supervised

    def watch(self, record: Supervised, since: float) -> Watched:
        """Supervise a device from ``since``, or go on with what is known of it; nobody looks at it yet."""
        old = self.devices.get(record.device)
        device = Watched(record.device, record.heartbeat_s, record.gateway, record.elder, record.area, since)
        if device.gateway is not None:
            gateway = self.gateways.get(device.gateway)
            if gateway is None:
                gateway = self.gateways[device.gateway] = Gateway(device.gateway, since)
                gateway.up = gateway.id in self.linked
                gateway.known = gateway.id in self.known
        if old is not None:
            self.unwatch(record.device, staying_at=device.gateway)
            device.since, device.told = old.since, old.told
        self.devices[device.id] = device
        self.outages.add(device)
        if device.gateway is not None:
            self.gateways[device.gateway].devices.add(device.id)
        return device

    def unwatch(self, id: str, staying_at: str | None = None) -> Watched | None:
        """Supervise a device no more; what was known of it, None when it was not supervised.

        ``staying_at``: a gateway that is kept although this was its last device.
        """
        device = self.devices.pop(id, None)
        if device is None:
            return None
        self.outages.remove(device)
        device.bucket = None
        self.taken((SUPERVISION_LOST, id))
        if device.gateway is not None:
            gateway = self.gateways[device.gateway]
            gateway.devices.discard(id)
            if not gateway.devices and gateway.id != staying_at:
                del self.gateways[gateway.id]
                self.taken((GATEWAY_LOST, gateway.id))
        return device

    def move(self, device: Watched, area: tuple[str, ...]) -> None:
        """Its elder lives in another area now."""
        self.outages.remove(device)
        device.area = area
        self.outages.add(device)
        if device.bucket is None:
            self.look_after(device)

    def look_after(self, device: Watched) -> None:
        """Put a device where it is looked at when its time is over."""
        bucket = ceil((device.since + device.heartbeat_s) / BUCKET_S)
        device.bucket = bucket
        waiting = self._buckets.get(bucket)
        if waiting is None:
            self._buckets[bucket] = [device]
            heapq.heappush(self._bucket_heap, bucket)
        else:
            waiting.append(device)

    def look_after_gateway(self, gateway: Gateway) -> None:
        """Look at a gateway when it has been without a link for too long; one that never had a link is left alone."""
        if gateway.known and not gateway.up:
            heapq.heappush(self._gateway_heap, (gateway.since + self.rules.gateway_lost_s, gateway.id))

    def is_behind_outage(self, device: Watched) -> bool:
        """Whether its gateway is out."""
        return device.gateway is not None and self.gateways[device.gateway].out

    def path_of(self, gateway: Gateway) -> tuple[str, ...]:
        """The area path that all devices of a gateway share."""
        paths = [self.devices[id].area for id in gateway.devices]
        shared = paths[0] if paths else ()
        for path in paths:
            same = 0
            while same < min(len(shared), len(path)) and shared[same] == path[same]:
                same += 1
            shared = shared[:same]
        return shared

    # Signs of life

    def hear(self, id: str, at: float) -> bool:
        """A sign of life; whether a silence of this device ends with it. About 0.3 us."""
        device = self.devices.get(id)
        if device is None:
            return False
        device.since = max(device.since, at)
        if device.silent_at is None and not self.outages.out:
            return False
        was_silent = device.silent_at is not None
        self.outages.heard(device)
        if device.bucket is None and not self.is_behind_outage(device):
            self.look_after(device)
        device.told = False
        return was_silent

    def count_anew(self, device: Watched, at: float) -> None:
        """Its silence counts from here: what kept it from being heard is over."""
        device.since = max(device.since, at)
        self.outages.heard(device)
        device.told = False
        if device.bucket is None:
            self.look_after(device)

    # Findings

    def find(self, about: Finding, at: float) -> None:
        """Something is wrong and waits to be decided on; twice is once."""
        self._waiting(about).setdefault(about, at)

    def taken(self, about: Finding) -> float | None:
        """A finding is being decided on: take it away; when it was due, None when there is none (any more)."""
        return self._waiting(about).pop(about, None)

    def _waiting(self, about: Finding) -> dict[Finding, float]:
        return self._gateway_findings if about[0] == GATEWAY_LOST else self._findings

    def next_due(self) -> float | None:
        """When somebody must be looked at, or something found waits."""
        times = [next(iter(found.values())) for found in (self._gateway_findings, self._findings) if found]
        if self._bucket_heap:
            times.append(self._bucket_heap[0] * BUCKET_S)
        if self._gateway_heap:
            times.append(self._gateway_heap[0][0])
        return min(times, default=None)

    def due(self, at: float) -> list[tuple[float, Finding]]:
        """Look at whoever is due, a bounded number at once; what was found and waits, gateways first."""
        self._look_at_gateways(at)
        self._look_at_devices(at)
        found = chain(self._gateway_findings.items(), self._findings.items())
        return [(due_at, about) for about, due_at in islice(found, FINDINGS_MAX)]

    def _look_at_gateways(self, now: float) -> None:
        while self._gateway_heap and self._gateway_heap[0][0] <= now:
            due_at, id = heapq.heappop(self._gateway_heap)
            gateway = self.gateways.get(id)
            late = gateway is not None and gateway.since + self.rules.gateway_lost_s <= due_at
            if gateway is None or gateway.up or gateway.out or not late:
                continue
            gateway.out = True
            for device in gateway.devices:
                if self.devices[device].silent_at is None:
                    self.outages.fell_silent(self.devices[device], due_at)
            self.find((GATEWAY_LOST, id), due_at)

    def _look_at_devices(self, now: float) -> None:
        checks = 0
        while self._bucket_heap and self._bucket_heap[0] * BUCKET_S <= now and checks < CHECKS_MAX:
            bucket = self._bucket_heap[0]
            waiting = self._buckets[bucket]
            while waiting and checks < CHECKS_MAX:
                checks += 1
                device = waiting.pop()
                if device.bucket == bucket:
                    device.bucket = None
                    self._look_at(device, bucket * BUCKET_S)
            if not waiting:
                heapq.heappop(self._bucket_heap)
                del self._buckets[bucket]

    def _look_at(self, device: Watched, now: float) -> None:
        if self.is_behind_outage(device):
            return
        if device.since + device.heartbeat_s > now:
            self.look_after(device)
            return
        self.outages.fell_silent(device, now)
        if not device.told:
            self.find((SUPERVISION_LOST, device.id), now)
