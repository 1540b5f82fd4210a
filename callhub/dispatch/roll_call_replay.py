"""How the facts of a roll-call change its incident; part of ``replay``, whose rules hold here too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from callhub.domain import facts as f
from callhub.domain.roll_call import RollCall
from callhub.errors import EngineFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from callhub.domain.incident import Incident
    from callhub.domain.people import Actor


def _call(i: Incident) -> RollCall:
    if i.roll_call is None:
        raise EngineFault(f"incident {i.id} is no roll-call")
    return i.roll_call


def _began(i: Incident, fact: f.RollCallBegan, at: datetime, actor: Actor) -> None:
    i.roll_call = RollCall(fact.cause, fact.gap)


def _extended(i: Incident, fact: f.RollCallExtended, at: datetime, actor: Actor) -> None:
    i.roll_call = replace(_call(i), cause=fact.cause, gap=fact.gap, listed=False)


def _listed(i: Incident, fact: f.HomesListed, at: datetime, actor: Actor) -> None:
    call, waiting = _call(i), set(fact.homes)
    still_open = tuple(one for one in call.open if one[0] not in waiting)
    checked = call.checked + len(fact.pressed)
    i.roll_call = replace(call, listed=True, waiting=fact.homes, open=still_open, checked=checked)


def _check_began(i: Incident, fact: f.HomeCheckBegan, at: datetime, actor: Actor) -> None:
    call = _call(i)
    i.roll_call = replace(call, waiting=_without(call.waiting, fact.home), open=(*call.open, (fact.home, fact.check)))


def _checked(i: Incident, fact: f.HomeChecked, at: datetime, actor: Actor) -> None:
    call, checked = _call(i), _call(i).checked + 1
    if call.check_of(fact.home) is None:
        i.roll_call = replace(call, waiting=_without(call.waiting, fact.home), checked=checked)
    else:  # no home waits that is being checked, and those that wait may be thousands
        i.roll_call = replace(call, open=tuple(one for one in call.open if one[0] != fact.home), checked=checked)


def _held_up(i: Incident, fact: f.RollCallHeldUp, at: datetime, actor: Actor) -> None:
    call = _call(i)
    if fact.home in call.waiting:
        i.roll_call = replace(call, waiting=(*_without(call.waiting, fact.home), fact.home))


def _without(homes: tuple[str, ...], home: str) -> tuple[str, ...]:
    """``homes`` without one of them, which is mostly the first."""
    if homes and homes[0] == home:
        return homes[1:]
    return tuple(one for one in homes if one != home)


ROLL_CALL_HANDLERS: dict[type, Callable[[Incident, Any, datetime, Actor], None]] = {
    f.RollCallBegan: _began,
    f.RollCallExtended: _extended,
    f.HomesListed: _listed,
    f.HomeCheckBegan: _check_began,
    f.HomeChecked: _checked,
    f.RollCallHeldUp: _held_up,
}
