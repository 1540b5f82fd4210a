"""What a roll-call did: its gap, its homes, and each home that was seen to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callhub.domain.roll_call import Cause, Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class RollCallBegan:
    """There was a gap; the homes it could concern are to be checked."""

    fact: Literal["roll_call_began"] = "roll_call_began"
    cause: Cause
    gap: Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class RollCallExtended:
    """Another gap of the same place while its roll-call is open: ``gap`` spans both."""

    fact: Literal["roll_call_extended"] = "roll_call_extended"
    cause: Cause
    gap: Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class HomesListed:
    """The homes to check, most at risk first; ``pressed`` reached us since the gap ended, and count as checked."""

    fact: Literal["homes_listed"] = "homes_listed"
    homes: tuple[str, ...]
    pressed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeCheckBegan:
    """People are asked to see to a home, in the incident ``check``."""

    fact: Literal["home_check_began"] = "home_check_began"
    home: str
    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollCallHeldUp:
    """Our own exception (``reason`` is its code) kept a roll-call from going on: it is tried again in a moment.

    ``home`` is the one it was about, which then comes after all others; None: its homes were to be listed.
    """

    fact: Literal["roll_call_held_up"] = "roll_call_held_up"
    home: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeChecked:
    """A home counts as checked.

    ``outcome`` is that of its check, or ``pressed`` (the elder reached us since the gap), ``not_active`` (no longer
    served), ``cancelled``. ``check`` is None where nobody had to be asked.
    """

    fact: Literal["home_checked"] = "home_checked"
    home: str
    outcome: str
    check: str | None = None
