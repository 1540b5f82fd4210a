"""How commands are found, and what becomes of an error: one message, the right status, no traceback."""

from pathlib import Path

import pytest

import callhub
from callhub.cli import main


def run(*args: str) -> int:
    """The status with which a command ends the process."""
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"callhub {callhub.__version__}\n"


def test_help_shows_what_there_is_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    listed = [line.split()[0] for line in shown[shown.index("Commands:") :].splitlines()[1:] if line.strip()]
    assert set(listed) >= {
        "demo", "init", "serve", "import", "token", "user", "policy", "press", "check-config", "verify", "lab",
    }  # fmt: skip
    assert not {"simulate", "bench", "backup", "restore", "doctor"} & set(listed)


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["fly"], "fly"),
        (["import", "elders", "x.csv"], "--config"),
        (["import", "-c", "f", "pets", "x.csv"], "pets"),
        (["token", "-c", "f", "api"], "revoke KIND ID"),
        (["token", "-c", "f", "revoke", "api"], "revoke KIND ID"),
        (["token", "-c", "f", "car", "C-1"], "'car' has no tokens"),
        (["token", "-c", "f", "revoke", "car", "C-1"], "'car' has no tokens"),
        (["token", "-c", "f", "gateway", "GW-1", "--role", "admin"], "--role and --area are for api"),
        (["token", "-c", "f", "revoke", "api", "x", "--role", "admin"], "neither --role nor --area"),
        (["user", "-c", "f", "add", "li"], "--role is needed"),
        (["user", "-c", "f", "add", "li", "--role", "king"], "king"),
        (["user", "-c", "f", "remove", "li", "--role", "admin"], "neither --role nor --area"),
        (["user", "-c", "f", "show"], "remove NAME"),
        (["press", "BTN-1", "--url", "http://x", "--token", "t"], "ws://HOST:PORT"),
    ],
)
def test_wrong_usage_is_explained(args: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*args) == 2
    shown = capsys.readouterr()
    assert word in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    "command",
    [
        ["serve"],
        ["verify"],
        ["check-config"],
        ["policy", "apply"],
        ["token", "gateway", "GW-1"],
        ["user", "remove", "x"],
    ],
)
def test_a_missing_configuration_is_named(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*command, "-c", str(tmp_path / "none.toml")) == 2
    assert capsys.readouterr().err.startswith(f"callhub: {tmp_path / 'none.toml'}: cannot be read: No such file")


@pytest.mark.parametrize(("command", "status"), [(["verify"], 1), (["serve"], 1), (["token", "gateway", "GW-1"], 1)])
def test_a_missing_database_is_named(
    command: list[str], status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "callhub.toml"
    config.write_text("")
    assert run(*command, "-c", str(config)) == status
    shown = capsys.readouterr()
    assert shown.err == f"callhub: there is no database {tmp_path / 'callhub.db'}; 'callhub init DIR' makes one\n"
    assert shown.out == ""
    assert not (tmp_path / "callhub.db").exists()


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", "-c", "callhub.toml", "elders", str(tmp_path / "none.csv")) == 2
    assert "none.csv: cannot be read: No such file or directory" in capsys.readouterr().err
