"""Which fields of a fact are private."""

from callhub.domain.facts import NoteAdded, OfferMade, private_fields


def test_a_private_field_is_none_when_absent_or_erased() -> None:
    assert private_fields(NoteAdded) == ("text",)
    assert NoteAdded().text is None
    assert private_fields(OfferMade) == ()
