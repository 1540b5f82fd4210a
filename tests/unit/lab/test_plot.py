"""The picture, and what is said when it cannot be drawn."""

from pathlib import Path

import pytest

from callhub.errors import ConfigError
from callhub.lab import plot
from tests.unit.lab.test_table import ROWS

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_png_is_written(tmp_path: Path) -> None:
    file = tmp_path / "lab.png"
    plot.check_plot(file)
    plot.draw(ROWS, file)
    assert file.read_bytes().startswith(PNG)
    assert file.stat().st_size > 5000


def test_without_matplotlib_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"\.\[lab\]"):
        plot.check_plot(tmp_path / "lab.png")


def test_other_formats_and_missing_folders_are_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not end with \.png"):
        plot.check_plot(tmp_path / "lab.svg")
    with pytest.raises(ConfigError, match="there is no folder"):
        plot.check_plot(tmp_path / "no" / "lab.png")
