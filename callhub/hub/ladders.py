"""The ladders in force and those frozen into open incidents, for the path that cannot ask the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.domain.policy import PolicySet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from callhub.domain.policy import Policy


class Ladders:
    """Finds a ladder by kind or by id. ``timezone`` is the zone of ``hours``.

    Raises:
        ConfigError: ``in_force`` is no usable set.
    """

    def __init__(self, in_force: Iterable[Policy], known: Iterable[Policy], timezone: tzinfo) -> None:
        self._in_force = PolicySet(in_force)
        self._known = {policy.id: policy for policy in known} | self._in_force.by_id
        self._timezone = timezone

    def replace(self, in_force: Sequence[Policy]) -> None:
        """Other ladders are in force from now on; none: nothing changed."""
        if in_force:
            self._in_force = PolicySet(in_force)
            self._known |= self._in_force.by_id

    def choose(self, kind: str, now: datetime) -> Policy:
        """The ladder in force for a kind."""
        return self._in_force.choose(kind, now.astimezone(self._timezone))

    def repeat_s(self, policy_id: str) -> float:
        """How often an incident on this ladder repeats; 60 when the ladder is not known."""
        policy = self._known.get(policy_id)
        return policy.repeat_s if policy else 60.0
