"""Secrets that are shown once: tokens and passwords."""

from __future__ import annotations

import hashlib
import secrets
import sys

from argon2 import PasswordHasher

from callhub.errors import InvalidMessage

TOKEN_BYTES = 32
PASSWORD_BYTES = 12
"""96 random bits: more than anyone tries through a login, short enough to type once."""
PASSWORD_CHARS_MIN = 8


def new_token() -> tuple[str, str]:
    """A token and the SHA-256 of it in hex, which is all that is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, hashlib.sha256(token.encode()).hexdigest()


def new_password() -> str:
    """A password for a person to keep."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def hashed(password: str) -> str:
    """The argon2 hash of a password; takes about 50 ms and 64 MB on purpose."""
    return PasswordHasher().hash(password)


def piped_password() -> str | None:
    """The first line of standard input when something is piped into it, else None.

    Raises:
        InvalidMessage: It is too short.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return None
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        return None
    if len(password) < PASSWORD_CHARS_MIN:
        raise InvalidMessage("password", f"at least {PASSWORD_CHARS_MIN} characters are needed")
    return password
