"""Lists, pages and cursors."""

import pytest

from callhub.domain import facts as f
from callhub.domain.incident import IncidentState
from callhub.domain.policy import IncidentClass
from callhub.errors import InvalidMessage
from callhub.store.base import Commit, Filter, Page, Store
from tests.contract.builders import GATEWAY, Case, both, message


def ids(page: Page) -> list[str]:
    return [document.incident.id for document in page.items]


@pytest.fixture
async def town(store: Store) -> Store:
    """Seven incidents: two streets, one without an area, of several states."""
    here, there = ("D", "S", "C", "G"), ("D", "S2", "C2")
    cases = [
        Case("I-1", 1, area=here),
        Case("I-2", 2, area=there),
        Case("I-3", 3, area=(), elder=None),
        Case("I-4", 4, area=here, elder="E-2"),
        Case("I-5", 5, area=there, class_=IncidentClass.SERVICE),
        Case("I-6", 6, area=there),
        Case("I-7", 7, area=here),
    ]
    await store.commit(both(*(case.open() for case in cases)))
    await store.commit(
        both(
            cases[0].close(),
            cases[1].state(IncidentState.UNANSWERED),
            cases[3].state(IncidentState.RESOLVED),
            cases[5].state(IncidentState.CANCELLED),
        )
    )
    return store


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), "7654321"),
        (Filter(state="open"), "75432"),
        (Filter(state="unanswered"), "2"),
        (Filter(state="resolved"), "4"),
        (Filter(state="closed"), "1"),
        (Filter(state="cancelled"), "6"),
        (Filter(class_="service"), "5"),
        (Filter(elder="E-2"), "4"),
        (Filter(elder="E-9"), ""),
        (Filter(area="S"), "7431"),
        (Filter(area="D"), "7654321"),
        (Filter(area="G"), "7431"),
        (Filter(area="S", unanswered_too=True), "74321"),
        (Filter(area="S", state="open"), "743"),
        (Filter(area="S", state="open", unanswered_too=True), "7432"),
        (Filter(area="S", state="closed"), "1"),
        (Filter(area="S2", state="cancelled", unanswered_too=True), "6"),
        (Filter(area="S", class_="emergency", elder="E-1"), "71"),
        (Filter(area="S2", class_="service"), "5"),
        (Filter(area="%", state="open"), "3"),
        (Filter(area=""), "3"),
    ],
)
async def test_a_filter_shows_what_it_says(town: Store, wanted: Filter, found: str) -> None:
    assert "".join(id.removeprefix("I-") for id in ids(town.incidents(wanted, 50, None))) == found


@pytest.mark.parametrize("wanted", [Filter(), Filter(state="open"), Filter(area="S", unanswered_too=True)])
async def test_pages_follow_each_other(town: Store, wanted: Filter) -> None:
    everything = town.incidents(wanted, 50, None)
    assert everything.next is None
    assert everything.as_of == 11
    pages, cursor = [], None
    while True:
        page = town.incidents(wanted, 2, cursor)
        pages.append(ids(page))
        if (cursor := page.next) is None:
            break
    assert [id for page in pages for id in page] == ids(everything)
    assert {len(page) for page in pages[:-1]} == {2}


async def test_a_page_goes_on_where_it_stopped_when_new_ones_come(town: Store) -> None:
    first = town.incidents(Filter(), 3, None)
    await town.commit(Case("I-8", 8).open())
    assert ids(town.incidents(Filter(), 2, first.next)) == ["I-4", "I-3"]


@pytest.mark.parametrize("cursor", ["", "x", "é", "aW5jaWRlbnRzOng=", "aW5jaWRlbnRzOg==", "cGVvcGxlOjE=", "A" * 999])
async def test_a_bad_cursor_is_the_callers_mistake(town: Store, cursor: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        town.incidents(Filter(), 3, cursor)
    assert caught.value.field == "cursor"
    with pytest.raises(InvalidMessage):
        town.people("elders", 3, cursor)


async def test_an_incident_that_gets_an_area_is_listed_there(store: Store) -> None:
    case = Case("I-1", 1, area=(), elder=None)
    await store.commit(case.open())
    assert case.incident is not None
    case.incident.area = ("D", "S")
    await store.commit(case.note())
    assert ids(store.incidents(Filter(area="S"), 9, None)) == ["I-1"]
    assert ids(store.incidents(Filter(area="S2"), 9, None)) == []


async def test_changes_are_resumed_without_a_gap(town: Store) -> None:
    await town.commit(Commit(messages=[message("a", to=GATEWAY)]))
    everything = town.changes_since(0, 100)
    assert everything is not None
    assert [seq for seq, _ in everything] == list(range(1, 12))
    assert everything[7:] == ((8, "I-1"), (9, "I-2"), (10, "I-4"), (11, "I-6"))
    assert town.changes_since(9, 1) == ((10, "I-4"),)
    assert town.changes_since(11, 100) == ()
    assert town.changes_since(12, 100) is None
    assert town.changes_since(-1, 100) is None


async def test_engaged_follows_offers_and_duties(store: Store) -> None:
    first, second = Case("I-1", 1), Case("I-2", 2)
    await store.commit(both(first.open(), second.open(), first.offer("V-1"), second.offer("V-2"), second.assign("V-1")))
    assert [document.incident.id for document in store.engaged("V-1")] == ["I-1", "I-2"]
    assert [document.incident.id for document in store.engaged("V-2")] == ["I-2"]
    await store.commit(second.release())
    assert store.engaged("V-1") == (first.document,)
    assert store.engaged("V-9") == ()


async def test_engaged_follows_whistles_until_they_are_over(store: Store) -> None:
    case = Case("I-1", 1)
    await store.commit(both(case.open(), case.whistle("FIRE")))
    assert store.engaged("FIRE") == (case.document,)
    over = f.WhistleRefused(whistle="I-1-w1", department="FIRE")
    await store.commit(case.step(over, seconds=9))
    assert store.engaged("FIRE") == ()
    assert store.verify().flaws == ()
