"""Invitations: the codes on disk stay, and what is private stays private."""

import pytest

from callhub.domain import facts
from tests.unit.domain.facts.codes import code_and_private

KEPT: dict[type, tuple[str, set[str]]] = {
    facts.OfferMade: ("offer_made", set()),
    facts.OfferReminded: ("offer_reminded", set()),
    facts.OfferSilent: ("offer_silent", set()),
    facts.OfferAccepted: ("offer_accepted", set()),
    facts.OfferDeclined: ("offer_declined", {"reason"}),
    facts.OfferWithdrawn: ("offer_withdrawn", set()),
}


@pytest.mark.parametrize("kind", KEPT)
def test_the_code_and_the_private_fields(kind: type) -> None:
    assert code_and_private(kind) == KEPT[kind]
