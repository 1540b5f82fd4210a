"""What a start needs to know of supervised devices, read without decoding their records: there may be 200,000."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.domain.people import Supervised
from callhub.store.codec import decode_json, decode_time
from callhub.store.records import NO_MARKS, marks_of, runs_of

if TYPE_CHECKING:
    from collections.abc import Callable

_DEVICES = """
SELECT d.id, json_extract(d.record, '$.heartbeat_s') AS heartbeat_s, json_extract(d.record, '$.gateway'), d.elder,
    json_extract(e.record, '$.area'), s.at, w.at, r.at
FROM device d LEFT JOIN elder e ON e.id = d.elder
    LEFT JOIN seen s ON s.kind = 'device' AND s.id = d.id
    LEFT JOIN seen w ON w.kind = 'watched' AND w.id = d.id
    LEFT JOIN seen r ON r.kind = 'reported.supervision_lost' AND r.id = d.id
WHERE heartbeat_s > 0 AND coalesce(json_extract(d.record, '$.active'), 1) ORDER BY d.id
"""


def read_supervision(query: Callable[..., list[Any]]) -> dict[str, Any]:
    """``supervised``, ``runs`` and ``marks`` of a ``Snapshot``; about 5 us a device.

    Args:
        query: Runs SQL with its values and gives all rows, inside one transaction.
    """
    paths: dict[str | None, tuple[str, ...]] = {None: ()}
    supervised = []
    for id, heartbeat_s, gateway, elder, area, *marks in query(_DEVICES):
        if area not in paths:
            paths[area] = tuple(decode_json(area))
        heard_at, watched_at, lost_at = (None if at is None else decode_time(at) for at in marks)
        supervised.append(Supervised(id, heartbeat_s, gateway, elder, paths[area], heard_at, watched_at, lost_at))
    kinds = ", ".join("?" * len(NO_MARKS))
    rows = query(f"SELECT kind, id, at FROM seen WHERE kind NOT IN ({kinds})", *NO_MARKS)
    seen = {(kind, id): decode_time(at) for kind, id, at in rows}
    return {"supervised": tuple(supervised), "runs": runs_of(seen), "marks": marks_of(seen)}
