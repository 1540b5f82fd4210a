"""``callhub import``: from a CSV file to the change of the directory, the same beside a running server and without one.

Rules of this file: parsing is pure and may run in a thread; reading the store happens on the loop's thread, in slices
of ``SLICE_IDS``, so that no alarm waits for a large file. Nothing is written here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, TypeVar

from callhub.domain.family import FamilyContact
from callhub.domain.people import Area, Device, Elder, Responder, Supervised
from callhub.errors import ImportRejected, RowError
from callhub.intake import records
from callhub.intake.area_tree import AreaTree
from callhub.intake.cells import Convert
from callhub.intake.notices import notices_for
from callhub.intake.records import Known
from callhub.intake.sheet import Sheet, read_sheet
from callhub.protocol.coordinates import bd09_to_wgs84, gcj02_to_wgs84
from callhub.store.base import DirectoryChange, Need, Store

SLICE_IDS = 500
"""Ids looked up before the loop gets its turn: about 4 ms."""

PAGE = 200

Record = TypeVar("Record", Area, Elder, Device, Responder, FamilyContact)
Records = Sequence[Area] | Sequence[Elder] | Sequence[Device] | Sequence[Responder] | Sequence[FamilyContact]


class ImportKind(StrEnum):
    """Files that can be imported."""

    AREAS = "areas"
    ELDERS = "elders"
    DEVICES = "devices"
    RESPONDERS = "responders"
    CONTACTS = "contacts"


class Crs(StrEnum):
    """What the positions of a file are measured in; gcj02 and bd09 are those of Chinese maps."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


_CONVERT: Mapping[Crs, Convert] = {
    Crs.WGS84: lambda lat, lon: (lat, lon),
    Crs.GCJ02: gcj02_to_wgs84,
    Crs.BD09: bd09_to_wgs84,
}


class _Format(NamedTuple):
    columns: tuple[str, ...]
    needed: tuple[str, ...]
    read: records.Read


