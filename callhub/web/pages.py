"""The live page and the texts it shows.

Rules of this file: static files only, all of our own, under a content policy without inline code and without any
other origin.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from callhub.errors import NotFound
from callhub.texts import LANGUAGES, catalogue
from callhub.web.parts import With
from callhub.web.problems import to_json

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_FOLDER = Path(__file__).with_name("page")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}

router = APIRouter()


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Every file of the page by name, with its content type; read once."""
    found = (path for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES)
    return {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in found}


@router.get("/")
async def index(request: Request, parts: With) -> Response:
    """The live page, first in the language of the installation."""
    content, content_type = _files()["index.html"]
    content = content.replace(b'lang="zh-CN"', f'lang="{parts.settings.place.language}"'.encode(), 1)
    return _tagged(request, content, content_type, CONTENT_POLICY)


@router.get("/page/{name}")
async def page_file(request: Request, name: str) -> Response:
    """A file of the page."""
    if name not in _files():
        raise NotFound("page", name)
    return _tagged(request, *_files()[name])


@router.get("/catalogue/{name}")
async def texts(request: Request, name: str) -> Response:
    """All texts of a language: ``zh-CN.json`` or ``en.json``."""
    language = name.removesuffix(".json")
    if language not in LANGUAGES or not name.endswith(".json"):
        raise NotFound("catalogue", name)
    return _tagged(request, to_json(dict(catalogue(language))), "application/json")


def _tagged(request: Request, content: bytes, content_type: str, policy: str = "default-src 'none'") -> Response:
    """The content with an ETag: a browser asks each time and gets it only when it changed."""
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache", "content-security-policy": policy}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers={**headers, "content-type": content_type})
