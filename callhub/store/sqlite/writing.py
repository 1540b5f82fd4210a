"""One commit as SQL: encoded where it was asked for, written in the writing thread.

Rules of this file: everything here runs inside one transaction. What two documents of one commit take from each other
(a slot that moves from one incident to another) is released before it is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from callhub.domain.incident import Places
from callhub.domain.messages import Message, Stored
from callhub.errors import StoreRefused
from callhub.store.base import Commit, Committed
from callhub.store.codec import encode_json, encode_time
from callhub.store.ledger import SHARD, Entry, append, entries_of
from callhub.store.records import Holding, Kept, keep, with_places
from callhub.store.sqlite.directory import change_directory, keep_habits, mark, project_facts
from callhub.store.sqlite.rows import read_kept

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from callhub.store.base import StoredAnswer


@dataclass(frozen=True, slots=True)
class Encoded:
    """A commit with its bytes. ``kept`` has one entry for each incident, the last document given."""

    commit: Commit
    entries: list[Entry]
    kept: dict[str, Kept]
    bodies: list[bytes]
    answers: list[bytes]


def encode_commit(commit: Commit, salt: Callable[[int], bytes]) -> Encoded:
    """Encode everything that can fail to be written down, before the transaction; ``StoreRefused`` when it does."""
    return Encoded(
        commit,
        entries_of(commit.rows, salt),
        {document.incident.id: keep(document) for document in commit.documents},
        [encode_json(message.body) for message in commit.messages],
        [encode_json(answer.prior.answer) for answer in commit.answers],
    )


def write_commit(db: sqlite3.Connection, encoded: Encoded) -> Committed:
    """Write it; the journal seq after it and the messages with theirs.

    Raises:
        StoreRefused: The writer's epoch is over.
        sqlite3.IntegrityError: A constraint says no.
    """
    commit = encoded.commit
    shard, epoch = commit.fence
    head = db.execute(
        "SELECT seq, chain, outbox_seq FROM head WHERE shard = ? AND fence = ?", (shard, epoch)
    ).fetchone()
    if head is None:
        raise StoreRefused("the writer's epoch is over", fence=commit.fence)
    for change in commit.changes:
        change_directory(db, change)
    project_facts(db, commit.rows)
    mark(db, commit.marks)
    keep_habits(db, commit.habits)
    seq = append_rows(db, encoded.entries, head[0], head[1])
    keep_documents(db, encoded.kept)
    stored = _send(db, commit.messages, encoded.bodies, head[2])
    _answer(db, commit.answers, encoded.answers)
    if stored:
        db.execute("UPDATE head SET outbox_seq = ? WHERE shard = ?", (stored[-1].seq, shard))
    return Committed(seq, stored)


def append_rows(db: sqlite3.Connection, entries: Sequence[Entry], seq: int, chain: bytes) -> int:
    """Append journal rows after the given head and move it; the seq of the last one."""
    records = append(entries, seq, chain)
    if not records:
        return seq
    db.executemany(
        "INSERT INTO journal (seq, shard, incident, version, body, private, private_digest, chain)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(r.seq, r.shard, r.incident, r.version, r.body, r.private, r.private_digest, r.chain) for r in records],
    )
    last = records[-1]
    db.execute("UPDATE head SET seq = ?, chain = ? WHERE shard = ?", (last.seq, last.chain, SHARD))
    return last.seq


def keep_documents(db: sqlite3.Connection, kept: dict[str, Kept]) -> None:
    """Replace documents and everything that is looked up by them."""
    _engage(db, kept)
    for id, new in kept.items():
        _locate(db, id, new)
    db.executemany(
        "INSERT INTO incident (id, number, version, state, class, elder, area, ended_at, digest, document, places,"
        " places_digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " number = excluded.number, version = excluded.version, state = excluded.state, class = excluded.class,"
        " elder = excluded.elder, area = excluded.area, ended_at = excluded.ended_at, digest = excluded.digest,"
        " document = excluded.document, places = excluded.places, places_digest = excluded.places_digest",
        [(id, *new.index, new.digest, new.document, new.places, new.places_digest) for id, new in kept.items()],
    )


def _engage(db: sqlite3.Connection, kept: dict[str, Kept]) -> None:
    select = "SELECT responder, what, slot FROM engagement WHERE incident = ? ORDER BY responder, what"
    changed = [
        (id, new.holdings)
        for id, new in kept.items()
        if [Holding(*row) for row in db.execute(select, (id,))] != new.holdings
    ]
    db.executemany("DELETE FROM engagement WHERE incident = ?", [(id,) for id, _ in changed])
    db.executemany(
        "INSERT INTO engagement (incident, responder, what, slot) VALUES (?, ?, ?, ?)",
        [(id, *holding) for id, holdings in changed for holding in holdings],
    )


def _locate(db: sqlite3.Connection, id: str, new: Kept) -> None:
    old = db.execute("SELECT number, area FROM incident WHERE id = ?", (id,)).fetchone()
    if old is not None and old == (new.index.number, new.index.area):
        return
    if old is not None:
        db.executemany(
            "DELETE FROM incident_area WHERE area = ? AND number = ?", [(area, old[0]) for area in areas_of(old[1])]
        )
    db.executemany(
        "INSERT OR IGNORE INTO incident_area (area, number) VALUES (?, ?)",
        [(area, new.index.number) for area in areas_of(new.index.area)],
    )


def areas_of(path: str) -> list[str]:
    """The ids in an area path; one empty id for a path without any."""
    return path.strip("/").split("/")


def _send(db: sqlite3.Connection, messages: Sequence[Message], bodies: Sequence[bytes], seq: int) -> tuple[Stored, ...]:
    stored = tuple(Stored(seq + n, message) for n, message in enumerate(messages, start=1))
    # "OR REPLACE": the unique index on the key removes the older message.
    db.executemany(
        "INSERT OR REPLACE INTO outbox (seq, kind, addressee, key, incident, type, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [_outbox_row(one, body) for one, body in zip(stored, bodies, strict=True)],
    )
    return stored


def _outbox_row(stored: Stored, body: bytes) -> tuple[object, ...]:
    message, to = stored.message, stored.message.addressee
    return stored.seq, to.kind.value, to.id, message.key, message.incident, message.type.value, body


def _answer(db: sqlite3.Connection, answers: Sequence[StoredAnswer], bodies: Sequence[bytes]) -> None:
    db.executemany(
        "INSERT INTO answer (sender, id, fingerprint, at, incident, answer, refused) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [_answer_row(answer, body) for answer, body in zip(answers, bodies, strict=True)],
    )


def _answer_row(answer: StoredAnswer, body: bytes) -> tuple[object, ...]:
    key, prior = answer.key, answer.prior
    return key.sender, key.id, prior.fingerprint, encode_time(prior.at), prior.incident, body, prior.refused


def erase_private(db: sqlite3.Connection, seqs: Iterable[int], entries: Sequence[Entry]) -> int:
    """Blank private parts of rows, and places and messages of their incidents; ``entries`` say that it was done.

    Raises:
        StoreRefused: One of the incidents is open, or there is no such row.
    """
    head = db.execute("SELECT seq, chain FROM head WHERE shard = ?", (SHARD,)).fetchone()
    incidents = set()
    for seq in seqs:
        row = db.execute("SELECT incident FROM journal WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise StoreRefused(f"there is no journal row {seq}")
        db.execute("UPDATE journal SET private = NULL WHERE seq = ?", (seq,))
        if row[0] is not None:
            incidents.add(row[0])
    for id in sorted(incidents):
        kept = read_kept(db, id)
        if kept is None:
            continue
        if kept.index.ended_at is None:
            raise StoreRefused("an incident is open; erase it after its end")
        blank = with_places(kept, Places())
        db.execute(
            "UPDATE incident SET places = ?, places_digest = ? WHERE id = ?", (blank.places, blank.places_digest, id)
        )
        remove_messages(db, "incident = ?", id)
    return append_rows(db, entries, head[0], head[1])


def remove_messages(db: sqlite3.Connection, which: str, *values: str | int) -> int:
    """Remove the messages for which the condition ``which`` holds; how many."""
    # What was given out stays known, so that an addressee may still confirm it.
    db.execute(
        f"INSERT INTO cursor (kind, addressee, confirmed, given) SELECT kind, addressee, 0, max(seq) FROM outbox"
        f" WHERE {which} GROUP BY kind, addressee"
        " ON CONFLICT (kind, addressee) DO UPDATE SET given = max(given, excluded.given)",
        values,
    )
    return db.execute(f"DELETE FROM outbox WHERE {which}", values).rowcount
