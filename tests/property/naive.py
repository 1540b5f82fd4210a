"""Who could be asked, said as simply as possible: every person looked at, nothing remembered but what they said.

This knows presence, links, consoles and what people hold, and nothing of how the engine keeps or searches them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import cos, hypot, radians
from typing import TYPE_CHECKING

from callhub.domain.incident import Incident, IncidentState, OfferState
from callhub.domain.people import Position, Responder, ResponderKind
from callhub.domain.policy import Ask, IncidentClass, Policy, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

M_PER_DEGREE = 111_195.0
PATIENCE = timedelta(seconds=60)


@dataclass
class Naive:
    """What is known of everybody."""

    people: Mapping[str, Responder]
    policies: Mapping[str, Policy]
    homes: Mapping[str, Position | None]
    presence: dict[str, tuple[bool, datetime | None]] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)
    places: dict[str, Position] = field(default_factory=dict)
    consoles: dict[str, str | None] = field(default_factory=dict)

    def available(self, person: Responder, now: datetime) -> bool:
        """On duty and reachable for certain, whatever patience adds."""
        if not person.active:
            return False
        if person.kind is ResponderKind.DESK:
            return any(area is None or area in person.area for area in self.consoles.values())
        said, until = self.presence.get(person.id, (False, None))
        return said and (until is None or now < until) and person.id in self.links

    def used(self, person: Responder, incidents: Iterable[Incident]) -> int:
        """Emergencies in which they have a live assignment or an open offer."""
        return sum(
            1
            for incident in incidents
            if incident.class_ is IncidentClass.EMERGENCY
            and (
                any(a.responder == person.id for a in incident.live)
                or any(o.responder == person.id for o in incident.open_offers)
            )
        )

    def away_m(self, person: Responder, incident: Incident) -> float | None:
        """Metres from home, flat; None when somebody's place is not known."""
        home = self.homes.get(incident.elder or "")
        place = self.places.get(person.id) or person.position
        if home is None or place is None:
            return None
        return M_PER_DEGREE * hypot(home.lat - place.lat, (home.lon - place.lon) * cos(radians(home.lat)))

    def fits(self, person: Responder, incident: Incident, step: Step) -> bool:
        """Whether this step asks this person, wherever the work stands."""
        if person.kind is ResponderKind.DESK:
            mine = person.area[-1] in incident.area and person.level == step.level
            return (
                Ask.DESK in step.ask and incident.owner is None and (mine if incident.area else len(person.area) == 1)
            )
        if Ask.PAIRED in step.ask and person.id in incident.paired:
            return True
        if person.kind.value not in {ask.value for ask in step.ask}:
            return False
        away_m = self.away_m(person, incident)
        if away_m is not None:
            return step.radius_m is None or away_m <= step.radius_m
        # Nobody can say how far: by area, and only where the house has no position either.
        housed = self.homes.get(incident.elder or "") is not None
        return not housed and bool(incident.area) and incident.area[0] in person.area

    def history(self, person: Responder, incident: Incident) -> bool:
        """Whether they are asked, or said yes or no, since the case was opened or reopened."""
        since = incident.reopened_at
        for offer in incident.offers.values():
            if offer.responder != person.id:
                continue
            if offer.state in (OfferState.OPEN, OfferState.SILENT):
                return True
            if since is not None and offer.offered_at < since:
                continue
            desk = person.kind is ResponderKind.DESK
            if offer.state is OfferState.DECLINED or (offer.state is OfferState.ACCEPTED and not desk):
                return True
        return False

    def could_be_asked(self, person: Responder, incident: Incident, everything: list[Incident], now: datetime) -> bool:
        """Whether the step that this incident stands on could ask this person, now."""
        step = self.policies[incident.policy.partition("@")[0]].steps[incident.step]
        if not self.available(person, now) or self.history(person, incident):
            return False
        # Service work takes no capacity, but nobody looks for more of it for somebody who is busy.
        if person.capacity is not None and self.used(person, everything) >= person.capacity:
            return False
        return self.fits(person, incident, step)

    def nobody_forgotten(self, everything: list[Incident], now: datetime) -> None:
        """A step with room for another offer has nobody left to ask."""
        for incident in everything:
            over = incident.state in (IncidentState.RESOLVED, IncidentState.CLOSED, IncidentState.CANCELLED)
            if over or not incident.ladder_runs or incident.exhausted:
                continue
            step = self.policies[incident.policy.partition("@")[0]].steps[incident.step]
            if sum(1 for o in incident.open_offers if o.step == incident.step) >= step.fan_out:
                continue
            for person in self.people.values():
                forgotten = self.could_be_asked(person, incident, everything, now)
                assert not forgotten, f"{person.id} could be asked for {incident.id}, step {incident.step}"

    def nobody_wrongly(self, incident: Incident, offer: str, at: datetime, started: datetime) -> None:
        """Whoever was asked just now by the ladder is on duty, and a person of that step."""
        made = incident.offers[offer]
        person = self.people[made.responder]
        said, until = self.presence.get(person.id, (False, None))
        assert person.active
        if person.kind is not ResponderKind.DESK:
            assert said, f"{person.id} is off duty"
            assert until is None or at < until, f"{person.id} is off duty by now"
            assert person.id in self.links or at < started + PATIENCE or person.id in self.lost_lately(at)
        step = self.policies[incident.policy.partition("@")[0]].steps[made.step]
        # A desk's own yes, within the same decision, makes it the owner.
        if incident.owner is None or person.kind is not ResponderKind.DESK:
            assert self.fits(person, incident, step), f"step {made.step} does not ask {person.id}"

    lost: dict[str, datetime] = field(default_factory=dict)

    def lost_lately(self, now: datetime) -> set[str]:
        """Whose link was lost within the patience."""
        return {id for id, at in self.lost.items() if now < at + PATIENCE}
