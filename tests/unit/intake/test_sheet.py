"""Reading a CSV file whatever program wrote it."""

import pytest

from callhub.errors import ImportRejected, RowError
from callhub.intake.sheet import CELL_CHARS_MAX, read_sheet

COLUMNS = ("id", "name", "notes", "active")
NEEDED = ("id", "name")


def faults(data: bytes) -> tuple[RowError, ...]:
    with pytest.raises(ImportRejected) as caught:
        read_sheet("elders.csv", data, COLUMNS, NEEDED)
    assert str(caught.value).startswith("elders.csv: nothing was imported")
    return caught.value.rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_names_are_read_in_each_encoding(encoding: str) -> None:
    sheet = read_sheet("f", "id,name\nE-1,李奶奶\n".encode(encoding), COLUMNS, NEEDED)
    assert [row.cells for row in sheet.rows] == [{"id": "E-1", "name": "李奶奶"}]


def test_bytes_of_neither_encoding_are_named_by_line() -> None:
    (fault,) = faults(b"id,name\nE-1,a\nE-2,\xff\xff\n")
    assert (fault.line, fault.column) == (3, "text")


def test_utf_16_is_named() -> None:
    (fault,) = faults("id,name\n".encode("utf-16"))
    assert "UTF-16" in fault.why


def test_lines_count_from_the_header_and_a_cell_may_span_several() -> None:
    text = 'id,name,notes\r\n\r\nE-1,a,"two\r\nlines"\r\n,,\r\nE-2,b\r\n'
    sheet = read_sheet("f", text.encode(), COLUMNS, NEEDED)
    assert [(row.line, row.cells["id"]) for row in sheet.rows] == [(3, "E-1"), (6, "E-2")]
    assert "notes" not in sheet.rows[1].cells


def test_cells_are_stripped_and_empty_columns_at_the_end_are_none() -> None:
    sheet = read_sheet("f", b" ID ,Name,,\nE-1 , a b ,,\n", COLUMNS, NEEDED)
    assert sheet.rows[0].cells == {"id": "E-1", "name": "a b"}


@pytest.mark.parametrize(
    ("data", "line", "column", "word"),
    [
        (b"", 1, "header", "empty"),
        (b"id,name,color\n", 1, "color", "no such column"),
        (b"name\n", 1, "id", "missing"),
        (b"id,name,id\n", 1, "id", "twice"),
        (b"id;name\n", 1, "header", "commas"),
        (b"id,name\nE-1,a,surplus\n", 2, "name", "3 cells"),
        (b'id,name\nE-1,"never closed\nE-2,b\n', 2, "text", "quotation mark"),
        (b"id,name\nE-1," + b"x" * (CELL_CHARS_MAX + 1), 2, "text", "quotation mark"),
        (b"id,name\nE-1," + b"x" * 200_000, 2, "text", "quotation mark"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, line: int, column: str, word: str) -> None:
    (fault,) = faults(data)
    assert (fault.line, fault.column) == (line, column)
    assert word in fault.why
