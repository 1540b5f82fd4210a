"""The first message on every link, from committed state alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callhub.dispatch.messages import assignment_body, offer_body
from callhub.dispatch.whistle_messages import whistle_assignment_body, whistle_offer_body
from callhub.domain.messages import Addressee, AddresseeKind, MessageType
from callhub.protocol.render import gateway_welcome, responder_welcome, wanted_names, welcome_item

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from callhub.protocol.render import Wire
    from callhub.store.base import Store


class Welcomer:
    """Writes welcomes.

    Args:
        store: Committed state.
        now: Engine time.
        on_duty: Whether a responder is on duty now.
        fallback_phone: The gateways' other path.
        language: For what has none of its own.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        on_duty: Callable[[str], bool],
        fallback_phone: str,
        language: str,
    ) -> None:
        self._store = store
        self._now = now
        self._on_duty = on_duty
        self._fallback_phone = fallback_phone
        self._language = language

    def welcome(self, addressee: Addressee) -> Wire:
        """What this client is told first; ``seq`` is the last one given out, what is unconfirmed follows."""
        _, given_out = self._store.outbox_head(addressee)
        if addressee.kind is AddresseeKind.GATEWAY:
            return gateway_welcome(addressee.id, given_out, self._now(), self._fallback_phone)
        offers, assignments = self._engagements(addressee.id)
        on_duty = self._on_duty(addressee.id)
        return responder_welcome(addressee.id, given_out, self._now(), on_duty, offers, assignments)

    def _engagements(self, responder: str) -> tuple[list[Wire], list[Wire]]:
        """Live offers and live assignments of this person, as messages."""
        offers: list[dict[str, Any]] = []
        assignments: list[dict[str, Any]] = []
        for document in self._store.engaged(responder):
            incident = document.incident
            offer, assignment = incident.offer_of(responder), incident.assignment_of(responder)
            if offer is not None:
                offers.append(offer_body(incident, offer))
            if assignment is not None:
                assignments.append(assignment_body(incident, assignment, document.places))
            whistle = incident.whistle_of(responder)
            if whistle is not None and whistle.is_offered:
                offers.append(whistle_offer_body(incident, whistle, document.places))
            elif whistle is not None:
                assignments.append(whistle_assignment_body(incident, whistle, document.places))
        return self._items(MessageType.OFFER, offers), self._items(MessageType.ASSIGNMENT, assignments)

    def _items(self, type_: MessageType, bodies: list[dict[str, Any]]) -> list[Wire]:
        wanted: tuple[set[str], ...] = (set(), set(), set(), set())
        for body in bodies:
            for ids, more in zip(wanted, wanted_names(body), strict=True):
                ids |= more
        names = self._store.names(*wanted)
        return [welcome_item(type_, body, names, self._language) for body in bodies]
