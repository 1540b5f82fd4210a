"""Laws of people: nobody twice, stand-down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from callhub.domain import facts as f
from callhub.domain.messages import AddresseeKind, MessageType
from callhub.domain.people import ActorKind
from callhub.domain.policy import IncidentClass
from callhub.lab.laws.law import Law

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from callhub.domain.facts import Fact, Row
    from callhub.domain.messages import Message
    from callhub.domain.people import Responder
    from callhub.lab.laws.evidence import Entry

LIVE = frozenset({"assigned", "en_route", "on_scene"})
ENDED = frozenset({"closed", "cancelled"})
OVER = ENDED | {"resolved"}
NOBODY = ("nobody", "")
"""Of an offer or a duty that no row made: what is missing is another law's to say."""


class NobodyTwice(Law):
    """A responder never holds more live emergencies than they can do, and each has a slot of its own.

    Args:
        people: As imported; read when it is needed, so that it may change.
    """

    name = "4 nobody twice"

    def __init__(self, people: Mapping[str, Responder]) -> None:
        super().__init__()
        self._people = people
        self._emergencies: set[str] = set()
        self._holds: dict[str, dict[str, int | None]] = {}

    def row(self, row: Row) -> Iterator[str]:
        """Take over what a row gave and took, then count."""
        for fact in row.facts:
            match fact:
                case f.IncidentOpened(class_=IncidentClass.EMERGENCY):
                    self._emergencies.add(str(row.incident))
                case f.Assigned() if row.incident in self._emergencies:
                    self._holds.setdefault(fact.responder, {})[fact.assignment] = fact.slot
                    self.checked += 1
                    yield from self._count(fact.responder)
                case f.AssignmentMoved() if fact.state.value not in LIVE:
                    for held in self._holds.values():
                        held.pop(fact.assignment, None)

    def _count(self, who: str) -> Iterator[str]:
        slots, record = list(self._holds[who].values()), self._people.get(who)
        if record is None or record.capacity is None:
            return
        if len(slots) > record.capacity:
            yield f"{who} has {len(slots)} emergencies and can do {record.capacity}"
        elif len(set(slots)) < len(slots) or not set(slots) <= set(range(1, record.capacity + 1)):
            yield f"{who} has the slots {slots}"


@dataclass(slots=True)
class _Case:
    """Who is asked and who is on duty, as rows say; and who believes to be, as they were told."""

    state: str = "seeking"
    needed: int = 1
    offers: dict[str, tuple[str, str]] = field(default_factory=dict)
    duties: dict[str, tuple[str, str]] = field(default_factory=dict)
    by_hand: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    reopened_at: datetime | None = None
    desks: set[str] = field(default_factory=set)
    whistles: dict[str, tuple[str, str]] = field(default_factory=dict)
    believes: dict[str, str] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)

    @property
    def asked(self) -> dict[str, str]:
        """Responder and offer, of everybody who is asked now."""
        return {who: offer for offer, (who, state) in self.offers.items() if state == "live"}

    @property
    def on_duty(self) -> dict[str, str]:
        """Responder and assignment, of everybody who is on duty now."""
        return {who: duty for duty, (who, state) in self.duties.items() if state in LIVE}

    @property
    def is_handled(self) -> bool:
        """As many as are needed come in time, are there, or have seen to it."""
        coming = [duty for duty in self.on_duty.values() if duty not in self.late or self.duties[duty][1] == "on_scene"]
        return len(coming) + len(self.done) >= self.needed

    def note(self, fact: Fact, at: datetime) -> None:
        """Take over one fact."""
        match fact:
            case f.IncidentOpened() | f.AlarmMadeUrgent():
                self.needed = fact.needed
            case f.AlarmRecorded(joined=True):
                self.done.clear()  # whoever left before has not seen to this one
            case f.StateChanged():
                self.state = fact.state.value
                if fact.event == "reopened":
                    self.done.clear()
                    self.reopened_at = at
            case f.OfferMade():
                self.offers[fact.offer] = (fact.responder, "live")
                if fact.by_hand:
                    self.by_hand.add(fact.offer)
                if fact.kind.value == "desk":
                    self.desks.add(fact.responder)
            case f.OfferAccepted() | f.OfferDeclined() | f.OfferWithdrawn():
                self.offers[fact.offer] = (self.offers.get(fact.offer, NOBODY)[0], fact.fact)
            case f.Assigned():
                self.duties[fact.assignment] = (fact.responder, "assigned")
            case f.AssignmentMoved():
                self.duties[fact.assignment] = (self.duties.get(fact.assignment, NOBODY)[0], fact.state.value)
                if fact.state.value == "cleared" and fact.outcome != "no_access" and at != self.reopened_at:
                    self.done.add(fact.assignment)
            case f.ArrivalMissed():
                self.late.add(fact.assignment)
            case _:
                self._whistle(fact)

    def _whistle(self, fact: Fact) -> None:
        if isinstance(fact, f.WhistleCalled | f.WhistleReturned):
            self.whistles[fact.whistle] = (fact.department, "awaited")
        elif isinstance(fact, f.WhistleRefused | f.WhistleFinished | f.WhistleWithdrawn):
            self.whistles[fact.whistle] = (fact.department, fact.fact)


