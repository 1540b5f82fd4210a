"""Figures do not depend on how the journal came, nor on whose rows came first."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from callhub.clock import ManualClock
from callhub.domain import facts as f
from callhub.domain.incident import AssignmentState, IncidentState
from callhub.domain.kpi import CaseBook, Wanted, report
from callhub.domain.people import ResponderKind
from callhub.domain.policy import IncidentClass
from callhub.hub.kpi import Counted, LiveKpi, recount
from callhub.store.base import Commit
from callhub.store.memory import MemoryStore
from tests.unit.domain.kpi.rows import OPERATOR, assigned, at, became, made, moved, opened, row, taken

ZONE = ZoneInfo("Asia/Shanghai")
EVER = Wanted(at(0), at(10**8))
OPENINGS = (
    opened(),
    opened(area=("D", "S2"), kind="gas"),
    opened(area=()),
    opened(class_=IncidentClass.SERVICE, kind="meal"),
    opened(class_=IncidentClass.DRILL),
)
FACTS: tuple[f.Fact, ...] = (
    taken(),
    f.ContactMade(party="elder", result="spoke_ok"),
    made("1"),
    made("2", "V-2", ResponderKind.CAREGIVER),
    made("3", "DESK", ResponderKind.DESK),
    f.OfferSilent(offer="1"),
    f.OfferReminded(offer="1", respond_by=at(0)),
    f.OfferAccepted(offer="1"),
    f.OfferDeclined(offer="2"),
    f.OfferWithdrawn(offer="2", reason="filled"),
    assigned(),
    assigned("V-2"),
    moved(AssignmentState.ON_SCENE),
    moved(AssignmentState.CLEARED),
    *(became(state) for state in IncidentState),
    f.ElderIdentified(elder="E-1", area=("D", "S", "C")),
    f.AlarmMadeUrgent(kind="smoke", urgency=1, policy="p", needed=2, class_=IncidentClass.EMERGENCY),
    f.NoteAdded(),
)

# Rows after the opening: seconds since the one before, and what they say.
_Rows = list[tuple[int, list[f.Fact]]]
_ROWS = st.lists(st.tuples(st.integers(0, 300), st.lists(st.sampled_from(FACTS), min_size=1, max_size=3)), max_size=6)
_STORY = st.tuples(st.sampled_from(OPENINGS), st.integers(0, 4000), _ROWS)


def stories(drawn: Sequence[tuple[f.IncidentOpened, int, _Rows]]) -> list[list[f.Row]]:
    """The rows of each incident, in order."""
    told = []
    for n, (opening, begin, later) in enumerate(drawn):
        seconds = begin
        rows = [row(f"I-{n}", seconds, opening)]
        for gap, facts in later:
            seconds += gap
            rows.append(row(f"I-{n}", seconds, *facts, actor=OPERATOR))
        told.append([replace(each, version=version) for version, each in enumerate(rows, start=1)])
    return told


def journal_of(told: Sequence[Sequence[f.Row]]) -> list[f.Row]:
    """All of them as a journal: by time, and each incident's own in order."""
    return sorted((each for rows in told for each in rows), key=lambda each: each.at)


def folded(rows: Sequence[f.Row]) -> CaseBook:
    book = CaseBook()
    for each in rows:
        book.fold(each)
    return book


@given(st.lists(_STORY, max_size=5), st.data())
def test_whose_rows_came_first_changes_no_figure(
    drawn: list[tuple[f.IncidentOpened, int, _Rows]], data: st.DataObject
) -> None:
    told = stories(drawn)
    journal = journal_of(told)
    now = journal[-1].at if journal else None
    expected = report(folded(journal).cases(), EVER, now, ZONE)
    # Any merge that keeps each incident's own order.
    turns = data.draw(st.permutations([n for n, rows in enumerate(told) for _ in rows]))
    iterators = [iter(rows) for rows in told]
    merged = folded([next(iterators[n]) for n in turns])
    assert report(merged.cases(), EVER, now, ZONE) == expected
    assert report(data.draw(st.permutations(merged.cases())), EVER, now, ZONE) == expected


@given(st.lists(_STORY, max_size=5), st.data())
def test_however_the_journal_is_split_into_commits_the_figures_are_those_of_the_journal(
    drawn: list[tuple[f.IncidentOpened, int, _Rows]], data: st.DataObject
) -> None:
    journal = journal_of(stories(drawn))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(journal)))) | {0, len(journal)})
    batches = [journal[begin:end] for begin, end in pairwise(cuts)]
    # Of each batch: the loop tells of it, it came by another hand, or the server begins anew after it.
    fates = [data.draw(st.sampled_from(("told", "told", "missed", "restart"))) for _ in batches]
    live, cold = asyncio.run(_lived(batches, fates))
    assert live == cold
    assert live.figures == report(folded(journal).cases(), EVER, journal[-1].at if journal else None, ZONE)


async def _lived(batches: Sequence[Sequence[f.Row]], fates: Sequence[str]) -> tuple[Counted, Counted]:
    store = MemoryStore()
    await store.open()
    clock = ManualClock(at(0) + timedelta(days=1))
    live = LiveKpi(store, clock, ZONE)
    for batch, fate in zip(batches, fates, strict=True):
        committed = await store.commit(Commit(rows=tuple(batch)))
        if fate == "restart":
            live = LiveKpi(store, clock, ZONE)
        elif fate == "told":
            live.committed(batch, committed.seq)
    running = asyncio.create_task(live.run())
    while live.seq < store.head()[1]:  # noqa: ASYNC110  # it reads as fast as it is let
        await asyncio.sleep(0)
    running.cancel()
    return await live.report(EVER), await recount(store, EVER, ZONE)
