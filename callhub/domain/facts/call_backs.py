"""Calling the elder back before people are sent, and a ladder that waits for its window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from callhub.domain.facts.fields import private


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackBegan:
    """Somebody has to speak to the elder until then; after that the ladder goes on at rung ``step``.

    ``call_first``: because a person set it for this elder.
    """

    fact: Literal["call_back_began"] = "call_back_began"
    step: int
    until: datetime
    call_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackHeld:
    """A human spoke to the elder and all is well: the ladder waits until then for somebody to close."""

    fact: Literal["call_back_held"] = "call_back_held"
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackEnded:
    """Nobody is waited for any more.

    ``why``: ``timeout help no_voice pressed``, or as in ``StepEntered``.
    """

    fact: Literal["call_back_ended"] = "call_back_ended"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderWaits:
    """The window of this ladder is closed: rung ``step`` is entered when it opens."""

    fact: Literal["ladder_waits"] = "ladder_waits"
    step: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFirstChanged:
    """The presses of this elder are called back first until then; ``seconds`` 0: not any more. Part of no incident."""

    fact: Literal["call_first_changed"] = "call_first_changed"
    elder: str
    seconds: int
    until: datetime | None = None
    reason: str | None = private()
