"""The homes that a gap may concern, most at risk first: one query over devices, elders and their incidents.

Rules of this file: a record that cannot be read is in, not out: somebody lives there. So no value here is taken for
JSON before it is known to be.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from callhub.domain.roll_call import RISKY_DAYS, Listed
from callhub.store.codec import encode_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from callhub.domain.roll_call import Gap


def _value(of: str, path: str, spoilt: str) -> str:
    text = f"CAST({of} AS TEXT)"
    return f"CASE WHEN json_valid({text}) THEN json_extract({text}, '{path}') ELSE {spoilt} END"


_ACTIVE = f"coalesce({_value('{0}.record', '$.active', '1')}, 1)"
_HOMES = f"""
WITH home AS (
    SELECT d.elder AS id, max(coalesce(s.at, 0)) AS heard_at
    FROM device d LEFT JOIN seen s ON s.kind = 'device' AND s.id = d.id
    WHERE d.elder IS NOT NULL AND {_ACTIVE.format("d")}
        AND (:gateway IS NULL OR {_value("d.record", "$.gateway", ":gateway")} = :gateway)
    GROUP BY d.elder
)
SELECT h.id,
    (SELECT max({_value("i.document", "$.opened_at", "NULL")}) FROM incident i
        WHERE i.elder = h.id AND i.class = 'emergency' AND coalesce(i.ended_at, :until) >= :until) AS pressed_at
FROM home h JOIN elder e ON e.id = h.id
WHERE {_ACTIVE.format("e")}
    AND (:area IS NULL OR instr({_value("e.record", "$.area", ":area_text")}, :area_text) > 0)
ORDER BY h.heard_at > :until,
    NOT EXISTS (SELECT 1 FROM incident i WHERE i.elder = h.id AND i.class = 'emergency'
        AND coalesce(i.ended_at, :until) >= :risky),
    coalesce({_value("e.record", "$.paired", "'[]'")}, '[]') <> '[]',
    h.id
"""


def read_homes(query: Callable[..., list[Any]], gap: Gap) -> Listed:
    """The homes of active elders with an active device in the gap; about 15 us a device of the installation.

    Args:
        query: Runs SQL with its values and gives all rows.
        gap: Where and when.
    """
    values = {
        "gateway": gap.gateway,
        "area": gap.area,
        "area_text": f'"{gap.area}"',
        "until": encode_time(gap.until),
        "risky": encode_time(gap.until - timedelta(days=RISKY_DAYS)),
    }
    waiting: list[str] = []
    pressed: list[str] = []
    for id, pressed_at in query(_HOMES, values):
        (pressed if _is_since(pressed_at, gap.until) else waiting).append(id)
    return Listed(tuple(waiting), tuple(pressed))


def _is_since(at: object, until: datetime) -> bool:
    """Whether a time as it stands in a document is not before ``until``; what is no time is not."""
    try:
        return isinstance(at, str) and datetime.fromisoformat(at) >= until
    except (ValueError, TypeError):  # spoilt on disk; or without a zone
        return False
