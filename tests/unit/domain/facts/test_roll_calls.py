"""What a roll-call did: the codes on disk stay, and nothing of it is private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.RollCallBegan: ("roll_call_began", set()),
    facts.RollCallExtended: ("roll_call_extended", set()),
    facts.HomesListed: ("homes_listed", set()),
    facts.HomeCheckBegan: ("home_check_began", set()),
    facts.HomeChecked: ("home_checked", set()),
    facts.RollCallHeldUp: ("roll_call_held_up", set()),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
