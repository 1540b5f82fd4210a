"""The laws, judged from outside: from facts, messages and the incidents that anybody can read.

Rules of this file: nothing here knows how the engine decides. Each check says which law it holds and fails with what
broke it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from callhub.domain import facts as f
from callhub.domain.events import DeadlineDue
from callhub.domain.incident import Incident, IncidentState, OfferState
from callhub.domain.messages import AddresseeKind, MessageType
from callhub.domain.people import ActorKind
from callhub.domain.policy import IncidentClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from callhub.domain.decision import Decision
    from callhub.domain.events import Event
    from callhub.domain.messages import Message
    from callhub.domain.people import Responder
    from callhub.domain.policy import Policy

OVER = {IncidentState.RESOLVED, IncidentState.CLOSED, IncidentState.CANCELLED}
ENDED = {IncidentState.CLOSED, IncidentState.CANCELLED}
LIVE = {"assigned", "en_route", "on_scene"}


@dataclass
class Judge:
    """Watches one history from its first event on."""

    policies: Mapping[str, Policy]
    deadlines: dict[str, dict[str, datetime]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    asked: dict[tuple[str, str], str] = field(default_factory=dict)
    """(incident, responder) that believe they are asked or assigned, and the newest offer they were told of."""

    def see(
        self,
        event: Event,
        now: datetime,
        decision: Decision,
        incidents: Iterable[Incident],
        people: Mapping[str, Responder],
    ) -> None:
        """Judge one decision; ``incidents`` are all there are, as they are now."""
        known = {incident.id: incident for incident in incidents}
        if (decision.answer.code is not None and decision.answer.incident is None) or decision.answer.repeat:
            assert not decision.rows, "refused, and something happened"
            assert not decision.messages, "refused, and somebody was told"
        for row in decision.rows:
            self._row(row, now, known, of_itself=isinstance(event, DeadlineDue))
        self._answers(event, decision, known)
        for message in decision.messages:
            self._message(message, known)
        for incident in known.values():
            self._incident(incident)
        nobody_twice(known.values(), people)

    # One row

    def _row(self, row: f.Row, now: datetime, known: Mapping[str, Incident], *, of_itself: bool) -> None:
        assert row.at == now
        if row.incident is None:
            assert row.version == 0
            return
        assert row.version == self.versions.get(row.incident, 0) + 1, "a version is missing"
        self.versions[row.incident] = row.version
        armed = self.deadlines.setdefault(row.incident, {})
        explained = {c["responder"] for fact in row.facts if isinstance(fact, f.Ranked) for c in fact.chosen}
        called_back = any(isinstance(fact, f.CallBackEnded) for fact in row.facts)
        for fact in row.facts:
            if isinstance(fact, f.OfferMade):
                assert fact.by_hand or fact.responder in explained, f"law 9: nobody says why {fact.responder} was asked"
            key = _deadline_of(fact)
            if key == "step" and called_back:
                key = None  # the call-back's own time was up
            if key is not None and of_itself:
                assert key in armed, f"{fact.fact}: nothing was armed as {key}"
                assert armed[key] <= now, f"law 5: {key} fired early"
        for fact in row.facts:
            if isinstance(fact, f.DeadlinesChanged):
                for key in fact.disarmed:
                    del armed[key]
                armed.update({key: deadline.at for key, deadline in fact.armed.items()})
        assert armed == {key: deadline.at for key, deadline in known[row.incident].deadlines.items()}

    # One message

    def _message(self, message: Message, known: Mapping[str, Incident]) -> None:
        incident = known[message.incident]
        body = message.body
        assert body["incident"] == incident.id
        if message.addressee.kind is AddresseeKind.GATEWAY:
            assert message.type is MessageType.PROGRESS
            assert body["alarms"], "progress about no alarm"
            return
        responder = message.addressee.id
        if message.type in (MessageType.OFFER, MessageType.STAND_DOWN):
            assert incident.offers[body["offer"]].responder == responder, "told of somebody else's offer"
        if message.type is MessageType.OFFER:
            assert incident.offers[body["offer"]].state is OfferState.OPEN or body["reminder"]
            self.asked[(incident.id, responder)] = body["offer"]
        elif message.type is MessageType.STAND_DOWN:
            assert self.asked.pop((incident.id, responder), None) == body["offer"], "stood down from nothing"
        elif message.type is MessageType.ASSIGNMENT:
            mine = [a for a in incident.assignments.values() if a.responder == responder]
            assert mine, "an assignment for nobody"
            if body["state"] in LIVE:
                self.asked[(incident.id, responder)] = incident.id
                offers = [o for o in incident.offers.values() if o.responder == responder]
                self.asked[(incident.id, responder)] = offers[-1].id
        elif body["what"] == "released" and not any(a.responder == responder for a in incident.live):
            self.asked.pop((incident.id, responder), None)

    def _answers(self, event: Event, decision: Decision, known: Mapping[str, Incident]) -> None:
        """Whoever said so themselves, or on whose word it was done, needs no telling."""
        for row in decision.rows:
            incident = known.get(row.incident or "")
            for fact in row.facts if incident is not None else ():
                assert incident is not None
                if isinstance(fact, f.OfferDeclined):
                    self.asked.pop((incident.id, incident.offers[fact.offer].responder), None)
                elif isinstance(fact, f.AssignmentMoved) and fact.code is None and fact.state.value not in LIVE:
                    said_so = event.actor.kind is ActorKind.RESPONDER or fact.state.value == "cleared"
                    if said_so:
                        self.asked.pop((incident.id, incident.assignments[fact.assignment].responder), None)

    # One incident

    def _incident(self, incident: Incident) -> None:
        if incident.state not in ENDED:
            assert incident.deadlines, f"law 3: {incident.id} is open and nothing is due"
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
        if incident.state in OVER:
            assert not incident.live_offers, "law 7: still asked for what is over"
            assert not incident.live, "law 7: still assigned to what is over"
            waiting = [who for id, who in self.asked if id == incident.id]
            assert not waiting, f"law 7: nobody told {waiting} that {incident.id} is {incident.state}"
        elif not incident.ladder_runs:
            assert not [o for o in incident.live_offers if not o.by_hand], "law 7: asked for what is handled"
        else:
            waits = {key.partition(":")[0] for key in incident.deadlines}
            named = {"step", "repeat", "owner_check", "window", "gathered"}
            if incident.call_back is not None:
                named = {"held", "desk_call"} if incident.call_back.held else {"call_back"}
            assert waits & named, f"wants people, and waits only for {waits}"
        held = {o.responder: o.id for o in incident.live_offers}
        believed = {who: offer for (id, who), offer in self.asked.items() if id == incident.id}
        for who, offer in held.items():
            assert believed.get(who) == offer, f"{who} was never told of {offer}"
        working = {a.responder for a in incident.live}
        desks = {
            o.responder for o in incident.offers.values() if o.kind.value == "desk" and o.state.value == "accepted"
        }
        for who in believed:
            assert who in held or who in working | desks, f"law 7: {who} still believes to be asked in {incident.id}"

    def nothing_due(self, now: datetime, incidents: Iterable[Incident]) -> None:
        """Law 3 once everything due was handled: each open incident waits for something later."""
        for incident in incidents:
            if incident.state not in ENDED:
                assert min(d.at for d in incident.deadlines.values()) > now, f"{incident.id} is overdue"


def nobody_twice(incidents: Iterable[Incident], people: Mapping[str, Responder]) -> None:
    """Law 4: capacity holds in the whole installation, and each live emergency has a slot of its own."""
    slots: dict[str, list[Any]] = {}
    for incident in incidents:
        for assignment in incident.live:
            if incident.class_ is IncidentClass.EMERGENCY:
                slots.setdefault(assignment.responder, []).append(assignment.slot)
    for who, taken in slots.items():
        capacity = people[who].capacity
        if capacity is not None:
            assert len(taken) <= capacity, f"law 4: {who} has {len(taken)} and can do {capacity}"
            assert len(set(taken)) == len(taken), f"law 4: {who} has a slot twice: {taken}"
            assert all(slot in range(1, capacity + 1) for slot in taken), f"law 4: {who} has slots {taken}"


def _deadline_of(fact: f.Fact) -> str | None:
    """Which deadline must have passed for this fact."""
    match fact:
        case f.OfferSilent():
            return f"offer:{fact.offer}"
        case f.ArrivalMissed():
            return f"arrival:{fact.assignment}"
        case f.ResolutionMissed():
            return f"resolution:{fact.assignment}"
        case f.ServiceMissed():
            return f"service:{fact.party}"
        case f.FollowUpMissed():
            return "follow_up"
        case f.OwnerCleared(why="owner_check_missed"):
            return "owner_check"
        case f.StepEntered(why="timeout"):
            return "step"
        case f.StepEntered(why="window"):
            return f"window:{fact.step}"
        case f.CallBackEnded(why="timeout"):
            return "call_back"
    return None
