"""What is counted of a ladder, and the row of the table it becomes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Result:
    """One row: a ladder at a density. Times in seconds from the press; the names are those of ``--json``.

    ``alerts_per_acceptance`` is None when nobody ever accepted. ``redundant_arrivals`` and ``unanswered`` are totals
    over all incidents.
    """

    policy: str
    density_per_km2: float
    incidents: int
    first_acceptance_p50_s: float
    first_acceptance_p90_s: float
    alerts_per_acceptance: float | None
    redundant_arrivals: int
    gini: float
    unanswered: int

    def row(self) -> dict[str, object]:
        """For ``--json``."""
        return asdict(self)


@dataclass(slots=True)
class Tally:
    """Counts of one ladder while it runs. ``waits_s`` holds one time for each incident."""

    waits_s: list[float] = field(default_factory=list)
    alerts: Counter[str] = field(default_factory=Counter)
    acceptances: int = 0
    redundant: int = 0
    unanswered: int = 0

    def result(self, policy: str, density_per_km2: float, people: Sequence[str]) -> Result:
        """The row; ``people`` are all who could have been asked, so that those never asked count for fairness."""
        alerts = self.alerts.total()
        return Result(
            policy=policy,
            density_per_km2=density_per_km2,
            incidents=len(self.waits_s),
            first_acceptance_p50_s=round(percentile(self.waits_s, 0.5), 1),
            first_acceptance_p90_s=round(percentile(self.waits_s, 0.9), 1),
            alerts_per_acceptance=round(alerts / self.acceptances, 2) if self.acceptances else None,
            redundant_arrivals=self.redundant,
            gini=round(gini([self.alerts[id] for id in people]), 3),
            unanswered=self.unanswered,
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0..1) of all are not above; 0 for none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else 0.0


def gini(loads: Sequence[float]) -> float:
    """How unevenly loads lie: 0 all the same, near 1 one has all. 0 when there is nothing to share."""
    total = sum(loads)
    if not total:
        return 0.0
    weighted = sum(rank * load for rank, load in enumerate(sorted(loads), start=1))
    return 2 * weighted / (len(loads) * total) - (len(loads) + 1) / len(loads)
