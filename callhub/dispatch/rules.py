"""The figures the engine works with that are not part of a policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from callhub.domain.hours import is_within

if TYPE_CHECKING:
    from datetime import datetime

    from callhub.domain.people import ResponderKind


@dataclass(frozen=True, slots=True)
class Rules:
    """Figures of one installation. Seconds, metres, metres per second.

    Args:
        timezone: Zone of ``hours`` in policies and of responders.
        link_patience_s: How long somebody counts as reachable after a start or a lost link.
        owner_away_s: How long a watching owner may be without a console.
        turnout_s: From the offer to setting off; 1:45 (Region of Lifesavers, n=4,138).
        turnout_night_s: The same at ``night``; 2:22 (same source).
        night: Local hours in which turnout is slow; the source does not say which it took.
        detour: The way over the straight line, for expected arrival alone: distances that are shown or limited stay
            straight. Between the 222 m that ways in London were longer in the middle, on about a kilometre, and 1.4 in
            Toronto (Resuscitation Plus 2021, Resuscitation 2021).
        speed_m_s: By kind of responder; 1.8 m/s on foot where people live densely (Resuscitation 2020).
        rest_s: After an emergency for which they set out, people are asked for no service for so long, and for other
            emergencies after those who had none. Ours; no figure is published.
        quiet_hours: Local hours by kind of responder in which they are asked for emergencies alone.
        services_per_day_max: By kind, how often one person is asked on a local day for what is no emergency.
        position_fresh_s: How old an app's position may be; older ones give way to home.
        fix_fresh_s: How old an alarm's own fix may be to win over home.
        fix_accuracy_m_max: How inaccurate that fix may be.
        repeat_window_s: How long an alarm without a time of its own counts as a repeat after its incident ended.
        gateway_lost_s: How long a gateway may be without a link.
        start_grace_s: No device is lost sooner than this (or its own time, if shorter) after a start.
        low_battery: Below this share a battery is low.
        battery_well: From this share on it is well again: higher, so that a reading that wavers is one case.
        area_devices_min: So many devices at least must be silent before an area counts as lost.
        area_window_s: And they must have been found silent within this time of each other.
        roll_call_after_s: After a gap of so long the homes it could concern are checked; 0: only when a person asks.
        home_checks_max: So many homes of a roll-call are checked at once at most.
        ended_kept: How many ended incidents stay in memory, for events of the same moment.
    """

    timezone: tzinfo = UTC
    link_patience_s: float = 60
    owner_away_s: float = 60
    turnout_s: float = 105
    turnout_night_s: float = 142
    night: str = "22:00-06:00"
    detour: float = 1.3
    speed_m_s: dict[ResponderKind, float] = field(default_factory=dict)
    rest_s: float = 900
    quiet_hours: dict[ResponderKind, str] = field(default_factory=dict)
    services_per_day_max: dict[ResponderKind, int] = field(default_factory=dict)
    position_fresh_s: float = 900
    fix_fresh_s: float = 120
    fix_accuracy_m_max: float = 100
    repeat_window_s: float = 600
    gateway_lost_s: float = 60
    start_grace_s: float = 60
    low_battery: float = 0.2
    battery_well: float = 0.3
    area_devices_min: int = 5
    area_window_s: float = 600
    roll_call_after_s: float = 600
    home_checks_max: int = 1000
    ended_kept: int = 1000

    def local(self, now: datetime) -> datetime:
        """Now in the installation's zone, in which hours are written."""
        return now.astimezone(self.timezone)

    def is_night(self, now: datetime) -> bool:
        """Whether turnout is slow now."""
        return is_within(self.night, self.local(now))

    def is_quiet(self, kind: ResponderKind, now: datetime) -> bool:
        """Whether people of this kind are asked for emergencies alone now."""
        return is_within(self.quiet_hours.get(kind, ""), self.local(now))

    def eta_s(self, kind: ResponderKind, distance_m: float, *, night: bool = False) -> int:
        """Expected arrival in whole seconds: turnout and the way, from a distance in a straight line."""
        turnout_s = self.turnout_night_s if night else self.turnout_s
        return round(turnout_s + distance_m * self.detour / self.speed_m_s.get(kind, 1.8))
