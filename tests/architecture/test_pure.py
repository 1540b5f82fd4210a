"""The pure layers decide from their arguments alone: no input or output, no clock, no chance."""

import ast

import pytest

from tests.architecture.source import PURE, Module, modules

_BANNED_MODULES = {
    "aiosqlite", "asyncio", "concurrent", "fastapi", "http", "logging", "multiprocessing", "os", "pathlib",
    "random", "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "starlette",
    "structlog", "subprocess", "tempfile", "threading", "time", "urllib", "uvicorn", "websockets",
}  # fmt: skip
_BANNED_METHODS = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid6", "uuid7"}
_BANNED_FUNCTIONS = _BANNED_METHODS | {"open", "input", "print"}  # a case may well have a method that opens it


def _pure_modules() -> list[Module]:
    return [module for layer in PURE for module in modules(f"callhub/{layer}")]


@pytest.mark.parametrize("layer", PURE)
def test_a_pure_layer_imports_no_world(layer: str) -> None:
    faults = [
        f"{module.place}:{line}: a pure layer may not import {name}"
        for module in modules(f"callhub/{layer}")
        for line, name in module.imports()
        if name.split(".")[0] in _BANNED_MODULES
    ]
    assert not faults, "\n".join(faults)


def _banned_call(node: ast.AST) -> str | None:
    """Name the call if it reads a clock, makes an id or touches the world."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) if name in _BANNED_METHODS:
            return name
        case ast.Call(func=ast.Name(id=name)) if name in _BANNED_FUNCTIONS:
            return name
    return None


def test_a_pure_layer_reads_no_clock_and_makes_no_id() -> None:
    faults = [
        f"{module.place}:{getattr(node, 'lineno', 0)}: {name}() reads the world; take it as an argument"
        for module in _pure_modules()
        for node in ast.walk(module.tree)
        if (name := _banned_call(node))
    ]
    assert not faults, "\n".join(faults)


def test_a_pure_layer_has_no_coroutine() -> None:
    faults = [
        f"{module.place}:{node.lineno}: a pure function does not wait"
        for module in _pure_modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
    ]
    assert not faults, "\n".join(faults)
