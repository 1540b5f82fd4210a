"""Lists of incidents: a filter as SQL.

Rules of this file: newest first means highest number first. Every query walks an index from the newest incident down
and stops at its limit, so that a list does not grow with the whole history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.domain.incident import ENDED, IncidentState
from callhub.store.sqlite.rows import KEPT

if TYPE_CHECKING:
    from callhub.store.base import Filter

_HIGHEST = 2**62
_COLUMNS = ", ".join(f"i.{name}" for name in KEPT.split(", "))


def listing(wanted: Filter, before: int | None, limit: int) -> list[tuple[str, list[object]]]:
    """Queries of ``KEPT`` with their parameters; the ``limit`` newest of all they find are the list.

    Args:
        wanted: The filter.
        before: Only numbers under this one.
        limit: At most so many rows from each query.
    """
    start = _HIGHEST if before is None else before
    where, values, few = _conditions(wanted)
    if wanted.area is None:
        return [_query("incident i", ["i.number < ?", *where], [start, *values, limit])]
    if few:
        outside = " OR i.state = 'unanswered'" if wanted.unanswered_too else ""
        inside = f"(i.area = '/' OR instr(i.area, ?) > 0{outside})"
        return [_query("incident i", ["i.number < ?", inside, *where], [start, f"/{wanted.area}/", *values, limit])]
    # CROSS JOIN: the area's own index leads, newest first.
    found = "incident_area a CROSS JOIN incident i ON i.number = a.number"
    queries = [
        _query(found, ["a.area = ?", "a.number < ?", *where], [area, start, *values, limit], "a.number")
        for area in dict.fromkeys((wanted.area, ""))
    ]
    if wanted.unanswered_too:
        loud = ["i.state = 'unanswered'", "i.number < ?", *where]
        queries.append(_query("incident i", loud, [start, *values, limit]))
    return queries


def _query(table: str, where: list[str], values: list[object], order: str = "i.number") -> tuple[str, list[object]]:
    query = f"SELECT {_COLUMNS} FROM {table} WHERE {' AND '.join(where)} ORDER BY {order} DESC LIMIT ?"
    return query, values


def _conditions(wanted: Filter) -> tuple[list[str], list[object], bool]:
    """All but the area, and whether they leave few rows to walk: open ones, or those of one elder."""
    where: list[str] = []
    values: list[object] = []
    is_open = wanted.state is not None and wanted.state not in ENDED
    if is_open:
        where.append("i.ended_at IS NULL")
    if wanted.state == IncidentState.UNANSWERED:
        where.append("i.state = 'unanswered'")  # written out, so that the index of these is used
    elif wanted.state not in (None, "open"):
        where.append("i.state = ?")
        values.append(wanted.state)
    for column, value in (("class", wanted.class_), ("elder", wanted.elder)):
        if value is not None:
            where.append(f"i.{column} = ?")
            values.append(value)
    if wanted.elderless:
        where.append("i.elder IS NULL")
    return where, values, is_open or wanted.elder is not None
