"""Where the ladder stands: the codes on disk stay, and what is private stays private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.StateChanged: ("state_changed", {"reason"}),
    facts.StepEntered: ("step_entered", set()),
    facts.LadderExhausted: ("ladder_exhausted", set()),
    facts.Ranked: ("ranked", set()),
    facts.DeadlinesChanged: ("deadlines_changed", set()),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
