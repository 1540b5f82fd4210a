"""The guard around the engine: our own exception never loses an alarm and never stops the loop.

Rules of this file: it is the one place that may catch every exception. Each is logged once, with its traceback, and
counted. The engine undoes by itself what it had begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from callhub.dispatch.replay import apply
from callhub.dispatch.roll_calls import roll_call_of
from callhub.domain.decision import Answer, Decision
from callhub.domain.events import DeadlineDue, Event
from callhub.domain.facts import IncidentOpened
from callhub.errors import ErrorCode, InternalError
from callhub.hub import minimal
from callhub.store.base import Document

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from callhub.domain.facts import Row
    from callhub.hub.ladders import Ladders
    from callhub.hub.ports import Engine
    from callhub.hub.tally import Tally

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision, and the incident after it when it was made without the engine.

    ``engine_is_behind``: the engine could not take it over.
    """

    decision: Decision
    document: Document | None = None
    engine_is_behind: bool = False


class Guard:
    """Decides events, by the engine or, where that fails, by the minimal path.

    Args:
        engine: Decides.
        ladders: For the minimal path.
        last_number: The highest incident number committed so far.
        tally: Counts faults.
    """

    def __init__(self, engine: Engine, ladders: Ladders, last_number: int, tally: Tally) -> None:
        self.ladders = ladders
        self._engine = engine
        self._last_number = last_number
        self._tally = tally

    def decide(self, event: Event, now: datetime) -> Outcome:
        """What the engine decides; when it raises, what ``minimal`` says."""
        try:
            decision = self._engine.handle(event, now)
        except Exception:
            # Whatever it is, one event must not stop a district.
            _log.exception("engine_failed", event_id=event.id, event_type=type(event).__name__)
            self._tally.engine_failed()
            return self._held_up(event, now) or self.minimal(event, now)
        self._note(decision.rows)
        return Outcome(decision)

    def minimal(self, event: Event, now: datetime) -> Outcome:
        """A decision without the engine: an alarm and a deadline become ``unanswered``, anything else ``internal``."""
        if minimal.asks_for_help(event):
            return self._alarm(event, now)
        if isinstance(event, DeadlineDue):
            return self._deadline(event, now)
        error = InternalError(event.id)
        body = {"message": error.message, "field": None}
        return Outcome(Decision(answer=Answer(body=body, code=ErrorCode.INTERNAL)))

    def _alarm(self, event: Event, now: datetime) -> Outcome:
        first = event.request.prior[-1].incident if event.request is not None and event.request.prior else None
        known = self._engine.incident(first) if first is not None else None
        again = minimal.repeated(event, now, known is not None and known.is_open)
        if again is not None:
            return Outcome(again)
        policy = self.ladders.choose(minimal.kind_of(event), now)
        decision, places = minimal.unanswered_incident(event, self._last_number + 1, policy, now)
        self._note(decision.rows)
        return self._adopted(decision, Document(apply(None, decision.rows[0]), places))

    def _deadline(self, event: DeadlineDue, now: datetime) -> Outcome:
        incident = self._engine.incident(event.incident) if event.incident is not None else None
        if incident is None or not incident.is_open:
            return Outcome(Decision())
        decision = minimal.unanswered_deadline(event, incident, self.ladders.repeat_s(incident.policy), now)
        places = self._engine.places(incident.id)
        return self._adopted(decision, Document(apply(incident.copy(), decision.rows[0]), places))

    def _held_up(self, event: Event, now: datetime) -> Outcome | None:
        """A roll-call that failed at one home must go on with the others. None for any other event."""
        id_ = roll_call_of(event.key) if isinstance(event, DeadlineDue) else None
        incident = self._engine.incident(id_) if id_ is not None else None
        if incident is None or not incident.is_open or not isinstance(event, DeadlineDue):
            return None
        decision = minimal.roll_call_held_up(event, incident, now)
        document = Document(apply(incident.copy(), decision.rows[0]), self._engine.places(incident.id))
        return self._adopted(decision, document)

    def _adopted(self, decision: Decision, document: Document) -> Outcome:
        try:
            self._engine.adopt(decision.rows, {document.incident.id: document.places})
        except Exception:
            # Then the store knows more than the engine, and the loop makes the engine anew.
            _log.exception("engine_cannot_adopt", incident_id=document.incident.id)
            return Outcome(decision, document, engine_is_behind=True)
        return Outcome(decision, document)

    def _note(self, rows: Iterable[Row]) -> None:
        for row in rows:
            for fact in row.facts:
                if isinstance(fact, IncidentOpened):
                    self._last_number = max(self._last_number, fact.number)
