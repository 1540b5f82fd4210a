"""Small districts whose people do exactly what a test says."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from callhub.domain.people import Duty, Elder, Position, Responder, ResponderKind
from callhub.lab.behaviour import Behaviour
from callhub.lab.district import AREA, CENTRE, LEVELS, STARTED_AT, District, Press, desks
from callhub.lab.ladders import Ladder, compared, read_ladder
from callhub.settings import shipped
from tests.scenarios.town import metres_north

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EMERGENCY = shipped() / "policies" / "emergency.toml"
YES = Behaviour(accepts=1, declines=0, answer_delay_s=10, turnout_s=100, turnout_night_s=100)
NO = replace(YES, accepts=0, declines=1)
SILENT = replace(YES, accepts=0)


def default() -> Ladder:
    """The shipped ladder."""
    return read_ladder("default", tomllib.loads(EMERGENCY.read_text(encoding="utf-8")), str(EMERGENCY))


def named(name: str) -> Ladder:
    """One ladder of the table."""
    return next(ladder for ladder in compared(default()) if ladder.name == name)


def small(people: Sequence[Behaviour], presses: int = 1, gap_s: float = 7200, step_m: float = 10) -> District:
    """One home, and people to the north of it, each so many metres farther than the one before."""
    home = Elder(id="E-1", name="E-1", area=AREA, position=CENTRE)
    ids = [f"V-{n:03d}" for n in range(1, len(people) + 1)]
    return District(
        started_at=STARTED_AT,
        density_per_km2=1,
        presses=tuple(
            Press(f"P-{n}", STARTED_AT + timedelta(seconds=60 + n * gap_s), elder=home, device="BTN-1")
            for n in range(presses)
        ),
        responders=(*(_volunteer(id, n * step_m) for n, id in enumerate(ids, start=1)), *desks()),
        behaviours=dict(zip(ids, people, strict=True)),
        duties=tuple(Duty(id, available=True) for id in ids),
    )


def _volunteer(id: str, away_m: float) -> Responder:
    position: Position = metres_north(away_m, CENTRE)
    return Responder(id, id, ResponderKind.VOLUNTEER, area=AREA, level=LEVELS[-1], position=position)


def policy_file(folder: Path, name: str, **changes: str) -> Path:
    """The shipped ladder as a file of one's own, lines that begin with a key replaced."""
    lines = EMERGENCY.read_text(encoding="utf-8").splitlines()
    for key, value in changes.items():
        lines = [f"{key} = {value}" if line.startswith(f"{key} ") else line for line in lines]
    file = folder / f"{name}.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file
