"""Expected arrival: turnout and the way, by kind."""

from callhub.dispatch.rules import Rules
from callhub.domain.people import ResponderKind


def test_expected_arrival_is_turnout_and_the_way_in_whole_seconds() -> None:
    assert Rules().eta_s(ResponderKind.VOLUNTEER, 0) == 105
    assert Rules().eta_s(ResponderKind.VOLUNTEER, 900) == 605


def test_a_kind_may_be_faster() -> None:
    rules = Rules(turnout_s=60, speed_m_s={ResponderKind.CAREGIVER: 5.0})
    assert rules.eta_s(ResponderKind.CAREGIVER, 900) == 240
    assert rules.eta_s(ResponderKind.VOLUNTEER, 900) == 560
