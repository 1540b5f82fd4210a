"""The source stays small, named and explained."""

import ast
import re

import pytest

from tests.architecture.source import ROOT, Module, code_lines, modules, type_of_function

_LINES_MAX = {"callhub": 400, "tests": 600}
_FUNCTION_LINES_MAX = 60
_BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"}
# Spelled in halves, or this file would find itself.
_BANNED_WORDS = ("TO" + "DO", "FIX" + "ME", "XX" + "X:")
_TEXT_SUFFIXES = {".py", ".md", ".toml", ".json", ".html", ".js", ".css", ".sql", ".csv", ".txt", ".yaml", ".sh"}
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
_PROSE = ("callhub", "config", "docs", "tests")


@pytest.mark.parametrize("folder", _LINES_MAX)
def test_no_file_is_too_long(folder: str) -> None:
    limit = _LINES_MAX[folder]
    long = {module.place: n for module in modules(folder) if (n := len(module.text.splitlines())) > limit}
    assert not long, f"over {limit} lines, split by concept: {long}"


@pytest.mark.parametrize("folder", _LINES_MAX)
def test_no_function_is_too_long(folder: str) -> None:
    faults = [
        f"{module.place}:{function.lineno}: {function.name} has {n} lines of code, over {_FUNCTION_LINES_MAX}"
        for module in modules(folder)
        for function in module.functions()
        if (n := code_lines(function, module.text)) > _FUNCTION_LINES_MAX
    ]
    assert not faults, "\n".join(faults)


def test_no_name_that_says_nothing() -> None:
    faults = [
        module.place
        for folder in _LINES_MAX
        for module in modules(folder)
        if _BANNED_NAMES & set(module.path.relative_to(ROOT).with_suffix("").parts)
    ]
    assert not faults, f"name these by what they hold: {faults}"


def test_no_work_is_left_in_a_comment() -> None:
    files = [path for folder in _PROSE for path in sorted((ROOT / folder).rglob("*")) if path.suffix in _TEXT_SUFFIXES]
    files += [path for path in sorted(ROOT.iterdir()) if path.suffix in _TEXT_SUFFIXES]
    faults = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in files
        if "node_modules" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for word in _BANNED_WORDS
        if word in line
    ]
    assert not faults, "\n".join(faults)


def test_what_is_logged_is_named_by_a_code() -> None:
    named = [
        (f"{module.place}:{node.lineno}", str(node.args[0].value))
        for module in modules("callhub")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _LEVELS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    assert len(named) > 20
    assert not [each for each in named if not re.fullmatch(r"[a-z]+(_[a-z]+)*", each[1])]


def _undocumented(module: Module) -> list[str]:
    """Name what a reader may use and finds no docstring on: the module, public classes, functions and methods."""
    missing = [] if ast.get_docstring(module.tree) else [f"{module.place}:1: the module"]
    scopes: list[ast.Module | ast.ClassDef] = [module.tree]
    while scopes:
        for node in scopes.pop().body:
            if not isinstance(node, (ast.ClassDef, *type_of_function)) or node.name.startswith("_"):
                continue
            marks = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
            if not ast.get_docstring(node) and not marks & {"overload", "override"}:
                missing.append(f"{module.place}:{node.lineno}: {node.name}")
            if isinstance(node, ast.ClassDef):
                scopes.append(node)
    return missing


def test_everything_public_says_what_it_is_for() -> None:
    missing = [fault for module in modules("callhub") for fault in _undocumented(module)]
    assert not missing, "without a docstring:\n" + "\n".join(missing)
