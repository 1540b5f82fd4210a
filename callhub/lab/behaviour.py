"""How simulated people behave: whether they say yes, after how long, and how fast they come.

Rules of this file: each constant names the study it is from, or says that it is assumed. The studies are of
volunteers called to cardiac arrests and overdoses in other countries; nothing comparable is published for Tianjin.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

ACCEPTANCE = (0.17, 0.47)
"""Share of alerts a volunteer accepts, lowest and highest: response rates of the studies gathered in JMIR mHealth and
uHealth 2023 (volunteers for opioid overdoses). A review of twelve systems for cardiac arrest lies within: 0.287
(Resuscitation 2020, doi 10.1016/j.resuscitation.2020.05.006)."""

DECLINE_SHARE = (0.3, 0.7)
"""Of the offers not accepted, the share declined in words; the rest stays silent. Assumed: the studies count both
as one."""

ANSWER_DELAY_S = (3.0, 15.0)
"""From the ring to the tap, mean of one person, seconds. Assumed: finding the telephone and reading; mostly within the
20 s after which an offer turns silent, so that late answers happen but are the exception."""

ANSWER_SPREAD = (0.5, 1.5)
"""How much faster or slower one answer is than the person's mean. Assumed."""

TURNOUT_S = 105.0
"""From yes to leaving the house, mean, seconds: 1:45 (Region of Lifesavers, Germany, 4,138 responses)."""

TURNOUT_NIGHT_S = 142.0
"""The same at night: 2:22 (same source)."""

TURNOUT_SPREAD = (0.7, 1.3)
"""How much faster or slower than the mean one person is. Assumed."""

OUTING_SPREAD = (0.5, 1.5)
"""How much faster or slower one turnout is than the person's mean. Assumed."""

VISIT_S = (600.0, 1800.0)
"""From the door to the end of the visit, seconds. Assumed."""

NEWS_S = 3.0
"""From a stand-down to the moment it is seen, seconds: a yes tapped meanwhile comes too late, and its sender has set
out. Assumed: a push message and a look at the screen."""

SPEED_M_S = 1.8
"""Pace of lay responders where more than 8,000 people live on a square kilometre (Resuscitation 2020)."""

DETOUR = 1.3
"""Way walked over straight line. Assumed for open housing estates, below the 1.4 (Toronto) to 1.6 (Copenhagen) found
for ways to the nearest defibrillator (Resuscitation 2021); no street map of Tianjin was at hand to measure it."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One simulated person: probabilities 0..1, times in seconds, speed in metres a second."""

    accepts: float
    declines: float
    answer_delay_s: float
    turnout_s: float
    turnout_night_s: float
    speed_m_s: float = SPEED_M_S
    detour: float = DETOUR

    def travel_s(self, straight_m: float, *, night: bool) -> float:
        """Return the seconds from yes to the door of a home ``straight_m`` metres away as the crow flies."""
        turnout_s = self.turnout_night_s if night else self.turnout_s
        return turnout_s + straight_m * self.detour / self.speed_m_s


def draw_behaviour(rng: random.Random) -> Behaviour:
    """Draw one person. ``accepts + declines`` is below 1; what is missing is the probability of silence."""
    accepts = rng.uniform(*ACCEPTANCE)
    pace = rng.uniform(*TURNOUT_SPREAD)
    return Behaviour(
        accepts=accepts,
        declines=(1 - accepts) * rng.uniform(*DECLINE_SHARE),
        answer_delay_s=rng.uniform(*ANSWER_DELAY_S),
        turnout_s=TURNOUT_S * pace,
        turnout_night_s=TURNOUT_NIGHT_S * pace,
    )


class Reply(StrEnum):
    """What somebody does with an invitation."""

    YES = "yes"
    NO = "no"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one person does when asked about one press, whoever asks and whenever: seconds from the ring."""

    reply: Reply
    answer_delay_s: float
    turnout_factor: float
    visit_s: float

    def travel_s(self, person: Behaviour, straight_m: float, *, night: bool) -> float:
        """Return the seconds from yes to the door, this time."""
        turnout_s = person.turnout_night_s if night else person.turnout_s
        return person.travel_s(straight_m, night=night) + turnout_s * (self.turnout_factor - 1)


def react(person: Behaviour, seed: int, name: str, press: str) -> Reaction:
    """Draw how a person reacts to a press; depends on the arguments alone, about 3 us."""
    digest = blake2b(f"{seed}|{name}|{press}".encode(), digest_size=32).digest()
    said, delay, turnout, visit = (part / 2**64 for part in struct.unpack("<4Q", digest))
    if said < person.accepts:
        reply = Reply.YES
    else:
        reply = Reply.NO if said < person.accepts + person.declines else Reply.SILENCE
    return Reaction(
        reply=reply,
        answer_delay_s=person.answer_delay_s * _between(ANSWER_SPREAD, delay),
        turnout_factor=_between(OUTING_SPREAD, turnout),
        visit_s=_between(VISIT_S, visit),
    )


def _between(bounds: tuple[float, float], share: float) -> float:
    low, high = bounds
    return low + (high - low) * share
