"""What is remembered of how somebody answers, so that the right number of people is asked and the load is shared.

Rules of this file: a record only, of ids, counts and times; ``dispatch.learning`` makes and reads it. It is kept by the
store in the commit of the facts that changed it, and could be made again from the journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

BANDS = 4
"""Parts of the local day that are told apart: from 0, 6, 12 and 18 o'clock."""
NONE_YET = (0.0,) * BANDS


@dataclass(frozen=True, slots=True)
class Habit:
    """One responder's history, every number as it counts at ``at``: what is old counts less.

    Args:
        responder: Whose.
        at: When it was brought up to date, aware UTC.
        load: Offers and assignments of any class but drills.
        yes: Emergency offers accepted, by band of the day.
        no: Emergency offers declined or left unanswered in time, by band.
        day: The local day of ``services``.
        services: Offers on that day that were for no emergency.
        back_at: When their last emergency assignment ended, if they had set out; None: never.
    """

    responder: str
    at: datetime
    load: float = 0.0
    yes: tuple[float, ...] = NONE_YET
    no: tuple[float, ...] = NONE_YET
    day: date | None = None
    services: int = 0
    back_at: datetime | None = None
