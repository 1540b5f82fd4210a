"""People, devices, users, tokens, ladders, and what is known of them besides."""

from dataclasses import replace

from callhub.domain import facts as f
from callhub.domain.call_back import CallFirst
from callhub.domain.family import FamilyContact, News
from callhub.domain.people import SYSTEM, Duty, Elder, Position
from callhub.domain.policy import policy_key
from callhub.store.base import Commit, DirectoryChange, Marks, Need, Store, Token, User
from tests.contract.builders import AREAS, DEVICES, ELDERS, HOME, RESPONDERS, at, policy

PEOPLE = DirectoryChange(areas=AREAS, elders=ELDERS, devices=DEVICES, responders=RESPONDERS)


async def change(store: Store, **parts: object) -> None:
    await store.commit(Commit(changes=[DirectoryChange(**parts)]))  # type: ignore[arg-type]  # the test names the parts


def happened(*facts: f.Fact, seconds: float = 0) -> Commit:
    return Commit(rows=[f.Row(None, 0, at(seconds), "ev", SYSTEM, facts)])


async def test_records_come_back(store: Store) -> None:
    await store.commit(Commit(changes=[PEOPLE]))
    assert store.all_areas() == AREAS
    for kind, records in (("elders", ELDERS), ("devices", DEVICES), ("responders", RESPONDERS), ("areas", AREAS)):
        for record in records:
            assert store.person(kind, record.id) == record
        assert store.person(kind, "nobody") is None
    renamed = replace(ELDERS[0], name="李", paired=())
    await change(store, elders=(renamed,))
    assert store.person("elders", "E-1") == renamed


async def test_contacts_are_found_by_their_elder_and_move_with_an_import(store: Store) -> None:
    son, neighbour = (
        FamilyContact("C-2", "E-1", "李明", phone="7"),
        FamilyContact("C-1", "E-1", "王芳", responder="V-1"),
    )
    await change(store, elders=ELDERS, contacts=(son, neighbour))
    assert store.family_of("E-1") == (neighbour, son)
    assert (store.family_of("E-2"), store.family_of("nobody")) == ((), ())
    assert (store.person("contacts", "C-2"), store.person("contacts", "C-9")) == (son, None)
    assert store.names((), (), (), ["C-2", "C-9"]).contacts == {"C-2": son}
    assert store.people("contacts", 1, None).items == (neighbour,)
    assert store.people("contacts", 9, None, phone="7").items == (son,)
    moved = replace(son, elder="E-2", inform=(News.CLOSED,))
    await change(store, contacts=(moved,))
    assert (store.family_of("E-1"), store.family_of("E-2")) == ((neighbour,), (moved,))


async def test_names_are_joined_at_read(store: Store) -> None:
    await store.commit(Commit(changes=[PEOPLE]))
    names = store.names(["E-1", "E-9"], iter(["V-1"]), {"S", "X"})
    assert names.elders == {"E-1": ELDERS[0]}
    assert names.responders == {"V-1": RESPONDERS[0]}
    assert names.areas == {"S": AREAS[1]}


async def test_a_batch_finds_what_it_needs(store: Store) -> None:
    await store.commit(Commit(changes=[PEOPLE]))
    found = store.lookup(
        Need(
            devices=frozenset({"BTN", "BTN-2", "BTN-9"}),
            elders=frozenset({"E-2", "E-9"}),
            phones=frozenset({"13900000000", "1064000001", "110", ""}),
            addresses=frozenset({"富源里 4 号楼 201", "", "nowhere"}),
        )
    )
    assert found.devices == {"BTN": DEVICES[0], "BTN-2": DEVICES[1]}
    assert found.elders == {"E-1": ELDERS[0], "E-2": ELDERS[1]}
    # The second number is that of a button: it means whose button it is.
    assert found.by_phone == {"13900000000": ELDERS[1], "1064000001": ELDERS[0]}
    assert found.by_address == {"富源里 4 号楼 201": ELDERS[1]}
    assert found.requests == {}


