"""Configuration: one TOML file, then the environment over it.

Rules of this file:
1. Every key has a default and says its unit in its name (``_s``, ``_m``, ``_max``); ``config/callhub.toml`` shows them
   all with these defaults, which a test holds.
2. Precedence: default < file < environment (``CALLHUB_LINKS__PORT``) < what a command line says.
3. Unknown keys are refused, also in the environment; an error names the place and what to write instead.
4. No key holds a secret. One that ever must is read from the environment or from a file named by ``*_file`` only.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from callhub.errors import ConfigError

PREFIX = "CALLHUB_"
SEPARATOR = "__"
DEFAULT = "default"
DEAD_LINK_S_MAX = 30
"""A dead link must be noticed within this."""
_SQLITE = re.compile(r"sqlite:///(?P<path>[^?#]+)")

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(ge=1, le=31_622_400)]
Days = Annotated[int, Field(ge=1, le=3660)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Limit = Annotated[int, Field(ge=0, le=1_000_000)]
Speed = Annotated[float, Field(gt=0, le=50)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation is not bool:
            raise ValueError("true and false do not fit here")
        return value


class LinksSettings(_Section):
    """``[links]``: the WebSocket listener for gateways and responders' apps."""

    host: str = "127.0.0.1"
    port: Port = 8701
    origins: tuple[str, ...] = ()
    frame_bytes_max: Annotated[int, Field(ge=1024, le=1_048_576)] = 16_384
    frames_under_way_max: Count = 64
    open_timeout_s: Seconds = 10
    ping_interval_s: Seconds = 10
    ping_timeout_s: Annotated[Seconds, Field(validate_default=True)] = 15
    fallback_phone: str = ""

    @field_validator("ping_timeout_s")
    @classmethod
    def _dead_link_is_noticed(cls, timeout_s: float, others: ValidationInfo) -> float:
        interval_s = others.data.get("ping_interval_s")
        if interval_s is not None and interval_s + timeout_s > DEAD_LINK_S_MAX:
            raise ValueError(f"with ping_interval_s, which is {interval_s:g}, it must be {DEAD_LINK_S_MAX} at most")
        return timeout_s


class WebSettings(_Section):
    """``[web]``: the HTTP listener for people and systems."""

    host: str = "127.0.0.1"
    port: Port = 8700
    secure_cookies: bool = False
    session_s: Seconds = 43_200
    body_bytes_max: Annotated[int, Field(ge=1024, le=104_857_600)] = 65_536


class StoreSettings(_Section):
    """``[store]``: where everything is kept. ``Settings.database`` is the path."""

    url: str = "sqlite:///callhub.db"

    @field_validator("url")
    @classmethod
    def _is_sqlite(cls, url: str) -> str:
        if not _SQLITE.fullmatch(url):
            raise ValueError("write sqlite:///callhub.db, or sqlite:////var/lib/callhub.db for an absolute path")
        return url


class PlaceSettings(_Section):
    """``[place]``: what is local."""

    timezone: str = "Asia/Shanghai"
    language: Literal["zh-CN", "en"] = "zh-CN"

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError) as wrong:  # not found, a folder of zones, a path
            raise ValueError("no such time zone; write one like Asia/Shanghai") from wrong
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which ``hours`` are meant."""
        return ZoneInfo(self.timezone)


class HubSettings(_Section):
    """``[hub]``: the loop and those who watch it."""

    inbox_events_max: Count = 10_000
    batch_events_max: Count = 512
    viewer_events_max: Count = 1000
    resume_events_max: Count = 10_000


class SpeedSettings(_Section):
    """``[dispatch.speed_m_s]``: metres per second in a straight line, by kind of responder."""

    volunteer: Speed = 1.8
    caregiver: Speed = 1.8
    grid_worker: Speed = 1.8


class QuietHoursSettings(_Section):
    """``[dispatch.quiet_hours]``: when people are asked for emergencies alone, by kind; empty: never quiet."""

    volunteer: str = ""
    caregiver: str = ""
    grid_worker: str = ""


class ServicesPerDaySettings(_Section):
    """``[dispatch.services_per_day_max]``: asks for what is no emergency, by kind; 0: no limit."""

    volunteer: Limit = 12
    caregiver: Limit = 0
    grid_worker: Limit = 0


class DispatchSettings(_Section):
    """``[dispatch]``: figures of matching that are not a policy's; ``dispatch.rules.Rules`` gives their sources."""

    link_patience_s: Seconds = 60
    turnout_s: Seconds = 105
    turnout_night_s: Seconds = 142
    night: str = "22:00-06:00"
    detour: Annotated[float, Field(ge=1, le=10)] = 1.3
    rest_s: Annotated[float, Field(ge=0, le=604_800)] = 900
    position_fresh_s: Seconds = 900
    fix_fresh_s: Seconds = 120
    fix_accuracy_m_max: Annotated[float, Field(ge=1, le=100_000)] = 100
    speed_m_s: SpeedSettings = SpeedSettings()
    quiet_hours: QuietHoursSettings = QuietHoursSettings()
    services_per_day_max: ServicesPerDaySettings = ServicesPerDaySettings()


class SupervisionSettings(_Section):
    """``[supervision]``: when equipment counts as lost. How long a device may be silent is its own ``heartbeat_s``."""

    gateway_lost_s: Seconds = 60
    area_devices_min: Annotated[int, Field(ge=2, le=1_000_000)] = 5
    area_window_s: Seconds = 600
    low_battery: Annotated[float, Field(gt=0, lt=1)] = 0.2
    battery_well: Annotated[float, Field(gt=0, le=1, validate_default=True)] = 0.3

    @field_validator("battery_well")
    @classmethod
    def _is_above_low(cls, well: float, others: ValidationInfo) -> float:
        """Else a battery would be low and well at once: a case with each beat."""
        low = others.data.get("low_battery")  # absent when it is wrong itself
        if low is not None and well <= low:
            raise ValueError(f"must be above low_battery, which is {low}")
        return well


