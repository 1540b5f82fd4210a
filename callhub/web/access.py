"""Who may see and do what: roles, area subtrees, and the bare facts of unanswered incidents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from callhub.domain.incident import Incident, IncidentState
from callhub.domain.people import Actor, ActorKind, Role
from callhub.errors import NotAllowed, NotFound

SESSION = "session"
"""Kind of the token behind a signed-in user."""

_ACTOR_KINDS = {
    SESSION: ActorKind.USER,
    "api": ActorKind.API,
    "gateway": ActorKind.GATEWAY,
    "responder": ActorKind.RESPONDER,
}


class Sight(IntEnum):
    """How much of an incident a caller sees."""

    NONE = 0
    BARE = 1
    WHOLE = 2


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: the kind and id of their token, and for people and systems their role and area.

    ``digest`` is the token's SHA-256, ``by_cookie`` whether it came in one.
    """

    kind: str
    id: str
    role: Role | None
    area: str | None
    digest: str
    by_cookie: bool = False

    @property
    def actor(self) -> Actor:
        """The actor of what they do."""
        return Actor(_ACTOR_KINDS[self.kind], self.id, self.role, self.area)

    @property
    def sender(self) -> str:
        """The sender of their request keys: ``user:NAME``, ``api:ID``, ``gateway:GW`` ..."""
        return f"{_ACTOR_KINDS[self.kind].value}:{self.id}"

    @property
    def watches(self) -> bool:
        """Whether an open stream of theirs counts as a human who watches."""
        return self.kind == SESSION and self.has(Role.OPERATOR)

    def has(self, role: Role) -> bool:
        """Whether their role is at least this one."""
        return self.role is not None and self.role.rank >= role.rank

    def covers(self, area: tuple[str, ...]) -> bool:
        """Whether a thing with this area path lies in their subtree; no area is visible to all."""
        return self.actor.covers(area)


def sight(caller: Caller, incident: Incident) -> Sight:
    """How much of ``incident`` the caller sees.

    Whole: in their subtree, without an area, or theirs because they took it over. Bare: any other ``unanswered`` one.
    A department sees the incidents it is called to, from the whistle until that is refused, confirmed or withdrawn.
    """
    if caller.role is None:
        called = any(w.department == caller.id and w.is_shown for w in incident.whistles.values())
        return Sight.WHOLE if called and caller.kind == "responder" else Sight.NONE
    if caller.covers(incident.area):
        return Sight.WHOLE
    owner = incident.owner
    if owner is not None and owner.id == caller.id and owner.kind.value == caller.actor.kind.value:
        return Sight.WHOLE
    return Sight.BARE if incident.state is IncidentState.UNANSWERED else Sight.NONE


def demand_sight(caller: Caller, incident: Incident, action: str) -> None:
    """Let the caller act on ``incident``, or say why not.

    Any operator may take over any unanswered incident.

    Raises:
        NotFound: It lies outside what they see.
        NotAllowed: They see only its bare facts.
    """
    seen = sight(caller, incident)
    if seen is Sight.NONE:
        raise NotFound("incident", incident.id)
    if seen is Sight.BARE and action != "take-over":
        raise NotAllowed("the incident lies outside your area; take it over first")
