"""Importing the people around elders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from callhub.domain.family import FamilyContact, News
from callhub.intake.records import CONTACTS_MAX

if TYPE_CHECKING:
    from tests.unit.intake.directory_of import Town

HEADER = "id,elder,name,relation,phone,channels,inform,responder,language\n"
ROWS = "C-1,E-1,李明,son,13800000009,sms;phone,coming;closed,,zh\nC-2,E-1,王芳,neighbour,,,,V-1,\n"


async def test_contacts_are_kept_with_what_they_want_to_be_told(town: Town) -> None:
    await town.settle()
    reply = await town.take("contacts", HEADER + ROWS)
    assert reply.lines == ("contacts: 2 added, 0 updated, 0 as they were",)
    son = FamilyContact(
        "C-1", "E-1", "李明", "son", "13800000009", ("sms", "phone"), (News.COMING, News.CLOSED), None, "zh"
    )
    assert town.store.family_of("E-1") == (
        son,
        FamilyContact("C-2", "E-1", "王芳", "neighbour", inform=tuple(News), responder="V-1"),
    )


async def test_a_second_run_changes_nothing_and_an_update_names_the_column(town: Town) -> None:
    await town.settle()
    await town.take("contacts", HEADER + ROWS)
    head = town.store.head()
    assert (await town.take("contacts", HEADER + ROWS)).lines == (
        "contacts: nothing to change, all 2 rows are as they were",
    )
    assert town.store.head() == head
    dry = await town.take("contacts", "id,elder,name,inform\nC-1,E-1,李明,none\n", dry_run=True)
    assert "  C-1: inform" in dry.lines
    await town.take("contacts", "id,elder,name,inform\nC-1,E-1,李明,none\n")
    kept = town.store.person("contacts", "C-1")
    assert isinstance(kept, FamilyContact)
    assert (kept.inform, kept.phone, kept.relation) == ((), "13800000009", "son")


async def test_the_journal_names_no_contact(town: Town) -> None:
    await town.settle()
    await town.take("contacts", HEADER + ROWS)
    _, row = (await town.store.journal(town.store.head()[1] - 1, 1))[0]
    assert "李明" not in repr(row)
    assert "13800000009" not in repr(row)


async def test_a_file_that_gives_one_elder_a_crowd_is_refused(town: Town) -> None:
    await town.settle()
    crowd = [f"C-{n},E-1,x\n" for n in range(CONTACTS_MAX + 1)]
    reply = await town.take("contacts", "id,elder,name\n" + "".join(crowd))
    assert not reply.ok
    assert "line 52, elder: 'E-1' has more than 50 contacts; is this the right column?" in reply.message
    await town.take("contacts", "id,elder,name\n" + "".join(crowd[:-1]))
    assert len(town.store.family_of("E-1")) == CONTACTS_MAX


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("C-1,E-9,x,,,,,,", "line 2, elder: there is no elder 'E-9'; import the elders first"),
        ("C-1,,x,,,,,,", "line 2, elder: is missing"),
        ("C-1,E-1,,,,,,,", "line 2, name: is missing"),
        ("C-1,E-1,x,,,pigeon,,,", "line 2, channels: there is no channel 'pigeon'"),
        ("C-1,E-1,x,,,,birth,,", "line 2, inform: write some of opened, coming"),
        ("C-1,E-1,x,,,,none;closed,,", "joined by ';', or none alone, not 'none'"),
        ("C-1,E-1,x,,,,,V-9,", "line 2, responder: there is no responder 'V-9'; import the responders first"),
        ("C-1,E-1,x,,,,,DESK,", "line 2, responder: 'DESK' is a desk, which holds no key; name a person"),
        ("C-1,E-1,x,,1.38E+10,,,,", "line 2, phone: is in scientific notation, digits are lost"),
    ],
)  # fmt: skip
async def test_every_bad_cell_is_named(town: Town, row: str, fault: str) -> None:
    await town.settle()
    assert (await town.take("responders", "id,name,kind,area\nDESK,值班,desk,D1\n")).ok
    reply = await town.take("contacts", HEADER + row + "\n")
    assert not reply.ok
    assert fault in reply.message, reply.message
    assert town.store.family_of("E-1") == ()
