"""``callhub lab``: the same seed, the same bytes; and mistakes explained before minutes of work."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_commands import run
from tests.unit.lab.builders import EMERGENCY, policy_file

SMALL = ("lab", "--incidents", "8", "--density", "5")


def output(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert run(*args) == 0
    return capsys.readouterr().out


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    first, again = (output(capsys, *SMALL, "--seed", "7", "--json") for _ in range(2))
    assert first == again
    assert first != output(capsys, *SMALL, "--seed", "8", "--json")
    assert len(json.loads(first)["rows"]) == 5


def test_a_ladder_of_one_s_own_stands_beside_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = policy_file(tmp_path, "mine", fan_out="2", fan_out_max="2")
    shown = output(capsys, *SMALL, "--policy", str(mine))
    assert "mine" in shown
    assert "one_at_a_time" in shown
    assert "…" not in shown


def test_a_plot_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output(capsys, *SMALL, "--plot", str(tmp_path / "lab.png"))
    assert (tmp_path / "lab.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["--density", "5,many"], "no list of numbers"),
        (["--density", "0"], "not above 0"),
        (["--density", "nan"], "not above 0"),
        (["--density", "9999"], "at most 1000"),
        (["--incidents", "0"], "--incidents"),
        (["--policy", "nowhere.toml"], "cannot be read"),
        (["--replay", "x.db"], "needs --policy"),
        (["--replay", "nowhere.db", "--policy", str(EMERGENCY)], "nowhere.db"),
        (["--plot", "lab.svg"], ".png"),
    ],
)
def test_mistakes_are_explained(args: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("lab", *args) in (1, 2)
    shown = capsys.readouterr()
    assert word in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_a_file_named_like_a_ladder_of_the_table_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("lab", "--policy", str(policy_file(tmp_path, "default"))) == 2
    assert "another one" in capsys.readouterr().err


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.toml").write_text("[[[")
    assert run("lab", "--policy", str(tmp_path / "mine.toml")) == 2
    assert "is no TOML" in capsys.readouterr().err
