"""Desks being called: the codes on disk stay, and what is private stays private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.ResolutionMissed: ("resolution_missed", set()),
    facts.FollowUpMissed: ("follow_up_missed", set()),
    facts.ServiceMissed: ("service_missed", set()),
    facts.DeskCalled: ("desk_called", set()),
    facts.DeskCallEnded: ("desk_call_ended", set()),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
