"""The ladders as files: ``policies/*.toml``, read alone and checked together."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from callhub.domain.policy import Policy, PolicySet, policy_from_table
from callhub.errors import ConfigError

_NONE = "there is no *.toml file; without a ladder nobody would be asked"


def policy_tables(folder: Path) -> dict[str, dict[str, Any]]:
    """The parsed ``*.toml`` files of a folder by path; raises ``ConfigError`` naming the file."""
    tables: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("*.toml")):
        try:
            tables[str(file)] = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as wrong:
            raise ConfigError(str(file), "", f"cannot be read: {wrong.strerror}") from wrong
        except ValueError as wrong:  # bad TOML, bad UTF-8
            raise ConfigError(str(file), "", f"is no TOML: {wrong}") from wrong
    if not tables:
        raise ConfigError(str(folder), "", _NONE)
    return tables


def read_policies(tables: Mapping[str, Mapping[str, Any]]) -> tuple[Policy, ...]:
    """Policies from parsed TOML by file, checked alone and together; raises ``ConfigError`` naming file and key."""
    if not tables:
        raise ConfigError("policies", "", _NONE)
    policies = tuple(policy_from_table(table, source) for source, table in sorted(tables.items()))
    PolicySet(policies)
    return policies
