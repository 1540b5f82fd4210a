"""Every cell of the tables: what is there leads there, what is not there is refused."""

import pytest

from callhub.dispatch.lifecycle import (
    ASSIGNMENT,
    INCIDENT,
    OFFER,
    IncidentEvent,
    OfferEvent,
    advance_assignment,
    advance_incident,
    advance_offer,
)
from callhub.domain.incident import ENDED, LIVE_OFFERS, AssignmentState, IncidentState, OfferState
from callhub.errors import IllegalTransition


@pytest.mark.parametrize("event", IncidentEvent)
@pytest.mark.parametrize("state", IncidentState)
def test_an_incident_moves_by_the_table_or_not_at_all(state: IncidentState, event: IncidentEvent) -> None:
    if (state, event) in INCIDENT:
        assert advance_incident(state, event) is INCIDENT[(state, event)]
    else:
        with pytest.raises(IllegalTransition, match=f"{event.value} is not possible while the incident is {state}"):
            advance_incident(state, event)


@pytest.mark.parametrize("event", OfferEvent)
@pytest.mark.parametrize("state", OfferState)
def test_an_offer_moves_by_the_table_or_not_at_all(state: OfferState, event: OfferEvent) -> None:
    if (state, event) in OFFER:
        assert advance_offer(state, event) is OFFER[(state, event)]
    else:
        with pytest.raises(IllegalTransition, match="offer"):
            advance_offer(state, event)


@pytest.mark.parametrize("after", AssignmentState)
@pytest.mark.parametrize("before", AssignmentState)
def test_an_assignment_moves_forward_only(before: AssignmentState, after: AssignmentState) -> None:
    order = list(AssignmentState)
    if (before, after) in ASSIGNMENT:
        assert advance_assignment(before, after) is after
        assert order.index(before) < order.index(after)
    else:
        with pytest.raises(IllegalTransition, match="assignment"):
            advance_assignment(before, after)


def test_what_is_over_can_only_be_reopened() -> None:
    assert {event for (state, event) in INCIDENT if state in ENDED} == {IncidentEvent.REOPENED}
    assert {state for (state, _) in OFFER} == LIVE_OFFERS


@pytest.mark.parametrize("state", [s for s in IncidentState if s not in ENDED])
def test_every_open_incident_can_be_closed(state: IncidentState) -> None:
    assert advance_incident(state, IncidentEvent.CLOSED) is IncidentState.CLOSED


@pytest.mark.parametrize("state", [s for s in IncidentState if s not in ENDED and s is not IncidentState.RESOLVED])
def test_every_open_incident_but_a_resolved_one_can_be_cancelled(state: IncidentState) -> None:
    assert advance_incident(state, IncidentEvent.CANCELLED) is IncidentState.CANCELLED
