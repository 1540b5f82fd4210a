"""What is legal in an imported file and perhaps not meant, with the rule that holds then: a line for each, in English.

Rules of this file: pure. A notice changes nothing; what is wrong is a ``RowError`` and no notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from callhub.dispatch.roster import PLACES
from callhub.domain.people import Elder, Responder
from callhub.intake.records import HOME, Known

SHOWN_MAX = 5
"""Ids that a notice names; of more it says that there are more."""


def notices_for(
    elders: Iterable[Elder], responders: Iterable[Responder], known: Known, *, has_positions: bool
) -> tuple[str, ...]:
    """All notices about the people of a file, new, changed or as they were.

    Args:
        elders: Read from the file.
        responders: Read from the file.
        known: What the store had of them.
        has_positions: Whether the file has a column ``lat``.
    """
    elders = [elder for elder in elders if elder.active]
    people = [person for person in responders if person.active and person.kind not in PLACES]
    found = [
        ("paired responders not imported yet", _unpaired(elders, known), "until then nobody is asked in their place"),
        ("in no area", [e.id for e in elders if not e.area], "the desks of all top areas are asked for them"),
        (
            "without a position, also of their area",
            [e.id for e in elders if e.position is None],
            "people are found by area alone, and where there is none only desks are asked",
        ),
        (
            "without a position, also of their area",
            [p.id for p in people if p.position is None],
            "until an app tells where they are, they are asked only as paired or for homes without a position",
        ),
    ]
    if not has_positions:
        moved = _moved(elders, known.elders.values()) + _moved(people, known.responders.values())
        found.append(
            ("in another area at the same position, as the file has no lat and lon", moved, "see that it holds")
        )
    return tuple(f"{what}: {_some(ids)}; {rule}" for what, ids, rule in found if ids)


def _unpaired(elders: Iterable[Elder], known: Known) -> list[str]:
    return sorted({id for elder in elders for id in elder.paired} - set(known.responders))


def _moved(after: Iterable[Elder | Responder], before: Iterable[Elder | Responder]) -> list[str]:
    """Who is in another area now, and has a position of their own that stayed."""
    areas = {record.id: record.area for record in before}
    return [r.id for r in after if r.position_source == HOME and r.area != areas.get(r.id, r.area)]


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:SHOWN_MAX]) + (", ..." if len(ids) > SHOWN_MAX else "")
