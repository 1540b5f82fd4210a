"""Windows: the hours of the week during which the clock of a service runs, by the clock on the wall.

Rules of this file:
1. A window is written like a timetable (``mon-fri 08:00-18:00; 2027-02-06 off``); an empty one is always open.
2. Outside it nobody is asked and every clock stands still: a time that would end then ends after the next opening, a
   time that ends just when the window closes ends when it opens.
3. Pure: the zone is an argument, and a change of the clock is taken as ``timetable`` takes it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from callhub.domain.timetable import Standing, parse_timetable

OPEN_MIN = 60
"""Least time in a week, minutes: in less than an hour nobody can be found."""


def read_window(text: str) -> str:
    """A window as written, once it is known that it can be read and opens every week.

    Raises:
        ValueError: It cannot be read, or is hardly ever open.
    """
    weekly = parse_timetable(text).weekly
    if text.strip() and sum(length_min for shifts in weekly for _, length_min in shifts) < OPEN_MIN:
        raise ValueError(f"{text!r} is open for less than {OPEN_MIN} minutes a week; then nobody would be asked")
    return text


def is_open(window: str, now: datetime, zone: tzinfo) -> bool:
    """Whether clocks run at ``now`` (aware); about 20 us for a window with times."""
    return not window.strip() or parse_timetable(window).standing(now, zone) is Standing.ON


def after(window: str, now: datetime, seconds: float, zone: tzinfo) -> datetime:
    """The first instant at which the window is open and has been so for ``seconds`` since ``now``.

    Costs about 100 us for each opening on the way.
    """
    at, left = now.astimezone(UTC), timedelta(seconds=seconds)  # in a zone, sums would be of the clock on the wall
    table = parse_timetable(window)
    while window.strip():
        change = table.next_change(at, zone)
        if change is None:  # dates took away all that was left of it: rather at once than never
            break
        if table.standing(at, zone) is Standing.ON:
            if at + left < change:
                break
            left -= change - at
        at = change
    return at + left
