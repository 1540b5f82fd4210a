"""What is released agrees with itself: versions, dependencies, constraints."""

import re

import callhub
from tests.architecture.source import ROOT, pyproject

_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+")


def _normal(name: str) -> str:
    """Return a distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _constraints() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_package_project_and_changelog_name_one_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(r"^## (\d+\.\d+\.\d+)", changelog, flags=re.MULTILINE)
    assert heading, "CHANGELOG.md has no heading like '## 1.2.3'"
    assert callhub.__version__ == pyproject()["project"]["version"] == heading[1]


def test_constraints_are_exact_versions_and_nothing_else() -> None:
    wrong = [line for line in _constraints() if not _PINNED.fullmatch(line)]
    assert not wrong, f"only name==version belongs here: {wrong}"


def test_every_dependency_is_constrained() -> None:
    project = pyproject()["project"]
    wanted = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    pinned = {_normal(line.split("==")[0]) for line in _constraints()}
    missing = [item for item in wanted if _normal(re.split(r"[<>=!~\[; ]", item, maxsplit=1)[0]) not in pinned]
    assert not missing, f"add a version to constraints.txt: {missing}"
