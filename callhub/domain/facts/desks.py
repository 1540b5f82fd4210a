"""What was missed, and desks being called for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callhub.domain.incident import DeskCall


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionMissed:
    """Somebody is on scene for longer than the policy allows."""

    fact: Literal["resolution_missed"] = "resolution_missed"
    assignment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpMissed:
    """Resolved, but nobody closed it in time."""

    fact: Literal["follow_up_missed"] = "follow_up_missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMissed:
    """120, 110 or 119 was asked for and is not there in time."""

    fact: Literal["service_missed"] = "service_missed"
    party: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCalled:
    """The incident is shown to a desk until a person acts on it; ``desks`` are their ids, maybe none on duty."""

    fact: Literal["desk_called"] = "desk_called"
    call: DeskCall
    area: str | None
    desks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCallEnded:
    """A person acted on it."""

    fact: Literal["desk_call_ended"] = "desk_call_ended"
    reason: str
