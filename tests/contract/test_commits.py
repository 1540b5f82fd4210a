"""What a commit makes durable, and what a refused one leaves alone."""

import pytest

from callhub.domain.messages import Stored
from callhub.errors import StoreRefused
from callhub.store.base import Commit, Store
from tests.contract.builders import WANG, Case, both, message


async def test_a_commit_gives_back_rows_and_documents(store: Store) -> None:
    case = Case("I-1", 1)
    assert (await store.commit(case.open())).seq == 1
    assert (await store.commit(case.offer())).seq == 2
    assert store.incident("I-1") == case.document
    assert store.rows("I-1") == tuple(enumerate(case.rows, start=1))
    assert store.head()[1] == 2
    assert store.verify().flaws == ()


async def test_a_slot_is_held_once(store: Store) -> None:
    first, second = Case("I-1", 1), Case("I-2", 2)
    await store.commit(both(first.open(), second.open()))
    await store.commit(first.assign(slot=1))
    before = (store.head(), store.incident("I-2"))
    greedy = both(second.assign(slot=1), messages=[message("k")])
    with pytest.raises(StoreRefused):
        await store.commit(greedy)
    assert (store.head(), store.incident("I-2")) == before
    assert store.outbox(WANG, 0, 10) == ()
    await store.commit(both(first.release(), greedy))
    assert store.engaged("V-1") == (second.document,)
    assert store.verify().flaws == ()


async def test_messages_are_numbered(store: Store) -> None:
    done = await store.commit(Commit(messages=[message("a", n=1), message("b"), message("a", n=2)]))
    assert store.outbox(WANG, 0, 10) == done.stored[1:]
    assert done.stored[2] == Stored(done.stored[2].seq, message("a", n=2))
