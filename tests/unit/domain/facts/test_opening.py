"""How a case began: the codes on disk stay, and what is private stays private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.IncidentOpened: ("incident_opened", {"text", "phone", "address", "home"}),
    facts.AlarmRecorded: ("alarm_recorded", {"text", "position", "raw"}),
    facts.AlarmMadeUrgent: ("alarm_made_urgent", set()),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
