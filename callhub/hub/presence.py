"""Who has a link and who watches: what the engine must be told again when it is made anew from the store."""

from __future__ import annotations

from callhub.domain.events import Event, LinkChanged, WatchersChanged


class Presence:
    """The last word on each link that is up and each user who watches; grows with them and nothing else."""

    def __init__(self) -> None:
        self._links: dict[str, LinkChanged] = {}
        self._watchers: dict[str, WatchersChanged] = {}

    def note(self, event: Event) -> None:
        """Remember what this event says, if it is about links or watchers."""
        match event:
            case LinkChanged(up=True):
                self._links[event.responder] = event
            case LinkChanged():
                self._links.pop(event.responder, None)
            case WatchersChanged(watching=True):
                self._watchers[event.user] = event
            case WatchersChanged():
                self._watchers.pop(event.user, None)
            case _:
                pass

    def events(self) -> list[Event]:
        """What is so now, as the events that said it."""
        return [*self._links.values(), *self._watchers.values()]
