"""Lists as CSV, for people who open them in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

UTF_8 = b"\xef\xbb\xbf"
"""The mark by which spreadsheets know the encoding."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run; such a cell gets an apostrophe in front."""


def line(cells: Iterable[str]) -> bytes:
    """One row with its end."""
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode("utf-8")


def cell(value: object) -> str:
    """A value as a cell: nothing for None, 0 or 1, an elder by id, a path with semicolons."""
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case dict():
            return cell(value["id"])
        case list():
            return ";".join(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
