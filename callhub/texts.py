"""What people read, in their language: texts by code from ``catalogue/<language>.json``.

Rules of this file: codes are stable, prose is not; nothing compares prose. A text that is missing, or whose parameters
are, never raises: its code is shown, which says more than silence. Tests hold every language complete.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES: Final = ("zh-CN", "en")
"""Languages with a catalogue, the first one being the default."""

_CATALOGUES = Path(__file__).with_name("catalogue")


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of one of ``LANGUAGES`` by code, with ``{parameters}`` in braces; read once.

    Raises:
        KeyError: There is no such language.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    texts: dict[str, str] = json.loads((_CATALOGUES / f"{language}.json").read_text(encoding="utf-8"))
    return texts


def text(language: str, code: str, /, **params: object) -> str:
    """The text of ``code`` in a language.

    Args:
        language: What the reader asked for; see ``negotiate``.
        code: A stable code such as ``say.assigned``.
        params: Values of the parameters. A list or tuple holds codes, whose texts are joined.

    Returns:
        The text; ``code`` itself if no language has it or a parameter is missing.
    """
    chosen = negotiate(language)
    template = catalogue(chosen).get(code)
    if template is None:
        return code
    try:
        return template.format_map({key: _shown(chosen, value) for key, value in params.items()})
    except (KeyError, ValueError, IndexError, AttributeError):
        return code


def step_name(language: str, name: str) -> str:
    """The name of a step of a ladder: those that are shipped in the reader's language, others as they were written."""
    return catalogue(negotiate(language)).get(f"step.{name.replace(' ', '_')}", name)


def negotiate(wanted: str | None, default: str = LANGUAGES[0]) -> str:
    """The language of ``LANGUAGES`` that fits best.

    Args:
        wanted: A tag (``zh``, ``zh-Hans``, ``en_GB``) or an ``Accept-Language`` header (``de, en;q=0.7``).
        default: Taken when nothing fits.
    """
    best, best_weight = default, 0.0
    for part in (wanted or "").split(","):
        tag, _, rest = part.partition(";")
        weight = _weight(rest)
        primary = tag.strip().replace("_", "-").split("-")[0].lower()
        fits = next((language for language in LANGUAGES if language.split("-")[0] == primary), None)
        if fits is not None and weight > best_weight:
            best, best_weight = fits, weight
    return best


def _weight(rest: str) -> float:
    name, _, value = rest.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _shown(language: str, value: object) -> object:
    if isinstance(value, list | tuple):
        separator = catalogue(language).get("list.separator", ", ")
        return separator.join(text(language, str(code)) for code in value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
