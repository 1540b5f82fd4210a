"""List items as the server's REST API and stream give them, for the demo's console side."""

from __future__ import annotations

from typing import Any

OPENED = "2026-11-24T05:00:00Z"


def item(number: int = 1, **fields: Any) -> dict[str, Any]:
    """An emergency press that is looking for somebody."""
    return {
        "id": f"i-{number}",
        "number": number,
        "version": 1,
        "class": "emergency",
        "kind": "sos",
        "source": "device",
        "state": "seeking",
        "step": 0,
        "owner": None,
        "desk_call": None,
        "place": ["河西区", "大营门街道", "富源里社区", "第3网格"],
        "next_deadline": None,
        "offers": [],
        "assignments": [],
        **fields,
    }


def offer(id: str, name: str, **fields: Any) -> dict[str, Any]:
    """An open offer to a volunteer."""
    return {"id": id, "responder": f"V-{id}", "name": name, "kind": "volunteer", "state": "open", **fields}


def assignment(id: str, name: str, **fields: Any) -> dict[str, Any]:
    """Somebody who just said yes and is expected in 240 s."""
    return {
        "id": id,
        "responder": f"V-{id}",
        "name": name,
        "kind": "volunteer",
        "state": "assigned",
        "assigned_at": OPENED,
        "on_scene_at": None,
        "eta_s": 240,
        "late": False,
        "outcome": None,
        **fields,
    }
