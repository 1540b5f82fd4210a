"""Who has it: the codes on disk stay, and what is private stays private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.OwnerTaken: ("owner_taken", set()),
    facts.OwnerCleared: ("owner_cleared", set()),
    facts.OwnerActed: ("owner_acted", set()),
    facts.WatchChanged: ("watch_changed", set()),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
