"""A real journal under another policy: its presses at their times, its people where they live.

Rules of this file: nothing of what people did is taken over, for it was an answer to the ladder of that time; they
behave by the lab's figures. What they said of being available is.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from callhub.dispatch.geo import distance_m
from callhub.dispatch.roster import PLACES
from callhub.domain import facts as f
from callhub.domain.people import Duty, Elder
from callhub.domain.policy import IncidentClass
from callhub.errors import ConfigError
from callhub.lab.behaviour import draw_behaviour
from callhub.lab.district import District, Press
from callhub.lab.ladders import RING_M, Ladder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from callhub.domain.facts import Row
    from callhub.domain.people import Responder
    from callhub.domain.policy import Policy
    from callhub.store.sqlite.history import History

IN_FORCE = "in_force"


def replayed_district(history: History, ladder: Ladder, source: str, seed: int) -> District:
    """The presses that ``ladder`` is for, and everybody the database knows.

    Raises:
        ConfigError: The journal holds no such press; names ``source``.
    """
    presses = tuple(_presses(history.rows, ladder.policy.kinds))
    if not presses:
        kinds = ", ".join(ladder.policy.kinds)
        raise ConfigError(source, "", f"its journal holds no press of the policy's kinds ({kinds})")
    people = tuple(
        replace(person, position=person.position or history.positions.get(person.id)) for person in history.responders
    )
    said = {change.responder for _, change in _changes(history.rows)}
    return District(
        started_at=min(history.rows[0].at, presses[0].at),
        density_per_km2=_density(presses, people),
        presses=presses,
        responders=people,
        behaviours={
            person.id: draw_behaviour(random.Random(f"{seed}|{person.id}"))
            for person in people
            if person.kind not in PLACES
        },
        duties=tuple(duty for duty in history.duties if duty.responder not in said),
        changes=tuple(_changes(history.rows)),
    )


def replayed_ladders(history: History, ladder: Ladder) -> tuple[Ladder, ...]:
    """What is in force, and the same with ``ladder`` for its kinds."""
    if not history.policies:
        return (ladder,)
    others = tuple(
        replace(policy, id=f"in force: {policy.id}", kinds=kinds)
        for policy in history.policies
        if (kinds := tuple(kind for kind in policy.kinds if not _takes(ladder, policy, kind)))
    )
    now = Ladder(IN_FORCE, history.policies[-1], beside=history.policies[:-1])
    return now, replace(ladder, beside=others)


def _takes(ladder: Ladder, policy: Policy, kind: str) -> bool:
    return policy.class_ is not IncidentClass.DRILL and kind in ladder.policy.kinds


def _presses(rows: Sequence[Row], kinds: Sequence[str]) -> Iterator[Press]:
    opened: dict[str, f.IncidentOpened] = {}
    count = 0
    for row in rows:
        for fact in row.facts:
            if isinstance(fact, f.IncidentOpened) and row.incident is not None:
                opened[row.incident] = fact
            elif isinstance(fact, f.AlarmRecorded) and fact.kind in kinds:
                count += 1
                yield _press(f"P-{count:06d}", row.at, fact, opened.get(row.incident or ""))


def _press(id: str, at: datetime, alarm: f.AlarmRecorded, case: f.IncidentOpened | None) -> Press:
    elder = None
    if case is not None and case.elder is not None:
        elder = Elder(id=case.elder, name=case.elder, area=case.area, paired=case.paired, position=case.home)
    # A call by telephone has no device; two of them are not one case because of that.
    return Press(id, at, alarm.kind, elder, alarm.device or id, alarm.gateway or "telephone", alarm.position)


def _changes(rows: Sequence[Row]) -> Iterator[tuple[datetime, Duty]]:
    for row in rows:
        for fact in row.facts:
            if isinstance(fact, f.DutyChanged) and fact.cause != "until_over":
                yield row.at, Duty(fact.responder, fact.available, fact.until)


def _density(presses: Sequence[Press], people: Sequence[Responder]) -> float:
    """Active people on a square kilometre of the ring around a press, on average."""
    places = [person.position for person in people if person.active and person.position and person.kind not in PLACES]
    homes = [at for press in presses if (at := press.position or (press.elder and press.elder.position))]
    if not homes:
        return 0.0
    around = sum(1 for home in homes for place in places if distance_m(home, place) <= RING_M)
    return round(around / len(homes) / (math.pi * (RING_M / 1000) ** 2), 1)
