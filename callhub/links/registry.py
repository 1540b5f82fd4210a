"""Who is connected: the channel that the courier wakes, and the place where links of revoked clients are ended.

Rules of this file: a gateway may hold several links, a responder one, the newest. The hub hears of a responder's first
link and of its last, never of the ones between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from callhub.domain.events import LinkChanged
from callhub.domain.messages import Addressee, AddresseeKind
from callhub.domain.people import SYSTEM
from callhub.domain.supervision import GatewayLinkChanged
from callhub.logs import get_logger
from callhub.protocol.close_codes import CloseCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from callhub.domain.events import Event
    from callhub.hub.stream import Stream
    from callhub.links.admission import Admission
    from callhub.metrics import Metrics

log = get_logger(__name__)


class Hub(Protocol):
    """What the registry needs of the hub."""

    @property
    def committed(self) -> Stream:
        """What the hub says after each commit."""

    def new_id(self) -> str:
        """A new time-ordered id."""

    def notice(self, event: Event) -> None:
        """Take what has no answer."""

    def mark_seen(self, kind: str, id: str) -> None:
        """Something showed a sign of life."""


class Link(Protocol):
    """What the registry needs of a link."""

    @property
    def admission(self) -> Admission:
        """Whose link it is."""

    def wake(self) -> None:
        """Something may be pending."""

    def end(self, code: CloseCode) -> None:
        """Close soon, with this code."""


class Registry:
    """The links that are up, by client; a ``Channel`` of the courier.

    Args:
        hub: Hears of responders' links.
        metrics: Counts links, if given.
    """

    def __init__(self, hub: Hub, metrics: Metrics | None = None) -> None:
        self._hub = hub
        self._metrics = metrics
        self._links: dict[Addressee, list[Link]] = {}
        self._revocations: dict[Addressee, int] = {}

    def __len__(self) -> int:
        return sum(len(links) for links in self._links.values())

    def links(self) -> list[Link]:
        """Every link, in no particular order."""
        return [link for links in self._links.values() for link in links]

    def add(self, link: Link) -> None:
        """A link is up. A responder's older one is replaced; a client revoked during the handshake is turned away."""
        addressee = link.admission.addressee
        held = self._links.setdefault(addressee, [])
        if addressee.kind is AddresseeKind.RESPONDER:
            for older in held:
                older.end(CloseCode.REPLACED)
            self._count(addressee, -len(held))
            was_up = bool(held)
            held.clear()
            if not was_up:
                self._tell(addressee, up=True)
        elif not held:
            self._tell(addressee, up=True)
        held.append(link)
        self._count(addressee, 1)
        self._hub.mark_seen(addressee.kind.value, addressee.id)
        if link.admission.revocations != self.revocations(addressee):
            link.end(CloseCode.REVOKED)

    def remove(self, link: Link) -> None:
        """A link is down; safe to call twice, and for one that was replaced."""
        addressee = link.admission.addressee
        held = self._links.get(addressee, [])
        if link not in held:
            return
        held.remove(link)
        self._count(addressee, -1)
        if not held:
            del self._links[addressee]
            self._tell(addressee, up=False)

    def wake(self, addressee: Addressee) -> None:
        """Something new is pending for this client."""
        for link in self._links.get(addressee, ()):
            link.wake()

    def wake_all(self) -> None:
        """Something may be pending for anybody."""
        for link in self.links():
            link.wake()

    def end_all(self, code: CloseCode) -> None:
        """Close every link soon, with this code."""
        for link in self.links():
            link.end(code)

    def revocations(self, addressee: Addressee) -> int:
        """How often this client was revoked since the start."""
        return self._revocations.get(addressee, 0)

    async def follow(self, is_valid: Callable[[Admission], bool]) -> None:
        """End the links of whoever is revoked, until the hub ends its stream.

        Args:
            is_valid: Whether the token behind a link still holds; asked for every link when announcements were lost.
        """
        committed = self._hub.committed.subscribe()
        try:
            async for announcement in committed:
                if announcement is None:
                    self._end_where(lambda link: not is_valid(link.admission))
                    continue
                for addressee in _clients(announcement.revoked):
                    self._revocations[addressee] = self.revocations(addressee) + 1
                    for link in tuple(self._links.get(addressee, ())):
                        log.info("link_revoked", kind=addressee.kind.value, id=addressee.id)
                        link.end(CloseCode.REVOKED)
        finally:
            committed.close()

    def _end_where(self, is_wrong: Callable[[Link], bool]) -> None:
        """After a gap: whoever cannot be shown to be valid comes back through the door, if they may."""
        for link in self.links():
            if is_wrong(link):
                has_token = link.admission.digest is not None
                link.end(CloseCode.REVOKED if has_token else CloseCode.RESTARTING)

    def _tell(self, addressee: Addressee, *, up: bool) -> None:
        if addressee.kind is AddresseeKind.RESPONDER:
            self._hub.notice(LinkChanged(id=self._hub.new_id(), actor=SYSTEM, responder=addressee.id, up=up))
        else:
            self._hub.notice(GatewayLinkChanged(id=self._hub.new_id(), actor=SYSTEM, gateway=addressee.id, up=up))

    def _count(self, addressee: Addressee, change: int) -> None:
        if self._metrics is not None:
            self._metrics.links.labels(kind=addressee.kind.value).inc(change)


def _clients(revoked: tuple[tuple[str, str], ...]) -> Iterator[Addressee]:
    """Those among the revoked who can have links; ``api`` clients and sessions have none."""
    for kind, id_ in revoked:
        if kind in (AddresseeKind.GATEWAY, AddresseeKind.RESPONDER):
            yield Addressee(AddresseeKind(kind), id_)
