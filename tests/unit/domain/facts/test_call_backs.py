"""Calling back: the codes on disk stay, and what is private stays private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.CallBackBegan: ("call_back_began", set()),
    facts.CallBackHeld: ("call_back_held", set()),
    facts.CallBackEnded: ("call_back_ended", set()),
    facts.LadderWaits: ("ladder_waits", set()),
    facts.CallFirstChanged: ("call_first_changed", {"reason"}),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
