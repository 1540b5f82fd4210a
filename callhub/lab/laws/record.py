"""Laws of the record: replay, explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.domain import facts as f
from callhub.lab.laws.law import Law

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callhub.domain.facts import Fact, Row
    from callhub.domain.incident import Incident
    from callhub.lab.laws.evidence import Evidence

NOBODY = ("nobody", "")
RANKED_MAX, PASSED_OVER_MAX = 20, 20


class Replay(Law):
    """Rows alone give what is shown of an incident: version, states, owner, deadlines."""

    name = "8 replay"

    def __init__(self) -> None:
        super().__init__()
        self._sums: dict[str, dict[str, Any]] = {}

    def row(self, row: Row) -> Iterator[str]:
        """Add a row up; versions count one by one."""
        if row.incident is None:
            return
        sum_ = self._sums.setdefault(row.incident, {"version": 0, "state": "seeking", "owner": None})
        self.checked += 1
        if row.version != sum_["version"] + 1:
            yield f"{row.incident} goes from version {sum_['version']} to {row.version}"
        sum_["version"] = row.version
        for fact in row.facts:
            _add(sum_, fact)

    def end(self, evidence: Evidence) -> Iterator[str]:
        """Each document against its rows, and each incident with rows has one."""
        shown = {incident.id: _shown(incident) for incident in evidence.incidents}
        for id in sorted(shown.keys() | self._sums.keys()):
            self.checked += 1
            mine, theirs = self._sums.get(id), shown.get(id)
            if mine is None or theirs is None:
                yield f"{id} has {'no rows' if mine is None else 'no document'}"
                continue
            for name, value in theirs.items():
                if mine.get(name, {}) != value:
                    yield f"{id}: {name} is {value}, and its rows say {mine.get(name, {})}"


def _add(sum_: dict[str, Any], fact: Fact) -> None:
    offers, duties, waits = (sum_.setdefault(name, {}) for name in ("offers", "duties", "deadlines"))
    match fact:
        case f.StateChanged():
            sum_["state"] = fact.state.value
            if fact.event == "reopened":
                sum_["owner"] = None
        case f.OwnerTaken():
            sum_["owner"] = fact.owner.id
        case f.OwnerCleared():
            sum_["owner"] = None
        case f.OfferMade():
            offers[fact.offer] = (fact.responder, "open")
        case f.OfferSilent() | f.OfferAccepted() | f.OfferDeclined() | f.OfferWithdrawn():
            offers[fact.offer] = (offers.get(fact.offer, NOBODY)[0], fact.fact.removeprefix("offer_"))
        case f.Assigned():
            duties[fact.assignment] = (fact.responder, "assigned")
        case f.AssignmentMoved():
            duties[fact.assignment] = (duties.get(fact.assignment, NOBODY)[0], fact.state.value)
        case f.DeadlinesChanged():
            for key in fact.disarmed:
                waits.pop(key, None)
            waits.update({key: deadline.at for key, deadline in fact.armed.items()})


def _shown(incident: Incident) -> dict[str, Any]:
    return {
        "version": incident.version,
        "state": incident.state.value,
        "owner": incident.owner.id if incident.owner is not None else None,
        "offers": {offer.id: (offer.responder, offer.state.value) for offer in incident.offers.values()},
        "duties": {duty.id: (duty.responder, duty.state.value) for duty in incident.assignments.values()},
        "deadlines": {key: deadline.at for key, deadline in incident.deadlines.items()},
    }


class Explained(Law):
    """Whoever is asked stands in a ranking of the same row, and whoever was passed over has one reason."""

    name = "9 explained"

    def row(self, row: Row) -> Iterator[str]:
        """Rankings are complete and bounded."""
        ranked = [fact for fact in row.facts if isinstance(fact, f.Ranked)]
        chosen = {(fact.step, one["responder"]) for fact in ranked for one in fact.chosen}
        for fact in row.facts:
            if isinstance(fact, f.OfferMade) and not fact.by_hand:
                self.checked += 1
                if (fact.step, fact.responder) not in chosen:
                    yield f"nobody says why {fact.responder} was asked in {row.incident}"
        for fact in ranked:
            self.checked += 1
            if len(fact.chosen) > RANKED_MAX or len(fact.passed_over) > PASSED_OVER_MAX:
                yield f"a ranking of {row.incident} is longer than it may be"
            if not all(one.get("responder") and one.get("reason") for one in fact.passed_over):
                yield f"a ranking of {row.incident} passes somebody over without a reason"
