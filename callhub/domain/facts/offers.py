"""Invitations and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from callhub.domain.facts.fields import private
from callhub.domain.people import ResponderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMade:
    """A responder was invited. Metres in a straight line, seconds of expected arrival; both None without positions.

    ``need`` is ``key`` when they are asked for the key that somebody at the door lacks.
    """

    fact: Literal["offer_made"] = "offer_made"
    offer: str
    responder: str
    kind: ResponderKind
    step: int
    respond_by: datetime
    distance_m: int | None = None
    eta_s: int | None = None
    by_hand: bool = False
    need: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferReminded:
    """The same offer was sent again with a new deadline; with a ``need`` it asks for that from now on."""

    fact: Literal["offer_reminded"] = "offer_reminded"
    offer: str
    respond_by: datetime
    need: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSilent:
    """Nobody answered in time; others are asked as well, a late yes is still a yes."""

    fact: Literal["offer_silent"] = "offer_silent"
    offer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAccepted:
    """A responder said yes; ``via`` is ``app``, ``telephone`` or another way."""

    fact: Literal["offer_accepted"] = "offer_accepted"
    offer: str
    via: str = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDeclined:
    """A responder said no."""

    fact: Literal["offer_declined"] = "offer_declined"
    offer: str
    via: str = "app"
    reason: str | None = private()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferWithdrawn:
    """The invitation was taken back: ``filled resolved cancelled closed off_duty busy disabled``."""

    fact: Literal["offer_withdrawn"] = "offer_withdrawn"
    offer: str
    reason: str
