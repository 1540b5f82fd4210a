"""What callhub notices about itself reaches people once."""

from callhub.domain import events as e
from callhub.domain.people import SYSTEM
from tests.scenarios.town import Town


def test_the_same_fault_of_callhub_noticed_twice_is_one_case() -> None:
    town = Town()

    cases = [
        town.tell(e.CallTaken(id=town.new_id(), actor=SYSTEM, source="system", kind="clock")).incident for _ in range(2)
    ]

    assert cases[0] == cases[1]
    assert cases[0] is not None
    assert town.incident(cases[0]).class_ == "technical"


def test_a_fault_of_callhub_does_not_join_the_fault_of_a_gateway() -> None:
    town = Town()
    actor = SYSTEM
    frame = e.FrameFaulty(id=town.new_id(), actor=actor, gateway="GW", wants_help=False, code="unknown_type")
    of_gateway = town.tell(frame).incident

    of_callhub = town.tell(e.CallTaken(id=town.new_id(), actor=actor, source="system", kind="gateway_fault")).incident

    assert of_callhub != of_gateway
