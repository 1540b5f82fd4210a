"""People and devices: the codes on disk stay, and what is private stays private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.DutyChanged: ("duty_changed", set()),
    facts.TestRecorded: ("test_recorded", set()),
    facts.TestWindowOpened: ("test_window_opened", set()),
    facts.DirectoryChanged: ("directory_changed", set()),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
