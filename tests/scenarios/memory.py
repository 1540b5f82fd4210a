"""What a town's journal gives back: an incident from its rows, an engine after a restart."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.replay import apply
from callhub.domain.facts import DutyChanged
from callhub.domain.people import Device, Duty, Supervised
from callhub.domain.supervision import SUPERVISION_LOST, WATCHED, reported

if TYPE_CHECKING:
    from callhub.domain.facts import Row
    from callhub.domain.incident import Incident, Places
    from callhub.domain.policy import Policy
    from tests.scenarios.town import Town


def replayed(rows: list[Row]) -> dict[str, Any]:
    """An incident from its rows alone."""
    incident: Incident | None = None
    for row in rows:
        incident = apply(incident, row)
    assert incident is not None
    return asdict(incident)


class _Memory:
    """What a store would give back."""

    def __init__(self, town: Town) -> None:
        world = town.engine._world
        opened = [id for id in town.rows if (held := town.engine.incident(id)) is not None and held.is_open]
        self.last_number = len(town.rows)
        self.rows = {id: town.rows[id] for id in opened}
        self.places: dict[str, Places] = {id: town.engine.places(id) for id in opened}
        self.responders = [p.record for p in world.roster.people.values()]
        said = [fact for row in town.notes for fact in row.facts if isinstance(fact, DutyChanged)]
        self.duties = list({f.responder: Duty(f.responder, f.available, f.until) for f in said}.values())
        self.positions: dict[str, Any] = {}
        self.policies = list(town.policies.by_id.values())
        self.policies_known: dict[str, Policy] = dict(world.known)
        self.supervised = [_supervised(town, device) for device in town.devices.values() if device.heartbeat_s > 0]
        self.runs = town.runs
        self.marks = town.marks
        self.habits = list(world.habits.values())


def _supervised(town: Town, device: Device) -> Supervised:
    elder = town.elders.get(device.elder or "")
    area = elder.area if elder is not None else ()
    marks = [town.marks.get((kind, device.id)) for kind in ("device", WATCHED, reported(SUPERVISION_LOST))]
    return Supervised(device.id, device.heartbeat_s, device.gateway, device.elder, area, *marks)


def restored(town: Town) -> DispatchEngine:
    """A new engine from what the old one journalled."""
    engine = DispatchEngine(town.rules, town.policies, town.now)
    engine.restore(_Memory(town), town.now)
    return engine
