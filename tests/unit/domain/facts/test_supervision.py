"""What was found wrong with equipment: the codes on disk stay, and nothing of it is private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.FaultFound: ("fault_found", set()),
    facts.FaultMended: ("fault_mended", set()),
    facts.FaultReturned: ("fault_returned", set()),
    facts.FaultFolded: ("fault_folded", set()),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
