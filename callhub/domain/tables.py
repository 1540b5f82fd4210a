"""Typed reading of a parsed TOML table, with errors that name the file and the key.

Rules of this file: a reader remembers what was asked for, so that ``finish()`` can refuse keys nobody knows. Numbers
are finite and bounded, and ``true`` is not a number.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import NoReturn, TypeVar

from callhub.errors import ConfigError

E = TypeVar("E", bound=StrEnum)

SECONDS_MAX = 366 * 86_400.0
"""Longest duration in a policy: a year. Larger numbers are slips, and break date arithmetic."""


class TableReader:
    """Reads one table.

    Args:
        table: The parsed table.
        source: The file, as the administrator named it.
        prefix: Where this table stands in the file: ``step[2].``; empty at the top.
    """

    def __init__(self, table: Mapping[str, object], source: str, prefix: str = "") -> None:
        self._table = table
        self._source = source
        self._prefix = prefix
        self._known: list[str] = []

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raise the ConfigError that names ``key`` of this table."""
        raise ConfigError(self._source, f"{self._prefix}{key}", why)

    def has(self, key: str) -> bool:
        """Whether the table holds ``key``, which is a known key then."""
        self._known.append(key)
        return key in self._table

    def _get(self, key: str) -> object:
        self._known.append(key)
        if key not in self._table:
            self.refuse(key, "is missing")
        return self._table[key]

    def word(self, key: str, default: str | None = None) -> str:
        """A text; without a default it must be there and not be blank."""
        self._known.append(key)
        if default is not None and key not in self._table:
            return default
        value = self._get(key)
        if not isinstance(value, str) or (default is None and not value.strip()):
            self.refuse(key, f"write a text, not {value!r}")
        return value

    def words(self, key: str, default: tuple[str, ...] | None = None, *, repeated: bool = False) -> tuple[str, ...]:
        """A list of texts, different ones unless ``repeated``; without a default it must be there and not be empty."""
        self._known.append(key)
        if default is not None and key not in self._table:
            return default
        value = self._get(key)
        if not isinstance(value, list | tuple) or (default is None and not value):
            self.refuse(key, f"write a list of texts, not {value!r}")
        for index, item in enumerate(value):
            if not isinstance(item, str) or not item.strip():
                self.refuse(f"{key}[{index}]", f"write a text, not {item!r}")
            if item in value[:index] and not repeated:
                self.refuse(f"{key}[{index}]", f"{item!r} is there twice")
        return tuple(value)

    def choice(self, key: str, kind: type[E]) -> E:
        """One of the words of an enum."""
        return self._member(key, self._get(key), kind)

    def choices(self, key: str, kind: type[E], *, repeated: bool = False) -> tuple[E, ...]:
        """A list of words of an enum, at least one; different ones unless ``repeated``."""
        words = self.words(key, repeated=repeated)
        return tuple(self._member(f"{key}[{i}]", word, kind) for i, word in enumerate(words))

    def _member(self, key: str, value: object, kind: type[E]) -> E:
        for member in kind:
            if member == value:
                return member
        self.refuse(key, f"write one of {', '.join(kind)}, not {value!r}")

    def count(self, key: str, default: int, most: int) -> int:
        """A whole number, 1..``most``."""
        self._known.append(key)
        value = self._table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            self.refuse(key, f"write a whole number from 1 to {most}, not {value!r}")
        return value

    def number(self, key: str, default: float, least: float, most: float) -> float:
        """A finite number, ``least``..``most``; a whole number stays one."""
        self._known.append(key)
        value = self._table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.refuse(key, f"write a number, not {value!r}")
        if not least <= value <= most:
            self.refuse(key, f"must be from {least:g} to {most:g}, not {value!r}")
        return value

    def seconds(self, key: str, default: float) -> float:
        """A duration in seconds, 1..SECONDS_MAX."""
        return self.number(key, default, 1, SECONDS_MAX)

    def tables(self, key: str) -> list[Mapping[str, object]]:
        """A list of tables, at least one."""
        value = self._get(key)
        if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
            self.refuse(key, f"write [[{key}]] tables")
        if not value:
            self.refuse(key, f"at least one [[{key}]] is needed")
        return list(value)

    def finish(self) -> None:
        """Refuse a key that nobody asked for."""
        for key in self._table:
            if key not in self._known:
                self.refuse(key, f"unknown key; known are {', '.join(dict.fromkeys(self._known))}")


def digest_of(table: Mapping[str, object]) -> str:
    """The first 16 hex digits of the SHA-256 of a table as JSON with sorted keys; 60 and 60.0 are equal."""
    text = json.dumps(_plain(table), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    match value:
        case float() if value.is_integer():
            return int(value)
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
    return value
