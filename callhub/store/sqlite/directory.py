"""People, devices, users, tokens and ladders as SQL, and the marks that are not facts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from callhub.domain.people import Elder
from callhub.domain.policy import policy_key
from callhub.store.codec import decode, decode_json, encode, encode_json, encode_policy, encode_time
from callhub.store.records import project

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from callhub.domain.facts import Row
    from callhub.domain.habits import Habit
    from callhub.domain.people import Device
    from callhub.domain.policy import Policy
    from callhub.store.base import DirectoryChange, Marks


def change_directory(db: sqlite3.Connection, change: DirectoryChange) -> None:
    """Upsert and remove; about 5 us a record."""
    db.executemany(
        "INSERT INTO area (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
        [(area.id, encode(area)) for area in change.areas],
    )
    db.executemany(
        "INSERT INTO elder (id, phone, address, record) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " phone = excluded.phone, address = excluded.address, record = excluded.record",
        [(elder.id, elder.phone, elder.address, _with_call_first(db, elder)) for elder in change.elders],
    )
    db.executemany(
        "INSERT INTO device (id, phone, elder, test_until, record) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET phone = excluded.phone, elder = excluded.elder, record = excluded.record,"
        " test_until = coalesce(excluded.test_until, test_until)",
        [_device(device) for device in change.devices],
    )
    db.executemany(
        "INSERT INTO responder (id, phone, record) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " phone = excluded.phone, record = excluded.record",
        [(responder.id, responder.phone, encode(responder)) for responder in change.responders],
    )
    db.executemany(
        "INSERT INTO contact (id, elder, phone, record) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " elder = excluded.elder, phone = excluded.phone, record = excluded.record",
        [(contact.id, contact.elder, contact.phone, encode(contact)) for contact in change.contacts],
    )
    _change_access(db, change)
    if change.policies is not None:
        _put_in_force(db, change.policies)


def _with_call_first(db: sqlite3.Connection, elder: Elder) -> bytes:
    """The record with the call-first that is kept: a person set that, whoever changes the record brings none."""
    kept = db.execute(
        "SELECT record FROM elder WHERE id = ? AND json_type(CAST(record AS TEXT), '$.call_first') = 'object'",
        (elder.id,),
    ).fetchone()
    return encode(replace(elder, call_first=None if kept is None else decode(Elder, kept[0]).call_first))


def _device(device: Device) -> tuple[str, str, str | None, int | None, bytes]:
    until = None if device.test_until is None else encode_time(device.test_until)
    return device.id, device.phone, device.elder, until, encode(replace(device, test_until=None))


def _change_access(db: sqlite3.Connection, change: DirectoryChange) -> None:
    db.executemany(
        "INSERT INTO user (name, role, area, password) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " role = excluded.role, area = excluded.area, password = excluded.password",
        [(user.name, user.role, user.area, user.password) for user in change.users],
    )
    sessions = [("session", name) for name in change.removed_users]
    db.executemany("DELETE FROM token WHERE kind = ? AND id = ?", [*change.revoked, *sessions])
    db.executemany("DELETE FROM user WHERE name = ?", [(name,) for name in change.removed_users])
    db.executemany(
        "INSERT OR REPLACE INTO token (digest, kind, id, role, area, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        [(t.digest, t.kind, t.id, t.role, t.area, encode_time(t.created_at)) for t in change.tokens],
    )


def _put_in_force(db: sqlite3.Connection, policies: Sequence[Policy]) -> None:
    db.execute("UPDATE policy SET place = NULL WHERE place IS NOT NULL")
    db.executemany(
        "INSERT INTO policy (key, place, ladder) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
        " place = excluded.place, ladder = excluded.ladder",
        [(policy_key(policy), place, encode_policy(policy)) for place, policy in enumerate(policies)],
    )


def project_facts(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Show in the directory what facts outside incidents say."""
    found = project(rows)
    db.executemany(
        "INSERT INTO duty (responder, record) VALUES (?, ?)"
        " ON CONFLICT (responder) DO UPDATE SET record = excluded.record",
        [(id, encode(duty)) for id, duty in found.duties.items()],
    )
    db.executemany(
        "UPDATE device SET test_until = ? WHERE id = ?",
        [(encode_time(until), id) for id, until in found.test_until.items()],
    )
    for id, call_first in found.call_first.items():
        kept = db.execute("SELECT record FROM elder WHERE id = ?", (id,)).fetchone()
        if kept is not None:
            record = encode(replace(decode(Elder, kept[0]), call_first=call_first))
            db.execute("UPDATE elder SET record = ? WHERE id = ?", (record, id))
    for id, at in found.tested_at.items():
        _note_health(db, id, {"last_tested_at": at})


def keep_habits(db: sqlite3.Connection, habits: Sequence[Habit]) -> None:
    """Replace what was learned of people; about 10 us each."""
    db.executemany(
        "INSERT OR REPLACE INTO habit (responder, record) VALUES (?, ?)",
        [(habit.responder, encode(habit)) for habit in habits],
    )


def mark(db: sqlite3.Connection, marks: Marks) -> None:
    """Move signs of life, positions and cursors on; about 5 us each."""
    db.executemany(
        "INSERT INTO seen (kind, id, at) VALUES (?, ?, ?)"
        " ON CONFLICT (kind, id) DO UPDATE SET at = max(at, excluded.at)",
        [(kind, id, encode_time(at)) for (kind, id), at in marks.seen.items()],
    )
    db.executemany(
        "INSERT OR REPLACE INTO position (responder, position, at) VALUES (?, ?, ?)",
        [(id, encode(position), encode_time(at)) for id, (position, at) in marks.positions.items()],
    )
    for id, health in marks.device_health.items():
        _note_health(db, id, health)
    given = "coalesce((SELECT max(seq) FROM outbox WHERE kind = ?1 AND addressee = ?2), 0)"
    db.executemany(
        f"INSERT INTO cursor (kind, addressee, confirmed, given) VALUES (?1, ?2, max(0, min(?3, {given})), 0)"
        " ON CONFLICT (kind, addressee) DO UPDATE SET"
        f" confirmed = max(confirmed, min(?3, max(given, {given})))",
        [(addressee.kind.value, addressee.id, seq) for addressee, seq in marks.confirmed.items()],
    )


def _note_health(db: sqlite3.Connection, id: str, health: dict[str, Any]) -> None:
    row = db.execute("SELECT health FROM device_health WHERE device = ?", (id,)).fetchone()
    old = {} if row is None else decode_json(row[0])
    db.execute(
        "INSERT OR REPLACE INTO device_health (device, health) VALUES (?, ?)", (id, encode_json({**old, **health}))
    )
