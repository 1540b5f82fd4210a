"""The journal as bytes: one record for each row, and the hash chain that binds them.

Rules of this file:
1. ``chain`` covers the chain before it, the seq, the stored body and the digest of the private part. So a private part
   may be erased and the chain still verifies, while anything else that changes is found.
2. The private part holds its own random salt, so its digest tells nothing about a name.
3. Each shard has its own seq and chain; one machine has shard 0.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callhub.domain.facts import DirectoryChanged, Row
from callhub.store.codec import decode_row, encode_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from callhub.domain.people import Actor

SHARD = 0
"""The shard of an installation on one machine."""
SALT_BYTES = 16
ERASURE = "erasure"
"""``DirectoryChanged.what`` of the fact that names, in ``ids``, the journal seqs whose private part was blanked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that is ready to be written: all but its place in the journal."""

    incident: str | None
    version: int
    body: bytes
    private: bytes | None
    private_digest: bytes | None


@dataclass(frozen=True, slots=True)
class Record:
    """One stored journal row. ``private`` is None when it never was there (no digest) or was erased (a digest)."""

    seq: int
    shard: int
    incident: str | None
    version: int
    body: bytes
    private: bytes | None
    private_digest: bytes | None
    chain: bytes

    @property
    def row(self) -> Row:
        """The row it holds; ``StoreCorrupt`` when it cannot be read."""
        return decode_row(self.body, self.private)


def entries_of(rows: Iterable[Row], salt: Callable[[int], bytes]) -> list[Entry]:
    """Encode rows; ``salt`` gives that many random bytes. ``StoreRefused`` when one cannot be written down."""
    made = []
    for row in rows:
        body, private = encode_row(row, salt(SALT_BYTES))
        made.append(Entry(row.incident, row.version, body, private, private and hashlib.sha256(private).digest()))
    return made


def erasure_row(seqs: Sequence[int], at: datetime, event: str, actor: Actor) -> Row:
    """The row that says whose private part was blanked; without it ``verify`` reports the blank as a flaw."""
    fact = DirectoryChanged(what=ERASURE, counts={"rows": len(seqs)}, ids=tuple(str(seq) for seq in seqs))
    return Row(None, 0, at, event, actor, (fact,))


def genesis(epoch: str, shard: int) -> bytes:
    """The chain before the first row; 32 bytes."""
    return hashlib.sha256(f"callhub journal {epoch} {shard}".encode()).digest()


def link(before: bytes, seq: int, body: bytes, private_digest: bytes | None) -> bytes:
    """The chain after a row; 32 bytes, about 2 us."""
    # Every part but the body has a fixed length, and the body is hashed first: no two rows give the same input.
    parts = before + seq.to_bytes(8, "big") + hashlib.sha256(body).digest() + (private_digest or b"")
    return hashlib.sha256(parts).digest()


def append(entries: Iterable[Entry], seq: int, chain: bytes, shard: int = SHARD) -> list[Record]:
    """Number and chain entries after the row ``seq`` whose chain is given."""
    records = []
    for entry in entries:
        seq += 1
        chain = link(chain, seq, entry.body, entry.private_digest)
        records.append(
            Record(seq, shard, entry.incident, entry.version, entry.body, entry.private, entry.private_digest, chain)
        )
    return records
