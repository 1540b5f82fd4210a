"""When a responder is on duty by the roster: weekly hours, exceptions for dates, and leave.

``mon-fri 08:00-18:00; 2026-12-25 off; 2026-12-31 08:00-12:00; leave 2027-01-04..2027-01-15``

Rules of this file:
1. Weekly hours are those of ``hours``. A shift belongs to the day on which it begins: over midnight it goes on into
   the next day, whatever that day says.
2. A date (or dates, ``2026-12-24..2026-12-26``) with ``off`` or with times replaces the weekly shifts that begin on it.
3. ``leave`` covers whole days, and ends a shift that runs into it. No hours hold then.
4. Shifts may overlap: whoever stands in two at once is on duty while any of them lasts.
5. Times are local, by the clock on the wall. Where the clock is changed, a shift begins at the earliest instant its
   time can mean and ends at the latest: two shifts then overlap, and leave no hole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from callhub.domain.hours import read_times, weekly_shifts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

YEARS = (2000, 2100)
"""Dates outside are slips."""
DATES_MAX = 366
"""Most days that one exception may cover."""

_DATED = re.compile(
    r"(?P<leave>leave\s+)?(?P<first>\d{4}-\d\d-\d\d)(?:\s*\.\.\s*(?P<last>\d{4}-\d\d-\d\d))?"
    r"(?:\s+(?:(?P<off>off)|(?P<start>\d{1,2}:\d\d)\s*-\s*(?P<end>\d{1,2}:\d\d)))?"
)
_LOOKS_DATED = re.compile(r"leave\b|\d{4}-|.*\boff$")
_DAY = timedelta(days=1)

Shifts = tuple[tuple[int, int], ...]
"""(start, length) in minutes of the shifts that begin on one day."""


class Standing(StrEnum):
    """What the timetable says at one time."""

    ON = "on"
    OFF = "off"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Timetable:
    """What was written, read: shifts by weekday (Monday first) and by date, and leave from a date to a date."""

    weekly: tuple[Shifts, ...]
    dated: Mapping[date, Shifts]
    leave: tuple[tuple[date, date], ...]

    def standing(self, now: datetime, zone: tzinfo) -> Standing:
        """What it says at ``now`` (aware) for people who live in ``zone``."""
        if any(_opens(first, 0, zone) <= now < _closes(last + _DAY, 0, zone) for first, last in self.leave):
            return Standing.LEAVE
        today = now.astimezone(zone).date()
        # A shift lasts at most a day, and a change of the clock moves it by an hour or two.
        near = (today + timedelta(days=n) for n in (-2, -1, 0, 1))
        on = any(opens <= now < closes for opens, closes in self._spans(near, zone))
        return Standing.ON if on else Standing.OFF

    def next_change(self, now: datetime, zone: tzinfo) -> datetime | None:
        """The first instant (UTC) after ``now`` at which ``standing`` changes; None: never."""
        today = now.astimezone(zone).date()
        standing = self.standing(now, zone)
        week = [today + timedelta(days=n) for n in range(-2, 10)]
        for days in (week, self._irregular(today)):
            edges = {edge for span in self._spans(days, zone) for edge in span}
            for first, last in self.leave:
                edges |= {_opens(first, 0, zone), _closes(last + _DAY, 0, zone)}
            limit = _closes(days[-1], 0, zone) if days else now
            later = (edge for edge in sorted(edges) if now < edge and (days is not week or edge <= limit))
            change = next((edge for edge in later if self.standing(edge, zone) is not standing), None)
            if change is not None:
                return change
        return None

    def _irregular(self, today: date) -> list[date]:
        """Every day from the day before each exception or end of leave to a whole regular week after it."""
        marks = [*self.dated, *(day for leave in self.leave for day in leave)]
        near = {mark + timedelta(days=n) for mark in marks for n in range(-1, 10)}
        return sorted(day for day in near if day >= today - 2 * _DAY)

    def _spans(self, days: Iterable[date], zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
        for day in days:
            for start_min, length_min in self.dated.get(day, self.weekly[day.weekday()]):
                yield _opens(day, start_min, zone), _closes(day, start_min + length_min, zone)


@lru_cache(maxsize=4096)
def parse_timetable(text: str) -> Timetable:
    """Read a timetable; an empty text holds no time.

    Raises:
        ValueError: The text cannot be read; names the part that is wrong and what to write.
    """
    weekly: list[str] = []
    dated: dict[date, Shifts] = {}
    leave: list[tuple[date, date]] = []
    for group in text.lower().split(";"):
        parts = [part.strip() for part in group.split(",")]
        weekly.append(",".join(part for part in parts if not _LOOKS_DATED.match(part)))
        for part in parts:
            if _LOOKS_DATED.match(part):
                _read_dated(part, dated, leave)
    days: list[Shifts] = [()] * 7
    for shift in weekly_shifts(";".join(weekly)):
        days[shift.day] += ((shift.start_min, shift.length_min),)
    return Timetable(tuple(days), dated, tuple(leave))


def _read_dated(part: str, dated: dict[date, Shifts], leave: list[tuple[date, date]]) -> None:
    match = _DATED.fullmatch(part)
    is_leave = match is not None and match["leave"] is not None
    says = match is not None and (match["off"] or match["start"]) is not None
    if match is None or is_leave is says:
        like = "'2026-12-25 off', '2026-12-31 08:00-12:00' or 'leave 2026-12-01..2026-12-14'"
        raise ValueError(f"cannot read {part!r}; write it like {like}")
    first = _date(match["first"])
    last = _date(match["last"]) if match["last"] else first
    if last < first:
        raise ValueError(f"{part!r} ends before it begins")
    if is_leave:
        leave.append((first, last))
        return
    if (last - first).days >= DATES_MAX:
        raise ValueError(f"{part!r} covers more than {DATES_MAX} days; change the weekly hours instead")
    shifts: Shifts = () if match["off"] else (read_times(match["start"], match["end"], part),)
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        before = dated.get(day)
        if before is not None and not (before and shifts):
            raise ValueError(f"{day} is off and has other hours too; leave one of them out")
        dated[day] = (before or ()) + shifts


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not YEARS[0] <= day.year <= YEARS[1]:
        raise ValueError(f"{text!r} is no date between {YEARS[0]} and {YEARS[1]}") from None
    return day


def _meanings(day: date, minute: int, zone: tzinfo) -> tuple[datetime, datetime]:
    wall = datetime.combine(day, time(), zone) + timedelta(minutes=minute)
    return wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)


def _opens(day: date, minute: int, zone: tzinfo) -> datetime:
    """The earliest instant that so many minutes after midnight can mean: a wall clock may show a time twice."""
    return min(_meanings(day, minute, zone))


def _closes(day: date, minute: int, zone: tzinfo) -> datetime:
    """The latest instant that it can mean."""
    return max(_meanings(day, minute, zone))
