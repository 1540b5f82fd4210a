"""The figures of a period, made from records; every definition is explained in ``docs/kpi.md``.

Rules of this file:
1. An incident belongs to the period in which it opened; what became of it counts whenever that was.
2. A share says of how many it is a share, and is None where that is nobody. An incident whose time is not over yet is
   neither in time nor too late: "now" is the time of the newest journal row.
3. Percentiles are exact: the smallest stored time that so many percent of all are not above (nearest rank).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from callhub.domain.kpi.cases import Case, Sending
from callhub.domain.policy import IncidentClass

ANSWER_S = (60, 180)
"""Limits for answering: TSA asks for 97.5 % within 60 s and 99 % within 180 s."""
OPEN_S = (3600, 86_400)
"""What has been open for longer than this is shown by itself."""
PERCENTILES = (50, 90, 95)
_MICROSECOND = timedelta(microseconds=1)
_JUDGED = frozenset({Sending.UNHEARD, Sending.AGAIN, Sending.FIRST, Sending.LATER})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents: opened from ``since`` up to, but not at, ``until`` (aware).

    ``area``: only this node of the tree and all below; None: everywhere, also where no area is known. ``class_`` None:
    every class but drills.
    """

    since: datetime
    until: datetime
    area: str | None = None
    class_: IncidentClass | None = None

    def has(self, case: Case) -> bool:
        """Whether this incident is one of them."""
        return (
            self.since <= case.opened_at < self.until
            and (self.area is None or self.area in case.area)
            and (self.class_ is None or case.class_ is self.class_)
        )


def report(cases: Iterable[Case], wanted: Wanted, at: datetime | None, zone: tzinfo) -> dict[str, Any]:
    """Every figure, as JSON; about 10 us an incident.

    Args:
        cases: Any order, at least all that are wanted.
        wanted: Which of them count.
        at: Time of the newest journal row, aware; None when there is none.
        zone: Where the hours of the day are meant.

    Returns:
        The figures of all, then of each class, kind, area one level below ``wanted.area`` (None: none further down) and
        hour of the day, then the load of each kind of responder. Only groups with an incident are listed, in order.
    """
    chosen = [case for case in cases if wanted.has(case)]
    now = at or wanted.until  # without a row there is no incident either
    return {
        **figures(chosen, now),
        "by_class": _grouped(chosen, "class", lambda case: case.class_.value, now),
        "by_kind": _grouped(chosen, "kind", lambda case: case.kind, now),
        "by_area": _grouped(chosen, "area", lambda case: below(case.area, wanted.area), now),
        "by_hour": _grouped(chosen, "hour", lambda case: case.opened_at.astimezone(zone).hour, now),
        "load": loads(chosen),
    }


def figures(cases: Sequence[Case], at: datetime) -> dict[str, Any]:
    """The figures of one group of incidents, as known at ``at``."""
    open_for = [at - case.opened_at for case in cases if case.ended_at is None]
    sendings = Counter(sending for case in cases for _, _, _, sending, _ in case.asked)
    return {
        "incidents": len(cases),
        "answered": {
            "count": sum(case.answered_at is not None for case in cases),
            **{f"within_{limit_s}_s": _in_time(cases, timedelta(seconds=limit_s), at) for limit_s in ANSWER_S},
        },
        "acceptance": times(case.accepted_at - case.opened_at for case in cases if case.accepted_at is not None),
        "arrival": times(case.arrived_at - case.opened_at for case in cases if case.arrived_at is not None),
        "unanswered": sum(case.unanswered for case in cases),
        "unclosed": {
            "count": len(open_for),
            **{f"over_{limit_s}_s": sum(age > timedelta(seconds=limit_s) for age in open_for) for limit_s in OPEN_S},
        },
        "first_time_delivery": share(sendings[Sending.FIRST], sum(sendings[each] for each in _JUDGED)),
    }


def _in_time(cases: Sequence[Case], limit: timedelta, at: datetime) -> dict[str, Any]:
    in_time = of = 0
    for case in cases:
        if case.answered_at is not None:
            in_time += case.answered_at - case.opened_at <= limit
            of += 1
        else:
            # Whoever closes without an answer gives none any more.
            of += case.ended_at is not None or at - case.opened_at > limit
    return share(in_time, of)


def share(count: int, of: int) -> dict[str, Any]:
    """``count`` of ``of``, and the quotient in full precision."""
    return {"count": count, "of": of, "share": count / of if of else None}


def times(durations: Iterable[timedelta]) -> dict[str, Any]:
    """How many, and their percentiles in seconds, to the millisecond."""
    micros = sorted(duration // _MICROSECOND for duration in durations)
    found = {f"p{percent}_s": round(nearest_rank(micros, percent) / 1e6, 3) for percent in PERCENTILES if micros}
    return {"count": len(micros), **(found or dict.fromkeys(f"p{percent}_s" for percent in PERCENTILES))}


def nearest_rank(ordered: Sequence[int], percent: int) -> int:
    """The smallest of ``ordered`` (ascending, not empty) that at least ``percent`` (1..100) of all are not above."""
    return ordered[-(-percent * len(ordered) // 100) - 1]


def below(path: Sequence[str], area: str | None) -> str | None:
    """The node of ``path`` one level below ``area`` (None: its top); None when it ends there."""
    next_ = 0 if area is None else path.index(area) + 1
    return path[next_] if next_ < len(path) else None


def loads(cases: Iterable[Case]) -> list[dict[str, Any]]:
    """How assignments lie on people, for each kind of responder that was asked.

    Whoever was asked at least once is one of them, also with no assignment.
    """
    carried: dict[str, Counter[str]] = {}
    for case in cases:
        for _, responder, kind, _, assignments in case.asked:
            carried.setdefault(kind, Counter())[responder] += assignments
    return [
        {
            "kind": kind,
            "asked": len(by_person),
            "assignments": by_person.total(),
            "most": max(by_person.values()),
            "gini": gini(by_person.values()),
        }
        for kind, by_person in sorted(carried.items())
    ]


def gini(counts: Iterable[int]) -> float | None:
    """How unevenly whole numbers lie on n people: 0 all the same, (n - 1) / n one has all; None without any.

    The sum of (2i - n - 1) x_i over the ascending x_1..x_n, divided by n times the sum of x_i. Source: Gini's mean
    difference, over twice the mean.
    """
    ordered = sorted(counts)
    n, total = len(ordered), sum(ordered)
    if not total:
        return None
    return sum((2 * i - n - 1) * x for i, x in enumerate(ordered, start=1)) / (n * total)


def _grouped(
    cases: Iterable[Case], name: str, key: Callable[[Case], str | int | None], at: datetime
) -> list[dict[str, Any]]:
    groups: dict[str | int | None, list[Case]] = {}
    for case in cases:
        groups.setdefault(key(case), []).append(case)
    # One kind of key in each grouping; what has none comes last.
    ordered = sorted(groups.items(), key=lambda group: (group[0] is None, group[0] if group[0] is not None else ""))
    return [{name: value, **figures(members, at)} for value, members in ordered]
