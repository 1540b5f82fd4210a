"""What a command asks for, as one line of JSON on the control socket.

Rules of this file: a request holds no secret. Tokens are made and passwords hashed in the command's own process; only
the digest and the hash travel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from callhub.domain.people import Role
from callhub.intake.csv_import import Crs, ImportKind


class TokenKind(StrEnum):
    """Clients that have tokens."""

    GATEWAY = "gateway"
    RESPONDER = "responder"
    API = "api"


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class ImportRequest(_Request):
    """Import a file; ``data`` are its bytes, ``file`` its name for errors."""

    do: Literal["import"] = "import"
    kind: ImportKind
    file: str
    data: bytes
    crs: Crs
    dry_run: bool = False


class TokenRequest(_Request):
    """Keep a new token; ``digest`` is its SHA-256 in hex. ``role`` and ``area`` are for kind ``api``."""

    do: Literal["token"] = "token"
    kind: TokenKind
    id: str
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    role: Role | None = None
    area: str | None = None


class RevokeRequest(_Request):
    """Revoke all tokens of a client and end its links."""

    do: Literal["revoke"] = "revoke"
    kind: TokenKind
    id: str


class UserAddRequest(_Request):
    """Add a console user; ``password`` is an argon2 hash."""

    do: Literal["user_add"] = "user_add"
    name: str
    role: Role
    area: str | None = None
    password: Annotated[str, Field(pattern=r"^\$argon2")]


class UserRemoveRequest(_Request):
    """Remove a console user and end their sessions."""

    do: Literal["user_remove"] = "user_remove"
    name: str


class PoliciesRequest(_Request):
    """Put these ladders in force for new incidents; ``tables`` maps a file's name to its parsed TOML."""

    do: Literal["policies"] = "policies"
    tables: dict[str, dict[str, Any]]
    dry_run: bool = False


Request = ImportRequest | TokenRequest | RevokeRequest | UserAddRequest | UserRemoveRequest | PoliciesRequest

REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="do")])


class Reply(BaseModel):
    """What the command prints: ``lines`` when it went well, else ``message`` with the exit status."""

    model_config = ConfigDict(frozen=True)

    ok: bool
    lines: tuple[str, ...] = ()
    message: str = ""
    status: int = 0
