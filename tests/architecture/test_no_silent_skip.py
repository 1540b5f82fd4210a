"""Goal: a skip cannot hide on the machine that decides. Method: run the real conftest over small test files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

_FILES = {
    "marked": "import pytest\n@pytest.mark.skip(reason='no browser')\ndef test_it(): pass\n",
    "called": "import pytest\ndef test_it(): pytest.skip('no browser')\n",
    "module": "import pytest\npytest.skip('no browser', allow_module_level=True)\n",
    "expected": "import pytest\n@pytest.mark.xfail(reason='no browser')\ndef test_it(): assert False\n",
}


def _run(folder: Path, text: str, ci: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "conftest.py")
    (folder / "test_small.py").write_text(text, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    environment = {**os.environ, "CI": ci}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("form", ["marked", "called", "module"])
def test_a_skip_fails_under_ci_and_says_why(tmp_path: Path, form: str) -> None:
    done = _run(tmp_path, _FILES[form], ci="true")
    assert done.returncode != 0
    assert "nothing is skipped under CI=true" in done.stdout
    assert "no browser" in done.stdout


def test_a_skip_is_fine_at_home(tmp_path: Path) -> None:
    assert _run(tmp_path, _FILES["called"], ci="").returncode == 0


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert _run(tmp_path, _FILES["expected"], ci="true").returncode == 0
