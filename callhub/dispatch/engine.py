"""The dispatch engine: events in, decisions out.

Rules of this file:
1. Pure and deterministic: time and ids come with the event; the same events at the same times give the same
   decisions.
2. ``handle`` applies the facts it returns. A refusal or an exception changes nothing.
3. Escalation is ``handle(DeadlineDue)``; recovery is ``restore``: the same facts through the same ``apply``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from callhub.dispatch import (
    actions,
    answers,
    deadlines,
    departments,
    devices,
    drills,
    opening,
    presence,
    roll_calls,
    supervision,
)
from callhub.dispatch.call_back_answers import ask_call_first
from callhub.dispatch.freed import consider
from callhub.dispatch.gathering import ask_together
from callhub.dispatch.learning import counted
from callhub.dispatch.replay import apply
from callhub.dispatch.resumption import Memory, resume
from callhub.dispatch.roster import Roster
from callhub.dispatch.silence import finding_of
from callhub.dispatch.turn import Turn
from callhub.dispatch.world import DueRef, World
from callhub.domain import events as e
from callhub.domain.decision import Answer, Decision
from callhub.domain.incident import Incident, OwnerKind, Places
from callhub.domain.policy import Policy, PolicySet, policy_key
from callhub.domain.supervision import DevicesHeard, GatewayLinkChanged
from callhub.errors import EngineFault, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from callhub.dispatch.rules import Rules
    from callhub.dispatch.sharing import Solve
    from callhub.domain.facts import Row
    from callhub.domain.habits import Habit
    from callhub.domain.people import Duty, Position, Responder

DUE_MAX = 1000
"""Deadlines handed out at once; the rest are due in the next cycle, still most overdue first."""


class Remembered(Memory, Protocol):
    """What a restart needs from the store; ``store.base.Snapshot`` is one."""

    @property
    def last_number(self) -> int:
        """The highest incident number given out."""

    @property
    def rows(self) -> Mapping[str, Sequence[Row]]:
        """The journal rows of each open incident, oldest first."""

    @property
    def places(self) -> Mapping[str, Places]:
        """Where help is needed, by incident."""

    @property
    def responders(self) -> Sequence[Responder]:
        """Everybody who can be asked."""

    @property
    def duties(self) -> Sequence[Duty]:
        """What they said of being available."""

    @property
    def positions(self) -> Mapping[str, tuple[Position, datetime]]:
        """Where their apps saw them last, and when."""

    @property
    def habits(self) -> Sequence[Habit]:
        """What was learned of how they answer."""

    @property
    def policies(self) -> Sequence[Policy]:
        """The ladders in force."""

    @property
    def policies_known(self) -> Mapping[str, Policy]:
        """Every ladder that was ever frozen into an incident, by its key."""


class DispatchEngine:
    """One shard's engine.

    Args:
        rules: Figures of the installation.
        policies: The ladders in force for new incidents.
        now: When this process began, aware; patience with links counts from here.
        solve: Shares people among cases that open together by least total cost; None: the nearest first.
    """

    def __init__(self, rules: Rules, policies: PolicySet, now: datetime, solve: Solve | None = None) -> None:
        self._world = World(rules, policies, Roster(rules, now), solve)

    def handle(self, event: e.Event, now: datetime) -> Decision:
        """Decide one event and apply it.

        Args:
            event: Complete, see ``domain.events``.
            now: Engine time, aware UTC, never before an earlier one.

        Returns:
            Rows, messages and the answer; for a refusal only an answer with its code.

        Raises:
            Exception: A defect; nothing has changed.
        """
        turn = Turn(self._world, event, now)
        try:
            answer = _repeated(turn, event) or _HANDLERS[type(event)](turn, event)
            roll_calls.follow(turn)
            rows, messages = turn.finish(consider)
            habits = counted(rows, self.incident, self._world.habits.get, self._world.rules.timezone)
        except Refusal as refusal:
            turn.undo()
            return Decision(answer=self._refused(event, refusal))
        except BaseException:
            turn.undo()
            raise
        self._world.habits.update(habits)
        return Decision(rows, messages, _with_reuse(event, answer), tuple(turn.marks), tuple(habits.values()))

    def _refused(self, event: e.Event, refusal: Refusal) -> Answer:
        body: dict[str, Any] = {"code": refusal.code.value, "message": refusal.message, "field": refusal.field}
        if refusal.http_status != 409:
            body["http_status"] = refusal.http_status
        for name in ("by", "version"):
            if refusal.data.get(name) is not None:
                body[name] = refusal.data[name]
        incident = getattr(event, "incident", None)
        if incident is None and isinstance(event, e.OfferAnswered):
            incident = answers.incident_of_offer(event.offer) or None
        return Answer(body, code=refusal.code.value, incident=incident)

    def next_due(self) -> datetime | None:
        """When something is due next, aware UTC, or None."""
        return self._world.next_due()

    def due(self, now: datetime) -> list[DueRef]:
        """What is due, most overdue first, at most ``DUE_MAX``; each is handled as a ``DeadlineDue``."""
        return self._world.due(now, DUE_MAX)

    def incident(self, id: str) -> Incident | None:
        """The state of an incident in memory: open, or ended a short time ago."""
        held = self._world.incidents.get(id)
        if held is None and id in self._world.ended:
            return self._world.ended[id][0]
        return held

    def places(self, id: str) -> Places:
        """Where help is needed in an incident in memory."""
        return self._world.places_of(id)

    def on_duty(self, responder: str, now: datetime) -> bool:
        """Whether somebody is on duty now; False for who is not known."""
        person = self._world.roster.people.get(responder)
        return person is not None and self._world.roster.on_duty(person, now)

    def open_incidents(self) -> Iterable[Incident]:
        """All open incidents."""
        return self._world.incidents.values()

    def restore(self, memory: Remembered, now: datetime) -> tuple[str, ...]:
        """Forget everything and start from what the store holds; ``now`` begins patience with links anew.

        Returns:
            Ids of open incidents that cannot be replayed. One of them must not silence the others: whoever has its
            committed state gives it to ``hold``.
        """
        old = self._world
        policies = PolicySet(memory.policies) if memory.policies else old.policies
        world = World(old.rules, policies, Roster(old.rules, now), old.solve)
        world.known = {**memory.policies_known, **{policy_key(policy): policy for policy in memory.policies}}
        world.known |= old.known
        world.number = memory.last_number
        world.habits = {habit.responder: habit for habit in memory.habits}
        self._world = world
        self._admit(memory, now)
        lost = tuple(id for id, rows in memory.rows.items() if not self._replayed(id, rows, memory.places))
        # Whoever watched has as long as everybody else to come back; then that nobody watches is a fact.
        world.set_timer("watch:", now + timedelta(seconds=old.rules.link_patience_s))
        for incident in world.incidents.values():
            self._await_people(incident)
        resume(world.silence, memory, now, old.silence)
        return lost

    def hold(self, incident: Incident, places: Places) -> None:
        """Take an open incident as it was committed, where its rows cannot be replayed.

        Raises:
            Exception: It cannot be taken either; nothing of it is left.
        """
        try:
            self._take(incident, places, self._world.roster.started_at)
        except Exception:
            self._drop(incident.id)
            raise
        self._await_people(incident)

    def _replayed(self, id: str, rows: Sequence[Row], places: Mapping[str, Places]) -> bool:
        try:
            self.adopt(rows, places)
        except Exception:  # told to the caller, who says so
            self._drop(id)
            return False
        return bool(rows)  # none: they cannot be read

    def _drop(self, id: str) -> None:
        self._world.forget(id)
        for person in self._world.roster.people.values():
            self._world.unweigh(id, person)

    def _await_people(self, incident: Incident) -> None:
        """Begin the time that people of this incident have after a start."""
        world = self._world
        now = world.roster.started_at
        for offer in incident.live_offers:
            person = world.roster.people.get(offer.responder)
            if person is not None and not offer.by_hand and not world.roster.on_duty(person, now):
                # Their duty ended while nobody was there to take the offers back.
                world.set_timer(f"duty:{offer.responder}", now)
        owner = incident.owner
        if owner is not None and owner.watching and owner.kind is OwnerKind.USER:
            world.set_timer(f"watcher:{owner.id}", now + timedelta(seconds=world.rules.owner_away_s))

    def _admit(self, memory: Remembered, now: datetime) -> None:
        roster = self._world.roster
        for record in memory.responders:
            roster.admit(record, now, known=True)
        for duty in memory.duties:
            if duty.responder in roster.people:
                roster.people[duty.responder].duty = duty
        for id, (position, at) in memory.positions.items():
            if id in roster.people:
                roster.see(id, position, at)
        for id, person in roster.people.items():
            roster.refile(id, now)
            self._world.set_timer(f"duty:{id}", roster.next_duty_change(person, now))

    def adopt(self, rows: Iterable[Row], places: Mapping[str, Places]) -> None:
        """Apply rows that were decided elsewhere or before; oldest first for each incident."""
        world = self._world
        changed: dict[str, Incident] = {}
        now = world.roster.started_at
        for row in rows:
            now = max(now, row.at)
            if row.incident is None:
                continue
            held = changed.get(row.incident) or world.incidents.get(row.incident)
            changed[row.incident] = apply(held, row)
        for id, incident in changed.items():
            self._take(incident, places.get(id) or world.places.get(id) or Places(), now)

    def _take(self, incident: Incident, places: Places, now: datetime) -> None:
        world = self._world
        world.number = max(world.number, incident.number)
        if incident.policy not in world.known:
            raise EngineFault(f"incident {incident.id} stands on the unknown ladder {incident.policy}")
        world.places[incident.id] = places
        world.note(incident)
        if incident.id in world.roll_calls:
            world.set_timer(roll_calls.timer_of(incident.id), now + roll_calls.resumes_in(len(world.roll_calls)))
        for responder in {o.responder for o in incident.offers.values()}:
            world.weigh(incident, responder)
            if responder in world.roster.people:
                world.roster.refile(responder, now)


def _repeated(turn: Turn, event: e.Event) -> Answer | None:
    """The stored answer to a repeat of a responder's or a person's message, with the state as it is now.

    Gateways' messages have rules of their own and are not answered here.
    """
    if event.request is None or event.request.key.sender.startswith("gateway:"):
        return None
    same = [p for p in event.request.prior if p.fingerprint == event.request.fingerprint]
    if not same:
        return None
    first = same[0]
    body = dict(first.answer)
    state = _state_now(turn, event)
    if state is not None:
        body["state"] = state
    code = body.get("code") if first.refused else None
    return Answer(body, code=code, incident=first.incident, repeat=True)


def _state_now(turn: Turn, event: e.Event) -> str | None:
    world = turn.world
    if isinstance(event, e.PresenceSaid):
        person = world.roster.people.get(event.responder)
        return None if person is None else ("on_duty" if world.roster.on_duty(person, turn.now) else "off_duty")
    if isinstance(event, e.OfferAnswered):
        id, responder = answers.incident_of_offer(event.offer), event.actor.id
    elif isinstance(event, e.DutyMoved):
        id, responder = event.incident, event.responder
    else:
        return None
    incident = world.incidents.get(id) or (world.ended[id][0] if id in world.ended else event.ended)
    return departments.state_for(incident, responder) if incident is not None else None


def _with_reuse(event: e.Event, answer: Answer) -> Answer:
    """Tell a responder that their id was used for something else before."""
    request = event.request
    if request is None or answer.repeat or not request.prior or not request.key.sender.startswith("responder:"):
        return answer
    return Answer({**answer.body, "id_reused": True}, answer.code, answer.incident)


def _fire(turn: Turn, event: e.DeadlineDue) -> Answer:
    if roll_calls.roll_call_of(event.key) is not None:
        return roll_calls.go_on(turn, event)
    if event.incident is None:
        is_finding = finding_of(event.key) is not None
        return supervision.fire(turn, event) if is_finding else presence.fire_timer(turn, event)
    deadlines.fire(turn, event.incident)
    return Answer()


_HANDLERS: dict[type, Callable[[Turn, Any], Answer]] = {
    e.AlarmRaised: opening.raise_alarm,
    e.FrameFaulty: opening.faulty_frame,
    e.CallTaken: opening.take_call,
    e.CasesGathered: ask_together,
    e.DrillAsked: drills.begin,
    e.RollCallAsked: roll_calls.ask,
    e.CancelAsked: devices.ask_cancel,
    e.SignalSent: devices.send_signal,
    e.PresenceSaid: presence.say_presence,
    e.OfferAnswered: departments.answer_offer,
    e.DutyMoved: departments.move_duty,
    e.OperatorActed: actions.act,
    e.TestAsked: presence.ask_test,
    e.CallFirstAsked: ask_call_first,
    e.DirectoryUpdated: presence.update_directory,
    e.LinkChanged: presence.change_link,
    e.PositionSeen: presence.see_position,
    e.WatchersChanged: presence.change_watchers,
    DevicesHeard: supervision.hear_devices,
    GatewayLinkChanged: supervision.change_gateway_link,
    e.DeadlineDue: _fire,
}
