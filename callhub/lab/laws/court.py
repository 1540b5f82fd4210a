"""All laws over one history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from callhub.lab.laws.alarms import NoAlarmRefused, Once, StoredFirst
from callhub.lab.laws.deadlines import AcceptedIsNotDone, NeverSilent, OnTime
from callhub.lab.laws.people import NobodyTwice, StandDown
from callhub.lab.laws.record import Explained, Replay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from callhub.domain.people import Responder
    from callhub.lab.laws.evidence import Evidence
    from callhub.lab.laws.law import Law


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one law says: how much was held against it, and what broke it."""

    law: str
    checked: int
    broken: tuple[str, ...]


def laws(people: Mapping[str, Responder], runs: Sequence[tuple[datetime, datetime]] = ()) -> tuple[Law, ...]:
    """A fresh checker of each law, in their order."""
    return (
        StoredFirst(), Once(), NeverSilent(), NobodyTwice(people), OnTime(runs), NoAlarmRefused(), StandDown(),
        Replay(), Explained(), AcceptedIsNotDone(),
    )  # fmt: skip


def judge(evidence: Evidence) -> tuple[Verdict, ...]:
    """Hold a whole history against every law."""
    verdicts = []
    for law in laws(evidence.people, evidence.runs):
        broken = [what for entry in evidence.entries for what in law.see(entry)]
        broken += law.end(evidence)
        verdicts.append(Verdict(law.name, law.checked, tuple(broken)))
    return tuple(verdicts)
