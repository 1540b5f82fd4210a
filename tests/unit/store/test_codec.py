"""Objects as bytes and back."""

from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callhub.dispatch.replay import apply
from callhub.domain import facts as f
from callhub.domain.facts import Fact, Row
from callhub.domain.family import News, Relative
from callhub.domain.incident import Incident, Places
from callhub.domain.people import SYSTEM, Actor, ActorKind, Elder, Position, ResponderKind, Role
from callhub.domain.roles import HelpRole, Part
from callhub.errors import StoreCorrupt, StoreRefused
from callhub.store.codec import (
    _NAMES,
    ADDED,
    decode,
    decode_json,
    decode_policy,
    decode_row,
    decode_time,
    digest,
    document_bytes,
    encode,
    encode_json,
    encode_policy,
    encode_row,
    encode_time,
)
from tests.contract.builders import AREAS, DEVICES, ELDERS, HOME, NOON, OPERATOR, RESPONDERS, Case, policy

SALT = b"0123456789abcdef"
EAST = timezone(timedelta(hours=8))


def row(*facts: Fact, actor: Actor = SYSTEM) -> Row:
    return Row("I-1", 3, NOON, "ev", actor, facts)


def instants() -> st.SearchStrategy[datetime]:
    zones = st.sampled_from((UTC, EAST, timezone(timedelta(hours=-3, minutes=-30))))
    return st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=zones)  # noqa: DTZ001  # bounds are naive


PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    datetime: instants(),
    NoneType: st.none(),
    Any: st.sampled_from((None, 7, 1.5, "x", ["V-1"], {"reason": "busy"})),
}


