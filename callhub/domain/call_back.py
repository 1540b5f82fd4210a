"""Calling the elder back before people are sent, and how long that may take.

Rules of this file: records only. A call-back is a wait for a human voice; it asks nobody to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

CALL_FIRST_S_MAX = 45
"""Longest call-back that a person may put before the presses of one elder, seconds."""
CALL_FIRST_DAYS_MAX = 90
"""Longest time that may hold, days: then somebody looks at it again."""
PRESSES = frozenset({"sos"})
"""Kinds that call-first holds back. Whatever else a device says, or says unreadably, goes at once."""


@dataclass(frozen=True, slots=True)
class CallBack:
    """Somebody has to speak to the elder until ``until`` (aware UTC); then the ladder goes on at rung ``step``.

    ``call_first``: a person set it for this elder; else the ladder begins with it. ``held``: a human spoke to the
    elder, all is well, and the case waits to be closed.
    """

    step: int
    until: datetime
    call_first: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class CallFirst:
    """The presses of one elder are called back first, for so many seconds, until then (aware UTC)."""

    seconds: int
    until: datetime
