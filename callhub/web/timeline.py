"""One incident whole: its item, the facts of its journal, who was spoken to, and why people were asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from callhub.domain.facts import (
    ContactMade,
    DeadlinesChanged,
    HomeCheckBegan,
    HomeChecked,
    HomesListed,
    Ranked,
    private_fields,
)
from callhub.domain.people import Role
from callhub.web.views import iso, item

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from callhub.domain.facts import Fact, Row
    from callhub.store.base import Document, Names
    from callhub.web.access import Caller

_RAW = "raw"
_SILENT = (Ranked, DeadlinesChanged, HomesListed, HomeCheckBegan, HomeChecked)
"""Facts that are no event for a reader: shown as decisions, as ``next_deadline``, and as the homes of a roll-call."""


def single(
    document: Document, names: Names, rows: Iterable[tuple[int, Row]], caller: Caller, family: list[dict[str, Any]]
) -> dict[str, Any]:
    """The incident with ``timeline``, ``contacts`` and ``decisions``, oldest first, and its ``family``.

    Texts, telephone numbers and positions in the facts are for operators and above, raw frames for supervisors.
    """
    told = [(seq, row, fact) for seq, row in rows for fact in row.facts]
    return {
        **item(document, names),
        "timeline": [_entry(seq, row, fact, caller) for seq, row, fact in told if not isinstance(fact, _SILENT)],
        "contacts": [_contact(row, fact, caller) for _, row, fact in told if isinstance(fact, ContactMade)],
        "family": family,
        "decisions": [_decision(row, fact, names) for _, row, fact in told if isinstance(fact, Ranked)],
    }


def ranked_people(rows: Iterable[tuple[int, Row]]) -> set[str]:
    """The ids of everybody whom a ranking chose or passed over."""
    rankings = [fact for _, row in rows for fact in row.facts if isinstance(fact, Ranked)]
    return {str(one["responder"]) for fact in rankings for one in (*fact.chosen, *fact.passed_over)}


def plain(value: object) -> object:
    """A fact's value as JSON: times in UTC, enums by value, records and tuples by their items."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return plain_fields(value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def plain_fields(record: DataclassInstance) -> dict[str, object]:
    """The fields of a fact or another record, as JSON."""
    return {f.name.rstrip("_"): plain(getattr(record, f.name)) for f in fields(record)}


def _actor(row: Row) -> dict[str, Any]:
    return {"kind": row.actor.kind.value, "id": row.actor.id}


def _entry(seq: int, row: Row, fact: Fact, caller: Caller) -> dict[str, Any]:
    kind: type = type(fact)
    hidden = {name for name in private_fields(kind) if not _may_read(name, caller)}
    public = {name: value for name, value in plain_fields(fact).items() if name not in hidden and value is not None}
    code = public.pop("fact")
    # A fact may have fields of its own named like the entry's (an alarm's ``at``), so they stay apart.
    return {
        "seq": seq,
        "at": iso(row.at),
        "version": row.version,
        "actor": _actor(row),
        "fact": code,
        **{name: value for name, value in public.items() if name not in ("seq", "at", "version", "actor")},
        **({"said_at": public["at"]} if "at" in public else {}),
    }


def _may_read(name: str, caller: Caller) -> bool:
    return caller.has(Role.SUPERVISOR if name == _RAW else Role.OPERATOR)


def _contact(row: Row, fact: ContactMade, caller: Caller) -> dict[str, Any]:
    note = fact.note if caller.has(Role.OPERATOR) else None
    return {"at": iso(row.at), "by": _actor(row), "party": fact.party, "result": fact.result, "note": note}


def _decision(row: Row, fact: Ranked, names: Names) -> dict[str, Any]:
    shown = {name: value for name, value in plain_fields(fact).items() if name != "fact"}
    return {
        "at": iso(row.at),
        "version": row.version,
        **shown,
        "chosen": [_named(one, names) for one in fact.chosen],
        "passed_over": [_named(one, names) for one in fact.passed_over],
    }


def _named(one: dict[str, Any], names: Names) -> dict[str, Any]:
    record = names.responders.get(str(one["responder"]))
    return {**one, "name": record.name if record is not None else None}
