"""What goes after its time, a bounded part in each transaction, and what never goes."""

from pathlib import Path

import pytest

from callhub.domain.events import PriorAnswer, RequestKey
from callhub.store.base import ENDED_SESSION, Commit, DirectoryChange, Need, Store, StoredAnswer, Token
from callhub.store.sqlite import SqliteStore, purging
from tests.contract.builders import Case, at, both, message

SENDERS = ("gateway:GW", "responder:V-1", "user:anna", "api:duty")


def answers(name: str, seconds: float) -> list[StoredAnswer]:
    """One answer to each kind of sender, given then."""
    prior = PriorAnswer("print", at(seconds), None, {"ok": True}, refused=False)
    return [StoredAnswer(RequestKey(sender, name), prior) for sender in SENDERS]


def tokens(*named: tuple[str, str, float]) -> DirectoryChange:
    made = (Token(digest, kind, "anna", "operator", None, at(seconds)) for digest, kind, seconds in named)
    return DirectoryChange(tokens=tuple(made))


def answered(store: Store, name: str) -> set[str]:
    """Which senders' repeats are still known."""
    found = store.lookup(Need(requests=frozenset(RequestKey(sender, name) for sender in SENDERS)))
    return {key.sender for key in found.requests}


async def test_old_answers_go_but_those_to_gateways(store: Store) -> None:
    await store.commit(Commit(answers=[*answers("old", 1), *answers("new", 5)]))
    assert await store.purge(at(0), answered_before=at(5)) == 3
    assert answered(store, "old") == {"gateway:GW"}, "an alarm with a time of its own is a repeat for ever"
    assert answered(store, "new") == set(SENDERS)
    assert await store.purge(at(0), answered_before=at(5)) == 0


async def test_sessions_go_when_they_expired_or_signed_out(store: Store) -> None:
    named = (("old", "session", 1), ("new", "session", 5), ("out", ENDED_SESSION, 9), ("api", "api", 1))
    await store.commit(Commit(changes=[tokens(*named)]))
    assert await store.purge(at(0), signed_in_before=at(5)) == 2
    assert {digest for digest, _, _ in named if store.token(digest) is not None} == {"new", "api"}


async def test_what_nobody_named_stays(store: Store) -> None:
    await store.commit(Commit(answers=answers("old", 1), changes=[tokens(("old", "session", 1))]))
    assert await store.purge(at(99)) == 0
    assert answered(store, "old") == set(SENDERS)
    assert store.token("old") is not None


async def test_a_transaction_removes_a_bounded_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "PURGED_MAX", 2)
    store = SqliteStore(tmp_path / "callhub.db")
    await store.open()
    case, other = Case("I-1", 1), Case("I-2", 2)
    sent = [message(f"{id} {n}", incident=id) for n in range(3) for id in ("I-1", "I-2")]
    old = [one for n in range(2) for one in answers(f"{n}", 1)]
    signed_in = tokens(*((f"t-{n}", "session", 1) for n in range(3)))
    await store.commit(both(case.open(), other.open(), case.close(), messages=sent, answers=old, changes=[signed_in]))
    trace: list[str] = []
    await store._writing.run(lambda db: db.set_trace_callback(trace.append))
    assert await store.purge(at(99), at(99), at(99)) == 3 + 6 + 3
    assert trace.count("COMMIT") == 4 + 4 + 2, "as many as it takes by two, and one to see that there are no more"
    explain = f"EXPLAIN QUERY PLAN {purging.OLD_ANSWERS}"
    plan = await store._writing.run(lambda db: db.execute(explain, (1, 2)).fetchall())
    assert any("answer_old" in str(step) for step in plan), "or it reads the answers to every alarm there was"
    await store.close()
