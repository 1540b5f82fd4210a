"""What was found wrong with equipment, and that it is well again.

``subject`` is the id of the device, gateway or area that the technical incident is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFound:
    """Something is wrong with equipment.

    ``heard_at`` is when it was heard last, None when that is not known; ``devices`` how many are behind it or in it,
    ``silent`` how many of them were not heard.
    """

    fact: Literal["fault_found"] = "fault_found"
    kind: str
    subject: str
    heard_at: datetime | None = None
    devices: int = 1
    silent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultMended:
    """It is well again; a person who has the case decides what else there is to do."""

    fact: Literal["fault_mended"] = "fault_mended"
    kind: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReturned:
    """It is wrong again while the case about it is still open."""

    fact: Literal["fault_returned"] = "fault_returned"
    kind: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFolded:
    """It is part of something larger: the incident ``into``."""

    fact: Literal["fault_folded"] = "fault_folded"
    into: str
