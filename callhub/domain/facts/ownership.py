"""Who took the case over, and whether anybody watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callhub.domain.incident import Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerTaken:
    """A human or a desk took over; ``handed_by`` when it was passed on."""

    fact: Literal["owner_taken"] = "owner_taken"
    owner: Owner
    handed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerCleared:
    """The owner is gone: ``owner_check_missed user_removed owner_away resolved_check``."""

    fact: Literal["owner_cleared"] = "owner_cleared"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerActed:
    """An action of the owner renewed the owner check."""

    fact: Literal["owner_acted"] = "owner_acted"
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchChanged:
    """Whether anybody watches this open emergency."""

    fact: Literal["watch_changed"] = "watch_changed"
    unwatched: bool
