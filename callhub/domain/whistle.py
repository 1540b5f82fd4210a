"""A department called to an incident: part of the incident's state, frozen like an offer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WhistleState(StrEnum):
    """The state of a call to one department; ``missed``: it did not report in, or did not finish, in time."""

    CALLED = "called"
    REPORTED = "reported"
    MISSED = "missed"
    REFUSED = "refused"
    FINISHED = "finished"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


AWAITED = frozenset({WhistleState.CALLED, WhistleState.REPORTED, WhistleState.MISSED})
SETTLED = frozenset({WhistleState.CONFIRMED, WhistleState.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Whistle:
    """One department called to an incident, on its own two clocks. Times are aware UTC.

    ``report_in_s`` and ``finish_s`` are the clocks as last given. ``late``: the one to finish ran out. ``reason`` is a
    code: ``not_reported not_finished`` of a miss, ``cancelled disabled`` when callhub withdrew it; what people wrote
    stands in ``Places.words``.
    """

    id: str
    department: str
    state: WhistleState
    called_at: datetime
    report_in_s: int
    finish_s: int
    report_in_by: datetime
    finish_by: datetime
    reported_at: datetime | None = None
    finished_at: datetime | None = None
    late: bool = False
    outcome: str | None = None
    reason: str | None = None

    @property
    def is_out(self) -> bool:
        """Neither confirmed nor withdrawn: the incident cannot be closed."""
        return self.state not in SETTLED

    @property
    def is_awaited(self) -> bool:
        """The department has still to report in or to finish."""
        return self.state in AWAITED

    @property
    def is_offered(self) -> bool:
        """The department can report in or refuse, late too."""
        return self.is_awaited and self.reported_at is None

    @property
    def is_taken(self) -> bool:
        """The department has reported in and is not done."""
        return self.is_awaited and self.reported_at is not None

    @property
    def is_shown(self) -> bool:
        """The department may see the incident: called, at work, or finished and not yet confirmed."""
        return self.is_awaited or self.state is WhistleState.FINISHED
