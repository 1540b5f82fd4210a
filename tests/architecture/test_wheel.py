"""Goal: an installed callhub has all that a checkout has. Method: build the wheel and compare the lists of files."""

import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from tests.architecture.source import ROOT

_SHIPPED = {".py", ".json", ".html", ".js", ".css", ".sql", ".toml", ".csv", ".typed"}


def _expected(folder: str, prefix: str) -> set[str]:
    top = ROOT / folder
    return {
        f"{prefix}/{path.relative_to(top).as_posix()}"
        for path in top.rglob("*")
        if path.suffix in _SHIPPED or path.name == "py.typed"
    }


def test_the_wheel_holds_code_data_and_configuration(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    missing = (_expected("callhub", "callhub") | _expected("config", "callhub/config")) - shipped
    assert not missing, f"not in the wheel: {sorted(missing)}"
