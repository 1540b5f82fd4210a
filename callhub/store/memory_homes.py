"""The homes that a gap may concern, as the memory store finds them; ``sqlite.homes`` asks the same of SQL."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from callhub.domain.policy import IncidentClass
from callhub.domain.roll_call import RISKY_DAYS, Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from callhub.domain.incident import Incident
    from callhub.domain.people import Device, Elder
    from callhub.domain.roll_call import Gap


def find_homes(
    gap: Gap,
    devices: Iterable[Device],
    elders: Mapping[str, Elder],
    heard_at: Callable[[str], datetime | None],
    incidents: Iterable[Incident],
) -> Listed:
    """Most at risk first: not heard since the gap, an emergency shortly before, nobody paired; then by id."""
    heard: dict[str, bool] = {}
    for device in devices:
        elder = elders.get(device.elder or "")
        here = gap.gateway is None or device.gateway == gap.gateway
        if elder is not None and elder.active and device.active and here and gap.area in (None, *elder.area):
            at = heard_at(device.id)
            heard[elder.id] = heard.get(elder.id, False) or (at is not None and at > gap.until)
    risky: set[str] = set()
    pressed: set[str] = set()
    for incident in incidents:
        if incident.class_ is IncidentClass.EMERGENCY and incident.elder in heard:
            ended_at = gap.until if incident.is_open or incident.ended_at is None else incident.ended_at
            if ended_at >= gap.until - timedelta(days=RISKY_DAYS):
                risky.add(incident.elder)
            if ended_at >= gap.until and incident.opened_at >= gap.until:
                pressed.add(incident.elder)
    order = sorted(heard, key=lambda id: (heard[id], id not in risky, bool(elders[id].paired), id))
    return Listed(tuple(id for id in order if id not in pressed), tuple(id for id in order if id in pressed))
