"""From the bytes of a CSV file to rows of named cells, each knowing its line.

Rules of this file: it knows nothing of what the cells mean. A file that cannot be read at all is refused with the line
at which reading ended; Excel's habits (a BOM, GB18030, blank rows, short rows) are no errors.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from callhub.errors import ImportRejected, RowError

ENCODINGS = ("utf-8-sig", "gb18030")
"""Tried in this order; every GB18030 text that is also valid UTF-8 is plain ASCII in practice."""

CELL_CHARS_MAX = 10_000
"""Longest cell; notes are a few lines. A quote that was never closed is found by it."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: ``line`` counts from 1 with the header (the first line, if a cell spans several); cells are stripped.

    Columns that the file or the row does not have are absent.
    """

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's rows in order. ``file``: as the administrator named it."""

    file: str
    rows: tuple[SheetRow, ...]


def read_sheet(file: str, data: bytes, columns: Sequence[str], needed: Sequence[str]) -> Sheet:
    """Read a CSV file with a header.

    Args:
        file: Its name, for errors.
        data: UTF-8 with or without BOM, or GB18030.
        columns: The columns that may be there, in any order.
        needed: Those that must be.

    Raises:
        ImportRejected: Neither encoding fits, the header is wrong, or a row has more cells than the header.
    """
    lines = _lines(file, _decoded(file, data))
    if not lines:
        raise ImportRejected(file, [RowError(1, "header", f"the file is empty; its columns are {','.join(columns)}")])
    _, header = lines[0]
    header = [name.strip().lower() for name in header]
    while header and not header[-1]:  # a spreadsheet's empty columns
        header.pop()
    _check_header(file, header, columns, needed)
    faults: list[RowError] = []
    rows: list[SheetRow] = []
    for line, cells in lines[1:]:
        stripped = [cell.strip() for cell in cells]
        if any(stripped[len(header) :]):
            faults.append(RowError(line, header[-1], f"there are {len(cells)} cells, the header has {len(header)}"))
        elif any(stripped):
            rows.append(SheetRow(line, dict(zip(header, stripped, strict=False))))
    if faults:
        raise ImportRejected(file, faults)
    return Sheet(file, tuple(rows))


def _decoded(file: str, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportRejected(file, [RowError(1, "header", "the file is UTF-16; save it as 'CSV UTF-8'")])
    fault: UnicodeDecodeError | None = None
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as wrong:
            fault = fault or wrong
    line = 1 + data.count(b"\n", 0, fault.start if fault else 0)
    raise ImportRejected(file, [RowError(line, "text", "neither UTF-8 nor GB18030; save the file as 'CSV UTF-8'")])


def _lines(file: str, text: str) -> list[tuple[int, list[str]]]:
    """Split into (line, cells); rows without any cell are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return rows
        except csv.Error as wrong:
            why = f"{wrong}; look for a quotation mark without its partner"
            raise ImportRejected(file, [RowError(line, "text", why)]) from wrong
        if any(len(cell) > CELL_CHARS_MAX for cell in cells):
            why = f"a cell of over {CELL_CHARS_MAX} characters; look for a quotation mark without its partner"
            raise ImportRejected(file, [RowError(line, "text", why)])
        if cells:
            rows.append((line, cells))


def _check_header(file: str, header: list[str], columns: Sequence[str], needed: Sequence[str]) -> None:
    known = ",".join(columns)
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        raise ImportRejected(file, [RowError(1, "header", "separate the columns by commas")])
    faults = [
        RowError(1, name or "header", f"there is no such column; the columns are {known}")
        for name in header
        if name not in columns
    ]
    faults += [RowError(1, name, "the column is there twice") for name in sorted(set(header)) if header.count(name) > 1]
    faults += [RowError(1, name, "the column is missing") for name in needed if name not in header]
    if faults:
        raise ImportRejected(file, faults)
