"""One row of each CSV file that ``callhub import`` takes, and how rows become a file.

Rules of this file: the fields of a row are the columns of its file, in order and by name, so a header is never
written by hand. Positions are WGS 84 degrees with five decimals (about a metre).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A node of the tree district > street > community > grid; ``parent`` is empty for the district."""

    id: str
    parent: str
    level: str
    name: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class ElderRow:
    """A person protected; ``paired`` holds ids of responders, ``access`` how to get into the home."""

    id: str
    name: str
    area: str
    address: str
    lat: float
    lon: float
    phone: str
    card: str
    language: str
    paired: tuple[str, ...]
    access: str
    notes: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A call button; ``heartbeat_s`` None: not supervised."""

    id: str
    elder: str
    gateway: str
    kind: str
    phone: str
    heartbeat_s: int | None
    mobile: bool
    active: bool = True


@dataclass(frozen=True, slots=True)
class ResponderRow:
    """Who can be asked; desks and departments have no position and, with ``capacity`` None, no limit."""

    id: str
    name: str
    kind: str
    area: str
    lat: float | None
    lon: float | None
    phone: str
    skills: tuple[str, ...]
    capacity: int | None
    hours: str
    channels: tuple[str, ...]
    language: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class ContactRow:
    """Somebody around an elder; with a ``responder`` they hold a key."""

    id: str
    elder: str
    name: str
    relation: str
    phone: str
    responder: str


Row = AreaRow | ElderRow | DeviceRow | ResponderRow | ContactRow


def write_rows(path: Path, kind: type[Row], rows: Sequence[Row]) -> None:
    """Write a header and ``rows``, all of ``kind``, as UTF-8 without BOM, replacing what was there."""
    columns = [field.name for field in fields(kind)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(getattr(row, column)) for column in columns] for row in rows)


def read_areas(path: Path) -> tuple[AreaRow, ...]:
    """Read an areas file that callhub itself ships; the importer, not this, checks files of others.

    Raises:
        KeyError: a column is missing.
        ValueError: a position is no number.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            AreaRow(row["id"], row["parent"], row["level"], row["name"], float(row["lat"]), float(row["lon"]))
            for row in csv.DictReader(file)
        )


def _cell(value: str | float | bool | tuple[str, ...] | None) -> str:
    """One value as a cell: lists joined by ``;``, yes and no as 1 and 0, nothing as an empty cell."""
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case tuple():
            return ";".join(value)
        case float():
            return f"{value:.5f}"
        case _:
            return str(value)
