"""Drills: an emergency that is practised, on the ladder of the real one.

Rules of this file:
1. A drill joins nothing and nothing joins it. It uses nobody's capacity, rings nowhere and teaches nothing of how
   people answer; whoever is busy with an emergency is not asked for one.
2. It asks people at once: nobody is called back for something that no device said.
3. It was held once it is closed; one that was called off was none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.dispatch.opening import Signal, open_case
from callhub.domain.decision import Answer
from callhub.domain.drills import DRILLED_AREA, DRILLED_ELDER
from callhub.domain.incident import Source
from callhub.domain.policy import EMERGENCY_KINDS, IncidentClass
from callhub.errors import InvalidMessage

if TYPE_CHECKING:
    from callhub.dispatch.turn import Case, Turn
    from callhub.domain.events import DrillAsked


def begin(turn: Turn, event: DrillAsked) -> Answer:
    """Open a drill at an elder's home; raises ``InvalidMessage`` for a kind that is no emergency."""
    if event.kind not in EMERGENCY_KINDS:
        raise InvalidMessage("kind", f"one of {' '.join(EMERGENCY_KINDS)}")
    signal = Signal(
        id=event.id, source=Source.OPERATOR, kind=event.kind, elder=event.elder, text=event.reason, drill=True
    )
    case = open_case(turn, signal)
    return Answer({"ok": True, "state": case.incident.state.value, "incident": case.id}, incident=case.id)


def mark_held(case: Case) -> None:
    """Keep when a drill was held, for its elder and every area above; nothing for any other case."""
    incident = case.incident
    if incident.class_ is not IncidentClass.DRILL:
        return
    assert incident.elder is not None, "a drill is begun at an elder's home"
    case.turn.mark(DRILLED_ELDER, incident.elder)
    for area in incident.area:
        case.turn.mark(DRILLED_AREA, area)
