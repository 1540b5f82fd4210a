"""Who has a link and who watches, told again when the engine is made anew; and whose duty an event may change."""

from __future__ import annotations

from callhub.domain.events import DeadlineDue, DirectoryUpdated, Event, LinkChanged, PresenceSaid, WatchersChanged
from callhub.domain.supervision import GatewayLinkChanged


class Presence:
    """The last word on each link that is up and each user who watches; grows with them and nothing else."""

    def __init__(self) -> None:
        self._links: dict[str, LinkChanged] = {}
        self._gateways: dict[str, GatewayLinkChanged] = {}
        self._watchers: dict[str, WatchersChanged] = {}

    def note(self, event: Event) -> None:
        """Remember what this event says, if it is about links or watchers."""
        match event:
            case LinkChanged(up=True):
                self._links[event.responder] = event
            case LinkChanged():
                self._links.pop(event.responder, None)
            case GatewayLinkChanged(up=True):
                self._gateways[event.gateway] = event
            case GatewayLinkChanged():
                self._gateways.pop(event.gateway, None)
            case WatchersChanged(watching=True):
                self._watchers[event.user] = event
            case WatchersChanged():
                self._watchers.pop(event.user, None)
            case _:
                pass

    def events(self) -> list[Event]:
        """What is so now, as the events that said it."""
        return [*self._links.values(), *self._gateways.values(), *self._watchers.values()]


def duty_moved_by(event: Event) -> tuple[str, ...]:
    """Ids of responders whose being on duty the event may change, by a fact."""
    match event:
        case PresenceSaid():
            return (event.responder,)
        case DirectoryUpdated():
            return tuple(record.id for record in event.responders)
        case DeadlineDue(incident=None, key=str(key)) if key.startswith("duty:"):
            return (key.removeprefix("duty:"),)
        case _:
            return ()
