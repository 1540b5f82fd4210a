"""Typed reading of one row's cells, collecting every fault instead of stopping at the first.

Rules of this file: a method returns a usable value also after a fault, so that the rest of the row is still read; the
faults are what decides. An absent column reads as an empty cell; ``has`` tells the two apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import TypeVar

from callhub.domain.people import Position
from callhub.domain.timetable import parse_timetable
from callhub.errors import RowError
from callhub.intake.sheet import SheetRow

E = TypeVar("E", bound=StrEnum)

Convert = Callable[[float, float], tuple[float, float]]
"""From the file's latitude and longitude to WGS 84, in degrees."""

ID_CHARS_MAX = 64
"""As on the wire: 1 to 64 printable characters."""
TEXT_CHARS_MAX = 2000
COUNT_MAX = 366 * 86_400
"""A year in seconds; larger whole numbers are slips."""

_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")
_PHONE = re.compile(r"(?=(?:\D*\d){3})[0-9+*#() ,./转-]{3,40}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_YES = frozenset({"1", "true", "yes", "是"})
_NO = frozenset({"0", "false", "no", "否"})


def id_fault(text: str) -> str | None:
    """What is wrong with an id, or None."""
    if not text:
        return "is missing"
    if len(text) > ID_CHARS_MAX or not text.isprintable():
        return f"an id has 1 to {ID_CHARS_MAX} printable characters"
    return _scientific_fault(text)


def _scientific_fault(text: str) -> str | None:
    if _SCIENTIFIC.fullmatch(text):
        return "is in scientific notation, digits are lost; format the column as text and enter it again"
    return None


class CellReader:
    """Reads the cells of one row; ``faults`` grows as it goes."""

    def __init__(self, row: SheetRow, faults: list[RowError]) -> None:
        self.line = row.line
        self._cells = row.cells
        self._faults = faults

    def fault(self, column: str, why: str) -> None:
        """Note that a cell is wrong."""
        self._faults.append(RowError(self.line, column, why))

    def has(self, column: str) -> bool:
        """Whether the row has this cell, empty or not."""
        return column in self._cells

    def raw(self, column: str) -> str:
        """The cell as it stands; empty when absent."""
        return self._cells.get(column, "")

    def id(self, column: str = "id") -> str:
        """An id that must be there."""
        text = self.raw(column)
        if why := id_fault(text):
            self.fault(column, why)
        return text

    def id_or_none(self, column: str) -> str | None:
        """An id, or None for an empty cell."""
        return self.id(column) if self.raw(column) else None

    def ids(self, column: str) -> tuple[str, ...]:
        """Different ids joined by ``;``."""
        found = self.words(column)
        for text in found:
            if why := id_fault(text):
                self.fault(column, why)
        return found

    def words(self, column: str) -> tuple[str, ...]:
        """Texts joined by ``;``, without blanks and repeats."""
        parts = (part.strip() for part in self.raw(column).replace("；", ";").split(";"))  # also full-width
        return tuple(dict.fromkeys(part for part in parts if part))

    def text(self, column: str, *, needed: bool = False) -> str:
        """Free text of at most TEXT_CHARS_MAX characters."""
        text = self.raw(column)
        if needed and not text:
            self.fault(column, "is missing")
        if len(text) > TEXT_CHARS_MAX:
            self.fault(column, f"{len(text)} characters are too many; at most {TEXT_CHARS_MAX}")
        return text

    def phone(self, column: str = "phone") -> str:
        """A telephone number as people write it, or empty."""
        text = self.raw(column)
        if why := _scientific_fault(text):
            self.fault(column, why)
        elif text and not _PHONE.fullmatch(text):
            self.fault(column, "is no telephone number; write digits, spaces, + and -")
        return text

    def card(self, column: str = "card") -> str:
        """The number of a service card, or empty."""
        text = self.raw(column)
        if text and (why := id_fault(text)):
            self.fault(column, why)
        return text

    def language(self, column: str = "language") -> str:
        """A language tag; empty means ``zh``."""
        text = self.raw(column) or "zh"
        if not _LANGUAGE.fullmatch(text):
            self.fault(column, f"{text!r} is no language; write zh or en")
        return text

    def choice(self, column: str, kind: type[E]) -> E:
        """One of the words of an enum; after a fault the first of them."""
        for member in kind:
            if member == self.raw(column).lower():
                return member
        self.fault(column, f"write one of {', '.join(kind)}, not {self.raw(column)!r}")
        return next(iter(kind))

    def channels(self, known: Collection[str], column: str = "channels") -> tuple[str, ...]:
        """The channels in their order; empty means ``app``."""
        found = tuple(dict.fromkeys(word.lower() for word in self.words(column)))
        for channel in found:
            if channel not in known:
                self.fault(column, f"there is no channel {channel!r}; write some of {', '.join(known)}, joined by ';'")
        return found or ("app",)

    def switch(self, column: str, default: bool) -> bool:
        """A yes or no, as 1 or 0."""
        text = self.raw(column).lower()
        if text in _YES or text in _NO or not text:
            return text in _YES if text else default
        self.fault(column, f"write 1 or 0, not {text!r}")
        return default

    def count(self, column: str, default: int | None, least: int) -> int | None:
        """A whole number of at least ``least``; ``default`` for an empty cell."""
        text = self.raw(column)
        if not text:
            return default
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= COUNT_MAX:
            self.fault(column, f"write a whole number from {least} to {COUNT_MAX}, not {text!r}")
            return default
        return int(text)

    def hours(self, column: str = "hours") -> str:
        """Weekly hours with exceptions and leave, or empty."""
        text = self.raw(column)
        try:
            parse_timetable(text)
        except ValueError as wrong:
            self.fault(column, str(wrong))
        return text

    def position(self, convert: Convert) -> Position | None:
        """The position in ``lat`` and ``lon``, as WGS 84; None when both are empty."""
        if not self.raw("lat") and not self.raw("lon"):
            return None
        lat, lon = self._degrees("lat", 90), self._degrees("lon", 180)
        if lat is None or lon is None:
            return None
        if lat == 0 and lon == 0:
            self.fault("lat", "0,0 is no place; leave both cells empty when the position is unknown")
            return None
        return Position(*convert(lat, lon))

    def _degrees(self, column: str, most: int) -> float | None:
        text = self.raw(column)
        if not text:
            self.fault(column, "is missing; a position has both lat and lon")
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not -most <= value <= most:  # false for NaN, too
            swapped = " (are lat and lon swapped?)" if column == "lat" and 90 < value <= 180 else ""
            self.fault(column, f"write degrees from -{most} to {most}, not {text!r}{swapped}")
            return None
        return value