class RoutineSettings(_Section):
    """``[routine]``: how often things are tried out; JGJ/T 484-2019 asks for each week and each half-year."""

    test_days_max: Days = 7
    drill_days_max: Days = 183


class RollCallSettings(_Section):
    """``[roll_call]``: when homes are checked because presses may have been missed."""

    after_s: Annotated[float, Field(ge=0, le=31_622_400)] = 600
    checks_max: Count = 1000


class PoliciesSettings(_Section):
    """``[policies]``: where the ladders are. ``Settings.policies_dir`` is the path."""

    dir: str = "policies"


class LogsSettings(_Section):
    """``[logs]``: how much is logged, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["auto", "json", "console"] = "auto"


class Effective(NamedTuple):
    """A key with the value in force and where it is from: ``default``, the file, or the variable's name."""

    key: str
    value: object
    origin: str


class Settings(BaseSettings):
    """Every setting of a server. Made by ``load_settings``; made directly it holds the defaults, and reads nothing."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter=SEPARATOR, env_ignore_empty=False
    )

    links: LinksSettings = LinksSettings()
    web: WebSettings = WebSettings()
    store: StoreSettings = StoreSettings()
    place: PlaceSettings = PlaceSettings()
    hub: HubSettings = HubSettings()
    dispatch: DispatchSettings = DispatchSettings()
    supervision: SupervisionSettings = SupervisionSettings()
    routine: RoutineSettings = RoutineSettings()
    roll_call: RollCallSettings = RollCallSettings()
    policies: PoliciesSettings = PoliciesSettings()
    logs: LogsSettings = LogsSettings()

    _base: Path = PrivateAttr(default_factory=Path.cwd)
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: ``load_settings`` reads the environment itself, so that it can say where from."""
        return (init_settings,)

    @property
    def database(self) -> Path:
        """The database file; a relative url is relative to the configuration file."""
        match = _SQLITE.fullmatch(self.store.url)
        assert match is not None  # validated
        return self._base / match["path"]

    @property
    def policies_dir(self) -> Path:
        """The folder of the policies; relative to the configuration file."""
        return self._base / self.policies.dir


def load_settings(file: Path | None = None, flags: Mapping[str, Mapping[str, Any]] | None = None) -> Settings:
    """Read the settings of a server.

    Args:
        file: The configuration file, or None for defaults and environment only.
        flags: What the command line says, by section: ``{"links": {"port": 0}}``.

    Raises:
        ConfigError: The file cannot be read, or a key is unknown or wrong; names the place.
    """
    layers = {
        str(file): {} if file is None else _read(file),
        "environment": _environment(),
        "command line": {section: dict(keys) for section, keys in (flags or {}).items()},
    }
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers.items():
        _merge(merged, layer)
        origins |= {key: _origin(origin, key) for key, _ in _flat(layer)}
    try:
        settings = Settings(**merged)
    except ValidationError as wrong:
        raise _config_error(wrong.errors(include_url=False), origins, str(file)) from wrong
    settings._origins = origins
    if file is not None:
        settings._base = file.resolve().parent
    return settings


def shipped() -> Path:
    """The folder of the files that come with callhub: inside the installed package, else beside it in a checkout.

    Holds ``callhub.toml``, ``policies/`` and ``hexi/``.
    """
    package = Path(__file__).resolve().parent
    installed = package / "config"
    return installed if installed.is_dir() else package.parent / "config"


def effective(settings: Settings) -> Iterator[Effective]:
    """Every key with its value and origin, in the order of the file."""
    for key, value in _flat(settings.model_dump()):
        yield Effective(key, value, settings._origins.get(key, DEFAULT))


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise ConfigError(str(file), "", f"cannot be read: {wrong.strerror}") from wrong
    except ValueError as wrong:  # bad TOML, bad UTF-8
        raise ConfigError(str(file), "", f"is no TOML: {wrong}") from wrong


def _environment() -> dict[str, Any]:
    for name in os.environ:
        section = name.removeprefix(PREFIX).split(SEPARATOR)[0].lower()
        if name.startswith(PREFIX) and SEPARATOR in name and section not in Settings.model_fields:
            known = ", ".join(Settings.model_fields)
            raise ConfigError("environment", name, f"there is no section {section}; sections are {known}")
    try:
        return EnvSettingsSource(Settings)()
    except SettingsError as wrong:
        raise ConfigError("environment", "", f"{wrong}; lists are written as JSON") from wrong


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for key, value in layer.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _origin(layer: str, key: str) -> str:
    if layer != "environment":
        return layer
    return f"{layer} {PREFIX}{key.upper().replace('.', SEPARATOR)}"


def _config_error(errors: list[ErrorDetails], origins: Mapping[str, str], file: str) -> ConfigError:
    """The first error, at its place; the others come once this one is mended."""
    error = errors[0]
    path = [str(part) for part in error["loc"]]
    key = ".".join(path)
    if error["type"] == "extra_forbidden":
        why = f"unknown key; known here are {', '.join(_known(path[:-1]))}"
    else:
        why = f"{error['msg'].removeprefix('Value error, ')}, not {error['input']!r}"
    # An item of a list, or a whole section that is no table, is not in the map itself.
    places = [place for known, place in origins.items() if f"{known}.".startswith(f"{key}.") or key.startswith(known)]
    return ConfigError(places[0] if places else file, key, why)


def _known(path: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in path:
        annotation = model.model_fields[part].annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        model = annotation
    return list(model.model_fields)
