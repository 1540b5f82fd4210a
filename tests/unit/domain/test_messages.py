"""The outbox knows clients by kind and id, and messages by their wire names."""

from callhub.domain.messages import Addressee, AddresseeKind, MessageType


def test_addressees_of_the_same_kind_and_id_are_one() -> None:
    one, two = (Addressee(AddresseeKind.RESPONDER, "V") for _ in range(2))
    assert len({one, two, Addressee(AddresseeKind.GATEWAY, "V")}) == 2
    assert sorted([one, Addressee(AddresseeKind.GATEWAY, "W")])[0].id == "W", "by kind, then id"


def test_the_wire_names() -> None:
    assert [type.value for type in MessageType] == [
        "offer",
        "stand_down",
        "assignment",
        "update",
        "progress",
        "family",
    ]
