"""A stage whose smoke detectors are called back for 30 s and whose meals have a window: 11:00 to 13:00, it is noon."""

from __future__ import annotations

from typing import Any

from callhub.domain.policy import PolicySet, policy_from_table
from tests.simulation.driver import TABLES
from tests.unit.dispatch.stage import Stage

_BY_ID = {table["id"]: table for table in TABLES}
EMERGENCY, SERVICE, TECHNICAL = (_BY_ID[id] for id in ("emergency", "service", "technical"))
CALL = {"name": "call", "ask": ["call_back"], "step_timeout_s": 30}
SENSOR: dict[str, Any] = {
    **EMERGENCY,
    "id": "sensor",
    "kinds": ["smoke", "gas"],
    "urgency": 3,
    "step": [CALL, *EMERGENCY["step"]],
}
WINDOW = "03:00-05:00"
"""Local time is UTC here, and a stage begins at 04:01:01."""


class Calling(Stage):
    """See the module; ``changes`` are of the sensors' ladder."""

    def __init__(self, *ready: str, window: str = WINDOW, **changes: Any) -> None:
        tables = (EMERGENCY, {**SENSOR, **changes}, {**SERVICE, "window": window}, TECHNICAL)
        super().__init__(*ready, policies=PolicySet(policy_from_table(table, "test") for table in tables))

    def smoke(self, device: str = "BTN-1", **fields: Any) -> str:
        """Smoke at the first elder's."""
        return self.press(device, "smoke", **fields)

    def ends(self, id: str) -> list[str]:
        """Why its call-backs ended."""
        return [fact.why for fact in self.facts(id, "call_back_ended")]
