"""Whatever happens in whatever order: the laws hold, and nobody who could come is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from callhub.dispatch.replay import apply
from callhub.domain import events as e
from callhub.domain import facts as f
from callhub.domain.people import Actor, ActorKind
from tests.property.naive import Naive
from tests.simulation.checkers import Judge
from tests.simulation.driver import DEVICES, ELDERS, LADDERS, OPERATOR, PEOPLE, START, Town, state

if TYPE_CHECKING:
    from callhub.domain.decision import Decision
    from callhub.domain.incident import Incident

PERSONS = [id for id in PEOPLE if not id.startswith("DESK")]
BUTTONS = [*DEVICES, "UNKNOWN"]
USERS = [OPERATOR, Actor(ActorKind.USER, "bo", OPERATOR.role), Actor(ActorKind.API, "care", OPERATOR.role)]
MACHINE = Actor(ActorKind.API, "sensor")
WAITS = [1, 7, 20, 45, 61, 130]
which = st.integers(0, 11)


class Engine(RuleBasedStateMachine):
    """Drives one town; every rule is something that can happen, possible or not."""

    def __init__(self) -> None:
        super().__init__()
        self.town = Town()
        homes = {id: elder.position for id, elder in ELDERS.items()}
        self.naive = Naive(self.town.people, LADDERS, homes)
        self.judge = Judge(LADDERS, self.town.people)
        self.started = START
        self.breaks: int | None = None
        self.replayed: dict[str, Incident] = {}

    # How anything happens

    def tell(self, event: e.Event) -> Decision:
        decision = self.decide(event)
        self.settle()
        return decision

    def decide(self, event: e.Event) -> Decision:
        before: dict[str, Any] | None = None
        if self.breaks is not None:
            before = state(self.town.engine, self.town.now)
            self.town.fail(event, self.breaks)
            assert state(self.town.engine, self.town.now) == before, "a defect in the middle changed something"
            self.breaks = None
        before = state(self.town.engine, self.town.now)
        decision = self.town.tell(event)
        if decision.answer.code is not None and not decision.rows:
            assert state(self.town.engine, self.town.now) == before, "an illegal event changed something"
        for row in decision.rows:
            if row.incident is not None:
                self.replayed[row.incident] = apply(self.replayed.get(row.incident), row)
        for id in decision.touched:
            held = self.town.engine.incident(id)
            assert held is not None
            assert self.replayed[id] == held, "law 8"
            assert list(self.replayed[id].deadlines) == list(held.deadlines), "law 8, to the byte"
        everything = self.town.incidents()
        self.judge.see(event, self.town.now, decision, everything)
        for row in decision.rows:
            for fact in row.facts:
                if isinstance(fact, f.OfferMade) and not fact.by_hand:
                    incident = self.town.incident(row.incident or "")
                    assert incident is not None
                    self.naive.nobody_wrongly(incident, fact.offer, self.town.now, self.started)
        return decision

    def wait(self, seconds: float) -> None:
        """Time passes; what becomes due is handled at its moment."""
        end = self.town.now + timedelta(seconds=seconds)
        while (due := self.town.engine.next_due()) is not None and due <= end:
            self.town.now = max(self.town.now, due)
            self.settle()
        self.town.now = end

    def settle(self) -> None:
        for _ in range(50):
            due = self.town.due()
            if not due:
                return
            for event in due:
                self.decide(event)
        raise AssertionError("deadlines fire without end")

    def one(self, n: int) -> Incident | None:
        """One of the incidents so far, newest first, or none yet."""
        incidents = self.town.incidents()
        return incidents[-1 - n % len(incidents)] if incidents else None

    def offers(self) -> list[tuple[str, str]]:
        """(offer, responder) of every offer that can be answered."""
        return [(o.id, o.responder) for i in self.town.engine.open_incidents() for o in i.live_offers]

    def duties(self) -> list[tuple[Incident, str]]:
        """(incident, responder) of everybody who is assigned."""
        return [(i, a.responder) for i in self.town.engine.open_incidents() for a in i.live]

    # What can happen

    @initialize(linked=st.sets(st.sampled_from(PERSONS), min_size=4), watched=st.booleans())
    def begin(self, linked: set[str], watched: bool) -> None:
        self.wait(61)  # patience with links after the start is over
        for id in self.town.people:
            self.tell(self.town.record(id))
        for id in sorted(linked):
            self.link(id, True)
            self.presence(id, True, None)
        if watched:
            self.watch("anna", True, None)
        self.press("BTN-1", "sos", False)

    @rule(device=st.sampled_from(BUTTONS), kind=st.sampled_from(["sos", "sos", "smoke", "meal"]), test=st.booleans())
    def press(self, device: str, kind: str, test: bool) -> None:
        decision = self.tell(self.town.alarm(device, kind, says_test=test and kind == "sos"))
        assert decision.answer.incident is not None, "law 6: a press that opened nothing"
        assert decision.answer.code is None

    @rule(
        presses=st.lists(st.tuples(st.sampled_from(BUTTONS), st.sampled_from(["sos", "smoke", "meal"])), min_size=2),
        ends=st.sampled_from([True, True, False]),
    )
    def press_together(self, presses: list[tuple[str, str]], ends: bool) -> None:
        """Presses of one batch; without its end each asks by itself."""
        alarms, end = self.town.together(*presses)
        for alarm in alarms:
            assert self.decide(alarm).answer.incident is not None
        if ends:
            self.decide(end)
        self.settle()

    @rule(device=st.sampled_from(BUTTONS))
    def press_twice(self, device: str) -> None:
        first = self.tell(self.town.alarm(device, "sos", "same"))
        again = self.tell(self.town.alarm(device, "sos", "same"))
        assert again.answer.repeat
        assert again.answer.body["incident"] == first.answer.body["incident"]
        assert not again.rows, "law 2: a repeat did something"

    @rule(elder=st.sampled_from([*ELDERS, None]), kind=st.sampled_from(["sos", "meal"]))
    def call(self, elder: str | None, kind: str) -> None:
        self.tell(self.town.call(elder, kind))

    @rule(wants_help=st.booleans())
    def faulty(self, wants_help: bool) -> None:
        assert self.tell(self.town.faulty(wants_help=wants_help)).answer.incident is not None

    @rule(device=st.sampled_from(BUTTONS), alarm=st.sampled_from(["same", "a-1", None]))
    def cancel(self, device: str, alarm: str | None) -> None:
        self.tell(self.town.cancel(device, alarm))

    @rule(device=st.sampled_from(BUTTONS), what=st.sampled_from(["arrived", "card", "confirm"]), mine=st.booleans())
    def signal(self, device: str, what: str, mine: bool) -> None:
        card = f"CARD-{device[-1]}" if mine else "CARD-9"
        assert self.tell(self.town.signal(device, what, card if what == "card" else None)).answer.code is None

    @precondition(lambda self: self.offers())
    @rule(n=which, accept=st.sampled_from([True, True, False]))
    def answer(self, n: int, accept: bool) -> None:
        id, who = self.offers()[-1 - n % len(self.offers())]
        decision = self.tell(self.town.answer(id, accept=accept, responder=who))
        assert accept or decision.answer.code is None, "somebody may not say no"

    @rule(n=which, accept=st.booleans(), who=st.sampled_from(PERSONS))
    def answer_anything(self, n: int, accept: bool, who: str) -> None:
        incident = self.one(n // 3)
        offers = list(incident.offers) if incident is not None else []
        offer = offers[-1 - n % len(offers)] if offers else "00000-1"
        self.tell(self.town.answer(offer, accept=accept, responder=who))

    @precondition(lambda self: self.duties())
    @rule(
        n=which,
        action=st.sampled_from(["on_scene", "on_scene", "cleared", "cleared", "release", "en_route", "need"]),
        outcome=st.sampled_from(["helped", "helped", "no_access"]),
        seen=st.sampled_from([True, True, False]),
    )
    def report(self, n: int, action: str, outcome: str, seen: bool) -> None:
        incident, who = self.duties()[-1 - n % len(self.duties())]
        fields: dict[str, Any] = {"version": incident.version} if seen else {}
        fields |= {"cleared": {"outcome": outcome}, "need": {"need": "key"}}.get(action, {})
        decision = self.tell(self.town.duty(incident.id, who, action, **fields))
        assert action != "on_scene" or decision.answer.code is None, "somebody is there, and is told that it cannot be"

    @rule(n=which, who=st.sampled_from(PERSONS), action=st.sampled_from(["en_route", "cleared", "release", "need"]))
    def report_anything(self, n: int, who: str, action: str) -> None:
        if (incident := self.one(n)) is not None:
            self.tell(self.town.duty(incident.id, who, action, outcome="bad", need="bad"))

    @rule(who=st.sampled_from(PERSONS), available=st.booleans(), for_s=st.sampled_from([None, None, 30, 120]))
    def presence(self, who: str, available: bool, for_s: float | None) -> None:
        until = self.town.now + timedelta(seconds=for_s) if for_s is not None else None
        self.naive.presence[who] = (available, until)
        self.tell(self.town.presence(who, available=available, for_s=for_s))

    @rule(who=st.sampled_from(PERSONS), up=st.booleans())
    def link(self, who: str, up: bool) -> None:
        if up:
            self.naive.links.add(who)
        elif who in self.naive.links:
            self.naive.links.discard(who)
            self.naive.lost[who] = self.town.now
        self.tell(self.town.link(who, up=up))

    @rule(who=st.sampled_from(PERSONS), metres=st.sampled_from([10, 600, 1400, 3000]))
    def move(self, who: str, metres: float) -> None:
        event = self.town.seen(who, metres)
        self.naive.places[who] = event.position
        self.tell(event)

    @rule(user=st.sampled_from(["anna", "bo"]), watching=st.booleans(), area=st.sampled_from([None, "S", "D"]))
    def watch(self, user: str, watching: bool, area: str | None) -> None:
        self.naive.consoles.pop(user, None)
        if watching:
            self.naive.consoles[user] = area
        self.tell(self.town.watch(user, watching=watching, area=area))

    @rule(
        n=which,
        action=st.sampled_from(["take-over", "take-over", "escalate", "escalate", "reopen", "note"]),
        user=st.sampled_from(USERS),
    )
    def act(self, n: int, action: str, user: Actor) -> None:
        if (incident := self.one(n)) is not None:
            self.tell(self.town.act(incident.id, action, user, text="x" if n % 2 else ""))

    @rule(
        n=which,
        action=st.sampled_from(["close", "cancel", "reopen"]),
        seen=st.booleans(),
        user=st.sampled_from([*USERS, MACHINE]),
    )
    def end(self, n: int, action: str, seen: bool, user: Actor) -> None:
        if (incident := self.one(n)) is not None:
            if_match = incident.version if seen else None
            decision = self.tell(self.town.act(incident.id, action, user, outcome="helped", if_match=if_match))
            by_machine = user is MACHINE and decision.answer.code is None
            assert not by_machine or incident.class_ == "technical", "a machine ended or reopened a case of people"

    @rule(
        n=which,
        who=st.sampled_from([*PEOPLE]),
        action=st.sampled_from(
            ["assign", "assign", "confirmed", "accept", "on-scene", "cleared", "release", "hand-over"]
        ),
    )
    def act_on(self, n: int, who: str, action: str) -> None:
        incident = self.one(n)
        if incident is None:
            return
        fields: dict[str, Any] = {"responder": who, "to": "bo", "version": incident.version, "outcome": "helped"}
        if action == "confirmed":
            action, fields = "assign", fields | {"confirmed_by": "telephone"}
        self.tell(self.town.act(incident.id, action, **fields))

    @rule(
        n=which,
        party=st.sampled_from(["elder", "family", "120"]),
        result=st.sampled_from(["spoke_ok", "silent", "requested", "arrived"]),
    )
    def contact(self, n: int, party: str, result: str) -> None:
        if (incident := self.one(n)) is not None:
            self.tell(self.town.act(incident.id, "contact", party=party, result=result))

    @rule(n=which, elder=st.sampled_from([*ELDERS, "nobody"]))
    def identify(self, n: int, elder: str) -> None:
        if (incident := self.one(n)) is not None:
            self.tell(self.town.act(incident.id, "identify", elder=elder))

    @rule(who=st.sampled_from(PERSONS), active=st.booleans())
    def disable(self, who: str, active: bool) -> None:
        self.tell(self.town.record(who, active=active))

    @rule(who=st.sampled_from(PERSONS))
    def revoke(self, who: str) -> None:
        self.naive.links.discard(who)
        self.naive.lost.pop(who, None)
        self.tell(self.town.revoke(who))

    @rule(user=st.sampled_from(["anna", "bo"]))
    def remove_user(self, user: str) -> None:
        self.naive.consoles.pop(user, None)
        self.tell(self.town.remove(user))

    @rule(seconds=st.sampled_from(WAITS))
    def pass_time(self, seconds: float) -> None:
        self.wait(seconds)

    @rule()
    def until_due(self) -> None:
        due = self.town.engine.next_due()
        if due is not None and (due - self.town.now).total_seconds() < 300:
            self.wait((due - self.town.now).total_seconds())

    @rule(after_facts=st.integers(0, 12))
    def break_next(self, after_facts: int) -> None:
        """The next event fails once, in the middle, before it is decided."""
        self.breaks = after_facts

    @rule(seconds=st.sampled_from([0, 5, 200]))
    def restart(self, seconds: float) -> None:
        stopped, self.town.now = self.town.now, self.town.now + timedelta(seconds=seconds)
        self.judge.was_down(stopped, self.town.now)
        before = {i.id: i.copy() for i in self.town.engine.open_incidents()}
        loads = _loads(self.town)
        self.town.restart()
        assert {i.id: i for i in self.town.engine.open_incidents()} == before, "law 8"
        assert _loads(self.town) == loads
        self.naive.consoles.clear()
        self.naive.links.clear()
        self.naive.places.clear()
        self.started = self.town.now
        self.settle()

    # What must be so

    @invariant()
    def the_laws_hold(self) -> None:
        everything = self.town.incidents()
        self.judge.nothing_due(self.town.now, everything)
        self.naive.nobody_forgotten(everything, self.town.now)


def _loads(town: Town) -> dict[str, Any]:
    people = town.engine._world.roster.people
    return {id: (p.loads, p.asked, p.duties) for id, p in people.items()}


def test_the_laws_hold_whatever_happens() -> None:
    run_state_machine_as_test(Engine)