def drawn(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401  # an annotation is anything
    """Anything that fits an annotation."""
    if hint in PLAIN:
        return PLAIN[hint]
    if is_dataclass(hint):
        hints = get_type_hints(hint, localns=_NAMES)
        return st.builds(hint, **{name: drawn(inner) for name, inner in hints.items()})  # type: ignore[arg-type]  # a class
    inner = get_args(hint)
    match get_origin(hint):
        case origin if origin is tuple:
            return st.lists(drawn(inner[0]), max_size=3).map(tuple)
        case origin if origin is dict:
            return st.dictionaries(drawn(inner[0]), drawn(inner[1]), max_size=3)
        case origin if origin is Literal:
            return st.sampled_from(inner)
        case None:
            return st.sampled_from(hint)
        case _:
            return st.one_of(*map(drawn, inner))


@pytest.mark.parametrize("kind", get_args(Fact), ids=lambda kind: kind.__name__)
@settings(max_examples=30)
@given(data=st.data())
def test_every_fact_comes_back(kind: type[Any], data: st.DataObject) -> None:
    fact = data.draw(drawn(kind))
    body, private = encode_row(row(fact), SALT)
    assert decode_row(body, private) == row(fact)
    bare = decode_row(body).facts[0]
    for field in fields(kind):
        if field.metadata.get("private"):
            assert getattr(bare, field.name) is None
    assert encode_row(decode_row(body, private), SALT) == (body, private)


def test_every_fact_has_a_code_of_its_own() -> None:
    codes = [next(field.default for field in fields(kind) if field.name == "fact") for kind in get_args(Fact)]
    assert MISSING not in codes
    assert len(set(codes)) == len(codes)


def test_the_bytes_of_a_row_are_pinned() -> None:
    """A change here makes databases of today unreadable or their chains wrong: it needs a migration."""
    fact = f.NoteAdded(text="门在后面")
    body, private = encode_row(row(fact, f.OfferSilent(offer="o"), actor=OPERATOR), SALT)
    assert body == (
        b'{"incident":"I-1","version":3,"at":"2026-11-24T12:00:00Z","event":"ev",'
        b'"actor":{"kind":"user","id":"li","role":"operator","area":null},'
        b'"facts":[{"fact":"note_added","what":"note","rating":null},{"fact":"offer_silent","offer":"o"}]}'
    )
    assert private == ('{"salt":"30313233343536373839616263646566","items":[{"fact":0,"text":"门在后面"}]}'.encode())


def test_nothing_private_means_no_private_part() -> None:
    body, private = encode_row(row(f.NoteAdded(), f.OfferSilent(offer="o")), SALT)
    assert private is None
    assert b"text" not in body


def test_private_fields_go_to_their_own_fact() -> None:
    facts = (f.OfferSilent(offer="o"), f.NoteAdded(text="a"), f.NoteAdded(), f.HomeMoved(what="home", home=HOME))
    body, private = encode_row(row(*facts), SALT)
    assert private is not None
    assert [item["fact"] for item in decode_json(private)["items"]] == [1, 3]
    assert decode_row(body, private).facts == facts


@pytest.mark.parametrize(
    "actor", [SYSTEM, OPERATOR, Actor(ActorKind.API, "crm", Role.ADMIN, "S"), Actor(ActorKind.GATEWAY, "GW")]
)
def test_the_actor_comes_back(actor: Actor) -> None:
    body, _ = encode_row(row(f.OfferSilent(offer="o"), actor=actor), SALT)
    assert decode_row(body).actor == actor


def test_a_lone_surrogate_is_refused_without_repeating_it() -> None:
    with pytest.raises(StoreRefused) as caught:
        encode_row(row(f.NoteAdded(text="秘密\ud800")), SALT)
    assert "秘密" not in str(caught.value)
    with pytest.raises(StoreRefused):
        encode(Elder("E", "\ud800"))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_place_that_is_no_number_is_refused(number: float) -> None:
    with pytest.raises(StoreRefused):
        encode(Places(fix=Position(39.0, number)))
    with pytest.raises(StoreRefused):
        encode_row(row(f.HomeMoved(what="home", home=Position(number, 117.0))), SALT)
    with pytest.raises(StoreRefused):
        encode_json({"go_to": {"position": Position(number, 117.0)}})
    # What is unknown otherwise is only unknown, and somebody's words are only words.
    assert decode(Position, encode(Position(39.0, 117.0, number))) == Position(39.0, 117.0)
    assert encode_json({"text": '"lat":null'})


@pytest.mark.parametrize(
    ("body", "private"),
    [
        (b"", None),
        (b"{}", None),
        (b'{"incident":null}', None),
        (b'{"incident":null,"version":0,"at":"x","event":"e","actor":{},"facts":[]}', None),
        ("good", b"not json"),
        ("good", b"[]"),
        ("good", b'{"salt":""}'),
        ("good", b'{"items":[{"fact":9,"text":"x"}]}'),
        ("good", b'{"items":[{"fact":0,"colour":"x"}]}'),
        ("good", b'{"items":[{"fact":0,"text":{"lat":1}}]}'),
        ("good", b'{"items":[7]}'),
    ],
)
def test_what_was_not_written_by_us_is_corrupt(body: bytes | str, private: bytes | None) -> None:
    good, _ = encode_row(row(f.NoteAdded()), SALT)
    with pytest.raises(StoreCorrupt):
        decode_row(good if isinstance(body, str) else body, private)


def test_an_unknown_fact_is_corrupt_not_skipped() -> None:
    body, _ = encode_row(row(f.OfferSilent(offer="o")), SALT)
    with pytest.raises(StoreCorrupt):
        decode_row(body.replace(b"offer_silent", b"offer_forgot"))


@pytest.mark.parametrize("record", [*AREAS, *ELDERS, *DEVICES, *RESPONDERS, HOME, Position(1.5, -2.25)], ids=repr)
def test_records_come_back(record: object) -> None:
    assert decode(type(record), encode(record)) == record


@given(drawn(Places))
def test_places_come_back(places: Places) -> None:
    assert decode(Places, encode(places)) == places


def test_a_broken_record_is_corrupt_and_not_quoted() -> None:
    with pytest.raises(StoreCorrupt) as caught:
        decode(Elder, '{"id":"E-1","name":["李奶奶"]}')
    assert "李奶奶" not in str(caught.value)
    with pytest.raises(StoreCorrupt):
        decode_json(b"{")


def full_case() -> Case:
    case = Case("I-1", 1)
    case.open()
    case.offer()
    case.assign()
    case.note()
    case.release()
    return case


def test_replaying_gives_the_same_bytes() -> None:
    case = full_case()
    assert case.incident is not None
    stored = document_bytes(case.incident)
    replayed: Incident | None = None
    for written in case.rows:
        replayed = apply(replayed, decode_row(encode_row(written, SALT)[0]))
    assert replayed is not None
    assert document_bytes(replayed) == stored
    assert digest(replayed) == digest(case.incident)
    assert decode(Incident, stored) == case.incident
    assert document_bytes(decode(Incident, stored)) == stored


def test_a_document_holds_nothing_private() -> None:
    case = full_case()
    assert case.incident is not None
    document = document_bytes(case.incident).decode()
    for secret in ("13800000000", "富源里", "39.08", "门在后面", "摔倒了"):
        assert secret not in document


def test_a_field_that_is_newer_than_the_first_documents_is_left_out_while_empty() -> None:
    """Else the digest of every incident from before would be another one."""
    case = full_case()
    assert case.incident is not None
    assert b"whistles" not in document_bytes(case.incident)
    case.whistle()
    written = document_bytes(case.incident)
    assert b'"whistles":{"' in written
    assert decode(Incident, written) == case.incident
    assert "水管爆裂" not in written.decode()


def test_any_change_changes_the_digest() -> None:
    case = full_case()
    assert case.incident is not None
    other = case.incident.copy()
    other.urgency = 2
    assert digest(other) != digest(case.incident)


@given(instants())
def test_times_come_back_and_sort(at: datetime) -> None:
    assert decode_time(encode_time(at)) == at
    assert encode_time(at + timedelta(microseconds=1)) == encode_time(at) + 1


def test_policies_come_back() -> None:
    ladder = policy("night", repeat_s=90)
    assert decode_policy(encode_policy(ladder)) == ladder


def test_an_instant_in_a_body_becomes_its_text() -> None:
    assert encode_json({"respond_by": NOON, "n": None}) == b'{"respond_by":"2026-11-24T12:00:00Z","n":null}'


def test_what_is_newer_than_a_document_is_left_out_while_it_is_empty_so_that_its_digest_stays() -> None:
    case = Case("I-1", 1)
    case.open()
    before = case.incident
    assert before is not None
    written = document_bytes(before)
    assert not any(f'"{name}":'.encode() in written for name in ADDED)
    assert digest(decode(Incident, written)) == digest(before)
    case.step(f.FamilyChanged(family=(Relative("C-1", (News.OPENED,), "V-2"),)), seconds=1)
    case.step(
        f.Assigned(assignment="I-1-a1", responder="V-1", slot=1, arrive_by=NOON, role=HelpRole.KEY, fetch="C-1"),
        f.OfferMade(offer="I-1-1", responder="V-2", kind=ResponderKind.VOLUNTEER, step=-1, respond_by=NOON, need="key"),
        seconds=2,
    )
    after = case.incident
    assert after is not None
    assert decode(Incident, document_bytes(after)) == after
    assert after.roles == {"I-1-a1": Part(HelpRole.KEY, "C-1")}
