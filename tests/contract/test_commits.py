"""What a commit makes durable, and what a refused one leaves alone."""

import asyncio
from dataclasses import replace

import pytest

from callhub.domain import facts as f
from callhub.domain.events import PriorAnswer, RequestKey
from callhub.domain.habits import Habit
from callhub.domain.incident import IncidentState
from callhub.errors import StoreRefused, StoreUnavailable
from callhub.store.base import Commit, DirectoryChange, Document, Marks, Need, Store, StoredAnswer
from tests.contract.builders import (
    AREAS,
    DEVICES,
    ELDERS,
    HOME,
    OPERATOR,
    RESPONDERS,
    WANG,
    Case,
    at,
    both,
    message,
    policy,
)
from tests.contract.conftest import MakeStore

KEY = RequestKey("gateway:GW", "a-1")


def answer(fingerprint: str = "alarm|BTN|sos|", *, refused: bool = False, **body: object) -> StoredAnswer:
    return StoredAnswer(KEY, PriorAnswer(fingerprint, at(1), "I-1", dict(body), refused))


async def test_a_commit_gives_back_rows_and_documents(store: Store) -> None:
    case = Case("I-1", 1)
    assert (await store.commit(case.open())).seq == 1
    assert (await store.commit(case.offer())).seq == 2
    assert store.incident("I-1") == case.document
    assert store.rows("I-1") == tuple(enumerate(case.rows, start=1))
    assert store.head()[1] == 2
    assert store.incident("I-2") is None
    assert store.rows("I-2") == ()


async def test_a_batch_is_one_commit(store: Store) -> None:
    first, second = Case("I-1", 1), Case("I-2", 2)
    done = await store.commit(both(first.open(), second.open(), first.offer(), first.assign()))
    assert done.seq == 4
    assert store.incident("I-1") == first.document
    assert [seq for seq, _ in store.rows("I-1")] == [1, 3, 4]


async def test_an_empty_commit_changes_nothing(store: Store) -> None:
    assert (await store.commit(Commit())).seq == 0
    assert store.head()[1] == 0


async def test_a_slot_is_held_once(store: Store) -> None:
    first, second = Case("I-1", 1), Case("I-2", 2)
    await store.commit(both(first.open(), second.open()))
    await store.commit(first.assign(slot=1))
    before = await store.load()
    greedy = both(
        second.assign(slot=1),
        messages=[message("k")],
        answers=[answer()],
        changes=[DirectoryChange(elders=ELDERS, policies=(policy(),))],
        marks=Marks(seen={("gateway", "GW"): at(0)}, positions={"V-1": (HOME, at(0))}, confirmed={WANG: 1}),
    )
    with pytest.raises(StoreRefused):
        await store.commit(greedy)
    assert await store.load() == before
    assert store.outbox(WANG, 0, 10) == ()
    assert store.lookup(Need(requests=frozenset({KEY}), elders=frozenset({"E-1"}))).requests == {}
    assert store.person("elders", "E-1") is None
    assert store.seen_at("gateway", "GW") is None
    assert store.verify().flaws == ()


async def test_a_slot_may_move_within_a_commit(store: Store) -> None:
    first, second = Case("I-1", 1), Case("I-2", 2)
    await store.commit(both(first.open(), second.open()))
    await store.commit(first.assign(slot=1))
    # The taker stands before the giver: the order of documents says nothing.
    await store.commit(both(second.assign(slot=1), first.release()))
    assert store.engaged("V-1") == (second.document,)


async def test_two_slots_of_one_person_are_two(store: Store) -> None:
    first, second = Case("I-1", 1), Case("I-2", 2)
    await store.commit(both(first.open(), second.open()))
    await store.commit(both(first.assign(slot=1), second.assign(slot=2)))
    assert store.engaged("V-1") == (first.document, second.document)


async def test_duties_without_a_slot_are_not_limited(store: Store) -> None:
    first, second = Case("I-1", 1), Case("I-2", 2)
    await store.commit(both(first.open(), second.open(), first.assign(slot=None), second.assign(slot=None)))
    assert len(store.engaged("V-1")) == 2


async def test_a_version_is_written_once(store: Store) -> None:
    case = Case("I-1", 1)
    opening = case.open()
    await store.commit(opening)
    with pytest.raises(StoreRefused):
        await store.commit(opening)
    with pytest.raises(StoreRefused):
        await store.commit(Commit(rows=[replace(case.rows[0], version=2), replace(case.rows[0], version=2)]))
    assert store.head()[1] == 1


async def test_a_number_is_given_once(store: Store) -> None:
    await store.commit(Case("I-1", 1).open())
    with pytest.raises(StoreRefused):
        await store.commit(Case("I-2", 1).open())
    assert store.incident("I-2") is None


async def test_a_stale_epoch_commits_nothing(store: Store) -> None:
    with pytest.raises(StoreRefused):
        await store.commit(replace(Case("I-1", 1).open(), fence=(0, 1)))
    assert store.head()[1] == 0


