"""A change of the directory without a running server.

Rules of this file:
1. Open incidents hear of the change as they would from a server: the same engine decides, from the same facts.
2. Deadlines are left alone; they are the next server's, which knows how to be late. So are the marks of supervision:
   the silence of a new device counts from the next start.
3. An incident that cannot be replayed goes on from its committed state, as in a server; it holds up no import.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from callhub.clock import read_wall
from callhub.dispatch.engine import DispatchEngine
from callhub.dispatch.rules import Rules
from callhub.domain.decision import Answer, Decision
from callhub.domain.events import DirectoryUpdated
from callhub.domain.facts import DirectoryChanged, Row
from callhub.domain.policy import PolicySet
from callhub.errors import EngineFault
from callhub.hub.ids import UuidSource
from callhub.hub.lookups import Known
from callhub.intake.directory import COMMAND, Submit
from callhub.intake.policy_files import policy_tables, read_policies
from callhub.store.base import Commit, DirectoryChange, Document, Snapshot, Store

log = structlog.get_logger(__name__)


def alone(store: Store, now: Callable[[], datetime], rules: Callable[[], Rules]) -> Submit:
    """A ``submit`` that decides and commits by itself.

    Args:
        store: Open, and held by this process.
        now: The wall clock; the change is never dated before the newest journal row.
        rules: Figures of the installation; asked for only when an incident is open.
    """

    async def submit(event: DirectoryUpdated) -> Answer:
        snapshot = await store.load()
        at = max(now(), snapshot.last_at) if snapshot.last_at else now()
        if snapshot.rows:
            engine = _restored(store, snapshot, event, rules(), at)
            commit, answer = _decided(event, store, engine, at)
        else:
            commit, answer = _noted(event, at), Answer()
        if answer.code is None:
            await store.commit(commit)
        return answer

    return submit


async def put_first_ladders(store: Store, folder: Path, rules: Callable[[], Rules]) -> None:
    """Put the ladders of a folder in force in a store that has none, as the first start of an installation does.

    Raises:
        ConfigError: There are none, or one of them is wrong; names file and key.
    """
    policies = read_policies(policy_tables(folder))
    event = DirectoryUpdated(
        id=UuidSource()(read_wall()),
        actor=COMMAND,
        what="policies",
        counts={"policies": len(policies)},
        policies=policies,
        change=DirectoryChange(policies=policies),
    )
    await alone(store, read_wall, rules)(event)


def _noted(event: DirectoryUpdated, at: datetime) -> Commit:
    """The change with its fact; with no open incident nothing else follows."""
    fact = DirectoryChanged(what=event.what, counts=event.counts, ids=changed_ids(event))
    return Commit(rows=(Row(None, 0, at, event.id, event.actor, (fact,)),), changes=(event.change,))


def changed_ids(event: DirectoryUpdated) -> tuple[str, ...]:
    """The ids that the fact names: clients whose tokens are gone, and users."""
    return (*(id for _, id in event.revoked), *event.removed_users)


def _restored(store: Store, snapshot: Snapshot, event: DirectoryUpdated, rules: Rules, at: datetime) -> DispatchEngine:
    engine = DispatchEngine(rules, PolicySet(snapshot.policies or event.policies), at)
    for id in engine.restore(snapshot, at):
        log.critical("incident_not_replayed", incident_id=id)
        try:
            document = store.incident(id)
            if document is not None:
                engine.hold(document.incident, document.places)
        except Exception:  # the next server says so again, and every console with it
            log.exception("incident_not_held", incident_id=id)
    return engine


def _decided(event: DirectoryUpdated, store: Store, engine: DispatchEngine, at: datetime) -> tuple[Commit, Answer]:
    known = Known(store, [event], engine.incident, engine.open_incidents)
    decision = engine.handle(known.complete(event), at)
    commit = Commit(
        rows=decision.rows,
        documents=_documents(engine, decision),
        messages=decision.messages,
        changes=(event.change,),
        habits=decision.habits,
    )
    return commit, decision.answer


def _documents(engine: DispatchEngine, decision: Decision) -> tuple[Document, ...]:
    documents = []
    for id in decision.touched:
        incident = engine.incident(id)
        if incident is None:
            raise EngineFault(f"no state of incident {id} after it was changed")
        documents.append(Document(incident, engine.places(id)))
    return tuple(documents)
