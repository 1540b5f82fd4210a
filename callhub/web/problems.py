"""Errors as RFC 9457 problem documents, each with its stable ``code``."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from starlette.responses import Response

from callhub.errors import (
    HTTP_STATUS,
    CallhubError,
    ErrorCode,
    InternalError,
    NotAllowed,
    NotFound,
    Overloaded,
    Refusal,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

    from callhub.domain.decision import Answer

log = structlog.get_logger()

_OWN = frozenset({"type", "title", "status", "detail", "code", "http_status", "message"})


def to_json(value: object) -> bytes:
    """JSON in UTF-8; a lone surrogate (from a raw frame) becomes its escape, which is valid JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        "utf-8", "backslashreplace"
    )


class Json(Response):
    """A JSON answer that no cache keeps."""

    media_type = "application/json"

    def __init__(self, content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(to_json(content), status, {"cache-control": "no-store", **(headers or {})})


def problem(
    code: ErrorCode, status: int, detail: str, extra: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """A problem document; ``extra`` are further members such as ``field`` and ``version``."""
    body = {
        "type": f"urn:callhub:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": str(code),
        **{name: value for name, value in extra.items() if value is not None and name not in _OWN},
    }
    answer = Json(body, status, headers)
    answer.headers["content-type"] = "application/problem+json"
    return answer


def problem_of(answer: Answer) -> Response:
    """The problem document of an answer with a code; its ``http_status`` tells 412 and 428 from 409."""
    code = ErrorCode(answer.code or ErrorCode.INTERNAL)
    status = answer.body.get("http_status", HTTP_STATUS[code])
    return problem(code, int(status), str(answer.body.get("message", code)), answer.body)


async def on_callhub_error(request: Request, error: Exception) -> Response:
    """Answer an error of the tree; what is no refusal is our fault and told without details."""
    assert isinstance(error, CallhubError)
    request.app.state.parts.metrics.refusals.labels(error.code).inc()
    if not isinstance(error, Refusal):
        log.error("request_failed", path=request.url.path, code=str(error.code), error=error.message)
        error = InternalError()
    headers = {}
    if error.code is ErrorCode.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, Overloaded):
        headers["retry-after"] = f"{error.data['retry_after_s']:.0f}"
    extra = {**error.data, "field": error.field}
    return problem(error.code, error.http_status, error.message, extra, headers)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses by itself: no such path, or a method it does not take."""
    status = getattr(error, "status_code", 500)
    if status == HTTPStatus.NOT_FOUND:
        return await on_callhub_error(request, NotFound("resource", request.url.path))
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        refusal = NotAllowed(f"{request.method} {request.url.path}")
        return problem(refusal.code, status, refusal.message, {}, getattr(error, "headers", None))
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem(ErrorCode.INVALID_MESSAGE, status, str(getattr(error, "detail", "")), {})
    return await on_callhub_error(request, InternalError())


async def on_fault(request: Request, error: Exception) -> Response:
    """Answer our own exception."""
    log.error("request_failed", path=request.url.path, exc_info=error)
    return await on_callhub_error(request, InternalError())
