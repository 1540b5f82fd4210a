"""Where the case and its ladder stand, what it waits for, and why these people were asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from callhub.domain.facts.fields import private
from callhub.domain.incident import Deadline, IncidentState


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """The state word changed by this lifecycle event; ``outcome`` when it was closed."""

    fact: Literal["state_changed"] = "state_changed"
    event: str
    state: IncidentState
    outcome: str | None = None
    reason: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntered:
    """The ladder stands on this rung now (0-based).

    ``why``: ``opened timeout nobody_left escalated urgent late released reopened owner_gone identified``.
    """

    fact: Literal["step_entered"] = "step_entered"
    step: int
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderExhausted:
    """The ladder ran out (``again``: it had before): loud, repeating, still open; all steps count as reached."""

    fact: Literal["ladder_exhausted"] = "ladder_exhausted"
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Why these people were asked.

    ``chosen`` (at most 20), ``passed_over`` (the 20 nearest, a reason each), ``counts`` of the rest.
    """

    fact: Literal["ranked"] = "ranked"
    step: int
    chosen: tuple[dict[str, Any], ...] = ()
    passed_over: tuple[dict[str, Any], ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinesChanged:
    """Deadlines that were armed (by key) and keys that were disarmed."""

    fact: Literal["deadlines_changed"] = "deadlines_changed"
    armed: dict[str, Deadline] = field(default_factory=dict)
    disarmed: tuple[str, ...] = ()
