"""The people around an elder, and what an incident keeps of them."""

from callhub.domain.family import FamilyContact, News, Relative, keyholders, relatives

SON = FamilyContact("C-1", "E-1", "李明", phone="13800000009", inform=(News.CLOSED,))
NEIGHBOUR = FamilyContact("C-2", "E-1", "王芳", responder="V-2")


def test_a_contact_is_told_everything_unless_they_said_otherwise() -> None:
    assert NEIGHBOUR.inform == (News.OPENED, News.COMING, News.THERE, News.CLOSED)


def test_an_incident_keeps_ids_and_codes_alone() -> None:
    kept = relatives((SON, NEIGHBOUR))
    assert kept == (Relative("C-1", (News.CLOSED,)), Relative("C-2", tuple(News), "V-2"))
    assert "李明" not in repr(kept)


def test_keyholders_are_the_responders_among_the_contacts_each_once() -> None:
    twice = FamilyContact("C-3", "E-1", "王芳", responder="V-2")
    assert keyholders(relatives((SON, NEIGHBOUR, twice))) == ("V-2",)
    assert keyholders(()) == ()
