"""Gateways and the devices behind them: presses that are sent again until there is a receipt, and signs of life.

Rules of this file: a gateway sends a frame again until it has a receipt, as PROTOCOL says, also through an outage. Some
receipts are lost on the way, so that the frame comes twice.
"""

from __future__ import annotations

import itertools
import json
import random
from functools import partial
from typing import TYPE_CHECKING, Any

from callhub.domain.people import SYSTEM
from callhub.domain.supervision import GatewayLinkChanged
from callhub.lab.laws.evidence import Receipt
from callhub.protocol.session import GatewaySession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callhub.domain.people import Device
    from callhub.lab.day.stage import Stage

RESEND_S = 5.0
RECEIPT_LOST = 0.08
"""Share of receipts that do not arrive. Assumed."""
BEAT_S = 1200


class Gateways:
    """All gateways of a town. ``receipts`` are all alarms that were sent, and what was answered."""

    def __init__(self, stage: Stage, devices: Sequence[Device], seed: int) -> None:
        self.receipts: list[Receipt] = []
        self.silent: set[str] = set()
        self.health: dict[str, dict[str, Any]] = {}
        self._stage = stage
        self._devices: dict[str, list[str]] = {}
        self._gateway_of = {device.id: device.gateway or "" for device in devices}
        for device in devices:
            self._devices.setdefault(device.gateway or "", []).append(device.id)
        self._down: set[str] = set()
        self._numbers = itertools.count(1)
        self._chance = random.Random(f"{seed}|gateways")

    # Links

    def link(self, gateway: str, *, up: bool) -> None:
        """The gateway's link comes up or is lost."""
        (self._down.discard if up else self._down.add)(gateway)
        self.tell_link(gateway)

    def tell_link(self, gateway: str) -> None:
        """The server sees how the link is, if it runs and there is one."""
        stage = self._stage
        up = gateway not in self._down
        stage.hub.notice(GatewayLinkChanged(id=stage.new_id(), actor=SYSTEM, gateway=gateway, up=up))

    def relink(self) -> None:
        """After a start: every gateway that can connects."""
        for gateway in self._devices:
            if gateway not in self._down:
                self.tell_link(gateway)

    # What devices say

    async def press(self, device: str, kind: str, **fields: object) -> Receipt:
        """A device asks for help; returns what will hold the receipt."""
        gateway = self._gateway_of.get(device, "GW-S1a")
        at = self._stage.now()
        frame = {
            "type": "alarm",
            "id": f"{gateway}-{next(self._numbers)}",
            "device": device,
            "kind": kind,
            "at": at.isoformat(),
        }
        receipt = Receipt(gateway, str(frame["id"]), device, kind, at)
        self.receipts.append(receipt)
        await self._send(frame | fields, receipt)
        return receipt

    async def remark(self, type: str, device: str, **fields: object) -> None:
        """A ``cancel`` or a ``signal``; once, for a lost one is pressed again by hand."""
        frame = {"type": type, "id": f"r-{next(self._numbers)}", "device": device, **fields}
        await self._pass_on(self._gateway_of[device], frame)

    async def beat(self, gateway: str) -> None:
        """The gateway says that its devices live, those that do."""
        if gateway not in self._down:
            living = [id for id in self._devices[gateway] if id not in self.silent]
            await self._pass_on(
                gateway, {"type": "heartbeat", "devices": [{"device": id, **self.health.get(id, {})} for id in living]}
            )

    async def _send(self, frame: dict[str, object], receipt: Receipt) -> None:
        if receipt.gateway in self._down:
            self._stage.after(RESEND_S, partial(self._send, frame, receipt))
            return
        answer = await self._pass_on(receipt.gateway, frame)
        assert answer is not None, "an alarm is always answered"
        receipt.note(answer, self._stage.store.head()[1])
        if self._chance.random() < RECEIPT_LOST:
            again = Receipt(receipt.gateway, receipt.id, receipt.device, receipt.kind, receipt.at)
            self.receipts.append(again)
            self._stage.after(RESEND_S, partial(self._send, frame, again))

    async def _pass_on(self, gateway: str, frame: dict[str, object]) -> dict[str, Any] | None:
        """One frame as the link takes it: marks, event, answer."""
        stage, session = self._stage, GatewaySession(gateway)
        received = session.receive(json.dumps(frame), id=stage.new_id())
        stage.hub.mark_seen("gateway", gateway)
        for seen in received.devices:
            if seen.device in self._gateway_of:
                stage.hub.mark_seen("device", seen.device)
                if seen.health:
                    stage.hub.mark_device(seen.device, seen.health)
        if received.event is None:
            return None
        return session.answer(received, await stage.tell(received.event))
