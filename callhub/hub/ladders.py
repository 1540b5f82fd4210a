"""The ladders in force and those frozen into open incidents, for the path that cannot ask the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.domain.policy import PolicySet, policy_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from callhub.domain.policy import Policy

REPEAT_S = 60.0
"""``repeat_s`` of a policy that does not say."""


class Ladders:
    """Finds a ladder by kind or by key. ``timezone`` is the zone of ``hours``.

    Raises:
        ConfigError: ``in_force`` is no usable set.
    """

    def __init__(self, in_force: Sequence[Policy], known: Mapping[str, Policy], timezone: tzinfo) -> None:
        self._in_force = PolicySet(in_force)
        self._known = dict(known) | {policy_key(policy): policy for policy in in_force}
        self._timezone = timezone

    def replace(self, in_force: Sequence[Policy]) -> None:
        """Other ladders are in force from now on; none: nothing changed."""
        if in_force:
            self._in_force = PolicySet(in_force)
            self._known |= {policy_key(policy): policy for policy in in_force}

    def choose(self, kind: str, now: datetime) -> Policy:
        """The ladder in force for a kind."""
        return self._in_force.choose(kind, now.astimezone(self._timezone))

    def repeat_s(self, key: str) -> float:
        """How often an incident on this frozen ladder (``policy_key``) repeats; the default when it is not known."""
        policy = self._known.get(key)
        return policy.repeat_s if policy else REPEAT_S
