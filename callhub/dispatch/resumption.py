"""Supervision after a restart: no silence is invented, none is hidden.

The rule: silence counts while the server runs and not in between. A device that was never heard counts from the first
start after its import. After a start a device has at least its own time or ``start_grace_s`` left, whichever is
shorter, to be heard; a gateway as well. What was reported before and did not end is not reported again.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

from callhub.dispatch.silence import Silence, seconds
from callhub.domain.supervision import (
    AREA_LOST,
    FAULTS,
    GATEWAY_LOST,
    LINKED,
    SUPERVISION_LOST,
    UNLINKED,
    mended,
    reported,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from callhub.domain.people import Supervised


class Memory(Protocol):
    """What a store keeps of supervision."""

    @property
    def supervised(self) -> Sequence[Supervised]:
        """Every supervised device with its marks."""

    @property
    def marks(self) -> Mapping[tuple[str, str], datetime]:
        """The other marks, by kind and id."""

    @property
    def runs(self) -> Sequence[tuple[datetime, datetime]]:
        """When the server ran: from, until at least; oldest first, without the run that begins now."""


class Uptime:
    """How long the server ran since an instant."""

    def __init__(self, runs: Sequence[tuple[datetime, datetime]]) -> None:
        spans = [(seconds(begin), seconds(end)) for begin, end in runs]
        self._begins = [begin for begin, _ in spans]
        self._ends = [end for _, end in spans]
        lengths = [max(0.0, end - begin) for begin, end in spans]
        # after[n]: how long all runs from the n-th on were.
        self._after = [*reversed(list(accumulate(reversed(lengths)))), 0.0]

    def after(self, at: float) -> float:
        """Seconds that it ran after this; O(log n) in the number of runs."""
        later = bisect_right(self._begins, at)
        rest = max(0.0, self._ends[later - 1] - at) if later else 0.0
        return rest + self._after[later]


def resume(silence: Silence, memory: Memory, now: datetime, old: Silence) -> None:
    """Fill ``silence``, which knows the open incidents already; ``old`` is what this process knew before."""
    uptime, start = Uptime(_runs(memory)), seconds(now)
    marks = {about: seconds(at) for about, at in memory.marks.items()}
    _gateways_known(silence, marks, old)
    for record in memory.supervised:
        _device(silence, record, uptime, start, old)
    for id in silence.gateways:
        _gateway(silence, id, marks, uptime, start)
    for area in {id for kind, id in marks if kind == reported(AREA_LOST)} | _subjects(silence, AREA_LOST):
        if _is_told(silence, AREA_LOST, area, marks):
            silence.outages.out[area] = set()
    for kind in FAULTS:
        told = {id for marked, id in marks if marked == reported(kind)} | _subjects(silence, kind)
        silence.reported |= {(kind, id) for id in told if _is_told(silence, kind, id, marks)}
    for device in silence.devices.values():
        if not silence.is_behind_outage(device) and device.silent_at is None:
            silence.look_after(device)


def _runs(memory: Memory) -> list[tuple[datetime, datetime]]:
    """The runs, the last one up to the last thing that was heard: the server was certainly alive then."""
    runs = list(memory.runs)
    heard = max((record.heard_at for record in memory.supervised if record.heard_at is not None), default=None)
    if runs and heard is not None:
        runs[-1] = (runs[-1][0], max(runs[-1][1], heard))
    return runs


def _subjects(silence: Silence, kind: str) -> set[str]:
    return {subject for opened, subject in silence.open if opened == kind}


def _is_told(silence: Silence, kind: str, id: str, marks: Mapping[tuple[str, str], float]) -> bool:
    """Whether it was reported and was not well since."""
    at, well_at = marks.get((reported(kind), id)), marks.get((mended(kind), id))
    if at is None:
        return (kind, id) in silence.open
    return well_at is None or at > well_at


def _gateways_known(silence: Silence, marks: Mapping[tuple[str, str], float], old: Silence) -> None:
    silence.known = {id for kind, id in marks if kind == LINKED} | old.known


def _device(silence: Silence, record: Supervised, uptime: Uptime, start: float, old: Silence) -> None:
    grace = min(record.heartbeat_s, silence.rules.start_grace_s)
    before = old.devices.get(record.device)
    marks = [seconds(at) for at in (record.heard_at, record.watched_at) if at is not None]
    if before is not None:
        since = max(before.since, *marks) if marks else before.since
    elif record.watched_at is None:
        since = start
    else:
        since = start - uptime.after(max(marks))
    device = silence.watch(record, max(since, start + grace - record.heartbeat_s))
    told = (SUPERVISION_LOST, device.id) in silence.open if record.lost_at is None else _is_last(record)
    if told:
        silence.outages.fell_silent(device, float("-inf"))
        device.told = True


def _is_last(record: Supervised) -> bool:
    """Whether its last word is that it is lost."""
    marks = [at for at in (record.heard_at, record.watched_at) if at is not None]
    return all(record.lost_at is not None and record.lost_at > at for at in marks)


def _gateway(silence: Silence, id: str, marks: Mapping[tuple[str, str], float], uptime: Uptime, start: float) -> None:
    gateway = silence.gateways[id]
    lost_s = silence.rules.gateway_lost_s
    linked, unlinked = marks.get((LINKED, id)), marks.get((UNLINKED, id))
    was_down = linked is not None and unlinked is not None and unlinked >= linked
    since = start - uptime.after(unlinked) if was_down and unlinked is not None else start
    gateway.since = max(since, start + min(lost_s, silence.rules.start_grace_s) - lost_s)
    at = marks.get((reported(GATEWAY_LOST), id))
    gateway.told = (GATEWAY_LOST, id) in silence.open if at is None else linked is None or at > linked
    gateway.out = gateway.told
    silence.look_after_gateway(gateway)
