"""The telephones of everybody who can be asked: links, frames, what is delivered and confirmed.

Rules of this file: a message is heard only over a link; what came meanwhile waits in the outbox. What people then do is
their own business (``neighbours``, ``places``).
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from callhub.domain.events import CallTaken, LinkChanged
from callhub.domain.messages import Addressee, AddresseeKind
from callhub.domain.people import SYSTEM
from callhub.protocol.session import ResponderSession

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callhub.domain.decision import Announcement
    from callhub.domain.messages import Message, Stored
    from callhub.domain.people import Responder, ResponderKind
    from callhub.lab.day.stage import Stage

    Wire = dict[str, Any]

OUTBOX_MAX = 1000


class Person(Protocol):
    """Whoever holds a telephone."""

    def hear(self, responder: str, message: Message) -> None:
        """A message arrives, for the first time or again."""


class Apps:
    """All apps of a town. ``roles``: who holds those of each kind of responder."""

    def __init__(self, stage: Stage, responders: Mapping[str, Responder]) -> None:
        self.roles: dict[ResponderKind, Person] = {}
        self._stage = stage
        self._kinds = {id: record.kind for id, record in responders.items()}
        self._linked: set[str] = set()
        self._numbers = itertools.count(1)
        stage.listeners.append(self._deliver_new)

    # Links

    def link(self, responder: str, *, up: bool) -> None:
        """A link comes up, and what waited is delivered; or it is lost."""
        stage = self._stage
        stage.hub.notice(LinkChanged(id=stage.new_id(), actor=SYSTEM, responder=responder, up=up))
        if not up:
            self._linked.discard(responder)
            return
        self._linked.add(responder)
        address = Addressee(AddresseeKind.RESPONDER, responder)
        after = max(stage.store.outbox_head(address)[0], stage.hub.confirmed(address))
        for stored in stage.store.outbox(address, after, OUTBOX_MAX):
            self._deliver(stored)

    def all_lost(self) -> set[str]:
        """The server has gone; gives who was linked."""
        lost, self._linked = self._linked, set()
        return lost

    def _deliver_new(self, news: Announcement) -> None:
        for stored in news.stored:
            address = stored.message.addressee
            if address.kind is AddresseeKind.RESPONDER and address.id in self._linked:
                self._deliver(stored)

    def _deliver(self, stored: Stored) -> None:
        address = stored.message.addressee
        self._stage.hub.confirm(address, stored.seq)
        self.roles[self._kinds[address.id]].hear(address.id, stored.message)

    # Frames

    async def say(self, responder: str, type: str, **fields: object) -> Wire:
        """Send one frame, and return what the server answers."""
        session = ResponderSession(responder)
        frame = {"type": type, "id": f"{responder}-{next(self._numbers)}", **fields}
        received = session.receive(json.dumps(frame), id=self._stage.new_id())
        event = received.event
        if event is None:
            raise ValueError(f"{received.error}: {frame}")
        if isinstance(event, CallTaken):
            event = replace(event, elder=self._stage.store.person("elders", received.elder or ""))
        return session.answer(received, await self._stage.tell(event))


def instant(value: object) -> datetime:
    """A time in a message, fresh from the hub or read back from the outbox."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
