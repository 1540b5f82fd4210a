"""``callhub check-config``: every value with its origin, every ladder on paper."""

import shutil
from pathlib import Path

import pytest

from callhub.settings import shipped
from tests.unit.cli.test_commands import run


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    shutil.copytree(shipped() / "policies", tmp_path / "policies")
    (tmp_path / "callhub.toml").write_text("[links]\nport = 9000\n")
    return tmp_path


def test_values_are_shown_with_their_origin(
    ward: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CALLHUB_WEB__PORT", "9001")
    config = str(ward / "callhub.toml")
    assert run("check-config", "-c", config) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["links.port", "9000", config] in rows
    assert ["web.port", "9001", "environment", "CALLHUB_WEB__PORT"] in rows
    assert ["links.host", '"127.0.0.1"', "default"] in rows


@pytest.mark.parametrize(("language", "word"), [("en", "if nobody answers"), ("zh-CN", "如果无人应答")])
def test_each_ladder_is_played_on_paper(
    language: str, word: str, ward: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check-config", "-c", str(ward / "callhub.toml"), "--language", language) == 0
    shown = capsys.readouterr().out
    assert shown.lower().count(word) == len(list((ward / "policies").glob("*.toml")))
    assert "paper." not in shown  # a code without its text


@pytest.mark.parametrize(("language", "word"), [("en", "for fall, only 06:00-22:00"), ("zh-CN", "只在 06:00-22:00")])
def test_a_ladder_says_which_kinds_it_is_for_and_at_which_hours(
    language: str, word: str, ward: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ("check-config", "-c", str(ward / "callhub.toml"), "--language", language)
    assert run(*args) == 0
    shown = capsys.readouterr().out
    assert "meal\n" in shown
    assert word not in shown

    shutil.copy(ward / "policies" / "examples" / "fall.toml", ward / "policies" / "fall.toml")
    assert run(*args) == 0
    assert word in capsys.readouterr().out


def test_shipped_steps_read_in_the_reader_s_language_and_own_ones_as_written(
    ward: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emergency = ward / "policies" / "emergency.toml"
    emergency.write_text(emergency.read_text().replace('"wider circle"', '"wider Circle of ours"'))
    for language in ("zh-CN", "en"):
        assert run("check-config", "-c", str(ward / "callhub.toml"), "--language", language) == 0
    chinese, english = capsys.readouterr().out.split("emergency: if nobody answers")
    assert "邻里" in chinese
    assert "neighbours" not in chinese
    assert "neighbours:" in english
    assert "wider Circle of ours" in chinese
    assert "wider Circle of ours" in english


def test_a_slip_in_a_ladder_is_named(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    emergency = ward / "policies" / "emergency.toml"
    emergency.write_text(emergency.read_text().replace("needed = 1", "need = 1"))
    assert run("check-config", "-c", str(ward / "callhub.toml")) == 2
    assert capsys.readouterr().err.startswith(f"callhub: {emergency}: need: unknown key")


def test_no_ladder_at_all_is_named(ward: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(ward / "policies")
    assert run("check-config", "-c", str(ward / "callhub.toml")) == 2
    assert f"{ward / 'policies'}: there is no *.toml file" in capsys.readouterr().err


@pytest.mark.parametrize(("language", "word"), [("en", "warning: the kind smoke"), ("zh-CN", "类型 smoke")])
def test_a_kind_without_a_ladder_of_its_own_is_a_warning(
    language: str, word: str, ward: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ("check-config", "-c", str(ward / "callhub.toml"), "--language", language)
    assert run(*args) == 0
    assert word not in capsys.readouterr().out

    for file in (ward / "policies").glob("*.toml"):
        if '"smoke"' in file.read_text():
            file.unlink()

    assert run(*args) == 0
    shown = capsys.readouterr().out.splitlines()
    assert sum(word in line for line in shown) == 1
    assert "emergency" in next(line for line in shown if word in line)
