"""The server's own gap: presses that came while it did not run may be lost, so its homes are checked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from callhub.domain.events import RollCallAsked
from callhub.domain.people import SYSTEM
from callhub.domain.roll_call import Cause, Gap

if TYPE_CHECKING:
    from datetime import datetime

    from callhub.store.base import Snapshot


def roll_call_after(snapshot: Snapshot, now: datetime, after_s: float, id: str) -> RollCallAsked | None:
    """What a start at ``now`` asks for: a roll-call when no server ran for ``after_s`` or longer; 0: never.

    The last run ended when it was certainly alive for the last time: by its mark, or by the last device it heard. What
    the journal holds says nothing: commands write there too, without a server. A first start has no gap.
    """
    heard = (device.heard_at for device in snapshot.supervised if device.heard_at is not None)
    alive = [end for _, end in snapshot.runs]
    if not alive or not after_s:
        return None
    last_at = max((*alive, *heard))
    if now - last_at < timedelta(seconds=after_s):
        return None
    return RollCallAsked(id=id, actor=SYSTEM, cause=Cause.SERVER, gap=Gap(last_at, now))
