"""The figures the engine works with that are not part of a policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callhub.domain.people import ResponderKind


@dataclass(frozen=True, slots=True)
class Rules:
    """Figures of one installation. Seconds, metres, metres per second.

    Args:
        timezone: Zone of ``hours`` in policies and of responders.
        link_patience_s: How long somebody counts as reachable after a start or a lost link.
        owner_away_s: How long a watching owner may be without a console.
        turnout_s: From the offer to setting off; 1:45 by day (Region of Lifesavers, n=4,138).
        speed_m_s: By kind of responder; 1.8 m/s on foot where people live densely (Resuscitation 2020).
        position_fresh_s: How old an app's position may be; older ones give way to home.
        fix_fresh_s: How old an alarm's own fix may be to win over home.
        fix_accuracy_m_max: How inaccurate that fix may be.
        repeat_window_s: How long an alarm without a time of its own counts as a repeat after its incident ended.
        ended_kept: How many ended incidents stay in memory, for events of the same moment.
    """

    timezone: tzinfo = UTC
    link_patience_s: float = 60
    owner_away_s: float = 60
    turnout_s: float = 105
    speed_m_s: dict[ResponderKind, float] = field(default_factory=dict)
    position_fresh_s: float = 900
    fix_fresh_s: float = 120
    fix_accuracy_m_max: float = 100
    repeat_window_s: float = 600
    ended_kept: int = 1000

    def eta_s(self, kind: ResponderKind, distance_m: float) -> int:
        """Expected arrival in whole seconds: turnout and the way in a straight line."""
        return round(self.turnout_s + distance_m / self.speed_m_s.get(kind, 1.8))
