"""A town for short tests: who is there is said, what happens is one line, and what came of it is read from facts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.simulation.driver import Town

if TYPE_CHECKING:
    from callhub.domain.decision import Answer, Decision
    from callhub.domain.events import Event
    from callhub.domain.incident import Incident, Offer
    from callhub.domain.policy import PolicySet


class Stage(Town):
    """Patience with links after the start is over; only ``ready`` people are there."""

    def __init__(self, *ready: str, watched: bool = False, policies: PolicySet | None = None) -> None:
        super().__init__(policies)
        self.now += timedelta(seconds=61)
        self.last: Decision | None = None
        self.ready(*ready)
        if watched:
            self.tell(self.watch("anna", watching=True))

    def ready(self, *ids: str) -> None:
        """These people are known, linked and on duty; a desk is only known."""
        for id in ids:
            self.tell(self.record(id))
            if not id.startswith("DESK"):
                self.tell(self.link(id, up=True))
                self.tell(self.presence(id, available=True))

    def tell(self, event: Event) -> Decision:
        """As a town does, and remember the decision."""
        self.last = super().tell(event)
        return self.last

    def press(self, device: str = "BTN-1", kind: str = "sos", **fields: Any) -> str:
        """A press; the id of its incident."""
        incident = self.tell(self.alarm(device, kind, **fields)).answer.incident
        assert incident is not None
        return incident

    def of(self, id: str) -> Incident:
        """The incident as it is now."""
        found = self.incident(id)
        assert found is not None
        return found

    def offer(self, id: str, responder: str) -> Offer:
        """The newest offer of a responder there."""
        return [o for o in self.of(id).offers.values() if o.responder == responder][-1]

    def yes(self, id: str, responder: str) -> Answer:
        """They accept."""
        return self.tell(self.answer(self.offer(id, responder).id, accept=True, responder=responder)).answer

    def no(self, id: str, responder: str) -> Answer:
        """They decline."""
        return self.tell(self.answer(self.offer(id, responder).id, accept=False, responder=responder)).answer

    def reports(self, id: str, responder: str, action: str, **fields: Any) -> Answer:
        """They report on their duty."""
        return self.tell(self.duty(id, responder, action, **fields)).answer

    def does(self, id: str, action: str, **fields: Any) -> Answer:
        """The operator acts."""
        return self.tell(self.act(id, action, **fields)).answer

    def wait(self, seconds: float) -> None:
        """Time passes; what is due fires at its moment."""
        end = self.now + timedelta(seconds=seconds)
        while (due := self.engine.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            for event in self.due():
                self.tell(event)
        self.now = end

    def facts(self, id: str | None, kind: str) -> list[Any]:
        """The facts of one kind so far."""
        return [fact for row in self.journal if row.incident == id for fact in row.facts if fact.fact == kind]

    def told(self, who: str, type: str) -> list[dict[str, Any]]:
        """Bodies of the messages of one type that somebody got."""
        return [m.body for m in self.outbox if m.addressee.id == who and m.type.value == type]
