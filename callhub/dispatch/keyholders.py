"""Keyholders: contacts of an elder who are responders themselves, and who does what when somebody must fetch the key.

Rules of this file:
1. Whoever says yes first goes to the elder, the next one fetches the key; a keyholder brings their own, if nobody else
   does. Without a keyholder everybody goes to the elder: nobody waits for a key that does not come.
2. A role is free as long as nobody has it who is on time or has done it. Roles decide nothing else: who is needed,
   late, on scene or resolved is counted without them.
3. Keyholders who are asked for the key that somebody at the door lacks are asked as by hand, on duty or not, because
   the key is nowhere else. That goes on while others are coming, until the key comes or the case is over.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from callhub.dispatch.escalation import BY_HAND, make_offer, search
from callhub.dispatch.geo import distance_m
from callhub.dispatch.roster import PLACES
from callhub.domain import facts as f
from callhub.domain.family import Relative, keyholders
from callhub.domain.incident import OfferState
from callhub.domain.policy import IncidentClass
from callhub.domain.roles import HelpRole, Part

if TYPE_CHECKING:
    from callhub.dispatch.matching import Candidate
    from callhub.dispatch.roster import Person
    from callhub.dispatch.turn import Case
    from callhub.domain.incident import Incident, Offer

KEY = "key"
"""The need that keyholders are asked for."""


def part_for(case: Case, offer: Offer) -> Part | None:
    """What somebody does who says yes to this offer; None where nobody has a role."""
    incident = case.incident
    if offer.id in incident.key_offers:
        return Part(HelpRole.KEY)
    if not case.policy.roles:
        return None
    holders = _holders(case)
    free = _free(incident, case.policy.roles)
    holds = any(one.responder == offer.responder for one in holders)
    if not holders or HelpRole.KEY not in free or (HelpRole.ELDER in free and not holds):
        return Part(HelpRole.ELDER)
    return Part(HelpRole.KEY, None if holds else min(holders, key=lambda one: _reluctance(case, one)).contact)


def _free(incident: Incident, roles: tuple[HelpRole, ...]) -> Counter[HelpRole]:
    """The roles that nobody has; whoever came before there were any goes to the elder."""
    coming = [a for a in incident.assignments.values() if a.is_on_time or incident.has_done(a)]
    taken = (HelpRole.KEY if incident.fetches_key(assignment) else HelpRole.ELDER for assignment in coming)
    return Counter(roles) - Counter(taken)


def _person(case: Case, responder: str | None) -> Person | None:
    """A keyholder as a responder; None for who is disabled, or no person (any more)."""
    person = case.turn.world.roster.people.get(responder or "")
    able = person is not None and person.record.active and person.record.kind not in PLACES
    return person if able else None


def _holders(case: Case) -> list[Relative]:
    return [one for one in case.incident.family if _person(case, one.responder) is not None]


def _reluctance(case: Case, holder: Relative) -> tuple[bool, bool, float, str]:
    """Whom the key is fetched from last: who comes with it, who said no, who lives far away."""
    incident, target = case.incident, case.places.target
    id = holder.responder or ""
    person = _person(case, id)
    home = person.record.position if person is not None else None
    away_m = math.inf if home is None or target is None else distance_m(target[0], home)
    refused = any(o.responder == id and o.state is OfferState.DECLINED for o in incident.offers.values())
    return incident.assignment_of(id) is not None, refused, away_m, holder.contact


def ask_for_key(case: Case) -> None:
    """Offer it to each keyholder at once, and say why to the others; whoever was asked already hears it again."""
    incident = case.incident
    asked: list[Candidate] = []
    passed: list[dict[str, object]] = []
    looking = search(case, case.policy.steps[incident.step])
    for id in keyholders(incident.family):
        person = _person(case, id)
        why = "disabled" if person is None else _engaged(case, id, person)
        if person is None or why is not None:
            passed.append({"responder": id, "distance_m": None, "reason": why})
        elif (offer := incident.offer_of(id)) is not None:
            _remind(case, offer)
        else:
            asked.append(looking.named(person))
    if asked or passed:
        case.add(f.Ranked(step=BY_HAND, chosen=tuple(map(looking.listed, asked)), passed_over=tuple(passed)))
    for candidate in asked:
        make_offer(case, candidate, BY_HAND, need=KEY)


def _engaged(case: Case, id: str, person: Person) -> str | None:
    """Why a keyholder cannot bring the key: they are coming already, or at another emergency."""
    if case.incident.assignment_of(id) is not None:
        return "accepted"
    return "busy" if person.is_full and case.incident.class_ is IncidentClass.EMERGENCY else None


def _remind(case: Case, offer: Offer) -> None:
    """The offer they have asks for the key from now on."""
    if offer.id in case.incident.key_offers:
        return
    respond_by = case.after(case.policy.steps[case.incident.step].offer_timeout_s)
    case.add(f.OfferReminded(offer=offer.id, respond_by=respond_by, need=KEY))
