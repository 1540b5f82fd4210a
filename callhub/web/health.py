"""Whether the server lives, whether it is ready, and its figures; without sign-in."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callhub.metrics import CONTENT_TYPE
from callhub.web.parts import With
from callhub.web.problems import Json

router = APIRouter()


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return Json({"status": "ok"})


@router.get("/readyz")
async def readyz(parts: With) -> Response:
    """200 only after recovery, with both listeners accepting and no deadline missed; says which part is not."""
    checks = {"hub": parts.hub.ready, "links": parts.links_ready(), "auditor": parts.auditor.ok}
    ready = all(checks.values())
    return Json({"status": "ready" if ready else "not_ready", "checks": checks}, 200 if ready else 503)


@router.get("/metrics")
async def metrics(parts: With) -> Response:
    """Figures in the text format of Prometheus."""
    parts.metrics.viewers.set(len(parts.viewers))
    await parts.hub.kpi.show(parts.metrics.kpi)
    return Response(parts.metrics.exposition(), headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})
