"""Which fields of a fact are private: they stand apart in the journal and can be erased."""

from __future__ import annotations

from dataclasses import field, fields
from functools import cache
from typing import Any


def private() -> Any:  # noqa: ANN401  # stands as the default of fields of every type
    """A field that belongs to the private part of a journal row; None when absent or erased."""
    return field(default=None, metadata={"private": True})


@cache
def private_fields(kind: type) -> tuple[str, ...]:
    """The names of the private fields of a fact type."""
    return tuple(f.name for f in fields(kind) if f.metadata.get("private"))
