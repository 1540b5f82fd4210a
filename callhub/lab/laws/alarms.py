"""Laws of alarms: stored first, once, none refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from callhub.domain import facts as f
from callhub.lab.laws.law import Law

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from callhub.domain.facts import Row
    from callhub.lab.laws.evidence import Entry, Evidence, Receipt

    Key = tuple[str | None, str, str | None, str]


class StoredFirst(Law):
    """Nothing is answered or sent before the journal on disk holds why."""

    name = "1 stored first"

    def __init__(self) -> None:
        super().__init__()
        self._seq = 0
        self._told_of: set[str] = set()
        self._recorded: dict[Key, int] = {}

    def see(self, entry: Entry) -> Iterator[str]:
        """Messages speak of what rows said; rows are durable when messages are there."""
        for row in entry.rows:
            self._seq += 1
            self._note(row)
        if entry.stored < entry.seq:
            yield f"messages of row {entry.seq} were there when the journal ended at {entry.stored}"
        for message in entry.messages:
            self.checked += 1
            for name in ("incident", "offer"):
                about = message.body.get(name, message.incident)
                if about not in self._told_of:
                    yield f"{message.type} of {name} {about}, which no row made"

    def _note(self, row: Row) -> None:
        if row.incident is not None:
            self._told_of.add(row.incident)
        for fact in row.facts:
            if isinstance(fact, f.OfferMade):
                self._told_of.add(fact.offer)
            elif isinstance(fact, f.WhistleCalled):
                self._told_of.add(fact.whistle)
            elif isinstance(fact, f.AlarmRecorded):
                self._recorded.setdefault(_key(fact), self._seq)

    def end(self, evidence: Evidence) -> Iterator[str]:
        """A receipt that names an incident came after the row that recorded its alarm."""
        for receipt in evidence.receipts:
            if receipt.incident is None:
                continue
            self.checked += 1
            seq = self._recorded.get(_sent(receipt))
            if seq is None or seq > receipt.stored:
                yield f"the receipt of {receipt.id} came at journal {receipt.stored}, its alarm is {seq}"


class Once(Law):
    """A repeat opens nothing and gets the first answer; what is no repeat is recorded for itself."""

    name = "2 once"

    def __init__(self) -> None:
        super().__init__()
        self._recorded: Counter[tuple[object, ...]] = Counter()
        self._opened: set[str] = set()

    def row(self, row: Row) -> Iterator[str]:
        """An incident opens once; an alarm with a time of its own is recorded once, others once in an incident."""
        for fact in row.facts:
            if isinstance(fact, f.IncidentOpened):
                if row.incident in self._opened:
                    yield f"{row.incident} opened twice"
                self._opened.add(str(row.incident))
            elif isinstance(fact, f.AlarmRecorded) and fact.gateway is not None:
                self.checked += 1
                key = (*_key(fact), fact.at or row.incident)
                self._recorded[key] += 1
                if self._recorded[key] > 1:
                    yield f"alarm {fact.id} of {fact.device} is recorded twice"

    def end(self, evidence: Evidence) -> Iterator[str]:
        """The first receipt is no duplicate, all others of the same frame are, and name the same incident."""
        first: dict[tuple[object, ...], Receipt] = {}
        for receipt in (receipt for receipt in evidence.receipts if receipt.answered):
            self.checked += 1
            key = (*_sent(receipt), receipt.at)
            earlier = first.setdefault(key, receipt)
            if receipt.duplicate is (earlier is receipt):
                yield f"{receipt.id} of {receipt.device}: duplicate is {receipt.duplicate}"
            if receipt.incident != earlier.incident:
                yield f"{receipt.id} of {receipt.device} has two incidents: {earlier.incident} and {receipt.incident}"
            recorded = self._recorded[key] or any(self._recorded[*_sent(receipt), id] for id in [receipt.incident])
            if receipt.incident is not None and not recorded:
                yield f"{receipt.id} of {receipt.device} has a receipt and is recorded nowhere"


REACHED = (f.OfferMade, f.CallBackBegan, f.LadderExhausted, f.LadderWaits, f.OwnerTaken, f.DeskCalled)
"""What takes an incident to a human, now or at a time that is set. (The ladder's end rings on consoles.)"""
HANDLED = (*REACHED, f.Assigned, f.StateChanged)
"""What does so after the opening: also somebody who is sent by hand, or an end."""
GATHERED = "gathered"
"""The deadline of an incident that is decided together with others of its batch, and by itself when that fails."""


class NoAlarmRefused(Law):
    """Every alarm gets a receipt, is in an incident, and that incident reaches a human."""

    name = "6 no alarm refused"

    def __init__(self) -> None:
        super().__init__()
        self._tests: set[tuple[str, str]] = set()
        self._gathered: set[str] = set()

    def row(self, row: Row) -> Iterator[str]:
        """The row that opens an incident asks somebody or says when; of one that is gathered, that which ends this."""
        kinds = [type(fact) for fact in row.facts]
        self._tests.update((fact.gateway, fact.alarm) for fact in row.facts if isinstance(fact, f.TestRecorded))
        changed = [fact for fact in row.facts if isinstance(fact, f.DeadlinesChanged)]
        if f.IncidentOpened in kinds:
            self.checked += 1
            if any(GATHERED in fact.armed for fact in changed):
                self._gathered.add(str(row.incident))
                return
            mended_at_once = any(isinstance(fact, f.StateChanged) and fact.state == "closed" for fact in row.facts)
            if not any(kind in REACHED for kind in kinds) and not mended_at_once:
                yield f"{row.incident} opened and reached nobody"
        elif row.incident in self._gathered:
            if any(kind in HANDLED for kind in kinds):
                self._gathered.discard(row.incident)
            elif any(GATHERED in fact.disarmed for fact in changed):
                yield f"{row.incident} was gathered and reached nobody"

    def end(self, evidence: Evidence) -> Iterable[str]:
        """Receipts: none missing, none an error, and an incident in each but those of quiet tests."""
        for id in sorted(self._gathered):
            yield f"{id} was gathered and reached nobody"
        for receipt in evidence.receipts:
            self.checked += 1
            if not receipt.answered:
                yield f"{receipt.id} of {receipt.device} was never answered"
            elif receipt.code is not None:
                yield f"{receipt.id} of {receipt.device} was refused: {receipt.code}"
            elif receipt.incident is None and (receipt.gateway, receipt.id) not in self._tests:
                yield f"{receipt.id} of {receipt.device} opened nothing"


def _key(fact: f.AlarmRecorded) -> Key:
    return fact.gateway, fact.id, fact.device, fact.kind


def _sent(receipt: Receipt) -> Key:
    return receipt.gateway, receipt.id, receipt.device, receipt.kind
