"""What came of a day, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from callhub.domain import facts as f
from callhub.lab.laws.court import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from callhub.domain.facts import Fact
    from callhub.lab.day.play import Played

SHOWN_MAX = 20
"""Broken things told of one law."""


@dataclass(frozen=True, slots=True)
class Report:
    """A day and what the laws say of it. ``holds``: nothing is broken."""

    seed: int
    played: Played
    verdicts: tuple[Verdict, ...]

    @property
    def holds(self) -> bool:
        """No law is broken, and file, figures and restored engine agree."""
        return not self.played.flaws and not any(verdict.broken for verdict in self.verdicts)

    def row(self) -> dict[str, Any]:
        """For ``--json``; the same day gives the same object."""
        played, facts = self.played, Counter(_names(self.played))
        figures = played.kpi.figures
        return {
            "seed": self.seed,
            "holds": self.holds,
            "incidents": len(played.evidence.incidents),
            "by_kind": [{"class": class_, "kind": kind, **row} for (class_, kind), row in _kinds(played).items()],
            "answered": figures["answered"],
            "journal_rows": sum(len(entry.rows) for entry in played.evidence.entries),
            "messages": sum(len(entry.messages) for entry in played.evidence.entries),
            "alarms_sent": len(played.evidence.receipts),
            "repeats": sum(receipt.duplicate for receipt in played.evidence.receipts),
            "restarts": len(played.evidence.runs) - 1,
            "facts": dict(sorted(facts.items())),
            "laws": [{"law": v.law, "checked": v.checked, "broken": len(v.broken)} for v in self.verdicts],
            "flaws": played.flaws,
        }

    def broken(self) -> Iterator[str]:
        """In words, what is wrong."""
        yield from self.played.flaws
        for verdict in self.verdicts:
            for what in verdict.broken[:SHOWN_MAX]:
                yield f"law {verdict.law}: {what}"


def report_on(played: Played, seed: int) -> Report:
    """Hold a day against the laws."""
    return Report(seed, played, judge(played.evidence))


def as_text(report: Report) -> str:
    """Tables for a terminal."""
    row = report.row()
    lines = [_line(("class", "kind", "incidents", "closed", "cancelled", "open"), _KIND_WIDTHS)]
    lines += [_line(tuple(one.values()), _KIND_WIDTHS) for one in row["by_kind"]]
    answered = (f"{row['answered'][key]['count']} of {row['answered'][key]['of']} {words}" for key, words in _WITHIN)
    lines += ["", f"answered: {', '.join(answered)}"]
    for title, words in _SHOWN.items():
        counts = (f"{row['facts'].get(name, 0)} {word}" for name, word in words.items())
        lines.append(f"{title}: {', '.join(counts)}")
    lines.append(f"alarms: {row['alarms_sent']} sent, {row['repeats']} of them repeats; restarts: {row['restarts']}")
    lines += [f"journal: {row['journal_rows']} rows, {row['messages']} messages", ""]
    lines += [_line(("law", "checked", "broken"), _LAW_WIDTHS)]
    lines += [_line(tuple(law.values()), _LAW_WIDTHS) for law in row["laws"]]
    agree = "file intact, figures live as counted again, restored engine the same"
    return "\n".join([*lines, "", f"{len(row['flaws'])} flaws" if row["flaws"] else agree])


def as_json(report: Report) -> str:
    """One line."""
    return json.dumps(report.row(), ensure_ascii=False)


_KIND_WIDTHS = (-10, -17, 9, 7, 10, 5)
_LAW_WIDTHS = (-25, 8, 7)
"""Below 0: to the left."""
_WITHIN = (("within_60_s", "within 60 s"), ("within_180_s", "within 180 s"))
_WHISTLES = ("called", "reported", "refused", "missed", "finished", "returned", "confirmed", "withdrawn")
_SHOWN: Mapping[str, Mapping[str, str]] = {
    "people": {
        "offer_made": "asked",
        "offer_accepted": "yes",
        "offer_declined": "no",
        "offer_silent": "silent",
        "offer_reminded": "reminded",
    },
    "duties": {
        "assigned": "assigned",
        "arrival_missed": "late",
        "given_back": "given back",
        "no_access": "no access",
        "need_raised": "needs",
    },
    "desks": {"desk_called": "calls", "owner_taken": "taken over", "owner_cleared": "owners lost"},
    "call-backs": {"call_back_began": "begun", "call_back_held": "all well", "call_back_ended": "went on"},
    "whistles": {f"whistle_{word}": word for word in _WHISTLES},
    "outages": {
        "gateway_lost": "of a gateway",
        "area_lost": "of an area",
        "supervision_lost": "of a device",
        "fault_folded": "folded",
    },
}
"""Facts by their code (or as ``_more`` names them), and how the table calls them."""


def _line(cells: tuple[object, ...], widths: tuple[int, ...]) -> str:
    parts = zip(cells, widths, strict=True)
    return " ".join(f"{cell!s:<{-width}}" if width < 0 else f"{cell!s:>{width}}" for cell, width in parts)


def _kinds(played: Played) -> dict[tuple[str, str], dict[str, int]]:
    found: dict[tuple[str, str], dict[str, int]] = {}
    columns = ("incidents", "closed", "cancelled", "open")
    for incident in sorted(played.evidence.incidents, key=lambda i: (i.class_.value, i.kind)):
        row = found.setdefault((incident.class_.value, incident.kind), dict.fromkeys(columns, 0))
        row["incidents"] += 1
        row["open" if incident.is_open else incident.state.value] += 1
    return found


def _names(played: Played) -> Iterator[str]:
    for entry in played.evidence.entries:
        for row in entry.rows:
            for fact in row.facts:
                yield fact.fact
                yield from _more(fact)


def _more(fact: Fact) -> Iterator[str]:
    """Names for what one code holds several of."""
    if isinstance(fact, f.FaultFound):
        yield fact.kind
    elif isinstance(fact, f.AssignmentMoved) and fact.outcome == "no_access":
        yield fact.outcome
    elif isinstance(fact, f.AssignmentMoved) and fact.state.value == "released" and fact.code is None:
        yield "given_back"
