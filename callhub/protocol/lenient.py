"""A JSON reader for frames that the strict parser refuses.

Rules of this file:
1. A press must not be lost because some other field is bad. NaN, Infinity, numbers too large to be one, lone
   surrogates, a value that is no JSON or is nested too deep: each spoils its own field only and reads as ``SPOILED``.
2. Only the structure between the members can break a frame. What stands before the break is still given.
3. The last of duplicate keys wins, as in the strict parser.
4. No recursion over what a peer sent: depth is counted first, so that the stack of the caller does not matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from json import JSONDecoder
from math import isfinite
from typing import Any, Final

DEPTH_MAX: Final = 8
"""Deepest nesting of a member's value that is read; our own messages need three."""

_DIGITS_MAX = 20
"""Longest whole number that is read: 64 bits and a sign."""


class Spoiled:
    """What a value reads as that cannot be read; no field of any message takes it."""

    def __repr__(self) -> str:
        return "SPOILED"


SPOILED: Final = Spoiled()


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a frame's object. ``broken``: the frame ends or goes wrong after them."""

    values: dict[str, Any]
    broken: bool = False


_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR = re.compile(r'[^,\[\]{}"\s]+')
_NESTING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def _whole(digits: str) -> object:
    return int(digits) if len(digits) <= _DIGITS_MAX else SPOILED


def _real(digits: str) -> object:
    value = float(digits)
    return value if isfinite(value) else SPOILED


_DECODER = JSONDecoder(strict=False, parse_int=_whole, parse_float=_real, parse_constant=lambda _: SPOILED)


def parse_lenient(text: str) -> Members | None:
    """Read the members of one JSON object, spoiling as little as possible; None when it is no object at all.

    Linear in the length of ``text``. Trailing text after the object makes it ``broken``.
    """
    text = text.removeprefix("\ufeff")
    at = _skip_space(text, 0)
    if not text.startswith("{", at):
        return None
    values: dict[str, Any] = {}
    at = _skip_space(text, at + 1)
    if text.startswith("}", at):
        return Members(values, broken=_skip_space(text, at + 1) != len(text))
    while (member := _read_member(text, at)) is not None:
        key, value, at = member
        if isinstance(key, str):
            values[key] = value
        if text.startswith("}", at):
            return Members(values, broken=_skip_space(text, at + 1) != len(text))
        if not text.startswith(",", at):
            break
        at = _skip_space(text, at + 1)
    return Members(values, broken=True)


def _skip_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None  # it matches the empty string too
    return found.end()


def _read_member(text: str, at: int) -> tuple[object, object, int] | None:
    """Key, value and where the next token begins; None when the structure breaks here."""
    key = _STRING.match(text, at)
    if key is None:
        return None
    at = _skip_space(text, key.end())
    if not text.startswith(":", at):
        return None
    at = _skip_space(text, at + 1)
    ends = _measure(text, at)
    if ends is None:
        return None
    end, depth = ends
    value = _decode(text[at:end]) if depth <= DEPTH_MAX else SPOILED
    return _decode(key[0]), value, _skip_space(text, end)


def _measure(text: str, at: int) -> tuple[int, int] | None:
    """Where the value that begins here ends, and how deep it is nested; None when it does not end."""
    if text[at : at + 1] not in ("[", "{"):
        found = (_STRING if text.startswith('"', at) else _SCALAR).match(text, at)
        return None if found is None else (found.end(), 0)
    depth = deepest = 0
    for token in _NESTING.finditer(text, at):
        if token[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "]}":
            depth -= 1
            if depth == 0:
                return token.end(), deepest
    return None


def _decode(text: str) -> object:
    """One value; ``SPOILED`` when it is no JSON."""
    try:
        value: object = _DECODER.decode(text)
    except ValueError:
        return SPOILED
    return _clean(value)


def _clean(value: object) -> object:
    """The same value with every string that cannot be encoded replaced; at most ``DEPTH_MAX`` calls deep."""
    if isinstance(value, str):
        return value if value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value) else SPOILED
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return value
