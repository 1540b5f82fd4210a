"""A town whose equipment is supervised: gateways with links, devices that beat, stay silent, or say what is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from callhub.dispatch.rules import Rules
from callhub.dispatch.silence import finding_of
from callhub.domain import events as e
from callhub.domain.people import SYSTEM, Device, Supervised
from callhub.domain.policy import policy_from_table
from callhub.domain.supervision import DeviceSaid, DevicesHeard, GatewayLinkChanged
from tests.scenarios.town import AREA, TECHNICAL, Town

if TYPE_CHECKING:
    from callhub.domain.decision import Answer
    from callhub.domain.incident import Incident
    from callhub.domain.policy import Policy

KINDS = ["supervision_lost", "gateway_lost", "area_lost", "low_battery", "tamper", "mains_lost"]
LADDER = {**TECHNICAL, "id": "equipment", "kinds": KINDS, "urgency": 3, "repeat_s": 3600}


class WatchedTown(Town):
    """A town with the verbs of equipment. The desk of the district has somebody watching.

    ``policies``: the only ladders there are; without any, those of tests.
    """

    def __init__(self, *policies: Policy, rules: Rules | None = None) -> None:
        ladders = policies or (policy_from_table(LADDER, "test"),)
        super().__init__(*ladders, only=bool(policies), rules=rules or Rules(night="", roll_call_after_s=0))
        self.desk(AREA[:1], "district")
        self.watch()

    def supervise(
        self, device: str, heartbeat_s: int = 90, gateway: str | None = None, area: tuple[str, ...] = AREA
    ) -> str:
        """Import a supervised device of an elder of its own; its id."""
        elder = f"E-{device}"
        self.elder(elder, area=area)
        del self.devices[f"BTN-{elder}"]
        self.devices[device] = Device(device, elder=elder, gateway=gateway, heartbeat_s=heartbeat_s)
        self.changes("devices", supervised=(Supervised(device, heartbeat_s, gateway, elder, area),))
        return device

    def beats(self, *devices: str, battery: float | None = None, faults: tuple[str, ...] | None = None) -> None:
        """Heartbeats of these devices, now."""
        self.marks.update({("device", device): self.now for device in devices})
        said = tuple(DeviceSaid(device, self.now, battery, faults) for device in devices)
        self.tell(DevicesHeard(id=self.new_id(), actor=SYSTEM, devices=said))

    def keeps_beating(self, *devices: str, for_s: float, every_s: float = 30) -> None:
        """They beat while time passes; the first beat is now."""
        end = self.now.timestamp() + for_s
        while self.now.timestamp() < end:
            self.beats(*devices)
            self.advance(min(every_s, end - self.now.timestamp()))

    def gateway(self, id: str, *, up: bool) -> None:
        """A gateway's link comes up or is lost."""
        self.tell(GatewayLinkChanged(id=self.new_id(), actor=SYSTEM, gateway=id, up=up))

    def tell(self, event: e.Event) -> Answer:
        """As the hub does: what is found about a device comes with its record and elder."""
        about = finding_of(event.key) if isinstance(event, e.DeadlineDue) else None
        if about is not None and (device := self.devices.get(about[1])) is not None:
            event = replace(event, device_record=device, elder=self.elders.get(device.elder or ""))  # type: ignore[call-arg]  # a DeadlineDue
        return super().tell(event)

    def technical(self, kind: str | None = None) -> list[Incident]:
        """Open technical incidents, oldest first, of one kind or all."""
        found = [i for i in self.engine.open_incidents() if i.class_ == "technical" and kind in (None, i.kind)]
        return sorted(found, key=lambda incident: incident.id)

    def the(self, kind: str) -> Incident:
        """The one open technical incident of a kind."""
        (incident,) = self.technical(kind)
        return incident

    def outcomes(self, kind: str) -> list[str | None]:
        """How the incidents of a kind ended, oldest first; None while open."""
        found = [self.incident(id) for id in sorted(self.rows)]
        return [incident.outcome for incident in found if incident.kind == kind]
