"""Goal: the demo never fights over a port, and says what it does. Method: take ports first."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from callhub.demo.run import Demo
from callhub.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def demo(out: io.StringIO) -> Demo:
    return Demo(Console(file=out), "en", seconds=None, seed=1, speed=20)


def test_a_default_port_that_is_taken_is_replaced_and_that_is_said(demo: Demo, out: io.StringIO, taken: int) -> None:
    assert demo.port("web", None, taken) == 0
    assert f"port {taken} is taken" in out.getvalue()


def test_a_port_that_was_named_is_never_replaced(demo: Demo, out: io.StringIO, taken: int) -> None:
    with pytest.raises(ConfigError, match=f"--http-port.*{taken}"):
        demo.port("web", taken, 8700)
    assert out.getvalue() == ""


def test_a_free_port_is_taken_as_it_is(demo: Demo, out: io.StringIO, taken: int) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        free = holder.getsockname()[1]
    assert demo.port("links", None, free) == free
    assert demo.port("links", free, taken) == free
    assert demo.port("links", 0, taken) == 0
    assert out.getvalue() == ""
