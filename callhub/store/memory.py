"""The store that forgets: everything in this process, for tests and simulation, and the reference for the others.

Rules of this file:
1. It keeps the same bytes as every store, so that what cannot be written down fails here too.
2. A commit is checked as a whole before anything is changed.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from callhub.dispatch.replay import apply
from callhub.domain.incident import Places
from callhub.domain.messages import Message, Stored
from callhub.domain.people import Device, Elder
from callhub.domain.policy import policy_key
from callhub.errors import StoreRefused, StoreUnavailable
from callhub.store.base import ENDED_SESSION, Committed
from callhub.store.codec import decode, encode, encode_json, encode_policy
from callhub.store.ledger import SHARD, Entry, append, entries_of, erasure_row
from callhub.store.memory_reads import Box, MemoryReads
from callhub.store.records import Holding, Kept, keep, project, with_places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from callhub.domain.facts import Row
    from callhub.domain.people import Actor
    from callhub.store.base import Commit, DirectoryChange, Marks
    from callhub.store.verify import Replay


class MemoryStore(MemoryReads):
    """``Store`` in memory; see there. It survives ``close`` and ``open``, not the process.

    Args:
        epoch: The journal's name; random when empty.
        salt: Gives that many random bytes; replaced where runs must repeat.
        replay: Applies journal rows, for ``verify``.
    """

    def __init__(
        self,
        epoch: str = "",
        salt: Callable[[int], bytes] = secrets.token_bytes,
        replay: Replay = apply,
    ) -> None:
        super().__init__(epoch or secrets.token_hex(8), replay)
        self._salt = salt
        self._open = False

    async def open(self) -> None:
        """Make it ready."""
        self._open = True

    async def close(self) -> None:
        """Refuse commits until it is opened again."""
        self._open = False

    # Writing

    async def commit(self, commit: Commit) -> Committed:
        """Check all of it, then change all of it."""
        if not self._open:
            raise StoreUnavailable("the store is not open")
        entries = entries_of(commit.rows, self._salt)
        kept = {document.incident.id: keep(document) for document in commit.documents}
        bodies = [encode_json(message.body) for message in commit.messages]
        answers = [encode_json(answer.prior.answer) for answer in commit.answers]
        _check_writable(commit)
        self._check(commit.fence, entries, kept)
        for change in commit.changes:
            self._change(change)
        self._project(commit.rows)
        self._mark(commit.marks)
        self._habits.update({habit.responder: encode(habit) for habit in commit.habits})
        self._append(entries)
        self._keep(kept)
        stored = [self._send(message, body) for message, body in zip(commit.messages, bodies, strict=True)]
        for answer, body in zip(commit.answers, answers, strict=True):
            self._answers.setdefault(answer.key, []).append((answer.prior, body))
        return Committed(len(self._journal), tuple(stored))

    def _check(self, fence: tuple[int, int], entries: list[Entry], kept: dict[str, Kept]) -> None:
        if fence != (SHARD, 0):
            raise StoreRefused("the writer's epoch is over", fence=fence)
        versions: set[tuple[str, int]] = set()
        for entry in entries:
            if entry.incident is None:
                continue
            version = (entry.incident, entry.version)
            if version in versions or entry.version in self._seqs.get(entry.incident, ()):
                raise StoreRefused(f"incident {entry.incident} has a version {entry.version} already")
            versions.add(version)
        numbers: dict[int, str] = {}
        slots: dict[tuple[str, int], str] = {}
        for id, new in kept.items():
            holder = numbers.setdefault(new.index.number, self._numbers.get(new.index.number, id))
            if holder != id:
                raise StoreRefused(f"number {new.index.number} is taken")
            for slot in _slots_of(new.holdings):
                old = self._slots.get(slot, id)
                if slots.setdefault(slot, id if old in kept else old) != id:
                    raise StoreRefused(f"slot {slot[1]} of responder {slot[0]} is taken")

    def _append(self, entries: list[Entry]) -> None:
        for record in append(entries, len(self._journal), self._chain):
            self._journal.append(record)
            if record.incident is not None:
                self._seqs.setdefault(record.incident, {})[record.version] = record.seq

    def _keep(self, kept: dict[str, Kept]) -> None:
        for id in kept:
            for slot in _slots_of(self._holdings.pop(id, [])):
                del self._slots[slot]
        for id, new in kept.items():
            self._kept[id] = new
            self._numbers[new.index.number] = id
            if new.holdings:
                self._holdings[id] = new.holdings
            self._slots.update(dict.fromkeys(_slots_of(new.holdings), id))

    def _send(self, message: Message, body: bytes) -> Stored:
        box = self._boxes.setdefault(message.addressee, Box())
        self._outbox_seq += 1
        if message.key is not None:
            box.messages = {seq: old for seq, old in box.messages.items() if old[0].key != message.key}
        box.messages[self._outbox_seq] = (message, body)
        box.given = self._outbox_seq
        return Stored(self._outbox_seq, message)

    def _change(self, change: DirectoryChange) -> None:
        for kind, records in (
            ("areas", change.areas),
            ("elders", change.elders),
            ("devices", change.devices),
            ("responders", change.responders),
            ("contacts", change.contacts),
        ):
            for record in records:
                new = decode(type(record), encode(record))
                old = self._people[kind].get(new.id)
                if isinstance(new, Device) and new.test_until is None and old is not None:
                    new = replace(new, test_until=old.test_until)
                if isinstance(new, Elder):
                    new = replace(new, call_first=None if old is None else old.call_first)
                self._people[kind][new.id] = new
        for user in change.users:
            self._users[user.name] = user
        gone = {*change.revoked, *(("session", name) for name in change.removed_users)}
        self._tokens = {digest: token for digest, token in self._tokens.items() if (token.kind, token.id) not in gone}
        for name in change.removed_users:
            self._users.pop(name, None)
        for token in change.tokens:
            self._tokens[token.digest] = token
        if change.policies is not None:
            self._policies.update({policy_key(policy): encode_policy(policy) for policy in change.policies})
            self._in_force = tuple(policy_key(policy) for policy in change.policies)

    def _project(self, rows: Sequence[Row]) -> None:
        found = project(rows)
        self._duties.update(found.duties)
        devices = self._people["devices"]
        for id, until in found.test_until.items():
            if id in devices:
                devices[id] = replace(devices[id], test_until=until)
        elders = self._people["elders"]
        for id, call_first in found.call_first.items():
            if id in elders:
                elders[id] = replace(elders[id], call_first=call_first)
        for id, at in found.tested_at.items():
            self._note_health(id, {"last_tested_at": at})

    def _mark(self, marks: Marks) -> None:
        for thing, at in marks.seen.items():
            self._seen[thing] = max(at, self._seen.get(thing, at))
        self._positions.update(marks.positions)
        for id, health in marks.device_health.items():
            self._note_health(id, health)
        for addressee, seq in marks.confirmed.items():
            box = self._boxes.setdefault(addressee, Box())
            box.confirmed = max(box.confirmed, min(seq, box.given))

    def _note_health(self, id: str, health: dict[str, Any]) -> None:
        self._health[id] = encode_json({**self.device_health(id), **health})

    async def erase(self, seqs: Sequence[int], at: datetime, event: str, actor: Actor) -> int:
        """Blank private parts; see ``Store``."""
        if not self._open:
            raise StoreUnavailable("the store is not open")
        chosen = set(seqs)
        for seq in chosen:
            if not 1 <= seq <= len(self._journal):
                raise StoreRefused(f"there is no journal row {seq}")
        incidents = {self._journal[seq - 1].incident for seq in chosen} & self._kept.keys()
        if any(self._kept[id].index.ended_at is None for id in incidents if id):
            raise StoreRefused("an incident is open; erase it after its end")
        for seq in chosen:
            self._journal[seq - 1] = replace(self._journal[seq - 1], private=None)
        for id in incidents:
            if id is not None:
                self._kept[id] = with_places(self._kept[id], Places())
        self._drop_messages(incidents)
        self._append(entries_of([erasure_row(sorted(chosen), at, event, actor)], self._salt))
        return len(self._journal)

    async def purge(
        self,
        ended_before: datetime,
        answered_before: datetime | None = None,
        signed_in_before: datetime | None = None,
    ) -> int:
        """Remove what is old; see ``Store``."""
        removed = self._drop_messages(
            {id for id, kept in self._kept.items() if (end := kept.ended_at) is not None and end < ended_before}
        )
        if answered_before is not None:
            removed += self._drop_answers(answered_before)
        if signed_in_before is not None:
            removed += self._drop_sessions(signed_in_before)
        return removed

    def _drop_answers(self, before: datetime) -> int:
        removed = 0
        for key, answers in tuple(self._answers.items()):
            left = [one for one in answers if key.sender.startswith("gateway:") or one[0].at >= before]
            removed += len(answers) - len(left)
            if left:
                self._answers[key] = left
            else:
                del self._answers[key]
        return removed

    def _drop_sessions(self, before: datetime) -> int:
        gone = [
            digest
            for digest, token in self._tokens.items()
            if token.kind == ENDED_SESSION or (token.kind == "session" and token.created_at < before)
        ]
        for digest in gone:
            del self._tokens[digest]
        return len(gone)

    def _drop_messages(self, incidents: Iterable[str | None]) -> int:
        gone, removed = set(incidents), 0
        for box in self._boxes.values():
            left = {seq: item for seq, item in box.messages.items() if item[0].incident not in gone}
            removed += len(box.messages) - len(left)
            box.messages = left
        return removed


def _check_writable(commit: Commit) -> None:
    """Write everything down once that is kept as an object here, so that it is refused before anything has changed."""
    for change in commit.changes:
        for record in (*change.areas, *change.elders, *change.devices, *change.responders, *change.contacts):
            encode(record)
        for policy in change.policies or ():
            encode_policy(policy)
        encode_json([change.users, change.tokens, change.removed_users, change.revoked])
    for habit in commit.habits:
        encode(habit)
    marks = commit.marks
    encode_json([list(marks.seen), list(marks.positions.items()), list(marks.confirmed), marks.device_health])
    encode_json([(message.addressee, message.key, message.incident) for message in commit.messages])
    encode_json([(answer.key, answer.prior.fingerprint, answer.prior.incident) for answer in commit.answers])


def _slots_of(holdings: Iterable[Holding]) -> list[tuple[str, int]]:
    return [(holding.responder, holding.slot) for holding in holdings if holding.slot is not None]
