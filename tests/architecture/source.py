"""The source as these tests see it: files, modules, their imports and their functions."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# From the top to the bottom; names in one tuple are siblings. The same table as in pyproject.toml, kept twice on
# purpose: one is read by a tool, this one by a test that has no other dependency than the parser of the language.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("demo",),
    ("app",),
    ("lab", "bench"),
    ("web", "links", "intake"),
    ("delivery", "auditor"),
    ("hub", "feed"),
    ("store", "solver"),
    ("dispatch", "protocol"),
    ("domain",),
    ("settings", "logs", "metrics", "clock", "texts"),
    ("errors",),
)
PURE = ("domain", "dispatch", "protocol")

type_of_function = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file of the tree."""

    path: Path

    @property
    def place(self) -> str:
        """Path relative to the root, for messages."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def layer(self) -> str:
        """Name of the top-level module or package below ``callhub``; empty for the package itself."""
        parts = self.path.relative_to(ROOT / "callhub").with_suffix("").parts
        return "" if parts == ("__init__",) else parts[0]

    @cached_property
    def text(self) -> str:
        """The file as it stands."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The file parsed."""
        return ast.parse(self.text, filename=self.place)

    def imports(self) -> Iterator[tuple[int, str]]:
        """Yield (line, dotted name) of everything imported, also inside functions and under TYPE_CHECKING."""
        package = self.path.relative_to(ROOT).with_suffix("").parts
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = list(package[: -node.level]) if node.level else []
                base += node.module.split(".") if node.module else []
                # "from callhub import hub" names the layer only in the alias.
                yield from ((node.lineno, ".".join([*base, alias.name])) for alias in node.names)

    def functions(self) -> Iterator[Function]:
        """Yield every function and method, nested ones too."""
        yield from (node for node in ast.walk(self.tree) if isinstance(node, type_of_function))


def modules(folder: str) -> list[Module]:
    """Return every Python file below ``folder``, in a stable order."""
    return [Module(path) for path in sorted((ROOT / folder).rglob("*.py")) if "node_modules" not in path.parts]


def code_lines(function: Function, text: str) -> int:
    """Count the lines that a reader must follow: no docstring, no blank, no comment, no nested function."""
    skipped: set[int] = set()
    for node in ast.walk(function):
        inner = isinstance(node, type_of_function) and node is not function
        first = function.body[0]
        docstring = node is first and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        if inner or docstring:
            assert isinstance(node, ast.stmt)
            skipped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = text.splitlines()
    body = range(function.lineno, (function.end_lineno or function.lineno) + 1)
    stripped = (lines[number - 1].strip() for number in body if number not in skipped)
    return sum(1 for line in stripped if line and not line.startswith("#"))


def pyproject() -> dict[str, Any]:
    """Return pyproject.toml as data."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
