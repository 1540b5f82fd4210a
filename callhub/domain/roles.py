"""Who does what where several come: one goes to the elder, one fetches the key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callhub.domain.tables import TableReader


class HelpRole(StrEnum):
    """What somebody who comes does first."""

    ELDER = "elder"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Part:
    """The role that somebody has in an incident.

    ``fetch``: the contact from whom they fetch the key, by id; None for whoever goes to the elder or has the key.
    """

    role: HelpRole
    fetch: str | None = None


def read_roles(read: TableReader, needed: int) -> tuple[HelpRole, ...]:
    """``roles`` of a policy, one for each who is needed, the elder's first; empty when the key is absent.

    Raises:
        ConfigError: Their number or order is wrong, or two fetch the key.
    """
    if not read.has("roles"):
        return ()
    roles = read.choices("roles", HelpRole, repeated=True)
    if len(roles) != needed:
        read.refuse("roles", f"has {len(roles)} for {needed} needed: name one role for each, or leave roles out")
    if roles[0] is not HelpRole.ELDER:
        read.refuse("roles[0]", f"must be {HelpRole.ELDER}: whoever says yes first goes to the elder")
    if roles.count(HelpRole.KEY) > 1:
        read.refuse("roles", f"has {HelpRole.KEY} {roles.count(HelpRole.KEY)} times: one person fetches the key")
    return roles
