"""Who is connected, and whose links are ended."""

import asyncio
from dataclasses import dataclass, field

from callhub.domain.decision import Announcement
from callhub.domain.events import Event, LinkChanged
from callhub.domain.messages import Addressee, AddresseeKind
from callhub.domain.supervision import GatewayLinkChanged
from callhub.hub.stream import Stream
from callhub.links.admission import Admission
from callhub.links.registry import Registry
from callhub.metrics import create_metrics
from callhub.protocol.close_codes import CloseCode

V1 = Addressee(AddresseeKind.RESPONDER, "V-1")
GW = Addressee(AddresseeKind.GATEWAY, "GW")


@dataclass
class HeardHub:
    """Writes down what it is told."""

    committed: Stream = field(default_factory=Stream)
    links: list[tuple[str, bool]] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)

    def new_id(self) -> str:
        return "e"

    def notice(self, event: Event) -> None:
        assert isinstance(event, LinkChanged | GatewayLinkChanged)
        self.links.append((event.responder if isinstance(event, LinkChanged) else event.gateway, event.up))

    def mark_seen(self, kind: str, id: str) -> None:
        self.seen.append((kind, id))


@dataclass(eq=False)
class PaperLink:
    """A link that writes down what is asked of it."""

    admission: Admission
    wakes: int = 0
    ends: list[CloseCode] = field(default_factory=list)

    def wake(self) -> None:
        self.wakes += 1

    def end(self, code: CloseCode) -> None:
        self.ends.append(code)


def link(addressee: Addressee, revocations: int = 0) -> PaperLink:
    return PaperLink(Admission(addressee, "digest", revocations))


def test_a_responder_holds_one_link_and_a_gateway_many() -> None:
    registry = Registry(HeardHub())
    first, second, one, two = link(V1), link(V1), link(GW), link(GW)
    for each in (first, second, one, two):
        registry.add(each)
    assert (first.ends, second.ends, one.ends, two.ends) == ([CloseCode.REPLACED], [], [], [])
    assert len(registry) == 3
    registry.wake(V1)
    registry.wake(GW)
    registry.wake(Addressee(AddresseeKind.GATEWAY, "nobody"))
    assert [each.wakes for each in (first, second, one, two)] == [0, 1, 1, 1]
    registry.wake_all()
    assert [each.wakes for each in (first, second, one, two)] == [0, 2, 2, 2]


def test_the_hub_hears_of_the_first_and_of_the_last() -> None:
    hub = HeardHub()
    metrics = create_metrics()
    registry = Registry(hub, metrics)
    first, second = link(V1), link(V1)
    registry.add(first)
    registry.add(second)
    registry.remove(first)
    assert hub.links == [("V-1", True)]
    registry.remove(second)
    registry.remove(second)
    assert hub.links == [("V-1", True), ("V-1", False)]
    gateway, another = link(GW), link(GW)
    for one in (gateway, another):
        registry.add(one)
    for one in (gateway, another):
        registry.remove(one)
    assert hub.links == [("V-1", True), ("V-1", False), ("GW", True), ("GW", False)]
    assert hub.seen == [("responder", "V-1")] * 2 + [("gateway", "GW")] * 2
    for kind in ("gateway", "responder"):
        assert metrics.registry.get_sample_value("callhub_links", {"kind": kind}) == 0


async def test_a_client_that_was_revoked_during_its_handshake_is_turned_away() -> None:
    hub = HeardHub()
    registry = Registry(hub)
    admitted_before = link(V1, registry.revocations(V1))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(registry.follow(lambda _: True))
        await asyncio.sleep(0)  # it follows from here on
        hub.committed.publish(Announcement(seq=1, revoked=(("responder", "V-1"), ("api", "DATA"))))
        hub.committed.close()
    registry.add(admitted_before)
    assert admitted_before.ends == [CloseCode.REVOKED]
    admitted_after = link(V1, registry.revocations(V1))
    registry.add(admitted_after)
    assert admitted_after.ends == []


def test_a_stop_ends_every_link() -> None:
    registry = Registry(HeardHub())
    links = [link(V1), link(GW)]
    for each in links:
        registry.add(each)
    registry.end_all(CloseCode.RESTARTING)
    assert [each.ends for each in links] == [[CloseCode.RESTARTING]] * 2
