"""The courier: after each commit it wakes the channels, and it gives their writers what is pending, ready to send.

Rules of this file: nothing is kept here. A writer that was not woken finds the same messages when it looks by itself,
so a lost hint costs time, never a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from callhub.protocol.render import encode, render, wanted_names
from callhub.texts import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from callhub.delivery.channel import Channel
    from callhub.domain.messages import Addressee, MessageType, Stored
    from callhub.hub.stream import Stream
    from callhub.store.base import Names, Store


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready to send: its ``seq``, its type and the JSON text frame."""

    seq: int
    type: MessageType
    frame: str


class Courier:
    """Takes messages from the outbox.

    Args:
        store: Read only; inline reads by index.
        committed: What the hub says after each commit.
        channels: All of them are woken.
        language: For sentences to people whose language is not known.
    """

    def __init__(
        self, store: Store, committed: Stream, channels: Iterable[Channel], language: str = LANGUAGES[0]
    ) -> None:
        self._store = store
        self._committed = committed
        self._channels = tuple(channels)
        self._language = language

    async def run(self) -> None:
        """Wake whoever each commit has a message for, until the hub ends its stream."""
        committed = self._committed.subscribe()
        try:
            self._wake_all()  # what was committed before anybody followed
            async for announcement in committed:
                if announcement is None:
                    self._wake_all()
                    continue
                for addressee in dict.fromkeys(stored.message.addressee for stored in announcement.stored):
                    for channel in self._channels:
                        channel.wake(addressee)
        finally:
            committed.close()

    def pending(self, addressee: Addressee, after: int, limit: int) -> list[Outgoing]:
        """The oldest unconfirmed messages with a ``seq`` above ``after``, in order, at most ``limit``.

        Two indexed reads, then about 20 us a message.
        """
        waiting = self._store.outbox(addressee, after, limit)
        if not waiting:
            return []
        names = self._names(waiting)
        return [
            Outgoing(stored.seq, stored.message.type, encode(render(stored, names, self._language)))
            for stored in waiting
        ]

    def _names(self, waiting: Iterable[Stored]) -> Names:
        wanted: tuple[set[str], ...] = (set(), set(), set(), set())
        for stored in waiting:
            for ids, more in zip(wanted, wanted_names(stored.message.body), strict=True):
                ids |= more
        return self._store.names(*wanted)

    def _wake_all(self) -> None:
        for channel in self._channels:
            channel.wake_all()