class StandDown(Law):
    """Everyone who was asked is told when it is over, and nobody is asked for what is handled."""

    name = "7 stand-down"

    def __init__(self) -> None:
        super().__init__()
        self._cases: dict[str, _Case] = {}

    def see(self, entry: Entry) -> Iterator[str]:
        """Rows first, then what was told because of them, then whether both agree."""
        touched: dict[str, None] = {}
        for row in entry.rows:
            if row.incident is not None:
                touched[row.incident] = None
                self._take(self._cases.setdefault(row.incident, _Case()), row)
        for message in entry.messages:
            if message.addressee.kind is AddresseeKind.RESPONDER:
                self.checked += 1
                yield from self._told(self._cases.get(message.incident), message)
        for id in touched:
            yield from self._agree(id, self._cases[id])

    def _take(self, case: _Case, row: Row) -> None:
        for fact in row.facts:
            case.note(fact, row.at)
            # Whoever says so needs no telling; whoever said yes by telephone has been told by it.
            match fact:
                case f.OfferDeclined():
                    case.believes.pop(case.offers[fact.offer][0], None)
                case f.OfferAccepted():
                    case.believes[case.offers[fact.offer][0]] = fact.offer
                case f.AssignmentMoved(code=None) if fact.state.value not in LIVE:
                    who = case.duties[fact.assignment][0]
                    if row.actor.kind is ActorKind.RESPONDER or fact.state.value == "cleared":
                        case.believes.pop(who, None)

    def _told(self, case: _Case | None, message: Message) -> Iterator[str]:
        who, body = message.addressee.id, message.body
        if case is None:
            yield f"{who} was told of {message.incident}, which no row opened"
        elif message.type in (MessageType.OFFER, MessageType.STAND_DOWN):
            yield from self._offer(case, message.type, who, body["offer"])
        elif message.type is MessageType.UPDATE and body["what"] == "released" and who not in case.on_duty:
            case.believes.pop(who, None)

    def _offer(self, case: _Case, type: MessageType, who: str, offer: str) -> Iterator[str]:
        asked = case.whistles.get(offer) or case.offers.get(offer)
        if asked is None or asked[0] != who:
            yield f"{who} was told of the offer {offer}, which is somebody else's"
        elif type is MessageType.OFFER:
            if offer in case.whistles:
                case.called.add(offer)
            else:
                case.believes[who] = offer
        elif offer in case.called:
            case.called.discard(offer)
        elif case.believes.pop(who, None) != offer:
            yield f"{who} was stood down from {offer} and did not believe to be asked"

    def _agree(self, id: str, case: _Case) -> Iterator[str]:
        self.checked += 1
        asked = case.asked
        if case.state in OVER and (asked or case.on_duty):
            yield f"{id} is {case.state}; still asked or on duty: {sorted({*asked, *case.on_duty})}"
        spared = {offer for offer in asked.values() if offer not in case.by_hand}
        if case.state not in OVER and case.is_handled and spared:
            yield f"{id} is handled; still asked: {sorted(spared)}"
        for who, offer in asked.items():
            if case.believes.get(who) != offer:
                yield f"{who} was never told of {offer}"
        over = set() if case.state in OVER else case.on_duty.keys() | case.desks
        for who in case.believes:
            if who not in asked and who not in over:
                yield f"{id} is {case.state}; {who} still believes in {case.believes[who]}"
        for whistle, (department, state) in case.whistles.items():
            if state == "awaited" and whistle not in case.called:
                yield f"{department} was called to {id} and never told"
            elif state == "awaited" and case.state in ENDED:
                yield f"{id} is {case.state}; {department} is still awaited"
            elif state == "whistle_withdrawn" and whistle in case.called:
                yield f"{department} was called off and never told"
