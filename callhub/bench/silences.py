"""A large district on a virtual clock: devices stop, gateways fall, the server restarts, and every finding is timed.

Rules of this file: what should be found is worked out here from what was done, never asked of the engine. The store is
the real one in memory, so that a restart knows what a restart knows.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.dispatch.silence import Finding, finding_of, subject_of
from callhub.domain.events import DeadlineDue, Event
from callhub.domain.people import SYSTEM, Device, Elder
from callhub.domain.policy import PolicySet
from callhub.domain.supervision import (
    GATEWAY_LOST,
    RUN,
    SUPERVISION_LOST,
    WATCHED,
    DeviceSaid,
    DevicesHeard,
    GatewayLinkChanged,
)
from callhub.intake.policy_files import policy_tables, read_policies
from callhub.settings import shipped
from callhub.store.base import Commit, DirectoryChange, Document, Marks
from callhub.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
STREETS, GRIDS, DEVICES_PER_GATEWAY = 10, 1000, 20
DOWNTIME_S = 120
RULES = Rules(roll_call_after_s=0)
ERROR_S_MAX = 1.0


@dataclass
class Quiet:
    """Something that is not heard: since when its silence counts, and whether that was found."""

    since: datetime
    limit_s: float
    found: bool = False

    def due_at(self, began_at: datetime) -> datetime:
        """When it must be found: after its time, and not before its grace after the last start."""
        grace_s = min(self.limit_s, RULES.start_grace_s)
        return max(self.since + timedelta(seconds=self.limit_s), began_at + timedelta(seconds=grace_s))


@dataclass
class Result:
    """What was found. Errors are seconds from when a finding was due until its incident opened."""

    devices: int
    beats: int = 0
    restarts: int = 0
    errors_s: list[float] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)


class District:
    """Devices in grids behind gateways; their longest silences by turns; each beats three times in its own.

    Args:
        devices: How many.
        classes_s: Their ``heartbeat_s``.
        seed: Of everything that is chosen.
    """

    def __init__(self, devices: int, classes_s: tuple[int, ...], seed: int) -> None:
        self.random = Random(seed)
        self.now = self.began_at = START
        self.result = Result(devices)
        self.devices: dict[str, Device] = {}
        self.elders: dict[str, Elder] = {}
        self.quiet: dict[Finding, Quiet] = {}
        self._groups: dict[tuple[int, int], list[str]] = {}
        self._store = MemoryStore()
        self._policies = read_policies(policy_tables(shipped() / "policies"))
        self._engine = DispatchEngine(RULES, PolicySet(self._policies), START)
        self._seen: dict[tuple[str, str], datetime] = {}
        self._open: dict[str, Finding] = {}
        self._plan: list[tuple[timedelta, int, str, str]] = []
        self._stopped_at: list[datetime] = []
        self._back_at: dict[str, datetime] = {}
        self._count = 0
        for n in range(devices):
            self._add(n, classes_s[n % len(classes_s)])
        self.gateways = sorted({device.gateway or "" for device in self.devices.values()})

    def _add(self, n: int, heartbeat_s: int) -> None:
        gateway, every_s = n // DEVICES_PER_GATEWAY, heartbeat_s // 3
        grid = gateway % GRIDS
        device = Device(f"BTN-{n:06d}", elder=f"E-{n:06d}", gateway=f"GW-{gateway:05d}", heartbeat_s=heartbeat_s)
        self.devices[device.id] = device
        path = ("D", f"S{grid % STREETS}", f"S{grid % STREETS}-C{grid % 100}", f"G{grid}")
        self.elders[f"E-{n:06d}"] = Elder(f"E-{n:06d}", "", area=path)
        self._groups.setdefault((every_s, n % every_s), []).append(device.id)

    async def begin(self) -> None:
        """Import everything, start the server, link every gateway."""
        await self._store.open()
        change = DirectoryChange(
            elders=tuple(self.elders.values()), devices=tuple(self.devices.values()), policies=self._policies
        )
        await self._store.commit(Commit(changes=(change,)))
        self._seen = {(WATCHED, id): START for id in self.devices}
        await self._start()

    async def _start(self) -> None:
        self.began_at = self.now
        self._engine = DispatchEngine(RULES, PolicySet(self._policies), self.now)
        self._engine.restore(await self._store.load(), self.now)
        for id in self.gateways:
            if (GATEWAY_LOST, id) not in self.quiet:
                await self._tell(GatewayLinkChanged(id=self._id(), actor=SYSTEM, gateway=id, up=True))

    # What happens

    def plan(self, at_s: float, what: str, who: str = "") -> None:
        """After so much uptime: ``stop`` or ``go on`` (a device), ``fall`` or ``return`` (a gateway), ``restart``."""
        self._count += 1
        heapq.heappush(self._plan, (timedelta(seconds=at_s), self._count, what, who))

    async def play(self, seconds: int) -> None:
        """Let that much time pass, with everything that was planned."""
        for _ in range(seconds):
            end = self.now + timedelta(seconds=1)
            while self._plan and START + self._plan[0][0] + self._down <= end:
                up, _, what, who = heapq.heappop(self._plan)
                await self._advance(START + up + self._down)
                await self._happen(what, who)
                end = max(end, self.now)
            await self._advance(end)
            await self._beat()

    @property
    def _down(self) -> timedelta:
        return timedelta(seconds=DOWNTIME_S) * len(self._stopped_at)

    async def _happen(self, what: str, who: str) -> None:
        if what == "stop":
            self.quiet[SUPERVISION_LOST, who] = self._silence_of(who)
        elif what == "go on":
            self._over((SUPERVISION_LOST, who))
            await self._hear([who])
        elif what in ("fall", "return"):
            if what == "fall":
                self.quiet[GATEWAY_LOST, who] = Quiet(self.now, RULES.gateway_lost_s)
            else:
                self._over((GATEWAY_LOST, who))
            await self._tell(GatewayLinkChanged(id=self._id(), actor=SYSTEM, gateway=who, up=what == "return"))
        else:
            await self._restart()

    def _silence_of(self, device: str) -> Quiet:
        """A device's silence so far: since it was heard, or its gateway came back from being lost."""
        gateway = self.devices[device].gateway or ""
        last = max(self._seen.get(("device", device), START), self._back_at.get(gateway, START))
        downtimes = sum(at >= last for at in self._stopped_at)
        return Quiet(last + timedelta(seconds=DOWNTIME_S * downtimes), self.devices[device].heartbeat_s)

    async def _restart(self) -> None:
        self.result.restarts += 1
        seen = {**self._seen, (RUN, self.began_at.isoformat()): self.now}
        await self._store.commit(Commit(marks=Marks(seen=seen)))
        self._stopped_at.append(self.now)
        self.now += timedelta(seconds=DOWNTIME_S)
        for quiet in self.quiet.values():
            quiet.since += timedelta(seconds=DOWNTIME_S)
        await self._start()

    async def _beat(self) -> None:
        second = int((self.now - START).total_seconds())
        for every_s in {every_s for every_s, _ in self._groups}:
            await self._hear(self._groups.get((every_s, second % every_s), []))

    async def _hear(self, ids: list[str]) -> None:
        heard = [id for id in ids if not self._is_quiet(id)]
        if not heard:
            return
        self.result.beats += len(heard)
        self._seen.update({("device", id): self.now for id in heard})
        said = tuple(DeviceSaid(id, self.now, 0.9) for id in heard)
        await self._tell(DevicesHeard(id=self._id(), actor=SYSTEM, devices=said))

    def _is_quiet(self, id: str) -> bool:
        gateway = self.devices[id].gateway or ""
        return (SUPERVISION_LOST, id) in self.quiet or (GATEWAY_LOST, gateway) in self.quiet

    async def _advance(self, end: datetime) -> None:
        while (due := self._engine.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            for ref in self._engine.due(self.now):
                about = finding_of(ref.key)
                device = self.devices.get(about[1]) if about is not None else None
                elder = self.elders[device.elder or ""] if device is not None else None
                event = DeadlineDue(id=self._id(), actor=SYSTEM, incident=ref.incident or None, key=ref.key or None)
                await self._tell(replace(event, device_record=device, elder=elder))
        self.now = end

    async def _tell(self, event: Event) -> None:
        decision = self._engine.handle(event, self.now)
        self._seen.update(dict.fromkeys(decision.marks, self.now))
        if decision.rows:
            found = [incident for id in decision.touched if (incident := self._engine.incident(id)) is not None]
            documents = [Document(incident, self._engine.places(incident.id)) for incident in found]
            await self._store.commit(Commit(rows=decision.rows, documents=documents))
            for incident in found:
                about = subject_of(incident)
                if about is not None and incident.is_open and incident.id not in self._open:
                    self._opened(incident.id, about)
                elif not incident.is_open:
                    self._open.pop(incident.id, None)

    # What should be so

    def _opened(self, id: str, about: Finding) -> None:
        if about in self._open.values():
            self.result.flaws.append(f"a second case about {about}")
        self._open[id] = about
        quiet = self.quiet.get(about)
        if quiet is None and about[0] == SUPERVISION_LOST:
            quiet = self._behind_a_short_loss(about[1])
        if quiet is None or quiet.found:
            self.result.flaws.append(f"a case about {about}, which is heard or was told")
            return
        quiet.found = True
        self.result.errors_s.append((self.now - quiet.due_at(self.began_at)).total_seconds())

    def _behind_a_short_loss(self, device: str) -> Quiet | None:
        """The silence of a device whose gateway has no link, but not for long enough to be lost; else None."""
        gateway = self.quiet.get((GATEWAY_LOST, self.devices[device].gateway or ""))
        quiet = self._silence_of(device)
        is_silent = quiet.due_at(self.began_at) <= self.now
        return quiet if is_silent and (gateway is None or not gateway.found) else None

    def _over(self, about: Finding) -> None:
        quiet = self.quiet.pop(about)
        if about[0] == GATEWAY_LOST and quiet.found:
            self._back_at[about[1]] = self.now
        if not quiet.found and self.now > quiet.due_at(self.began_at) + timedelta(seconds=ERROR_S_MAX):
            self.result.flaws.append(f"{about} was silent and not found")

    def end(self) -> Result:
        """Judge what is left when everything is heard again."""
        self.result.flaws += [f"the case about {about} is stuck" for about in self._open.values()]
        late = [error_s for error_s in self.result.errors_s if not 0 <= error_s <= ERROR_S_MAX]
        self.result.flaws += [f"found {error_s:.3f} s after it was due" for error_s in late]
        return self.result

    def _id(self) -> str:
        self._count += 1
        return f"{self._count:09d}"


def troubles(district: District, until_s: int, longest_s: int) -> Iterator[tuple[float, str, str]]:
    """One device in 500 stops for a while, one gateway in 100 falls, three restarts; apart from each other."""
    draw = district.random
    fallen = set(draw.sample(district.gateways, max(1, len(district.gateways) // 100)))
    able = [device for device in district.devices.values() if device.gateway not in fallen]
    for device in draw.sample(able, max(1, len(district.devices) // 500)):
        at_s = draw.uniform(longest_s, until_s)
        yield at_s, "stop", device.id
        yield at_s + draw.uniform(0.5, 3) * device.heartbeat_s, "go on", device.id
    for gateway in sorted(fallen):
        at_s = draw.uniform(longest_s, until_s)
        yield at_s, "fall", gateway
        yield at_s + draw.uniform(10, 600), "return", gateway
    for _ in range(3):
        yield draw.uniform(longest_s, until_s), "restart", ""


async def measure(devices: int, classes_s: tuple[int, ...], seed: int) -> Result:
    """Play one district until everything is heard again."""
    district = District(devices, classes_s, seed)
    await district.begin()
    longest_s = max(classes_s)
    until_s = longest_s * 2
    for at_s, what, who in troubles(district, until_s, longest_s):
        district.plan(at_s, what, who)
    await district.play(until_s + 3 * longest_s + 1000)
    return district.end()
