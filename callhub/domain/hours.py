"""Weekly hours, as people write them: ``mon-fri 07:00-21:00; sat 08:00-12:00``.

Rules of this file:
1. Ranges are separated by ``,`` or ``;``. Each has days, times or both: ``sat`` is that whole day, ``22:00-06:00``
   every day. Times over midnight end on the next day, days may go over Sunday, ``24:00`` is the end of a day.
2. A range holds its first minute and not its last. No range at all holds no time: what empty hours mean is for the
   caller to say.
3. Times are local, by the clock on the wall: a change to summer time shortens or lengthens the range it falls into.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN

_RANGE = re.compile(
    r"(?P<first>[a-z]+)?(?:\s*-\s*(?P<last>[a-z]+))?"
    r"\s*(?:(?P<start>\d{1,2}:\d\d)\s*-\s*(?P<end>\d{1,2}:\d\d))?"
)

Spans = tuple[tuple[int, int], ...]
"""Sorted, disjoint ``[start, end)`` in minutes since Monday 00:00, 0..WEEK_MIN."""


class Shift(NamedTuple):
    """A weekly range: the day on which it begins (Monday 0), when (minutes), and how long (at most a day)."""

    day: int
    start_min: int
    length_min: int


@lru_cache(maxsize=1024)
def parse_hours(text: str) -> Spans:
    """Read weekly hours; an empty text gives no span.

    Raises:
        ValueError: The text cannot be read; names the part that is wrong and what to write.
    """
    spans: list[tuple[int, int]] = []
    for shift in weekly_shifts(text):
        begin = shift.day * DAY_MIN + shift.start_min
        spans.append((begin, min(begin + shift.length_min, WEEK_MIN)))
        if begin + shift.length_min > WEEK_MIN:
            spans.append((0, begin + shift.length_min - WEEK_MIN))
    return _merged(spans)


def weekly_shifts(text: str) -> tuple[Shift, ...]:
    """Read weekly hours as shifts, each belonging to the day on which it begins; unsorted, as written.

    Raises:
        ValueError: As ``parse_hours``.
    """
    shifts: list[Shift] = []
    for group in text.lower().split(";"):
        parts = [part.strip() for part in group.split(",") if part.strip()]
        bare = [part for part in parts if ":" not in part]
        if bare and len(bare) < len(parts):  # "mon, wed 08:00-12:00" would give Monday the whole day unasked
            raise ValueError(f"give {bare[0]!r} its own times, as in '{bare[0]} 00:00-24:00'")
        for part in parts:
            shifts += _shifts_of(part)
    return tuple(shifts)


def read_times(start: str, end: str, part: str) -> tuple[int, int]:
    """Start in minutes after midnight and length in minutes of a range of times that stands in ``part``.

    Raises:
        ValueError: A time is none, or the range begins when it ends.
    """
    first, last = _minute(start), _minute(end)
    if first == last:
        raise ValueError(f"{part!r} begins when it ends; a whole day is 00:00-24:00")
    return first, (last - first) % DAY_MIN or DAY_MIN


def is_within(hours: str, local: datetime) -> bool:
    """Whether a local time falls into the hours; empty hours hold no time.

    Raises:
        ValueError: As ``parse_hours``.
    """
    minute = local.weekday() * DAY_MIN + local.hour * 60 + local.minute
    return any(start <= minute < end for start, end in parse_hours(hours))


def overlap(one: str, other: str) -> bool:
    """Whether some time falls into both."""
    return any(
        start < other_end and other_start < end
        for start, end in parse_hours(one)
        for other_start, other_end in parse_hours(other)
    )


def _shifts_of(part: str) -> list[Shift]:
    match = _RANGE.fullmatch(part)
    if match is None or (match["first"] is None and match["last"] is not None):
        raise ValueError(f"cannot read {part!r}; write it like 'mon-sun 07:00-21:00'")
    first, last = _days(match["first"], match["last"])
    start_min, length_min = read_times(match["start"] or "00:00", match["end"] or "24:00", part)
    return [
        Shift((day * DAY_MIN + start_min) % WEEK_MIN // DAY_MIN, start_min % DAY_MIN, length_min)
        for day in range(first, last + 1)
    ]


def _days(first: str | None, last: str | None) -> tuple[int, int]:
    """First and last day as numbers, Monday 0; the last may be over 6 when the range goes over Sunday."""
    if first is None:
        return 0, 6
    from_day = _day(first)
    to_day = from_day if last is None else _day(last)
    return from_day, to_day if to_day >= from_day else to_day + 7


def _day(word: str) -> int:
    if word not in DAYS:
        raise ValueError(f"{word!r} is no day; days are {' '.join(DAYS)}")
    return DAYS.index(word)


def _minute(clock: str) -> int:
    hour, minute = (int(part) for part in clock.split(":"))
    if minute > 59 or hour * 60 + minute > DAY_MIN:
        raise ValueError(f"{clock!r} is no time of day; times go from 00:00 to 24:00")
    return hour * 60 + minute


def _merged(spans: list[tuple[int, int]]) -> Spans:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
