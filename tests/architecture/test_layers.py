"""The layer table holds, seen by the parser and by import-linter."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.source import LAYERS, Module, modules, pyproject

_HEIGHT = {name: -row for row, names in enumerate(LAYERS) for name in names}


def _fault(module: Module, target: str) -> str | None:
    """Say what is wrong with an import of ``callhub.<target>`` in this module, if anything is."""
    if target not in _HEIGHT:
        # "from callhub import __version__" names no layer; a new layer is caught by its own file's place.
        return None
    if module.layer == "" or target == module.layer:
        return f"the package itself imports {target}; it must stay free of every layer" if module.layer == "" else None
    if _HEIGHT[target] == _HEIGHT[module.layer]:
        return f"{module.layer} and {target} are siblings; let app hand one to the other"
    if _HEIGHT[target] > _HEIGHT[module.layer]:
        return f"{target} lies above {module.layer}; declare a small protocol here and let app inject the object"
    return None


def test_every_top_level_module_has_a_place_in_the_table() -> None:
    strangers = {module.layer for module in modules("callhub")} - set(_HEIGHT) - {""}
    assert not strangers, f"give these a place in LAYERS and in pyproject.toml: {sorted(strangers)}"


def test_a_layer_imports_only_what_lies_below_it() -> None:
    faults = [
        f"{module.place}:{line}: {fault}"
        for module in modules("callhub")
        if module.layer in _HEIGHT or module.layer == ""
        for line, name in module.imports()
        if name.startswith("callhub.") and (fault := _fault(module, name.split(".")[1]))
    ]
    assert not faults, "\n".join(faults)


def test_both_tables_of_layers_are_the_same() -> None:
    (contract,) = (c for c in pyproject()["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    rows = tuple(tuple(part.strip(" ()") for part in row.split("|")) for row in contract["layers"])
    assert rows == LAYERS


def test_import_linter_keeps_its_contracts() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache", "--no-logo"], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
