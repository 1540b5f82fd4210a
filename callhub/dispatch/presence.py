"""Who is there: on and off duty, links, positions, watchers, and changes of the directory.

Rules of this file:
1. Going off duty withdraws offers, never an assignment. Disabling a person withdraws their offers and releases their
   assignments. Revoking a token ends reachability at once and leaves the assignment and its deadline.
2. Whoever becomes able to come is considered at once; whoever cannot come any more has their open offers replaced.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from callhub.dispatch import whistles
from callhub.dispatch.actions import drop_owner
from callhub.dispatch.answers import let_fall_silent, withdraw_elsewhere
from callhub.dispatch.desk_calls import call_desk
from callhub.dispatch.duties import after_departure, release
from callhub.dispatch.escalation import check_watched
from callhub.dispatch.supervision import change_supervised
from callhub.domain import facts as f
from callhub.domain.decision import Answer
from callhub.domain.family import FamilyContact, relatives
from callhub.domain.incident import AssignmentState, OfferState, OwnerKind
from callhub.domain.people import Device, Duty, Elder, ResponderKind
from callhub.domain.policy import IncidentClass, PolicySet
from callhub.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from callhub.dispatch.turn import Turn
    from callhub.domain.events import (
        DeadlineDue,
        DirectoryUpdated,
        LinkChanged,
        PositionSeen,
        PresenceSaid,
        TestAsked,
        WatchersChanged,
    )
    from callhub.domain.incident import Incident


def say_presence(turn: Turn, event: PresenceSaid) -> Answer:
    """A responder is available, or not."""
    roster = turn.world.roster
    person = roster.people.get(event.responder)
    if person is None:
        raise NotFound("responder", event.responder)
    turn.changes.person(event.responder)
    if event.position is not None:
        roster.see(event.responder, event.position, turn.now)
    duty = Duty(event.responder, event.available, event.until)
    if person.duty != duty:
        turn.note(f.DutyChanged(responder=event.responder, available=event.available, until=event.until))
        turn.set_duty(event.responder, duty)
    turn.noticed(event.responder)
    on_duty = roster.on_duty(person, turn.now)
    if not on_duty:
        withdraw_elsewhere(turn, event.responder, None, "off_duty")
    return Answer({"ok": True, "state": "on_duty" if on_duty else "off_duty"})


def change_link(turn: Turn, event: LinkChanged) -> Answer:
    """A link came up, or was lost: they count as reachable for a while."""
    person = turn.changes.person(event.responder)
    if person is not None:
        if person.link_up and not event.up:
            person.reachable_until = turn.now + timedelta(seconds=turn.world.rules.link_patience_s)
        person.link_up = event.up
        turn.noticed(event.responder)
    return Answer()


def see_position(turn: Turn, event: PositionSeen) -> Answer:
    """Where a responder is now; whoever came near enough is considered."""
    if turn.changes.person(event.responder) is not None:
        turn.world.roster.see(event.responder, event.position, turn.now)
        turn.noticed(event.responder)
    return Answer()


def change_watchers(turn: Turn, event: WatchersChanged) -> Answer:
    """Somebody opened their first console or lost their last one."""
    world = turn.world
    desks = turn.changes.watch(event.user, event.area, watching=event.watching)
    if event.watching:
        turn.changes.set_timer(f"watcher:{event.user}", None)
        for desk in desks:
            turn.noticed(desk)
    else:
        away = timedelta(seconds=world.rules.owner_away_s)
        turn.changes.set_timer(f"watcher:{event.user}", turn.now + away)
    _check_all_watched(turn)
    return Answer()


def _check_all_watched(turn: Turn) -> None:
    world = turn.world
    for incident in list(world.incidents.values()):
        if incident.class_ is IncidentClass.EMERGENCY and incident.unwatched is world.roster.is_watched(incident.area):
            check_watched(turn.case(incident.id))


def fire_timer(turn: Turn, event: DeadlineDue) -> Answer:
    """A duty that changes by itself, or an owner whose console has been away for too long."""
    kind, _, id = (event.key or "").partition(":")
    world = turn.world
    turn.changes.set_timer(event.key or "", None)
    if kind == "watch":
        _check_all_watched(turn)
        return Answer()
    if kind == "watcher":
        if id not in world.roster.watchers:
            drop_owner(turn, id, "owner_away")
        return Answer()
    person = world.roster.people.get(id)
    if person is None:
        return Answer()
    duty = person.duty
    if duty is not None and duty.until is not None and duty.until <= turn.now:
        on_duty = world.roster.on_duty(person, turn.now)
        # Its own end stays in the fact: a duty that is over says nothing after a restart, and hours count.
        turn.note(f.DutyChanged(responder=id, available=on_duty, until=duty.until, cause="until_over"))
        duty = None
    turn.set_duty(id, duty)
    if not world.roster.on_duty(person, turn.now):
        withdraw_elsewhere(turn, id, None, "off_duty")
    return Answer()


def ask_test(turn: Turn, event: TestAsked) -> Answer:
    """A device is on test for a while."""
    turn.note(f.TestWindowOpened(device=event.device, until=event.until))
    return Answer({"ok": True, "until": event.until})


def update_directory(turn: Turn, event: DirectoryUpdated) -> Answer:
    """People, devices, tokens, users or ladders changed; at once in effect."""
    ids = tuple(id for _, id in event.revoked) + event.removed_users
    turn.note(f.DirectoryChanged(what=event.what, counts=dict(event.counts), ids=ids))
    if event.policies:
        turn.changes.choose_from(PolicySet(event.policies))
    for record in event.responders:
        was_on_duty = _is_on_duty(turn, record.id)
        turn.admit(record)
        if not record.active:
            _disable(turn, record.id)
        elif was_on_duty and not _is_on_duty(turn, record.id):
            withdraw_elsewhere(turn, record.id, None, "off_duty")
    whistles.drop_departments(turn, event.responders)
    for kind, id in event.revoked:
        if kind == "responder":
            _revoke(turn, id)
        elif kind == "api":
            drop_owner(turn, id, "user_removed", OwnerKind.API)
    for user in event.removed_users:
        turn.changes.dismiss(user)
        drop_owner(turn, user, "user_removed")
    if event.removed_users:
        _check_all_watched(turn)
    for elder in event.elders:
        _moved(turn, elder)
    if event.moved_devices:
        _given_away(turn, event.moved_devices)
    for id, family in event.families:
        _related(turn, id, family)
    change_supervised(turn, event)
    return Answer({"ok": True})


def _is_on_duty(turn: Turn, id: str) -> bool:
    person = turn.world.roster.people.get(id)
    return person is not None and turn.world.roster.on_duty(person, turn.now)


def _disable(turn: Turn, responder: str) -> None:
    withdraw_elsewhere(turn, responder, None, "disabled")
    person = turn.world.roster.people[responder]
    if person.record.kind is ResponderKind.DESK:
        drop_owner(turn, responder, "user_removed", OwnerKind.DESK)
    for id in sorted(person.duties):
        case = turn.case(id)
        for assignment in [a for a in case.incident.live if a.responder == responder]:
            release(case, assignment, code="disabled")
            after_departure(case, "released", from_first=assignment.by_hand)


def _revoke(turn: Turn, responder: str) -> None:
    person = turn.changes.person(responder)
    if person is None:
        return
    person.link_up = False
    person.reachable_until = None
    turn.noticed(responder)
    for id in sorted(person.asked):
        # Nobody can answer there any more; others are asked now. A yes by telephone is still a yes.
        offer = turn.world.incidents[id].offer_of(responder)
        if offer is not None and offer.state is OfferState.OPEN:
            let_fall_silent(turn.case(id), offer)
    for id in sorted(person.duties):
        assignment = turn.world.incidents[id].assignment_of(responder)
        if assignment is not None and assignment.state is not AssignmentState.ON_SCENE:
            call_desk(turn.case(id), "revoked")


def _moved(turn: Turn, elder: Elder) -> None:
    """The elder's home changed while cases are open: both are shown, everyone assigned is told."""
    for incident in turn.world.open_of_elder(elder.id):
        case = turn.case(incident.id)
        places = case.places
        known = (places.new_home or places.home, places.new_address or places.address)
        if known != (elder.position, elder.address):
            places.new_home, places.new_address = elder.position, elder.address
            case.add(f.HomeMoved(what="home", address=elder.address, home=elder.position))
        elif not case.facts:
            del turn.cases[incident.id]


def _given_away(turn: Turn, devices: Iterable[Device]) -> None:
    # Open cases are gone through once: an import brings thousands of devices, and everybody waits for this turn.
    pressed: dict[str | None, list[Incident]] = {}
    for incident in turn.world.incidents.values():
        for device_id in dict.fromkeys(alarm.device for alarm in incident.alarms):
            pressed.setdefault(device_id, []).append(incident)
    for device in devices:
        for incident in pressed.get(device.id, ()):
            if incident.elder != device.elder:
                turn.case(incident.id).add(f.HomeMoved(what="device"))


def _related(turn: Turn, elder: str, family: tuple[FamilyContact, ...]) -> None:
    """The elder's contacts changed while cases are open: whoever is new hears what is so by now."""
    for incident in turn.world.open_of_elder(elder):
        if incident.family != relatives(family):
            turn.case(incident.id).add(f.FamilyChanged(family=relatives(family)))
