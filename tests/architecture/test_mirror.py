"""Tests mirror the source, and the catalogues mirror each other."""

import json

import pytest

from tests.architecture.source import PURE, ROOT, modules

_CATALOGUE = ROOT / "callhub" / "catalogue"


@pytest.mark.parametrize("layer", PURE)
def test_every_pure_module_has_its_own_tests(layer: str) -> None:
    missing = []
    for module in modules(f"callhub/{layer}"):
        inside = module.path.relative_to(ROOT / "callhub")
        if inside.name == "__init__.py":
            continue
        folder = ROOT / "tests" / "unit" / inside.parent
        if not (folder / f"test_{inside.stem}.py").exists() and not list(folder.glob(f"test_{inside.stem}_*.py")):
            missing.append(f"{module.place}: no tests/unit/{inside.parent}/test_{inside.stem}.py")
    assert not missing, "\n".join(missing)


def test_every_language_has_the_same_texts() -> None:
    languages = {path.stem: set(json.loads(path.read_text(encoding="utf-8"))) for path in _CATALOGUE.glob("*.json")}
    assert {"en", "zh-CN"} <= set(languages)
    every = set().union(*languages.values())
    missing = {language: sorted(every - keys) for language, keys in languages.items() if every - keys}
    assert not missing, f"texts missing in a language: {missing}"
