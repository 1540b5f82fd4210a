"""Settings: defaults, file, environment and command line, and a clear word about what is wrong."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from callhub.errors import ConfigError
from callhub.settings import DEFAULT, Effective, Settings, effective, load_settings

SHIPPED = Path(__file__).parents[2] / "config" / "callhub.toml"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CALLHUB_")]:
        monkeypatch.delenv(name)


def written(folder: Path, text: str) -> Path:
    file = folder / "callhub.toml"
    file.write_text(text, encoding="utf-8")
    return file


def origins(settings: Settings) -> dict[str, Effective]:
    return {line.key: line for line in effective(settings)}


def test_the_shipped_file_is_complete_and_says_the_defaults() -> None:
    def plain(value: object) -> object:
        return list(value) if isinstance(value, tuple) else value

    said = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    defaults = Settings().model_dump()
    assert list(said)[:3] == ["links", "web", "store"]
    assert said == {name: {k: plain(v) for k, v in section.items()} for name, section in defaults.items()}


def test_the_shipped_file_explains_every_key() -> None:
    settings = SHIPPED.read_text(encoding="utf-8").partition("[dispatch.speed_m_s]")[0].splitlines()
    bare = [line for line in settings if " = " in line and "  # " not in line]
    assert not bare


def test_defaults_without_file_and_environment() -> None:
    settings = load_settings()
    assert settings == Settings()
    assert (settings.links.host, settings.links.port, settings.web.port) == ("127.0.0.1", 8701, 8700)
    assert settings.place.zone.key == "Asia/Shanghai"
    assert settings.database == Path.cwd() / "callhub.db"
    assert {line.origin for line in effective(settings)} == {DEFAULT}


def test_file_then_environment_then_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(
        tmp_path,
        '[links]\nhost = "::1"\nport = 1\nopen_timeout_s = 7\n[dispatch.speed_m_s]\nvolunteer = 1.1\n',
    )
    monkeypatch.setenv("CALLHUB_LINKS__PORT", "2")
    monkeypatch.setenv("CALLHUB_LINKS__OPEN_TIMEOUT_S", "8")
    monkeypatch.setenv("CALLHUB_LINKS__ORIGINS", '["https://a.example"]')
    monkeypatch.setenv("CALLHUB_DISPATCH__SPEED_M_S__CAREGIVER", "1.2")
    settings = load_settings(file, {"links": {"port": 3}})
    assert (settings.links.host, settings.links.open_timeout_s, settings.links.port) == ("::1", 8, 3)
    assert settings.links.origins == ("https://a.example",)
    speeds = settings.dispatch.speed_m_s
    assert (speeds.volunteer, speeds.caregiver, speeds.grid_worker) == (1.1, 1.2, 1.8)
    lines = origins(settings)
    assert lines["links.host"] == ("links.host", "::1", str(file))
    assert lines["links.open_timeout_s"].origin == "environment CALLHUB_LINKS__OPEN_TIMEOUT_S"
    assert lines["links.port"].origin == "command line"
    assert lines["dispatch.speed_m_s.caregiver"].origin == "environment CALLHUB_DISPATCH__SPEED_M_S__CAREGIVER"
    assert lines["web.port"].origin == DEFAULT


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, '[store]\nurl = "sqlite:///data/hub.db"\n[policies]\ndir = "ladders"\n')
    monkeypatch.chdir(tmp_path.parent)
    settings = load_settings(file.relative_to(tmp_path.parent))
    assert settings.database == tmp_path / "data" / "hub.db"
    assert settings.policies_dir == tmp_path / "ladders"
    flags = {"store": {"url": "sqlite:////var/hub.db"}, "place": {"timezone": "Europe/Berlin"}}
    absolute = load_settings(file, flags)
    assert absolute.database == Path("/var/hub.db")
    assert absolute.place.zone.key == "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("[links]\nprot = 1\n", "links.prot", "unknown key; known here are host, port"),
        ("[link]\nport = 1\n", "link", "unknown key; known here are links, web, store"),
        ("[dispatch.speed_m_s]\ncat = 1\n", "dispatch.speed_m_s.cat", "unknown key; known here are volunteer"),
        ("[links]\nport = 70000\n", "links.port", "less than or equal to 65535, not 70000"),
        ("[links]\nport = true\n", "links.port", "true and false do not fit here"),
        ('[links]\norigins = ["a", 5]\n', "links.origins.1", "valid string"),
        ("[links]\nopen_timeout_s = nan\n", "links.open_timeout_s", "less than or equal to"),
        ('[store]\nurl = "mysql://x/y"\n', "store.url", "write sqlite:///callhub.db"),
        ('[place]\ntimezone = "Mars/Base"\n', "place.timezone", "no such time zone"),
        ('[place]\nlanguage = "fr"\n', "place.language", "'zh-CN' or 'en'"),
        ("links = 5\n", "links", "valid dictionary"),
        ("[supervision]\nlow_battery = 0.3\n", "supervision.battery_well", "above low_battery, which is 0.3, not 0.3"),
        ("[supervision]\nlow_battery = 2\n", "supervision.low_battery", "less than 1, not 2"),
        ("[supervision]\nbattery_well = 0.1\n", "supervision.battery_well", "above low_battery, which is 0.2"),
        ("[supervision]\narea_devices_min = 1\n", "supervision.area_devices_min", "greater than or equal to 2"),
        ("[links]\nping_interval_s = 20\n", "links.ping_timeout_s", "which is 20, it must be 30 at most"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(tmp_path: Path, text: str, key: str, says: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError, match=says) as caught:
        load_settings(file)
    assert caught.value.message.startswith(f"{file}: {key}: ")


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CALLHUB_WEB__PORT", "high")
    with pytest.raises(ConfigError, match=r"^environment CALLHUB_WEB__PORT: web\.port: .*valid integer"):
        load_settings(written(tmp_path, "[web]\nport = 1\n"))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CALLHUB_LINK__PORT", "1", "there is no section link; sections are links, web"),
        ("CALLHUB_LINKS__PROT", "1", "unknown key"),
        ("CALLHUB_LINKS", "no json", "lists are written as JSON"),
    ],
)
def test_an_unknown_variable_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=says):
        load_settings()


def test_other_variables_of_callhub_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLHUB_TOKEN", "t")
    monkeypatch.setenv("HUB_LINKS__PORT", "1")
    assert load_settings() == Settings()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        load_settings(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="is no TOML"):
        load_settings(written(tmp_path, "[links\n"))
    (tmp_path / "gb.toml").write_bytes("# 河西".encode("gb18030"))
    with pytest.raises(ConfigError, match="is no TOML"):
        load_settings(tmp_path / "gb.toml")
