"""What a way of reaching people is to the courier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from callhub.domain.messages import Addressee


class Channel(Protocol):
    """A way of reaching clients. Both methods return at once; the channel's own writers then pull what is pending."""

    def wake(self, addressee: Addressee) -> None:
        """Something new is pending for this client; without a connection to it, nothing happens."""

    def wake_all(self) -> None:
        """Something may be pending for anybody."""
