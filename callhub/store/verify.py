"""Does a store contradict itself? Every byte it kept is derived or hashed again, and what differs is named.

Rules of this file: it reads one row after another, so that memory grows with open incidents, not with the journal. A
flaw never contains stored text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from callhub.domain.facts import DirectoryChanged, Row
from callhub.domain.incident import Incident
from callhub.errors import CallhubError, StoreCorrupt
from callhub.store.base import Flaw, Verdict
from callhub.store.codec import decode_row, document_bytes
from callhub.store.ledger import ERASURE, SHARD, Record, genesis, link
from callhub.store.records import Holding, Kept, holdings_of, index_of

if TYPE_CHECKING:
    from typing import Literal

Replay = Callable[[Incident | None, Row], Incident]
"""Applies one row to an incident; the first row opens it (None)."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What there is to examine, as one consistent read. ``seq`` and ``chain`` are the head as stored."""

    epoch: str
    seq: int
    chain: bytes
    records: Iterable[Record]
    ids: Iterable[str]
    kept: Callable[[str], Kept | None]
    holdings: Callable[[str], list[Holding]]


def examine(ledger: Ledger, replay: Replay) -> Verdict:
    """Check the chain, the private parts and every incident; about 60 us a row."""
    return _Examiner(ledger, replay).run()