async def test_what_cannot_be_written_down_is_refused(store: Store) -> None:
    case = Case("I-1", 1)
    await store.commit(case.open())
    spoiled: list[Commit] = [
        case.note("\ud800"),
        Commit(messages=[message("k", text="\ud800")]),
        Commit(messages=[message("k", thing=object())]),
        Commit(messages=[replace(message("k"), incident="\ud800")]),
        Commit(changes=[DirectoryChange(elders=(replace(ELDERS[0], name="\ud800"),))]),
        Commit(answers=[replace(answer(), key=RequestKey("gateway:\ud800", "x"))]),
    ]
    for commit in spoiled:
        with pytest.raises(StoreRefused):
            await store.commit(commit)
    assert store.head()[1] == 1
    assert store.waiting() == ()


async def test_a_cancelled_caller_does_not_stop_a_commit(store: Store) -> None:
    case = Case("I-1", 1)
    opening, offer = case.open(), case.offer()
    task = asyncio.ensure_future(store.commit(opening))
    await asyncio.sleep(0)  # the commit began
    task.cancel()
    await asyncio.wait([task])
    # The next commit goes after it, and builds on it.
    assert (await store.commit(offer)).seq == 2
    assert store.incident("I-1") == case.document
    assert store.verify().flaws == ()


async def test_two_commits_at_once_are_two(store: Store) -> None:
    first, second = Case("I-1", 1), Case("I-2", 2)
    async with asyncio.timeout(10):
        done = await asyncio.gather(store.commit(first.open()), store.commit(second.open()))
    assert [one.seq for one in done] == [1, 2]


async def test_answers_are_kept_for_repeats(store: Store) -> None:
    await store.commit(Commit(answers=[answer(incident="I-1", ignored=["at"])]))
    await store.commit(Commit(answers=[answer("cancel|BTN", refused=True, code="conflict")]))
    found = store.lookup(Need(requests=frozenset({KEY, RequestKey("gateway:GW", "a-2")})))
    assert found.requests == {
        KEY: (
            PriorAnswer("alarm|BTN|sos|", at(1), "I-1", {"incident": "I-1", "ignored": ["at"]}, False),
            PriorAnswer("cancel|BTN", at(1), "I-1", {"code": "conflict"}, True),
        )
    }


async def test_a_restart_changes_nothing(make_store: MakeStore) -> None:
    store = make_store()
    await store.open()
    first, second = Case("I-1", 1), Case("I-2", 7, elder=None, area=())
    people = DirectoryChange(areas=AREAS, elders=ELDERS, devices=DEVICES, responders=RESPONDERS, policies=(policy(),))
    duty = f.Row(None, 0, at(9), "ev", OPERATOR, (f.DutyChanged(responder="V-1", available=True, until=at(99)),))
    await store.commit(both(first.open(), second.open(), first.assign(), changes=[people]))
    await store.commit(both(second.close(), marks=Marks(positions={"V-1": (HOME, at(5))})))
    await store.commit(Commit(rows=[duty]))
    before = await store.load()
    await store.close()
    again = make_store()
    await again.open()
    after = await again.load()
    assert after == before
    assert list(after.rows) == ["I-1"]
    assert after.rows["I-1"] == tuple(first.rows)
    assert after.places == {"I-1": first.places}
    assert (after.seq, after.last_number, after.last_at) == (5, 7, at(9))
    assert [duty.responder for duty in after.duties] == ["V-1"]
    assert after.positions == {"V-1": (HOME, at(5))}
    assert after.responders == tuple(sorted(RESPONDERS, key=lambda responder: responder.id))
    assert again.head() == (before.epoch, 5)
    assert (await again.commit(first.note())).seq == 6
    assert again.verify().flaws == ()
    await again.close()


async def test_a_new_store_is_empty(store: Store) -> None:
    empty = await store.load()
    assert (empty.seq, empty.last_at, empty.last_number, empty.rows) == (0, None, 0, {})
    assert empty.epoch
    assert store.verify() == type(store.verify())(0, 0, ())


async def test_after_close_nothing_is_committed(make_store: MakeStore) -> None:
    store = make_store()
    with pytest.raises(StoreUnavailable):
        await store.commit(Commit())
    await store.open()
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.commit(Commit())


async def test_a_document_lives_on_after_the_caller_changes_it(store: Store) -> None:
    case = Case("I-1", 1)
    await store.commit(case.open())
    assert case.incident is not None
    before = Document(case.incident.copy(), case.places)
    case.incident.state = IncidentState.CANCELLED
    assert store.incident("I-1") == before


async def test_what_was_learned_of_people_is_kept_with_the_commit_and_replaced_as_a_whole(
    make_store: MakeStore,
) -> None:
    store = make_store()
    await store.open()
    first = Habit("V-1", at(1), load=1.0, no=(0.0, 0.1 + 0.2, 0.0, 1 / 3))
    await store.commit(Commit(habits=[first, Habit("V-2", at(1), day=at(1).date(), services=2)]))
    await store.commit(Commit(habits=[replace(first, load=2.5, back_at=at(2))]))
    await store.close()
    again = make_store()
    await again.open()
    kept = (await again.load()).habits
    assert kept == (replace(first, load=2.5, back_at=at(2)), Habit("V-2", at(1), day=at(1).date(), services=2))
    with pytest.raises(StoreRefused):
        await again.commit(Commit(rows=Case("I-1", 1).open().rows, habits=[Habit("\ud800", at(3))]))
    assert (await again.load()).habits == kept
    assert again.head()[1] == 0
    await again.close()
