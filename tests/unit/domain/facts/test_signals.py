"""What was said beside asking for help: the codes on disk stay, and what is private stays private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.CancelRequested: ("cancel_requested", set()),
    facts.DeviceSignalled: ("device_signalled", {"card"}),
    facts.ContactMade: ("contact_made", {"note"}),
    facts.NoteAdded: ("note_added", {"text"}),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
