"""Learning from answers: how likely somebody says yes, how much they carry, whether they have only just come back.

Rules of this file:
1. Pure: the same facts at the same times give the same numbers. Old answers fade, so that nobody is judged by what
   they did a year ago.
2. Nobody is left out for what was learned. It decides how many are asked, and between equals who.
3. A chance is a Beta count over the published share of people who accept; without answers it is exactly ``PRIOR``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from callhub.domain import facts as f
from callhub.domain.habits import BANDS, Habit
from callhub.domain.incident import AssignmentState, Incident
from callhub.domain.people import ResponderKind
from callhub.domain.policy import IncidentClass
from callhub.domain.roll_call import HOME_CHECK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime, tzinfo

    from callhub.domain.facts import Row

YES, NO = 2.3, 5.7
"""Answers that the prior is worth. Its mean is the share of alerts that volunteers accept in a review of twelve
systems, 28.7 % (Resuscitation 2020, doi 10.1016/j.resuscitation.2020.05.006); one standard deviation reaches as far as
the 17 to 47 % of single studies (JMIR mHealth and uHealth 2023)."""
PRIOR = YES / (YES + NO)
OTHER_BAND = 0.25
"""What an answer at another time of the day counts. Ours: it says something about the person, less about the hour."""
ANSWERS_HALVE_S = 60 * 86_400.0
"""After so long an answer counts half. Ours: a season, in which people move, fall ill and change their work."""
LOAD_HALVES_S = 30 * 86_400 * 0.693
"""The load halves in three weeks, so that its sum is what the last 30 days brought, without an edge."""
SHORT_BY = 0.5
"""How many newcomers' chances may be missing before one more is asked: half a person is not worth a call."""

PLACES = frozenset({ResponderKind.DESK, ResponderKind.DEPARTMENT})


def counted(
    rows: Iterable[Row],
    incident: Callable[[str], Incident | None],
    known: Callable[[str], Habit | None],
    zone: tzinfo,
) -> dict[str, Habit]:
    """The habits that these rows change, by responder. ``incident`` and ``known`` look up what is in memory."""
    changed: dict[str, Habit] = {}
    for row in rows:
        case = incident(row.incident) if row.incident is not None else None
        if case is None or case.class_ is IncidentClass.DRILL:
            continue
        for fact in row.facts:
            responder = _whose(fact, case)
            if responder is not None:
                habit = changed.get(responder) or known(responder) or Habit(responder, row.at)
                changed[responder] = _learned(faded(habit, row.at), fact, case, zone)
    return changed


def _whose(fact: f.Fact, case: Incident) -> str | None:
    """The person whose habit a fact is about; None for places and for facts that teach nothing."""
    if isinstance(fact, f.OfferMade | f.OfferAccepted | f.OfferDeclined | f.OfferSilent):
        offer = case.offers[fact.offer]
        return None if offer.kind in PLACES else offer.responder
    if isinstance(fact, f.Assigned):
        return fact.responder
    return case.assignments[fact.assignment].responder if isinstance(fact, f.AssignmentMoved) else None


def _learned(habit: Habit, fact: f.Fact, case: Incident, zone: tzinfo) -> Habit:
    emergency = case.class_ is IncidentClass.EMERGENCY
    if isinstance(fact, f.OfferMade) and not emergency and case.kind != HOME_CHECK:
        day = habit.at.astimezone(zone).date()
        services = habit.services if habit.day == day else 0
        return replace(habit, load=habit.load + 1, day=day, services=services + 1)
    if isinstance(fact, f.OfferMade | f.Assigned):
        return replace(habit, load=habit.load + 1)
    if not emergency:
        return habit
    if isinstance(fact, f.AssignmentMoved):
        return replace(habit, back_at=habit.at) if _is_back(fact, case) else habit
    band = band_of(habit.at, zone)
    if isinstance(fact, f.OfferAccepted):
        return replace(habit, yes=_one_more(habit.yes, band))
    # A yes that comes after all, out of silence, counts beside the silence: it came, and not in time.
    return replace(habit, no=_one_more(habit.no, band))


def _is_back(fact: f.AssignmentMoved, case: Incident) -> bool:
    """Whether a duty ended for which somebody had gone out."""
    duty = case.assignments[fact.assignment]
    if fact.state is AssignmentState.RELEASED:
        return duty.en_route_at is not None or duty.on_scene_at is not None
    return fact.state is AssignmentState.CLEARED


def _one_more(counts: tuple[float, ...], band: int) -> tuple[float, ...]:
    return tuple(count + (n == band) for n, count in enumerate(counts))


def band_of(at: datetime, zone: tzinfo) -> int:
    """The band of the local day, 0..BANDS - 1."""
    return at.astimezone(zone).hour * BANDS // 24


def faded(habit: Habit, now: datetime) -> Habit:
    """The same history as it counts at ``now``; a clock that went backwards fades nothing."""
    age_s = _age_s(habit, now)
    if not age_s:
        return habit
    keep = 0.5 ** (age_s / ANSWERS_HALVE_S)
    yes, no = (tuple(count * keep for count in counts) for counts in (habit.yes, habit.no))
    return replace(habit, at=now, load=habit.load * 0.5 ** (age_s / LOAD_HALVES_S), yes=yes, no=no)


def _age_s(habit: Habit, now: datetime) -> float:
    return max(0.0, (now - habit.at).total_seconds())


def load_of(habit: Habit | None, now: datetime) -> float:
    """Offers and assignments of about the last 30 days; 0 for somebody new."""
    return 0.0 if habit is None else habit.load * 0.5 ** (_age_s(habit, now) / LOAD_HALVES_S)


def chance(habit: Habit | None, now: datetime, zone: tzinfo) -> float:
    """How likely an emergency offer made now is accepted in time, 0..1; ``PRIOR`` for somebody new. About 5 us."""
    if habit is None:
        return PRIOR
    keep: float = 0.5 ** (_age_s(habit, now) / ANSWERS_HALVE_S)
    band = band_of(now, zone)
    # All of them at the weight of another time, and what is missing of this one.
    yes = YES + keep * (OTHER_BAND * sum(habit.yes) + (1 - OTHER_BAND) * habit.yes[band])
    no = NO + keep * (OTHER_BAND * sum(habit.no) + (1 - OTHER_BAND) * habit.no[band])
    return yes / (yes + no)


def services_on(habit: Habit | None, now: datetime, zone: tzinfo) -> int:
    """Offers of today, local time, that were for no emergency."""
    return habit.services if habit is not None and habit.day == now.astimezone(zone).date() else 0


def is_resting(habit: Habit | None, now: datetime, rest_s: float) -> bool:
    """Whether they came back from an emergency less than ``rest_s`` ago."""
    return habit is not None and habit.back_at is not None and now - habit.back_at < timedelta(seconds=rest_s)


def is_enough(chances: Sequence[float], width: int, most: int) -> bool:
    """Whether a step that keeps ``width`` offers open has asked enough people.

    Args:
        chances: Of everybody with an open offer, 0..1.
        width: Wanted where nobody is known: reached in any case.
        most: Never exceeded.

    Beyond ``width`` more are asked while the sum of the chances is below that of ``width`` people who are new, less
    half a person. So people of whom nothing is known give exactly ``width``.
    """
    if len(chances) < width:
        return False
    return len(chances) >= most or sum(chances) >= (width - SHORT_BY) * PRIOR
