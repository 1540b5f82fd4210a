"""Signing in, sessions, bearer tokens, and what each of them may call.

Rules of this file:
1. A session is a token of kind ``session`` in the store, so that it survives a restart; only SHA-256 digests are kept.
2. A bearer token ignores cookies; a write by cookie needs a same-origin ``Origin``.
3. A user's role and area are read from the directory at each request: a change takes effect at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Annotated
from urllib.parse import urlsplit

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from callhub.domain.events import DirectoryUpdated
from callhub.domain.people import ResponderKind, Role
from callhub.errors import InternalError, NotAllowed, Overloaded, Unauthenticated
from callhub.hub import Hub
from callhub.store.base import ENDED_SESSION, DirectoryChange, Token, User
from callhub.web.access import SESSION, Caller
from callhub.web.bodies import Credentials, parse, read_body
from callhub.web.parts import Parts, With
from callhub.web.problems import Json
from callhub.web.views import iso

COOKIE = "callhub_session"
LOGINS_PER_MINUTE = 10
"""Attempts of one address for one name; a person mistypes less often."""
HASHES_AT_ONCE = 2
"""Passwords checked at the same time; argon2 takes 64 MB and some 50 ms of a core each."""
HASHES_WAITING_MAX = 32

log = structlog.get_logger()
router = APIRouter()


class Passwords:
    """Checks passwords in a thread, a bounded number at the same time and per address and name."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._hasher = PasswordHasher()
        self._free = asyncio.Semaphore(HASHES_AT_ONCE)
        self._waiting = 0
        self._tries: dict[tuple[str, str], tuple[int, int]] = {}

    async def check(self, user: User | None, password: str, address: str, name: str) -> bool:
        """Whether ``password`` is the user's; an unknown user costs as much time as a known one.

        Raises:
            Overloaded: Too many attempts, of this address for this name or at the same time.
        """
        self._count(address, name)
        if self._waiting >= HASHES_WAITING_MAX:
            raise Overloaded(1)
        self._waiting += 1
        try:
            async with self._free:
                right = await asyncio.to_thread(self._verify, user, password)
        finally:
            self._waiting -= 1
        if right and user is not None:
            self._tries.pop((address, name), None)
        return right and user is not None

    def _verify(self, user: User | None, password: str) -> bool:
        try:
            return self._hasher.verify(_nobodys_hash() if user is None else user.password, password)
        except (Argon2Error, InvalidHashError):
            return False

    def _count(self, address: str, name: str) -> None:
        minute = int(self._hub.now().timestamp() // 60)
        if len(self._tries) > 10_000:
            self._tries = {who: tries for who, tries in self._tries.items() if tries[0] == minute}
        since, count = self._tries.get((address, name), (minute, 0))
        count = count + 1 if since == minute else 1
        self._tries[(address, name)] = (minute, count)
        if count > LOGINS_PER_MINUTE:
            raise Overloaded(60)


@cache
def _nobodys_hash() -> str:
    return PasswordHasher().hash(secrets.token_urlsafe(16))


def digest_of(token: str) -> str:
    """The SHA-256 of a token, hex: all that is kept of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def identify(request: Request, parts: Parts) -> Caller:
    """Who sent ``request``.

    Raises:
        Unauthenticated: No token, or one that is unknown, revoked or expired.
        NotAllowed: A write by cookie from another origin.
    """
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    by_cookie = not scheme
    secret = request.cookies.get(COOKIE, "") if by_cookie else bearer.strip()
    if not secret or (scheme and scheme.lower() != "bearer"):
        raise Unauthenticated
    digest = digest_of(secret)
    token = parts.store.token(digest)
    if token is None or (by_cookie and token.kind != SESSION):
        raise Unauthenticated
    caller = _caller(parts, token, digest, by_cookie=by_cookie)
    if by_cookie and request.method not in ("GET", "HEAD") and not is_same_origin(request):
        raise NotAllowed("a write by cookie needs an Origin of this server")
    return caller


def _caller(parts: Parts, token: Token, digest: str, *, by_cookie: bool) -> Caller:
    if token.kind != SESSION:
        if token.kind not in ("api", "gateway", "responder"):
            raise Unauthenticated
        role = Role(token.role or Role.VIEWER) if token.kind == "api" else None
        return Caller(token.kind, token.id, role, token.area, digest)
    if token.created_at + timedelta(seconds=parts.settings.web.session_s) <= parts.hub.now():
        raise Unauthenticated("the session has expired; sign in again")
    user = parts.store.user(token.id)
    if user is None:
        raise Unauthenticated
    return Caller(SESSION, user.name, Role(user.role), user.area, digest, by_cookie)


def is_same_origin(request: Request) -> bool:
    """Whether ``Origin`` names this server as the caller addressed it."""
    origin = urlsplit(request.headers.get("origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc.lower() == request.headers.get("host", "").lower()


# Coroutines, though they await nothing: FastAPI runs plain functions in threads, and the store is read from one.
async def any_client(request: Request, parts: With) -> Caller:
    """Anybody with a token or session."""
    return identify(request, parts)


async def reader(caller: Annotated[Caller, Depends(any_client)]) -> Caller:
    """A signed-in user or an ``api`` token, of any role."""
    if caller.role is None:
        raise NotAllowed(f"a {caller.kind} token may not read this")
    return caller


async def beholder(caller: Annotated[Caller, Depends(any_client)], parts: With) -> Caller:
    """A reader, or a department, which sees the incidents it is called to and nothing else."""
    if caller.kind == "responder":
        record = parts.store.person("responders", caller.id)
        if record is not None and record.kind is ResponderKind.DEPARTMENT and record.active:
            return caller
    return await reader(caller)


async def writer(caller: Annotated[Caller, Depends(reader)]) -> Caller:
    """An operator or above."""
    if not caller.has(Role.OPERATOR):
        raise NotAllowed("this needs the role operator")
    return caller


AnyClient = Annotated[Caller, Depends(any_client)]
Reader = Annotated[Caller, Depends(reader)]
Beholder = Annotated[Caller, Depends(beholder)]
Writer = Annotated[Caller, Depends(writer)]


@router.post("/login")
async def login(request: Request, parts: With) -> Response:
    """Sign in: a session cookie for a browser, and the same session as a bearer token for programs."""
    if "origin" in request.headers and not is_same_origin(request):
        raise NotAllowed("signing in needs an Origin of this server")
    said = parse(Credentials, await read_body(request, parts.settings.web.body_bytes_max))
    user = parts.store.user(said.user)
    address = request.client.host if request.client else ""
    passwords: Passwords = request.app.state.passwords
    if not await passwords.check(user, said.password, address, said.user) or user is None:
        log.info("login_refused", address=address)
        raise Unauthenticated("wrong user or password")
    secret = secrets.token_urlsafe(32)
    now = parts.hub.now()
    await _store_token(parts, Token(digest_of(secret), SESSION, user.name, user.role, user.area, now), user)
    expires_at = now + timedelta(seconds=parts.settings.web.session_s)
    answer = Json({**_about(user.name, user.role, user.area), "token": secret, "expires_at": iso(expires_at)})
    answer.set_cookie(COOKIE, secret, httponly=True, samesite="strict", path="/", secure=_is_secure(request, parts))
    return answer


@router.post("/logout")
async def logout(request: Request, parts: With, caller: AnyClient) -> Response:
    """End this session; other sessions of the same user go on."""
    token = parts.store.token(caller.digest)
    user = parts.store.user(caller.id)
    if caller.kind == SESSION and token is not None and user is not None:
        await _store_token(parts, replace(token, kind=ENDED_SESSION), user)
        parts.viewers.end_session(caller.digest)
    answer = Json({"ok": True})
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/", secure=_is_secure(request, parts))
    return answer


@router.get("/session")
async def session(parts: With, caller: Reader) -> Response:
    """Who is signed in, with role and area, and engine time, by which a console counts down."""
    return Json({**_about(caller.id, str(caller.role), caller.area), "now": iso(parts.hub.now())})


@router.post("/tickets")
async def ticket(parts: With, caller: AnyClient) -> Response:
    """A one-use ticket for the caller's own link, worth something for 30 s."""
    if caller.kind not in ("gateway", "responder"):
        raise NotAllowed("tickets are for the links of gateways and responders")
    return Json({"ticket": parts.tickets.issue(caller.kind, caller.id, caller.digest), "expires_in_s": 30})


def _about(name: str, role: str, area: str | None) -> dict[str, str | None]:
    return {"user": name, "role": role, "area": area}


def _is_secure(request: Request, parts: Parts) -> bool:
    return request.url.scheme == "https" or parts.settings.web.secure_cookies


async def _store_token(parts: Parts, token: Token, user: User) -> None:
    actor = Caller(SESSION, user.name, Role(user.role), user.area, token.digest).actor
    change = DirectoryChange(tokens=(token,))
    event = DirectoryUpdated(id=parts.hub.new_id(), actor=actor, what="session", counts={"tokens": 1}, change=change)
    answer = await parts.hub.submit(event)
    if answer.code is not None:
        log.error("session_not_stored", code=answer.code)
        raise InternalError
