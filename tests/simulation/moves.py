"""What happens next in a random history, likely things more often than odd ones.

Rules of this file: only the given random source decides, so that a seed names a history.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from callhub.domain.people import Actor, ActorKind, Role
from tests.simulation.driver import DEVICES, ELDERS, OPERATOR, PEOPLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from callhub.domain.events import Event
    from callhub.domain.incident import Incident
    from tests.simulation.driver import Town

PERSONS = [id for id in PEOPLE if not id.startswith("DESK")]
USERS = [OPERATOR, OPERATOR, Actor(ActorKind.USER, "bo", Role.OPERATOR), Actor(ActorKind.API, "care", Role.OPERATOR)]
ACTIONS = ["take-over", "take-over", "hand-over", "escalate", "escalate", "note", "feedback", "identify", "contact"]


class Moves:
    """A random next event for one town."""

    def __init__(self, town: Town, chance: Random) -> None:
        self.town = town
        self.chance = chance
        self._kinds: list[tuple[int, Callable[[], Event | None]]] = [
            (10, self._alarm), (1, self._call), (1, self._fault), (2, self._cancel), (3, self._signal),
            (20, self._answer), (25, self._report), (8, self._presence), (8, self._link), (2, self._move),
            (6, self._watch), (12, self._act), (6, self._end), (6, self._hand), (2, self._record), (1, self._revoke),
            (1, self._remove),
        ]  # fmt: skip

    def next(self) -> Event | None:
        """The next event; None when nobody could do what was drawn."""
        weights = [weight for weight, _ in self._kinds]
        return self.chance.choices(self._kinds, weights)[0][1]()

    def pause(self) -> timedelta:
        """How long nothing happens before it: mostly seconds, at times minutes."""
        return timedelta(seconds=self.chance.choice([0, 1, 3, 10, 20, 40, 70, 200]))

    def _incident(self) -> Incident | None:
        incidents = self.town.incidents()[-6:]
        return self.chance.choice(incidents) if incidents else None

    def _open(self) -> list[Incident]:
        return list(self.town.engine.open_incidents())

    def _alarm(self) -> Event:
        device = self.chance.choice([*DEVICES, *DEVICES, "UNKNOWN"])
        kind = self.chance.choice(["sos", "sos", "sos", "smoke", "inactivity", "meal", "cleaning"])
        says_test = kind == "sos" and self.chance.random() < 0.1
        return self.town.alarm(device, kind, self.chance.choice([None, None, "again"]), says_test=says_test)

    def _call(self) -> Event:
        return self.town.call(self.chance.choice([*ELDERS, None]), self.chance.choice(["sos", "meal"]))

    def _fault(self) -> Event:
        return self.town.faulty(wants_help=self.chance.random() < 0.5)

    def _cancel(self) -> Event:
        return self.town.cancel(self.chance.choice([*DEVICES]), self.chance.choice(["again", "a-9", None]))

    def _signal(self) -> Event:
        device, what = self.chance.choice([*DEVICES, "UNKNOWN"]), self.chance.choice(["arrived", "card", "confirm"])
        card = self.chance.choice([f"CARD-{device[-1]}", "CARD-9"])
        return self.town.signal(device, what, card if what == "card" else None)

    def _answer(self) -> Event | None:
        offers = [o for i in self._open() for o in (i.live_offers or list(i.offers.values()))]
        if not offers:
            return None
        offer = self.chance.choice(offers)
        return self.town.answer(offer.id, accept=self.chance.random() < 0.6, responder=offer.responder)

    def _report(self) -> Event | None:
        working = [(i.id, i.version, a.responder) for i in self._open() for a in i.live]
        if not working:
            return None
        incident, version, who = self.chance.choice(working)
        action = self.chance.choice(["en_route", "on_scene", "on_scene", "cleared", "cleared", "release", "need"])
        fields: dict[str, Any] = {
            "outcome": self.chance.choice(["helped", "helped", "no_access", "bad"]),
            "need": self.chance.choice(["key", "ambulance", "bad"]),
            "proof": self.chance.choice([None, {"card": "CARD-1"}, {"card": "CARD-9"}]),
            "version": version if self.chance.random() < 0.8 else None,
        }
        return self.town.duty(incident, who, action, **fields)

    def _presence(self) -> Event:
        for_s = self.chance.choice([None, None, 30, 200])
        who = self.chance.choice(PERSONS)
        return self.town.presence(who, available=self.chance.random() < 0.75, for_s=for_s)

    def _link(self) -> Event:
        return self.town.link(self.chance.choice(PERSONS), up=self.chance.random() < 0.75)

    def _move(self) -> Event:
        return self.town.seen(self.chance.choice(PERSONS), self.chance.choice([10, 600, 1400, 3000]))

    def _watch(self) -> Event:
        area = self.chance.choice([None, "S", "D"])
        return self.town.watch(self.chance.choice(["anna", "bo"]), watching=self.chance.random() < 0.6, area=area)

    def _act(self) -> Event | None:
        incident = self._incident()
        if incident is None:
            return None
        fields: dict[str, Any] = {
            "to": self.chance.choice(["bo", ""]),
            "text": self.chance.choice(["seen", ""]),
            "rating": self.chance.choice([None, 4, 9]),
            "elder": self.chance.choice([*ELDERS, "nobody"]),
            "party": self.chance.choice(["elder", "elder", "family", "120", "bad"]),
            "result": self.chance.choice(["spoke_ok", "silent", "requested", "arrived"]),
        }
        if_match = incident.version if self.chance.random() < 0.1 else None
        action, user = self.chance.choice(ACTIONS), self.chance.choice(USERS)
        return self.town.act(incident.id, action, user, if_match=if_match, **fields)

    def _end(self) -> Event | None:
        incident = self._incident()
        if incident is None:
            return None
        if_match = incident.version if self.chance.random() < 0.6 else None
        outcome = self.chance.choice(["helped", "helped", None])
        action = self.chance.choice(["close", "cancel", "reopen", "reopen"])
        return self.town.act(incident.id, action, self.chance.choice(USERS), outcome=outcome, if_match=if_match)

    def _hand(self) -> Event | None:
        incident = self._incident()
        if incident is None:
            return None
        who = self.chance.choice([*PEOPLE])
        said_yes: dict[str, Any] = {"confirmed_by": "telephone"} if self.chance.random() < 0.4 else {}
        action = self.chance.choice(["assign", "assign", "accept", "en-route", "on-scene", "cleared", "release"])
        return self.town.act(incident.id, action, responder=who, outcome="helped", version=incident.version, **said_yes)

    def _record(self) -> Event:
        return self.town.record(self.chance.choice(PERSONS), active=self.chance.random() < 0.7)

    def _revoke(self) -> Event:
        return self.town.revoke(self.chance.choice(PERSONS))

    def _remove(self) -> Event:
        return self.town.remove(self.chance.choice(["anna", "bo"]))
