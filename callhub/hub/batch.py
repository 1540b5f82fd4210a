"""One batch on its way to the store: what was decided for its events, as one commit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from callhub.domain.decision import Announcement
from callhub.domain.events import CancelAsked, DirectoryUpdated, Event, PriorAnswer, early_cancel
from callhub.errors import EngineFault, ErrorCode
from callhub.hub.marks import is_empty
from callhub.store.base import Commit, Committed, DirectoryChange, Document, Marks, StoredAnswer

if TYPE_CHECKING:
    from datetime import datetime

    from callhub.domain.decision import Answer
    from callhub.domain.facts import Row
    from callhub.domain.habits import Habit
    from callhub.domain.messages import Message
    from callhub.hub.guard import Outcome
    from callhub.hub.inbox import Ticket
    from callhub.hub.ports import Engine


class Batch:
    """Collects decisions. ``now`` is the engine time of all of them."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.answers: list[tuple[Ticket, Answer]] = []
        self.engine_is_behind = False
        self._rows: list[Row] = []
        self._touched: dict[str, None] = {}
        self._documents: dict[str, Document] = {}
        self._messages: list[Message] = []
        self._stored: list[StoredAnswer] = []
        self._changes: list[DirectoryChange] = []
        self._revoked: list[tuple[str, str]] = []
        self._removed_users: list[str] = []
        self._marks: dict[tuple[str, str], datetime] = {}
        self._habits: dict[str, Habit] = {}

    def add(self, ticket: Ticket, event: Event, outcome: Outcome) -> tuple[StoredAnswer, ...]:
        """Take what was decided on ``event``.

        Returns:
            What will be kept for later messages of the same sender: nothing, or the answer, and beside it a cancel that
            waits for its alarm.
        """
        decision = outcome.decision
        self._rows += decision.rows
        self._messages += decision.messages
        self.answers.append((ticket, decision.answer))
        self._habits.update({habit.responder: habit for habit in decision.habits})
        self._marks.update(dict.fromkeys(decision.marks, self.now))
        self.engine_is_behind |= outcome.engine_is_behind
        if outcome.document is not None:
            self._documents[outcome.document.incident.id] = outcome.document
        self._touched.update(dict.fromkeys(decision.touched))
        if isinstance(event, DirectoryUpdated) and decision.answer.code is None:
            self._revoked += event.revoked
            # Somebody who was disabled keeps their tokens, for the day they come back, but no link.
            self._revoked += [("responder", record.id) for record in event.responders if not record.active]
            self._removed_users += event.removed_users
            if event.change is not None:
                self._changes.append(event.change)
        kept = self._keep(event, decision.answer)
        self._stored += kept
        return kept

    def commit(self, engine: Engine) -> Commit:
        """All of it as one transaction, with the state that ``engine`` has of each touched incident.

        Raises:
            EngineFault: The engine has forgotten one of them.
        """
        # Taken at the end: while deciding, a later event of the batch changes or undoes what an earlier one left.
        for id_ in self._touched:
            incident = engine.incident(id_)
            if incident is not None:
                self._documents[id_] = Document(incident, engine.places(id_))
            elif id_ not in self._documents:
                raise EngineFault(f"no state of incident {id_} after it was changed")
        return Commit(
            rows=tuple(self._rows),
            documents=tuple(self._documents.values()),
            messages=tuple(self._messages),
            answers=tuple(self._stored),
            changes=tuple(self._changes),
            marks=Marks(seen=dict(self._marks)),
            habits=tuple(self._habits.values()),
        )

    def announcement(self, committed: Committed) -> Announcement | None:
        """What to tell the followers, or None when there is no news."""
        if not (self._rows or committed.stored or self._changes):
            return None
        return Announcement(
            seq=committed.seq,
            incidents=tuple(self._documents),
            stored=committed.stored,
            revoked=tuple(self._revoked),
            removed_users=tuple(self._removed_users),
        )

    def _keep(self, event: Event, answer: Answer) -> tuple[StoredAnswer, ...]:
        # Our own failure is no answer to keep: the same message sent again may well succeed.
        if event.request is None or answer.repeat or answer.code == ErrorCode.INTERNAL:
            return ()
        prior = PriorAnswer(
            fingerprint=event.request.fingerprint,
            at=self.now,
            incident=answer.incident,
            answer=answer.body if answer.code is None else {**answer.body, "code": answer.code},
            refused=answer.code is not None,
        )
        stored = StoredAnswer(event.request.key, prior)
        if not isinstance(event, CancelAsked) or event.alarm is None or answer.incident is not None or prior.refused:
            return (stored,)
        # Under the alarm's own id, where the alarm will look: the cancel was receipted, so it must outlive a restart.
        early = PriorAnswer(early_cancel(event.device), self.now, None, {"cancel": stored.key.id})
        return (stored, StoredAnswer(replace(stored.key, id=event.alarm), early))


def has_work(commit: Commit) -> bool:
    """Whether there is anything to write."""
    parts = (commit.rows, commit.messages, commit.answers, commit.changes)
    return any(parts) or not is_empty(commit.marks)
