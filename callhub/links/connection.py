"""One link: a reader that takes frames, and a writer that sends answers and what is pending.

Rules of this file:
1. Only the writer sends, so that ``welcome`` is first and answers never wait behind a queue of old progress.
2. A frame's answer is sent when its future resolves, never before its commit; answers may overtake each other.
3. At most ``frames_under_way_max`` frames are read and not yet answered; then the link stops reading.
4. A frame that was read is submitted even if its sender is gone by then.
5. Whatever a peer does ends its own link at most, and leaves one line in the log.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from websockets.exceptions import ConnectionClosed

from callhub.domain.events import CallTaken
from callhub.domain.messages import AddresseeKind
from callhub.errors import StoreUnavailable
from callhub.logs import get_logger
from callhub.protocol.close_codes import CloseCode
from callhub.protocol.render import encode
from callhub.protocol.session import GatewaySession, Received, ResponderSession
from callhub.store.base import Need

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from callhub.delivery.courier import Courier, Outgoing
    from callhub.domain.decision import Answer
    from callhub.domain.events import Event
    from callhub.domain.messages import Addressee
    from callhub.links.admission import Admission
    from callhub.links.limits import Limits
    from callhub.links.registry import Registry
    from callhub.links.socket import LinkSocket
    from callhub.links.welcome import Welcomer
    from callhub.protocol.session import Wire
    from callhub.store.base import Store

log = get_logger(__name__)

PULLED_MAX = 32
"""Messages taken from the outbox at once; what is not taken yet may still be replaced by something newer."""


class Hub(Protocol):
    """What a link needs of the hub."""

    def new_id(self) -> str:
        """A new time-ordered id."""

    async def submit(self, event: Event) -> Answer:
        """Decide it, and answer once that is durable."""

    def mark_seen(self, kind: str, id: str) -> None:
        """Something showed a sign of life."""

    def mark_device(self, id: str, health: dict[str, object]) -> None:
        """A device reported its health."""

    def confirm(self, addressee: Addressee, seq: int) -> None:
        """The client has everything up to ``seq``."""

    def confirmed(self, addressee: Addressee) -> int:
        """Up to where the client confirmed what the store does not know yet."""


class LinkBroken(Exception):
    """The writer gives the link up; ``code`` None: without a closing handshake, nobody is there."""

    def __init__(self, why: str, code: CloseCode | None = None) -> None:
        super().__init__(why)
        self.code = code


class Connection:
    """One client's link, from the end of its handshake to its end; ``run`` is its life.

    Args:
        socket: Open.
        admission: Whose it is.
        hub: Takes events.
        store: Finds devices and elders.
        courier: Gives what is pending.
        welcomer: Writes the first message.
        registry: Knows who is connected.
        limits: How much and how long.
    """

    def __init__(
        self,
        socket: LinkSocket,
        admission: Admission,
        *,
        hub: Hub,
        store: Store,
        courier: Courier,
        welcomer: Welcomer,
        registry: Registry,
        limits: Limits,
    ) -> None:
        self.admission = admission
        self._addressee = admission.addressee
        self._socket = socket
        self._hub = hub
        self._store = store
        self._courier = courier
        self._welcomer = welcomer
        self._registry = registry
        self._limits = limits
        self._session: GatewaySession | ResponderSession
        if self._addressee.kind is AddresseeKind.GATEWAY:
            self._session = GatewaySession(self._addressee.id)
        else:
            self._session = ResponderSession(self._addressee.id)
        self._tasks = asyncio.TaskGroup()
        self._room = asyncio.Semaphore(limits.frames_under_way_max)
        self._answers: deque[str] = deque()
        self._pulled: deque[Outgoing] = deque()
        self._sent_seq = hub.confirmed(self._addressee)  # what an older link confirmed is not sent again
        self._woken = asyncio.Event()
        self._flushed = asyncio.Event()
        self._ending: CloseCode | None = None
        self._is_gone = False
        self._pinged_at_s = 0.0

    async def run(self) -> None:
        """Serve the link until it is closed by either side; returns when every frame that was read is answered."""
        async with self._tasks:
            self._registry.add(self)
            writer = self._tasks.create_task(self._write())
            try:
                await self._read()
            finally:
                self._registry.remove(self)
                writer.cancel()
                self._flushed.set()

    def wake(self) -> None:
        """Something may be pending."""
        self._woken.set()

    def end(self, code: CloseCode) -> None:
        """Send what is pending, then close with ``code``; a later call changes nothing. Takes ``flush_s_max``."""
        if self._ending is None:
            self._ending = code
            if code is CloseCode.REPLACED:
                self._flushed.set()  # the newer link gets all of it
            self._tasks.create_task(self._close(code))
            self.wake()

    # ---------------------------------------------------------------- reading

    async def _read(self) -> None:
        try:
            while True:
                await self._room.acquire()
                data = await self._socket.recv()
                if self._ending in (None, CloseCode.RESTARTING):
                    self._take(data)
                else:
                    self._room.release()  # of somebody who has no say any more
        except ConnectionClosed:
            code = self._socket.close_code
            log.info("link_closed", kind=self._addressee.kind.value, id=self._addressee.id, code=code)

    def _take(self, data: str | bytes) -> None:
        """One frame: note who lives, then submit its event, or answer it at once when nothing depends on one."""
        received = self._session.receive(data, id=self._hub.new_id())
        known = self._marked(received)
        if received.event is not None:
            self._tasks.create_task(self._settle(received, received.event))
            return
        wire = received.error
        if received.type == "heartbeat" and isinstance(self._session, GatewaySession) and known is not None:
            wire = self._session.result(received, known)
        self._answer(wire)

    def _marked(self, received: Received) -> set[str] | None:
        """As ``_mark``; None when the store is away, which must not keep an alarm from waiting for it."""
        try:
            return self._mark(received)
        except StoreUnavailable as away:
            log.warning("marks_lost", id=self._addressee.id, why=away.message)
            return None

    def _mark(self, received: Received) -> set[str]:
        """Note the signs of life in a frame; which of the devices it names are known."""
        self._hub.mark_seen(self._addressee.kind.value, self._addressee.id)
        if received.confirmed is not None:
            self._hub.confirm(self._addressee, received.confirmed)
        if not received.devices:
            return set()
        named = frozenset(seen.device for seen in received.devices)
        known = set(self._store.lookup(Need(devices=named)).devices)
        for seen in received.devices:
            if seen.device in known:
                self._hub.mark_seen("device", seen.device)
                if seen.health:
                    self._hub.mark_device(seen.device, seen.health)
        return known

    async def _settle(self, received: Received, event: Event) -> None:
        try:
            if received.elder is not None and isinstance(event, CallTaken):
                event = replace(event, elder=self._store.person("elders", received.elder))
            answer = await self._hub.submit(event)
        except StoreUnavailable:
            self.end(CloseCode.RESTARTING)  # the hub has stopped: nothing was recorded, so nothing is said
            return
        self._answer(self._session.answer(received, answer))

    def _answer(self, wire: Wire | None) -> None:
        """Queue the answer of a frame. Its place is free once it is sent, or at once if there is nothing to send."""
        if wire is None or self._is_gone:
            self._room.release()
        else:
            self._answers.append(encode(wire))
            self.wake()

    # ---------------------------------------------------------------- writing

    async def _write(self) -> None:
        try:
            await self._send(encode(self._welcomer.welcome(self._addressee)))
            while True:
                self._woken.clear()
                await self._pump()
                if self._ending is not None:
                    self._flushed.set()
                await self._rest()
        except LinkBroken as broken:
            log.info("link_given_up", kind=self._addressee.kind.value, id=self._addressee.id, why=str(broken))
            if broken.code is None:
                self._socket.cut()
            else:
                await self._socket.finish(broken.code, str(broken))
        except ConnectionClosed:
            self._socket.cut()  # the reader is told the same, and says so
        finally:
            # Whoever waits for a place must not wait for answers that nobody takes.
            self._is_gone = True
            while self._answers:
                self._answers.popleft()
                self._room.release()

    async def _pump(self) -> None:
        """Send answers and what is pending until neither is left; answers first."""
        while True:
            while self._answers:
                await self._send(self._answers.popleft())
                self._room.release()
            if not self._pulled:
                self._pulled.extend(self._courier.pending(self._addressee, self._sent_seq, PULLED_MAX))
                if not self._pulled:
                    return
            outgoing = self._pulled.popleft()
            self._sent_seq = outgoing.seq
            if not await self._send(outgoing.frame):
                self._pulled.clear()  # it took long: newer progress may have replaced the rest

    async def _rest(self) -> None:
        """Wait until woken; ask a silent peer whether it lives."""
        loop = asyncio.get_running_loop()
        heard_s, limits = self._socket.heard_at_s, self._limits
        check_at_s = max(heard_s, self._pinged_at_s) + limits.ping_interval_s
        if self._pinged_at_s > heard_s and not self._room.locked():
            check_at_s = min(check_at_s, heard_s + limits.silence_s_max)
        if loop.time() < check_at_s:
            try:
                async with asyncio.timeout_at(check_at_s):
                    await self._woken.wait()
                return
            except TimeoutError:
                pass  # nothing to send: time to look after the peer
        self._give_up_if_dead()
        if self._socket.silent_s >= limits.ping_interval_s:
            self._pinged_at_s = loop.time()
            await self._bounded(self._socket.ping())

    async def _send(self, frame: str) -> bool:
        """Send one frame; False when the peer took long to make room for it."""
        return await self._bounded(self._socket.send(frame))

    async def _bounded(self, sending: Awaitable[object]) -> bool:
        """Wait for room behind what is being sent; False when it took long.

        Raises:
            LinkBroken: a responder did not take it in time, or nobody is there any more.
        """
        try:
            async with asyncio.timeout(self._limits.slow_s_max):
                await sending
        except TimeoutError:
            # The frame is in the buffer; only the room behind it is missing.
            if self._addressee.kind is AddresseeKind.RESPONDER:
                raise LinkBroken("too slow", CloseCode.TOO_SLOW) from None
            while not await self._socket.taken(self._limits.ping_interval_s):
                self._give_up_if_dead()
            return False
        return True

    def _give_up_if_dead(self) -> None:
        """Nothing came for too long, and it is not we who do not read."""
        if self._socket.silent_s >= self._limits.silence_s_max and not self._room.locked():
            raise LinkBroken("dead")

    async def _close(self, code: CloseCode) -> None:
        """The end on purpose: what is pending first, but not for long."""
        try:
            async with asyncio.timeout(self._limits.flush_s_max):
                await self._flushed.wait()
        except TimeoutError:
            log.info("link_ends_unflushed", kind=self._addressee.kind.value, id=self._addressee.id)
        await self._socket.finish(code)
