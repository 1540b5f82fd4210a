"""Lists of incidents: a filter as SQL.

Rules of this file: newest first means highest number first. A list of open incidents walks the open ones; a list of an
area that includes ended ones walks ``incident_area``, so that neither grows with the whole history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.domain.incident import ENDED, IncidentState
from callhub.store.sqlite.rows import KEPT

if TYPE_CHECKING:
    from callhub.store.base import Filter

_HIGHEST = 2**62


def listing(wanted: Filter, before: int | None, limit: int) -> tuple[str, list[object]]:
    """The query and its parameters: at most ``limit`` rows of ``KEPT`` with a number under ``before``."""
    start = _HIGHEST if before is None else before
    where, values = ["i.number < ?"], list[object]((start,))
    few = _narrow(wanted, where, values)
    table = "incident i"
    if wanted.area is not None and few:
        outside = " OR i.state = 'unanswered'" if wanted.unanswered_too else ""
        where.append(f"(i.area = '/' OR instr(i.area, ?) > 0{outside})")
        values.append(f"/{wanted.area}/")
    elif wanted.area is not None:
        table, first = _of_area(wanted, start)
        values = [*first, *values]
    columns = ", ".join(f"i.{name}" for name in KEPT.split(", "))
    query = f"SELECT {columns} FROM {table} WHERE {' AND '.join(where)} ORDER BY i.number DESC LIMIT ?"
    return query, [*values, limit]


def _narrow(wanted: Filter, where: list[str], values: list[object]) -> bool:
    """Add the simple conditions; whether they leave few rows: open ones, or those of one elder."""
    few = False
    if wanted.state is not None:
        if wanted.state not in ENDED:
            where.append("i.ended_at IS NULL")
            few = True
        if wanted.state != "open":
            where.append("i.state = ?")
            values.append(wanted.state)
    if wanted.class_ is not None:
        where.append("i.class = ?")
        values.append(wanted.class_)
    if wanted.elder is not None:
        where.append("i.elder = ?")
        values.append(wanted.elder)
        few = True
    return few


def _of_area(wanted: Filter, before: int) -> tuple[str, list[object]]:
    """A table of the incidents an area's user sees, ended ones too, walked from the newest."""
    parts = ["SELECT number FROM incident_area WHERE area = ? AND number < ?"] * 2
    values: list[object] = [wanted.area, before, "", before]
    if wanted.unanswered_too:
        parts.append("SELECT number FROM incident WHERE state = ? AND number < ?")
        values += [IncidentState.UNANSWERED.value, before]
    union = " UNION ".join(parts)
    return f"({union} ORDER BY number DESC) seen JOIN incident i ON i.number = seen.number", values
