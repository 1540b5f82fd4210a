"""The laws over a random history, and beside them what only the engine's own incidents show.

Rules of this file: the laws are judged by ``callhub.lab.laws``, from rows and messages alone. Each check here fails
with what broke it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from callhub.domain.incident import IncidentState, OfferState
from callhub.domain.messages import AddresseeKind, MessageType
from callhub.lab.laws.court import laws
from callhub.lab.laws.evidence import Entry, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from callhub.domain.decision import Decision
    from callhub.domain.events import Event
    from callhub.domain.incident import Incident
    from callhub.domain.messages import Message
    from callhub.domain.people import Responder
    from callhub.domain.policy import Policy
    from callhub.lab.laws.law import Law

LONG_AGO, FAR_OFF = datetime(1970, 1, 1, tzinfo=UTC), datetime(2970, 1, 1, tzinfo=UTC)
OVER = {IncidentState.RESOLVED, IncidentState.CLOSED, IncidentState.CANCELLED}


@dataclass
class Judge:
    """Watches one history from its first event on."""

    policies: Mapping[str, Policy]
    people: Mapping[str, Responder]
    runs: list[tuple[datetime, datetime]] = field(default_factory=lambda: [(LONG_AGO, FAR_OFF)])
    laws: tuple[Law, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.laws = laws(self.people, self.runs)

    def was_down(self, since: datetime, until: datetime) -> None:
        """No server ran then."""
        self.runs[-1:] = [(self.runs[-1][0], since), (until, FAR_OFF)]

    def see(self, event: Event, now: datetime, decision: Decision, incidents: Iterable[Incident]) -> None:
        """Judge one decision; ``incidents`` are all there are, as they are now."""
        known = {incident.id: incident for incident in incidents}
        if (decision.answer.code is not None and decision.answer.incident is None) or decision.answer.repeat:
            assert not decision.rows, "refused, and something happened"
            assert not decision.messages, "refused, and somebody was told"
        assert all(row.at == now for row in decision.rows)
        entry = Entry(now, decision.rows, decision.messages)
        broken = [f"law {law.name}: {what}" for law in self.laws for what in law.see(entry)]
        assert not broken, f"{type(event).__name__} by {event.actor.id}: {broken}"
        for message in decision.messages:
            self._message(message, known[message.incident])
        for id in decision.touched:
            self._incident(known[id])

    def end(self, incidents: Iterable[Incident]) -> None:
        """Judge what only the whole shows."""
        evidence = Evidence((), self.people, incidents=list(incidents))
        broken = [f"law {law.name}: {what}" for law in self.laws for what in law.end(evidence)]
        assert not broken, broken

    def _message(self, message: Message, incident: Incident) -> None:
        body = message.body
        assert body["incident"] == incident.id
        if message.addressee.kind is AddresseeKind.GATEWAY:
            assert message.type is MessageType.PROGRESS
            assert body["alarms"], "progress about no alarm"
        elif message.type is MessageType.OFFER and body["offer"] in incident.offers:
            assert incident.offers[body["offer"]].state is OfferState.OPEN or body["reminder"]
        elif message.type is MessageType.ASSIGNMENT:
            mine = [a for a in incident.assignments.values() if a.responder == message.addressee.id]
            assert mine, "an assignment for nobody"

    def _incident(self, incident: Incident) -> None:
        live = Counter(offer.responder for offer in incident.live_offers)
        assert all(count == 1 for count in live.values()), f"two live offers: {live}"
        step = Counter(offer.step for offer in incident.open_offers if not offer.by_hand)
        widest = max(rung.fan_out_max for policy in self.policies.values() for rung in policy.steps)
        steps = self.policies[incident.policy.partition("@")[0]].steps
        for number, count in step.items():
            # Offers of a ladder that a more urgent one replaced stay open.
            mixed = any(alarm.kind != incident.alarms[0].kind for alarm in incident.alarms)
            most = widest if mixed else steps[number].fan_out_max
            assert count <= most, f"{count} open offers in step {number}"
        if incident.state not in OVER and incident.ladder_runs:
            waits = {key.partition(":")[0] for key in incident.deadlines}
            named = {"step", "repeat", "owner_check", "window", "gathered"}
            if incident.call_back is not None:
                named = {"held", "desk_call"} if incident.call_back.held else {"call_back"}
            assert waits & named, f"wants people, and waits only for {waits}"

    def nothing_due(self, now: datetime, incidents: Iterable[Incident]) -> None:
        """Law 3 once everything due was handled: each open incident waits for something later."""
        for incident in incidents:
            if incident.is_open:
                assert min(d.at for d in incident.deadlines.values()) > now, f"{incident.id} is overdue"
