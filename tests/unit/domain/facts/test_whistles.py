"""Departments being called: the codes on disk stay, and what is private stays private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.WhistleCalled: ("whistle_called", {"text", "reason"}),
    facts.WhistleReported: ("whistle_reported", set()),
    facts.WhistleMissed: ("whistle_missed", set()),
    facts.WhistleRefused: ("whistle_refused", {"reason"}),
    facts.DepartmentMoved: ("department_moved", set()),
    facts.WhistleFinished: ("whistle_finished", {"note"}),
    facts.WhistleConfirmed: ("whistle_confirmed", {"reason"}),
    facts.WhistleReturned: ("whistle_returned", {"reason"}),
    facts.WhistleWithdrawn: ("whistle_withdrawn", {"reason"}),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
