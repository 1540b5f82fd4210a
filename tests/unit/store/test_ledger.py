"""The chain binds each row to all rows before it."""

import hashlib

from callhub.domain import facts as f
from callhub.domain.facts import Row
from callhub.domain.people import SYSTEM
from callhub.store.ledger import SALT_BYTES, append, entries_of, erasure_row, genesis, link
from tests.contract.builders import NOON


def rows() -> list[Row]:
    return [
        Row("I-1", 1, NOON, "e1", SYSTEM, (f.NoteAdded(text="一"),)),
        Row("I-1", 2, NOON, "e2", SYSTEM, (f.OfferSilent(offer="o"),)),
    ]


def test_each_link_covers_what_it_says() -> None:
    first = genesis("epoch", 0)
    true = link(first, 1, b"body", b"d" * 32)
    others = [
        link(genesis("epoch", 1), 1, b"body", b"d" * 32),
        link(genesis("other", 0), 1, b"body", b"d" * 32),
        link(first, 2, b"body", b"d" * 32),
        link(first, 1, b"bodY", b"d" * 32),
        link(first, 1, b"body", b"e" * 32),
        link(first, 1, b"body", None),
        link(true, 1, b"body", b"d" * 32),
    ]
    assert len({true, *others}) == len(others) + 1


def test_rows_are_numbered_and_chained() -> None:
    before = genesis("epoch", 0)
    records = append(entries_of(rows(), bytes), 7, before)
    assert [record.seq for record in records] == [8, 9]
    chain = before
    for record in records:
        chain = link(chain, record.seq, record.body, record.private_digest)
        assert record.chain == chain
    assert [record.row for record in records] == rows()


def test_the_chain_does_not_need_the_private_part() -> None:
    (entry, _) = entries_of(rows(), bytes)
    assert entry.private is not None
    assert entry.private_digest == hashlib.sha256(entry.private).digest()


def test_equal_texts_have_different_digests() -> None:
    salts = iter([b"a" * SALT_BYTES, b"b" * SALT_BYTES])
    first, second = entries_of([rows()[0]] * 2, lambda n: next(salts))
    assert first.body == second.body
    assert first.private_digest != second.private_digest


def test_an_erasure_names_its_rows() -> None:
    row = erasure_row([3, 5], NOON, "ev", SYSTEM)
    assert row.incident is None
    (fact,) = row.facts
    assert isinstance(fact, f.DirectoryChanged)
    assert (fact.what, fact.ids, fact.counts) == ("erasure", ("3", "5"), {"rows": 2})