@dataclass(slots=True)
class _Examiner:
    ledger: Ledger
    replay: Replay
    flaws: list[Flaw] = field(default_factory=list)
    rows: int = 0
    # The chain as computed and as stored after the row before; they differ while it is not known which one is true.
    computed: bytes = b""
    stored: bytes = b""
    suspect: Record | None = None
    before_suspect: bytes = b""
    open: dict[str, Incident] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    blank: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)

    def run(self) -> Verdict:
        self.computed = self.stored = genesis(self.ledger.epoch, SHARD)
        seq = 0
        for record in self.ledger.records:
            self.rows += 1
            if record.seq == seq + 1:
                self._chain(record)
            else:
                self._missing(seq + 1, record.seq - 1)
                self.computed = self.stored = record.chain
            seq = record.seq
            self._row(record)
        self._head(seq)
        for blank in sorted(self.blank - self.erased):
            self._found("private", f"journal {blank}", "the private part is gone and no fact says that it was erased")
        for incident in list(self.open.values()):
            self._incident(incident)
        self._unseen()
        return Verdict(self.rows, len(self.seen), tuple(self.flaws))

    def _found(
        self, check: Literal["chain", "private", "digest", "document", "missing"], where: str, what: str
    ) -> None:
        self.flaws.append(Flaw(check, where, what))

    # The chain

    def _chain(self, record: Record) -> None:
        if self.suspect is not None:
            self._judge(lambda before: link(before, record.seq, record.body, record.private_digest) == record.chain)
        before = self.stored
        self.computed = link(before, record.seq, record.body, record.private_digest)
        self.stored = record.chain
        if self.computed != self.stored:
            self.suspect, self.before_suspect = record, before

    def _judge(self, follows: Callable[[bytes], bool]) -> None:
        """Say what of the suspect row was altered: what comes after it knows the chain that was written."""
        record, self.suspect = self.suspect, None
        if record is None:
            return
        if follows(self.computed):
            self._found("chain", f"journal {record.seq}", "the column chain was altered")
            self.stored = self.computed
            return
        digest = record.private and hashlib.sha256(record.private).digest()
        if digest and link(self.before_suspect, record.seq, record.body, digest) == record.chain:
            self._found("chain", f"journal {record.seq}", "the column private_digest was altered")
            return
        self._found("chain", f"journal {record.seq}", "the column body was altered")
        if digest is not None and digest != record.private_digest:
            self._found("private", f"journal {record.seq}", "the column private is not what its digest says")

    def _missing(self, first: int, last: int) -> None:
        self._judge(lambda _: False)
        if first <= last:
            self._found("missing", f"journal {first}", f"the rows {first} to {last} are missing")
        else:
            self._found("missing", f"journal {last + 1}", "the row does not follow the one before it")

    def _head(self, seq: int) -> None:
        if seq < self.ledger.seq:
            self._missing(seq + 1, self.ledger.seq)
        elif seq > self.ledger.seq:
            self._judge(lambda _: False)
            self._found("chain", "head", "the head stands before the last row")
        else:
            self._judge(lambda chain: chain == self.ledger.chain)
            if self.stored != self.ledger.chain:
                self._found("chain", "head", "the chain of the head is not that of the last row")

    # One row

    def _row(self, record: Record) -> None:
        where = f"journal {record.seq}"
        if record.shard != SHARD:
            self._found("chain", where, "the column shard was altered")
        self._private(record, where)
        try:
            row = decode_row(record.body)
        except StoreCorrupt as wrong:
            if self.suspect is not record:  # else it is going to be named
                self._found("chain", where, wrong.message)
            if record.incident is not None:
                self.seen.add(record.incident)
                self.broken.add(record.incident)
                self.open.pop(record.incident, None)
            return
        for name in ("incident", "version"):
            if getattr(record, name) != getattr(row, name):
                self._found("chain", where, f"the column {name} is not what the body says")
        if row.incident is not None:
            self._apply(row.incident, row, where)
        for fact in row.facts:
            if isinstance(fact, DirectoryChanged) and fact.what == ERASURE:
                self.erased.update(seq for id in fact.ids if id.isdecimal() and (seq := int(id)) < record.seq)

    def _private(self, record: Record, where: str) -> None:
        if record.private is None:
            if record.private_digest is not None:
                self.blank.add(record.seq)
        elif record.private_digest is None:
            self._found("private", where, "there is a private part, and none was written")
        elif self.suspect is not record and hashlib.sha256(record.private).digest() != record.private_digest:
            self._found("private", where, "the column private is not what its digest says")

    def _apply(self, id: str, row: Row, where: str) -> None:
        self.seen.add(id)
        if id in self.broken:
            return
        incident = self.open.pop(id, None)
        version = 0 if incident is None else incident.version
        if row.version != version + 1:
            self._found("missing", f"incident {id}", f"version {version} is followed by {row.version} in {where}")
        try:
            incident = self.replay(incident, row)
        except (CallhubError, LookupError, ValueError, TypeError, AttributeError) as wrong:
            self._found(
                "document", f"incident {id}", f"its facts cannot be replayed at {where}: {type(wrong).__name__}"
            )
            self.broken.add(id)
            return
        self.open[id] = incident
        if not incident.is_open:
            kept = self.ledger.kept(id)
            if kept is not None and kept.index.version == incident.version:
                self._incident(incident)
                del self.open[id]

    # One incident

    def _incident(self, incident: Incident) -> None:
        where = f"incident {incident.id}"
        kept = self.ledger.kept(incident.id)
        if kept is None:
            self._found("missing", where, "it has journal rows and no document")
            return
        replayed = document_bytes(incident)
        if hashlib.sha256(kept.document).digest() != kept.digest:
            if kept.document == replayed:
                self._found("digest", where, "the column digest was altered")
            else:
                self._found("document", where, "the column document is not what its digest says")
        elif kept.document != replayed:
            self._found("document", where, "the document is not what its facts say")
        true = index_of(incident)
        for name, stored, derived in zip(true._fields, kept.index, true, strict=True):
            if stored != derived:
                self._found("document", where, f"the column {name} is not what its facts say")
        if self.ledger.holdings(incident.id) != holdings_of(incident):
            self._found("document", where, "its engagements are not what its facts say")
        if hashlib.sha256(kept.places).digest() != kept.places_digest:
            self._found("private", where, "the column places is not what its digest says")

    def _unseen(self) -> None:
        for id in self.ledger.ids:
            if id not in self.seen:
                self._found("missing", f"incident {id}", "it has a document and no journal rows")