async def test_a_shared_telephone_means_somebody_active(store: Store) -> None:
    couple = [Elder(f"E-{n}", "x", phone="1", address="a", active=n > 1) for n in (1, 3, 2)]
    await change(store, elders=tuple(couple))
    found = store.lookup(Need(phones=frozenset("1"), addresses=frozenset("a")))
    assert found.by_phone["1"].id == found.by_address["a"].id == "E-2"


async def test_people_are_paged_by_id(store: Store) -> None:
    await store.commit(Commit(changes=[PEOPLE]))
    await change(store, elders=tuple(Elder(f"X-{n}", "x", phone="7") for n in range(5)))
    seen, cursor = [], None
    while True:
        page = store.people("elders", 3, cursor)
        seen += [elder.id for elder in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == ["E-1", "E-2", "X-0", "X-1", "X-2", "X-3", "X-4"]
    assert [elder.id for elder in store.people("elders", 9, None, phone="13900000000").items] == ["E-2"]
    assert len(store.people("elders", 2, None, phone="7").items) == 2
    assert store.people("devices", 9, None).items == DEVICES
    assert store.people("areas", 9, None, phone="7").items == ()


async def test_a_test_window_outlives_an_import(store: Store) -> None:
    await store.commit(Commit(changes=[PEOPLE]))
    await store.commit(happened(f.TestWindowOpened(device="BTN", until=at(60))))
    await store.commit(happened(f.TestWindowOpened(device="nobody", until=at(60))))
    assert store.person("devices", "BTN") == replace(DEVICES[0], test_until=at(60))
    await change(store, devices=(replace(DEVICES[0], kind="pendant"),))
    assert store.lookup(Need(devices=frozenset({"BTN"}))).devices["BTN"] == replace(
        DEVICES[0], kind="pendant", test_until=at(60)
    )


async def test_call_first_is_what_a_person_set_last_and_outlives_an_import(store: Store) -> None:
    await store.commit(Commit(changes=[PEOPLE]))
    kept = CallFirst(30, at(60))
    await store.commit(happened(f.CallFirstChanged(elder="E-1", seconds=30, until=at(60), reason="often")))
    await store.commit(happened(f.CallFirstChanged(elder="nobody", seconds=30, until=at(60))))
    assert store.person("elders", "E-1") == replace(ELDERS[0], call_first=kept)
    assert store.person("elders", "nobody") is None
    # Whoever changed the record read it before: what they know of call-first may be old.
    for brought in (None, CallFirst(5, at(5))):
        await change(store, elders=(replace(ELDERS[0], name="李", call_first=brought), ELDERS[1]))
        found = store.lookup(Need(devices=frozenset({"BTN"}))).elders["E-1"]
        assert found == replace(ELDERS[0], name="李", call_first=kept)
        assert store.person("elders", "E-2") == ELDERS[1]
    await store.commit(happened(f.CallFirstChanged(elder="E-1", seconds=0)))
    assert store.person("elders", "E-1") == replace(ELDERS[0], name="李")
    new = replace(ELDERS[0], id="E-7", call_first=kept)
    await change(store, elders=(new,))
    assert store.person("elders", "E-7") == replace(new, call_first=None)


async def test_a_test_is_known_with_the_health(store: Store) -> None:
    assert store.device_health("BTN") == {}
    await store.commit(Commit(marks=Marks(device_health={"BTN": {"battery": 0.5, "faults": ["tamper"]}})))
    await store.commit(happened(f.TestRecorded(gateway="GW", device="BTN", alarm="a", at=at(1)), seconds=2))
    await store.commit(Commit(marks=Marks(device_health={"BTN": {"faults": [], "rssi": -70}})))
    assert store.device_health("BTN") == {
        "battery": 0.5,
        "faults": [],
        "last_tested_at": "2026-11-24T12:00:02Z",
        "rssi": -70,
    }


async def test_duty_is_what_was_said_last(store: Store) -> None:
    await store.commit(
        happened(
            f.DutyChanged(responder="V-2", available=True),
            f.DutyChanged(responder="V-1", available=True, until=at(60)),
            f.DutyChanged(responder="V-1", available=False, cause="disabled"),
        )
    )
    assert (await store.load()).duties == (Duty("V-1", False), Duty("V-2", True))


async def test_signs_of_life_never_go_back(store: Store) -> None:
    await store.commit(Commit(marks=Marks(seen={("device", "BTN"): at(5), ("gateway", "BTN"): at(1)})))
    await store.commit(Commit(marks=Marks(seen={("device", "BTN"): at(4)})))
    assert store.seen_at("device", "BTN") == at(5)
    assert store.seen_at("gateway", "BTN") == at(1)
    assert store.seen_at("responder", "BTN") is None


async def test_the_newest_position_wins(store: Store) -> None:
    await store.commit(Commit(marks=Marks(positions={"V-1": (HOME, at(1)), "V-2": (HOME, at(2))})))
    moved = Position(39.1, 117.3)
    await store.commit(Commit(marks=Marks(positions={"V-1": (moved, at(3))})))
    assert (await store.load()).positions == {"V-1": (moved, at(3)), "V-2": (HOME, at(2))}


async def test_users_and_their_sessions(store: Store) -> None:
    li, zhao = User("li", "operator", "S", "hash"), User("zhao", "admin", None, "hash")
    session = Token("aa", "session", "li", "operator", "S", at(1))
    gateway = Token("bb", "gateway", "li", None, None, at(1))
    await change(store, users=(zhao, li), tokens=(session, gateway))
    assert store.users() == (li, zhao)
    assert (store.user("li"), store.user("nobody")) == (li, None)
    assert (store.token("aa"), store.token("cc")) == (session, None)
    await change(store, users=(replace(li, role="viewer"),))
    assert store.user("li") == replace(li, role="viewer")
    # The sessions of a removed user end; a gateway of the same name is somebody else.
    await change(store, removed_users=("li",))
    assert (store.user("li"), store.token("aa"), store.token("bb")) == (None, None, gateway)


async def test_the_tokens_of_a_client_are_told_oldest_first(store: Store) -> None:
    newer, older = Token("aa", "gateway", "GW", None, None, at(2)), Token("bb", "gateway", "GW", None, None, at(1))
    others = (Token("cc", "api", "GW", "viewer", None, at(1)), Token("dd", "gateway", "GW-2", None, None, at(1)))
    await change(store, tokens=(newer, older, *others))
    assert store.tokens_of("gateway", "GW") == (older, newer)
    assert store.tokens_of("api", "GW") == others[:1]
    assert store.tokens_of("session", "GW") == ()
    await change(store, revoked=(("gateway", "GW"),))
    assert store.tokens_of("gateway", "GW") == ()
    assert store.tokens_of("gateway", "GW-2") == others[1:]


async def test_a_token_is_replaced_by_revoking_and_giving(store: Store) -> None:
    old, new = Token("aa", "api", "crm", "operator", None, at(1)), Token("bb", "api", "crm", "operator", None, at(2))
    await change(store, tokens=(old,))
    await change(store, tokens=(new,), revoked=(("api", "crm"),))
    assert (store.token("aa"), store.token("bb")) == (None, new)


async def test_a_frozen_ladder_stays_known(store: Store) -> None:
    night, day = policy("night"), policy("day")
    longer = policy("night", repeat_s=90)
    await change(store, policies=(night, day))
    await change(store, elders=ELDERS)
    assert (await store.load()).policies == (night, day)
    await change(store, policies=(longer,))
    after = await store.load()
    assert after.policies == (longer,)
    assert after.policies_known == {policy_key(p): p for p in (night, day, longer)}
