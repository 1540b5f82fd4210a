"""From the rows of a file to the records of the directory, one function for each kind of file.

Rules of this file: pure. Every fault of every row is noted with its line and column; references are looked up in
``Known``, which holds what was imported before. A cell that a row does not have leaves what the record has, or the
default of a new one; an empty cell means the default, never "as before".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from callhub.dispatch.roster import TELEPHONES
from callhub.domain.family import FamilyContact, News
from callhub.domain.people import Area, Device, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import Level
from callhub.errors import RowError
from callhub.intake.area_tree import AreaTree
from callhub.intake.cells import CellReader, Convert
from callhub.intake.sheet import Sheet

AREA_COLUMNS = ("id", "parent", "level", "name", "lat", "lon")
ELDER_COLUMNS = (
    "id", "name", "area", "address", "lat", "lon", "phone", "card", "language", "paired", "access", "notes", "active",
)  # fmt: skip
DEVICE_COLUMNS = ("id", "elder", "gateway", "kind", "phone", "heartbeat_s", "mobile", "active")
RESPONDER_COLUMNS = (
    "id", "name", "kind", "area", "lat", "lon", "phone", "skills", "capacity", "hours", "channels", "language",
    "active",
)  # fmt: skip

CONTACT_COLUMNS = ("id", "elder", "name", "relation", "phone", "channels", "inform", "responder", "language")

CONTACTS_MAX = 50
"""Contacts that one file may give an elder: each hears of each emergency, so a wrong column would ring a district."""

GRID = "grid"
HOME = "home"

CHANNELS = ("app", *sorted(TELEPHONES))
"""What a responder can be reached by."""

_COLUMNS_OF = {"position": ("lat", "lon"), "position_source": ("lat", "lon"), "level": ("level", "area")}
"""The columns that a field is read from, where they are not of its own name; a responder's level is its area's."""

Record = TypeVar("Record", Area, Elder, Device, Responder, FamilyContact)


@dataclass(frozen=True, slots=True)
class Known:
    """What the store holds of the ids that a file names: its own records, and those it refers to."""

    tree: AreaTree = field(default_factory=lambda: AreaTree(()))
    elders: Mapping[str, Elder] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)
    responders: Mapping[str, Responder] = field(default_factory=dict)
    contacts: Mapping[str, FamilyContact] = field(default_factory=dict)


def read_areas(sheet: Sheet, known: Known, convert: Convert, faults: list[RowError]) -> tuple[Area, ...]:
    """The areas of a file; a parent may stand further down, or be known already."""
    lines: dict[str, int] = {}
    areas: list[Area] = []
    for read in _rows(sheet, faults, lines):
        area = Area(
            id=read.id(),
            parent=read.id_or_none("parent"),
            level=read.choice("level", Level),
            name=read.text("name", needed=True),
            position=read.position(convert),
        )
        areas.append(_kept(read, area, known.tree.by_id.get(area.id)))
    if faults:  # what one cell spoilt would be reported again for every area below it
        return tuple(areas)
    tree = known.tree.with_changes(areas)
    for area in areas:
        if fault := tree.fault(area):
            faults.append(RowError(lines[area.id], *fault))
    faults += _children_left_behind(tree, lines)
    return tuple(areas)


def _children_left_behind(tree: AreaTree, lines: Mapping[str, int]) -> Iterator[RowError]:
    """Areas that are not in the file, but whose parent is, and changed to a level that cannot hold them."""
    for child in tree.by_id.values():
        if child.parent is None or child.parent not in lines or child.id in lines:
            continue
        if fault := tree.fault(child):
            yield RowError(lines[child.parent], "level", f"area {child.id!r} lies in it: {fault[1]}")


def read_elders(sheet: Sheet, known: Known, convert: Convert, faults: list[RowError]) -> tuple[Elder, ...]:
    """The elders of a file; ``paired`` may name responders that are imported later. Call-first goes on."""
    return tuple(_elder(read, known, convert) for read in _rows(sheet, faults))


def _elder(read: CellReader, known: Known, convert: Convert) -> Elder:
    path = _area(read, known.tree)
    position = read.position(convert)
    elder = Elder(
        id=read.id(),
        name=read.text("name", needed=True),
        area=path,
        address=read.text("address"),
        position=position,
        position_source=HOME if position else GRID,
        phone=read.phone(),
        card=read.card(),
        language=read.language(),
        paired=read.ids("paired"),
        access=read.text("access"),
        notes=read.text("notes"),
        active=read.switch("active", True),
    )
    elder = _kept(read, elder, known.elders.get(elder.id))
    return elder if elder.position_source == HOME else replace(elder, position=known.tree.centre(elder.area))


def read_devices(sheet: Sheet, known: Known, convert: Convert, faults: list[RowError]) -> tuple[Device, ...]:
    """The devices of a file; their elders must be known. A test that is under way goes on."""
    del convert  # devices have no position of their own
    return tuple(_device(read, known) for read in _rows(sheet, faults))


def _device(read: CellReader, known: Known) -> Device:
    device = Device(
        id=read.id(),
        elder=read.id_or_none("elder"),
        gateway=read.id_or_none("gateway"),
        kind=read.text("kind") or "button",
        phone=read.phone(),
        heartbeat_s=read.count("heartbeat_s", 0, 0) or 0,
        mobile=read.switch("mobile", False),
        active=read.switch("active", True),
    )
    if device.elder is not None and device.elder not in known.elders:
        read.fault("elder", f"there is no elder {device.elder!r}; import the elders first")
    return _kept(read, device, known.devices.get(device.id))


def read_responders(sheet: Sheet, known: Known, convert: Convert, faults: list[RowError]) -> tuple[Responder, ...]:
    """The responders of a file."""
    return tuple(_responder(read, known, convert) for read in _rows(sheet, faults))


def _responder(read: CellReader, known: Known, convert: Convert) -> Responder:
    tree = known.tree
    path = _area(read, tree)
    kind = read.choice("kind", ResponderKind)
    position = read.position(convert)
    responder = Responder(
        id=read.id(),
        name=read.text("name", needed=True),
        kind=kind,
        area=path,
        level=tree.by_id[path[-1]].level if path else None,
        position=position,
        position_source=HOME if position else GRID,
        phone=read.phone(),
        skills=read.words("skills"),
        capacity=read.count("capacity", _usual_capacity(kind), 1),
        hours=read.hours(),
        channels=read.channels(CHANNELS),
        language=read.language(),
        active=read.switch("active", True),
    )
    responder = _kept_responder(read, responder, known.responders.get(responder.id))
    if responder.position_source == HOME:
        return responder
    return replace(responder, position=base(responder.kind, tree, responder.area))


def read_contacts(sheet: Sheet, known: Known, convert: Convert, faults: list[RowError]) -> tuple[FamilyContact, ...]:
    """The contacts of a file; their elders, and the responders that some of them are, must be known."""
    del convert  # contacts have no position; one who is a responder has it there
    of: Counter[str] = Counter()
    return tuple(_contact(read, known, of) for read in _rows(sheet, faults))


def _contact(read: CellReader, known: Known, of: Counter[str]) -> FamilyContact:
    contact = FamilyContact(
        id=read.id(),
        elder=read.id("elder"),
        name=read.text("name", needed=True),
        relation=read.text("relation"),
        phone=read.phone(),
        channels=read.channels(CHANNELS) if read.raw("channels") else (),
        inform=_inform(read),
        responder=read.id_or_none("responder"),
        language=read.language(),
    )
    of[contact.elder] += 1
    if contact.elder and contact.elder not in known.elders:
        read.fault("elder", f"there is no elder {contact.elder!r}; import the elders first")
    elif contact.elder and of[contact.elder] > CONTACTS_MAX:
        read.fault("elder", f"{contact.elder!r} has more than {CONTACTS_MAX} contacts; is this the right column?")
    if contact.responder is not None:
        who = known.responders.get(contact.responder)
        if who is None:
            read.fault("responder", f"there is no responder {contact.responder!r}; import the responders first")
        elif is_place(who.kind):
            read.fault("responder", f"{contact.responder!r} is a {who.kind}, which holds no key; name a person")
    return _kept(read, contact, known.contacts.get(contact.id))


def _inform(read: CellReader) -> tuple[News, ...]:
    """What somebody wants to be told, in the order in which it happens; empty means all, ``none`` nothing."""
    words = [word.lower() for word in read.words("inform")]
    if words == ["none"]:
        return ()
    for word in words:
        if word not in tuple(News):
            read.fault("inform", f"write some of {', '.join(News)}, joined by ';', or none alone, not {word!r}")
    return tuple(news for news in News if not words or news in words)


def _kept_responder(read: CellReader, responder: Responder, before: Responder | None) -> Responder:
    """As ``_kept``; whoever had the usual capacity of their kind has that of a new kind."""
    kept = _kept(read, responder, before)
    if before is None or read.has("capacity") or before.capacity != _usual_capacity(before.kind):
        return kept
    return replace(kept, capacity=_usual_capacity(kept.kind))


def _usual_capacity(kind: ResponderKind) -> int | None:
    return None if is_place(kind) else 1


def is_place(kind: ResponderKind) -> bool:
    """Whether it is no person: it has no limit of assignments."""
    return kind in (ResponderKind.DESK, ResponderKind.DEPARTMENT)


def base(kind: ResponderKind, tree: AreaTree, path: tuple[str, ...]) -> Position | None:
    """Where a responder without a position is taken to be; a desk is nowhere, nobody walks from it."""
    return None if kind is ResponderKind.DESK else tree.centre(path)


def _kept(read: CellReader, record: Record, before: Record | None) -> Record:
    """The record as read, with what the row has no cells for as it was before."""
    if before is None:
        return record
    names = [f.name for f in fields(record)]
    absent = [name for name in names if not any(read.has(column) for column in _COLUMNS_OF.get(name, (name,)))]
    return replace(record, **{name: getattr(before, name) for name in absent})


def differing(before: Record, after: Record) -> tuple[str, ...]:
    """The columns in which two records of one id differ."""
    names = [f.name for f in fields(after) if getattr(before, f.name) != getattr(after, f.name)]
    return tuple(dict.fromkeys(_column(name, after) for name in names))


def _column(name: str, record: object) -> str:
    if name == "level" and isinstance(record, Responder):
        return "area"
    return "lat,lon" if name in ("position", "position_source") else name


def _area(read: CellReader, tree: AreaTree) -> tuple[str, ...]:
    """The path of the row's area; empty when there is none."""
    area = read.id_or_none("area")
    if area is None:
        return ()
    if area not in tree.by_id:
        read.fault("area", f"there is no area {area!r}; import the areas first")
        return ()
    return tree.path(area)


def _rows(sheet: Sheet, faults: list[RowError], lines: dict[str, int] | None = None) -> Iterator[CellReader]:
    """A reader for each row; an id that came before is a fault. ``lines`` is filled with the line of each id."""
    seen = {} if lines is None else lines
    for row in sheet.rows:
        read = CellReader(row, faults)
        id = read.raw("id")
        if id in seen:
            read.fault("id", f"{id!r} is on line {seen[id]} already")
        elif id:
            seen[id] = row.line
        yield read


Read = Callable[
    [Sheet, Known, Convert, list[RowError]],
    tuple[Area, ...] | tuple[Elder, ...] | tuple[Device, ...] | tuple[Responder, ...] | tuple[FamilyContact, ...],
]