_FORMATS: Mapping[ImportKind, _Format] = {
    ImportKind.AREAS: _Format(records.AREA_COLUMNS, ("id", "parent", "level", "name"), records.read_areas),
    ImportKind.ELDERS: _Format(records.ELDER_COLUMNS, ("id", "name"), records.read_elders),
    ImportKind.DEVICES: _Format(records.DEVICE_COLUMNS, ("id",), records.read_devices),
    ImportKind.RESPONDERS: _Format(records.RESPONDER_COLUMNS, ("id", "name", "kind"), records.read_responders),
    ImportKind.CONTACTS: _Format(records.CONTACT_COLUMNS, ("id", "elder", "name"), records.read_contacts),
}


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do.

    ``change`` holds only records that are new or differ. ``follow``: elders and responders that are not in the file
    but whose area's path or centre changed with it. ``moved_devices`` are those with another elder than before, also
    new ones: an alarm may have come from them already. ``supervised`` are all new and changed devices, as supervision
    takes them. ``differences``: the columns in which each updated record
    differs, by its id. ``notices`` are for the person who imports, in English.
    """

    kind: ImportKind
    change: DirectoryChange
    added: int
    updated: int
    unchanged: int
    follow: int = 0
    moved_devices: tuple[Device, ...] = ()
    supervised: tuple[Supervised, ...] = ()
    changed_elders: tuple[Elder, ...] = ()
    differences: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.added or self.updated or self.follow)


def read_file(kind: ImportKind, file: str, data: bytes) -> Sheet:
    """Read the file as a sheet of this kind; raises ``ImportRejected``. About 10 us a row."""
    form = _FORMATS[kind]
    return read_sheet(file, data, form.columns, form.needed)


async def plan_import(store: Store, kind: ImportKind, file: str, data: bytes, crs: Crs) -> ImportPlan:
    """Read a file and compare it with the store.

    Raises:
        ImportRejected: With every bad cell of every row.
    """
    sheet = await asyncio.to_thread(read_file, kind, file, data)
    known = await _known(store, kind, sheet)
    read = await asyncio.to_thread(_read_records, kind, sheet, known, crs)
    if kind is ImportKind.AREAS:
        areas = tuple(record for record in read if isinstance(record, Area))
        return await _plan_areas(store, areas, known.tree)
    return _plan_people(kind, read, known, has_positions=any("lat" in row.cells for row in sheet.rows))


def _read_records(kind: ImportKind, sheet: Sheet, known: Known, crs: Crs) -> Records:
    faults: list[RowError] = []
    read = _FORMATS[kind].read(sheet, known, _CONVERT[crs], faults)
    if faults:
        raise ImportRejected(sheet.file, sorted(faults, key=lambda fault: fault.line))
    return read


async def _known(store: Store, kind: ImportKind, sheet: Sheet) -> Known:
    """What the store has of the ids in the sheet."""
    known = Known(AreaTree(store.all_areas()))
    ids = [row.cells.get("id", "") for row in sheet.rows]
    match kind:
        case ImportKind.ELDERS:
            before = await _elders(store, ids)
            paired = {id for row in sheet.rows for id in row.cells.get("paired", "").replace("；", ";").split(";")}
            paired |= {id for elder in before.values() for id in elder.paired}  # kept where the file has no such column
            found = await _responders(store, sorted({id.strip() for id in paired} - {""}))
            return replace(known, elders=before, responders=found)
        case ImportKind.DEVICES:
            devices = await _devices(store, ids)
            named = {row.cells.get("elder", "") for row in sheet.rows}
            named |= {device.elder for device in devices.values() if device.elder}  # kept where there is no such column
            return replace(known, elders=await _elders(store, sorted(named - {""})), devices=devices)
        case ImportKind.RESPONDERS:
            return replace(known, responders=await _responders(store, ids))
        case ImportKind.CONTACTS:
            return replace(
                known,
                elders=await _elders(store, [row.cells.get("elder", "") for row in sheet.rows]),
                responders=await _responders(store, [row.cells.get("responder", "") for row in sheet.rows]),
                contacts=await _contacts(store, ids),
            )
    return known


async def _elders(store: Store, ids: Sequence[str]) -> dict[str, Elder]:
    return await _in_slices(ids, lambda part: store.lookup(Need(elders=frozenset(part))).elders)


async def _devices(store: Store, ids: Sequence[str]) -> dict[str, Device]:
    return await _in_slices(ids, lambda part: store.lookup(Need(devices=frozenset(part))).devices)


async def _responders(store: Store, ids: Sequence[str]) -> dict[str, Responder]:
    return await _in_slices(ids, lambda part: store.names((), part, ()).responders)


async def _contacts(store: Store, ids: Sequence[str]) -> dict[str, FamilyContact]:
    return await _in_slices(ids, lambda part: {id: one for id in part if (one := store.person("contacts", id))})


async def _in_slices(ids: Sequence[str], look_up: Callable[[Sequence[str]], dict[str, Record]]) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for start in range(0, len(ids), SLICE_IDS):
        found |= look_up(ids[start : start + SLICE_IDS])
        await asyncio.sleep(0)
    return found


async def _plan_areas(store: Store, read: Sequence[Area], tree: AreaTree) -> ImportPlan:
    """Changed areas, and everyone below them whose path or assumed position changes with them."""
    added, changed, unchanged = _compared(read, tree.by_id)
    after = tree.with_changes(read)
    elders: list[Elder] = []
    responders: list[Responder] = []
    if changed:
        for person in await _everyone(store, "elders"):
            if isinstance(person, Elder) and (moved := _elder_in(person, after)) != person:
                elders.append(moved)
        for person in await _everyone(store, "responders"):
            if isinstance(person, Responder) and (shifted := _responder_in(person, after)) != person:
                responders.append(shifted)
    return ImportPlan(
        ImportKind.AREAS,
        DirectoryChange(areas=(*added, *changed), elders=tuple(elders), responders=tuple(responders)),
        len(added),
        len(changed),
        unchanged,
        follow=len(elders) + len(responders),
        changed_elders=tuple(elders),
        differences=_differences(changed, tree.by_id),
    )


async def _everyone(store: Store, kind: str) -> list[Elder | Responder]:
    people: list[Elder | Responder] = []
    cursor: str | None = None
    while True:
        page = store.people(kind, PAGE, cursor)
        people += page.items
        if page.next is None:
            return people
        cursor = page.next
        await asyncio.sleep(0)


def _elder_in(elder: Elder, tree: AreaTree) -> Elder:
    path = tree.path(elder.area[-1]) if elder.area else ()
    if elder.position_source == records.HOME:
        return replace(elder, area=path)
    return replace(elder, area=path, position=tree.centre(path))


def _responder_in(responder: Responder, tree: AreaTree) -> Responder:
    path = tree.path(responder.area[-1]) if responder.area else ()
    level = tree.by_id[path[-1]].level if path else None
    if responder.position_source == records.HOME:
        return replace(responder, area=path, level=level)
    return replace(responder, area=path, level=level, position=records.base(responder.kind, tree, path))


def _plan_people(kind: ImportKind, read: Records, known: Known, *, has_positions: bool) -> ImportPlan:
    elders = [record for record in read if isinstance(record, Elder)]
    devices = [record for record in read if isinstance(record, Device)]
    responders = [record for record in read if isinstance(record, Responder)]
    contacts = [record for record in read if isinstance(record, FamilyContact)]
    new_elders, changed_elders, same_elders = _compared(elders, known.elders)
    new_devices, changed_devices, same_devices = _compared(devices, known.devices)
    new_responders, changed_responders, same_responders = _compared(responders, known.responders)
    new_contacts, changed_contacts, same_contacts = _compared(contacts, known.contacts)
    return ImportPlan(
        kind,
        DirectoryChange(
            elders=(*new_elders, *changed_elders),
            devices=(*new_devices, *changed_devices),
            responders=(*new_responders, *changed_responders),
            contacts=(*new_contacts, *changed_contacts),
        ),
        len(new_elders) + len(new_devices) + len(new_responders) + len(new_contacts),
        len(changed_elders) + len(changed_devices) + len(changed_responders) + len(changed_contacts),
        same_elders + same_devices + same_responders + same_contacts,
        moved_devices=(
            *(device for device in new_devices if device.elder is not None),  # known only as a stranger so far
            *(device for device in changed_devices if device.elder != known.devices[device.id].elder),
        ),
        supervised=tuple(_supervised(device, known) for device in (*new_devices, *changed_devices)),
        changed_elders=changed_elders,
        differences=(
            *_differences(changed_elders, known.elders),
            *_differences(changed_devices, known.devices),
            *_differences(changed_responders, known.responders),
            *_differences(changed_contacts, known.contacts),
        ),
        notices=notices_for(elders, responders, known, has_positions=has_positions),
    )


def _compared(
    read: Iterable[Record], known: Mapping[str, Record]
) -> tuple[tuple[Record, ...], tuple[Record, ...], int]:
    """New ones, changed ones, and how many are as they were."""
    every = tuple(read)
    added = tuple(record for record in every if record.id not in known)
    changed = tuple(record for record in every if record.id in known and record != known[record.id])
    return added, changed, len(every) - len(added) - len(changed)


def _supervised(device: Device, known: Known) -> Supervised:
    elder = known.elders.get(device.elder or "")
    heartbeat_s = device.heartbeat_s if device.active else 0
    return Supervised(device.id, heartbeat_s, device.gateway, device.elder, elder.area if elder is not None else ())


def _differences(changed: Iterable[Record], known: Mapping[str, Record]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((record.id, records.differing(known[record.id], record)) for record in changed)
