"""What a batch needs to know, looked up once and put into its events.

Answers and directory changes of the same batch lie over what the store knows: the second event of a batch sees what
the first one did.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import structlog

from callhub.dispatch.answers import incident_of_offer
from callhub.dispatch.roll_calls import roll_call_of
from callhub.dispatch.silence import finding_of
from callhub.domain.events import (
    AlarmRaised,
    CallTaken,
    CancelAsked,
    DeadlineDue,
    DirectoryUpdated,
    DrillAsked,
    DutyMoved,
    Event,
    OfferAnswered,
    OperatorActed,
    SignalSent,
)
from callhub.domain.roll_call import Home
from callhub.errors import StoreCorrupt
from callhub.store.base import DirectoryChange, Found, Need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from callhub.domain.family import FamilyContact
    from callhub.domain.incident import Incident
    from callhub.domain.people import Device, Elder
    from callhub.domain.roll_call import RollCall
    from callhub.store.base import Store, StoredAnswer


def need_of(events: Iterable[Event], incident: Callable[[str], Incident | None]) -> Need:
    """What these events refer to: earlier answers, devices with their elders, elders of incidents."""
    requests, devices, elders = set(), set(), set()
    for event in events:
        if event.request is not None:
            requests.add(event.request.key)
        match event:
            case AlarmRaised() | CancelAsked() | SignalSent():
                devices.add(event.device)
            case DeadlineDue() if (about := finding_of(event.key)) is not None:
                devices.add(about[1])
            case DutyMoved():
                held = incident(event.incident)
                if held is not None and held.elder is not None:
                    elders.add(held.elder)
            case _:
                pass
    return Need(requests=frozenset(requests), devices=frozenset(devices), elders=frozenset(elders))


_log = structlog.get_logger(__name__)

_Late = TypeVar("_Late", DutyMoved, OfferAnswered, OperatorActed)


class Known:
    """What one batch knows: the store's answer, and over it what the batch itself changed.

    Args:
        store: Asked once here, and again only for what an earlier event of the batch made necessary.
        events: The batch.
        incident: Finds an incident in memory.
        open_incidents: All that are open.
    """

    def __init__(
        self,
        store: Store,
        events: Iterable[Event],
        incident: Callable[[str], Incident | None],
        open_incidents: Callable[[], Iterable[Incident]] = tuple,
    ) -> None:
        need = need_of(events, incident)
        nothing = not (need.requests or need.devices or need.elders)
        self._store = store
        self._incident = incident
        self._open_incidents = open_incidents
        self._contacts: dict[str, FamilyContact] = {}
        self._found = Found() if nothing else store.lookup(need)

    def complete(self, event: Event) -> Event:
        """``event`` with earlier answers, device and elder filled in."""
        if event.request is not None:
            prior = self._found.requests.get(event.request.key, ())
            event = replace(event, request=replace(event.request, prior=prior))
        match event:
            case AlarmRaised():
                device = self._found.devices.get(event.device)
                return replace(event, device_record=device, elder=self._with_family(self._elder_of(device)))
            case CallTaken():
                return replace(event, elder=self._with_family(event.elder))
            case DrillAsked():
                return replace(event, elder=self._with_family(event.elder) or event.elder)
            case CancelAsked() | SignalSent():
                device = self._found.devices.get(event.device)
                return replace(event, device_record=device, elder=self._elder_of(device))
            case DeadlineDue() if (call := self._roll_call(event.key)) is not None:
                if not call.listed:
                    return replace(event, listed=self._store.lookup(Need(gaps=frozenset({call.gap}))).homes[call.gap])
                return replace(event, home=self._home(call.waiting[0])) if call.waiting else event
            case DeadlineDue() if (about := finding_of(event.key)) is not None:
                device = self._found.devices.get(about[1])
                return replace(event, device_record=device, elder=self._elder_of(device))
            case DirectoryUpdated(change=DirectoryChange() as change) if change.elders:
                return replace(event, homes=tuple((elder.id, elder.area) for elder in change.elders))
            case DirectoryUpdated(change=DirectoryChange() as change) if change.contacts:
                return replace(event, families=self._families(change.contacts))
            case DutyMoved():
                held = self._incident(event.incident)
                event = replace(event, elder=self._elder(held.elder if held else None))
                return self._with_ended(event, event.incident)
            case OfferAnswered():
                return self._with_ended(event, incident_of_offer(event.offer))
            case OperatorActed():
                if event.action == "on-scene":  # a card is compared with the elder's
                    held = self._incident(event.incident)
                    event = replace(event, elder=self._elder(held.elder if held else None))
                elif event.action == "identify":
                    event = replace(event, elder=self._with_family(event.elder))
                return self._with_ended(event, event.incident)
            case _:
                return event

    def _roll_call(self, key: str | None) -> RollCall | None:
        id = roll_call_of(key)
        held = self._incident(id) if id is not None else None
        return None if held is None else held.roll_call

    def _home(self, id: str) -> Home:
        """The next home of a roll-call: a record that is spoilt keeps nobody from going there."""
        try:
            return Home(id, self._with_family(self._elder(id)))
        except StoreCorrupt as wrong:
            _log.error("elder_not_read", why=wrong.message)
            return Home(id, readable=False)

    def _with_ended(self, event: _Late, id_: str) -> _Late:
        """The event with its incident, if that has ended and the engine no longer holds it."""
        if self._incident(id_) is not None or (document := self._store.incident(id_)) is None:
            return event
        return replace(event, ended=document.incident, ended_places=document.places)

    def answered(self, answer: StoredAnswer) -> None:
        """An event of this batch was answered; a repeat later in the batch must see it."""
        earlier = self._found.requests.get(answer.key, ())
        self._found.requests[answer.key] = (*earlier, answer.prior)

    def changed(self, change: DirectoryChange) -> None:
        """An event of this batch changed the directory."""
        self._found.elders.update({elder.id: elder for elder in change.elders})
        self._found.devices.update({device.id: device for device in change.devices})
        self._contacts.update({contact.id: contact for contact in change.contacts})

    def _with_family(self, elder: Elder | None) -> Elder | None:
        """The elder with the contacts that a new case keeps."""
        return None if elder is None else replace(elder, family=self._family(elder.id, self._contacts))

    def _families(self, changed: Iterable[FamilyContact]) -> tuple[tuple[str, tuple[FamilyContact, ...]], ...]:
        """The contacts that elders of open incidents will have; those who lose one to another elder too."""
        after = {**self._contacts, **{contact.id: contact for contact in changed}}
        elders = {contact.elder for contact in after.values()}
        found: dict[str, tuple[FamilyContact, ...]] = {}
        for incident in self._open_incidents():
            concerned = incident.elder in elders or any(one.contact in after for one in incident.family)
            if incident.elder is not None and concerned and incident.elder not in found:
                found[incident.elder] = self._family(incident.elder, after)
        return tuple(found.items())

    def _family(self, elder: str, changed: Mapping[str, FamilyContact]) -> tuple[FamilyContact, ...]:
        """The contacts of an elder; records that are spoilt keep nobody from helping."""
        try:
            stored = self._store.family_of(elder)
        except StoreCorrupt as wrong:
            _log.error("contacts_not_read", why=wrong.message)
            stored = ()
        known = {**{contact.id: contact for contact in stored}, **changed}
        return tuple(contact for _, contact in sorted(known.items()) if contact.elder == elder)

    def _elder_of(self, device: Device | None) -> Elder | None:
        return self._elder(device.elder if device else None)

    def _elder(self, id: str | None) -> Elder | None:
        if id is None:
            return None
        if id not in self._found.elders:
            self._found.elders.update(self._store.lookup(Need(elders=frozenset({id}))).elders)
        return self._found.elders.get(id)
