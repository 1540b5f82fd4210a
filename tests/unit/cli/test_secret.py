"""Secrets: long enough, never kept, and passwords taken from a pipe only."""

import hashlib
import io

import pytest
from argon2 import PasswordHasher

from callhub.cli.secret import hashed, new_password, new_token, piped_password
from callhub.errors import InvalidMessage


def test_a_token_has_256_bits_and_its_digest_is_kept() -> None:
    token, digest = new_token()
    assert len(token) >= 43
    assert digest == hashlib.sha256(token.encode()).hexdigest()
    assert new_token()[0] != token


def test_a_password_is_kept_as_an_argon2_hash() -> None:
    password = new_password()
    assert PasswordHasher().verify(hashed(password), password)
    assert password not in hashed(password)


@pytest.mark.parametrize(("piped", "password"), [("correct horse\n", "correct horse"), ("", None), ("\n", None)])
def test_a_piped_password_is_the_first_line(piped: str, password: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(piped))
    assert piped_password() == password


def test_a_terminal_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO("typed later\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert piped_password() is None


def test_a_short_password_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("1234\n"))
    with pytest.raises(InvalidMessage) as refused:
        piped_password()
    assert "1234" not in refused.value.message
