"""Messages: numbered, kept until confirmed, replaced by their key, gone after the incident's end."""

from callhub.domain.messages import Addressee, AddresseeKind, Message, MessageType, Stored
from callhub.store.base import Commit, Marks, Store
from tests.contract.builders import GATEWAY, WANG, Case, at, both, message


async def confirm(store: Store, addressee: Addressee, seq: int) -> None:
    await store.commit(Commit(marks=Marks(confirmed={addressee: seq})))


async def test_messages_come_back_in_order(store: Store) -> None:
    sent = [message("a", n=1), message(None, text="说"), message("b", nested={"go_to": None, "eta_s": [1, 2.5]})]
    done = await store.commit(Commit(messages=sent))
    assert [stored.message for stored in done.stored] == sent
    assert store.outbox(WANG, 0, 10) == done.stored
    assert store.outbox(WANG, done.stored[0].seq, 1) == done.stored[1:2]
    assert store.outbox(GATEWAY, 0, 10) == ()


async def test_seq_grows_over_commits_and_addressees(store: Store) -> None:
    first = await store.commit(Commit(messages=[message("a"), message("a", to=GATEWAY)]))
    second = await store.commit(Commit(messages=[message("b")]))
    seqs = [stored.seq for done in (first, second) for stored in done.stored]
    assert seqs == sorted(set(seqs))
    assert store.outbox_head(WANG) == (0, seqs[2])
    assert store.outbox_head(GATEWAY) == (0, seqs[1])
    assert store.outbox_head(Addressee(AddresseeKind.GATEWAY, "other")) == (0, 0)


async def test_a_newer_message_replaces_its_key(store: Store) -> None:
    await store.commit(Commit(messages=[message("a", n=1), message(None, n=2), message("a", to=GATEWAY)]))
    done = await store.commit(Commit(messages=[message("a", n=3), message(None, n=4), message("a", n=5)]))
    assert [stored.message.body["n"] for stored in store.outbox(WANG, 0, 10)] == [2, 4, 5]
    assert store.outbox(WANG, 0, 10)[-1] == Stored(done.stored[-1].seq, message("a", n=5))
    assert len(store.outbox(GATEWAY, 0, 10)) == 1


async def test_confirming_moves_forward_only(store: Store) -> None:
    done = await store.commit(Commit(messages=[message("a"), message("b"), message("c")]))
    first, second, third = (stored.seq for stored in done.stored)
    await confirm(store, WANG, second)
    assert store.outbox(WANG, 0, 10) == done.stored[2:]
    await confirm(store, WANG, first)
    assert store.outbox_head(WANG) == (second, third)
    await confirm(store, WANG, third)
    assert store.outbox(WANG, 0, 10) == ()
    assert store.waiting() == ()


async def test_a_confirmation_is_clamped_to_what_was_given_out(store: Store) -> None:
    done = await store.commit(Commit(messages=[message("a")]))
    # The message of the same commit was not given out yet.
    more = await store.commit(Commit(messages=[message("b")], marks=Marks(confirmed={WANG: 10**9})))
    assert store.outbox_head(WANG) == (done.stored[0].seq, more.stored[0].seq)
    assert store.outbox(WANG, 0, 10) == more.stored
    await confirm(store, GATEWAY, 5)
    assert store.outbox_head(GATEWAY) == (0, 0)


async def test_waiting_names_who_has_something_unconfirmed(store: Store) -> None:
    done = await store.commit(Commit(messages=[message("a"), message("a", to=GATEWAY), message("b", to=GATEWAY)]))
    assert store.waiting() == (GATEWAY, WANG)
    await confirm(store, WANG, done.stored[0].seq)
    await confirm(store, GATEWAY, done.stored[1].seq)
    assert store.waiting() == (GATEWAY,)


async def test_messages_go_some_time_after_the_end(store: Store) -> None:
    ended, open_ = Case("I-1", 1), Case("I-2", 2)
    await store.commit(both(ended.open(), open_.open()))
    await store.commit(both(ended.close(seconds=10), messages=[message("a", "I-1"), message("b", "I-2")]))
    last = (await store.commit(Commit(messages=[message("c", "I-1")]))).stored[0].seq
    assert await store.purge(at(10)) == 0
    assert await store.purge(at(10.000001)) == 2
    assert [stored.message.incident for stored in store.outbox(WANG, 0, 10)] == ["I-2"]
    # What is gone was given out all the same.
    assert store.outbox_head(WANG) == (0, last)
    await confirm(store, WANG, last)
    assert store.outbox_head(WANG) == (last, last)
    done = await store.commit(Commit(messages=[message("d", "I-1")]))
    assert done.stored[0].seq > last
    assert await store.purge(at(11)) == 1
    assert store.outbox_head(WANG) == (last, done.stored[0].seq)


async def test_what_a_contact_is_told_waits_once_for_each_news_and_goes_after_the_incident(store: Store) -> None:
    son, case = Addressee(AddresseeKind.CONTACT, "C-1"), Case("I-1", 1)
    await store.commit(case.open())
    for n in range(20):
        news = ("opened", "coming", "there", "closed")[n % 4]
        sent = Message(son, MessageType.FAMILY, "I-1", f"family:I-1:{news}", {"what": news, "n": n})
        await store.commit(Commit(messages=[sent]))
    assert [stored.message.body["n"] for stored in store.outbox(son, 0, 100)] == [16, 17, 18, 19]
    assert store.waiting() == (son,)
    await store.commit(case.close(50))
    assert await store.purge(at(50)) == 0, "not yet over for long enough"
    assert await store.purge(at(51)) == 4
    assert store.outbox(son, 0, 100) == ()
