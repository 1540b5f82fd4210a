"""Tokens, users and ladders: what each request changes, and what is refused."""

from hashlib import sha256
from typing import Any

import pytest

from callhub.domain.decision import Answer
from callhub.domain.events import DirectoryUpdated
from callhub.domain.people import Role
from callhub.errors import ConfigError, StoreUnavailable
from callhub.intake.directory import COMMAND, Directory, refusal
from callhub.intake.policy_files import read_policies
from callhub.intake.requests import (
    PoliciesRequest,
    RevokeRequest,
    TokenKind,
    TokenRequest,
    UserAddRequest,
    UserRemoveRequest,
)
from callhub.store.base import Commit, DirectoryChange, Token, User
from tests.unit.intake.directory_of import NOW, Town

DIGEST = sha256(b"secret").hexdigest()
HASH = "$argon2id$v=19$..."


def ladder(id: str = "emergency", **changes: Any) -> dict[str, Any]:
    step = {"name": "desk", "ask": ["desk"], "level": "district"}
    return {"id": id, "class": "emergency", "kinds": ["sos", "unknown"], "step": [step], **changes}


async def test_a_token_is_kept_with_its_rights(town: Town) -> None:
    await town.settle()
    reply = await town.ask(TokenRequest(kind=TokenKind.API, id="duty", digest=DIGEST, role=Role.OPERATOR, area="S1"))
    assert reply.ok
    assert town.store.token(DIGEST) == Token(DIGEST, "api", "duty", "operator", "S1", NOW)


async def test_a_responder_must_exist_to_get_a_token(town: Town) -> None:
    await town.settle()
    known = await town.ask(TokenRequest(kind=TokenKind.RESPONDER, id="V-1", digest=DIGEST))
    unknown = await town.ask(TokenRequest(kind=TokenKind.RESPONDER, id="V-9", digest="0" * 64))
    assert known.ok
    assert (unknown.ok, unknown.status) == (False, 2)
    assert unknown.message == "no responder V-9; import the responders first"
    assert town.store.token("0" * 64) is None


async def test_a_token_needs_a_known_area_and_a_readable_id(town: Town) -> None:
    far = await town.ask(TokenRequest(kind=TokenKind.API, id="x", digest=DIGEST, role=Role.VIEWER, area="S9"))
    odd = await town.ask(TokenRequest(kind=TokenKind.GATEWAY, id="a\nb", digest=DIGEST))
    assert far.message == "no area S9; import the areas first"
    assert odd.message == "id: an id has 1 to 64 printable characters"
    assert town.store.token(DIGEST) is None


async def test_revoking_takes_every_token_of_that_client_and_tells_the_engine(town: Town) -> None:
    for digest in ("a" * 64, "b" * 64):
        await town.ask(TokenRequest(kind=TokenKind.GATEWAY, id="GW-1", digest=digest))
    await town.ask(TokenRequest(kind=TokenKind.GATEWAY, id="GW-2", digest="c" * 64))
    town.events.clear()
    assert (await town.ask(RevokeRequest(kind=TokenKind.GATEWAY, id="GW-1"))).ok
    assert [town.store.token(letter * 64) is None for letter in "abc"] == [True, True, False]
    (event,) = town.events
    assert event.revoked == (("gateway", "GW-1"),)
    assert event.actor == COMMAND


@pytest.mark.parametrize(("kind", "id"), [(TokenKind.GATEWAY, "GW-9"), (TokenKind.API, "GW-1")])
async def test_revoking_where_there_is_no_token_says_so_and_changes_nothing(
    town: Town, kind: TokenKind, id: str
) -> None:
    await town.ask(TokenRequest(kind=TokenKind.GATEWAY, id="GW-1", digest=DIGEST))
    town.events.clear()
    reply = await town.ask(RevokeRequest(kind=kind, id=id))
    assert (reply.ok, reply.status) == (False, 2)
    assert reply.message == f"no token of {kind.value} {id}; look whether the kind and the ID are right"
    assert town.events == []


async def test_the_last_administrator_is_not_removed(town: Town) -> None:
    await town.settle()
    for name, role, area in (("ann", Role.ADMIN, None), ("li", Role.OPERATOR, None), ("south", Role.ADMIN, "S1")):
        await town.ask(UserAddRequest(name=name, role=role, area=area, password=HASH))
    town.events.clear()
    reply = await town.ask(UserRemoveRequest(name="ann"))  # whoever sees one street cannot stand in for her
    assert (reply.ok, reply.status) == (False, 2)
    assert reply.message == "ann is the last administrator; add another first: user add NAME --role admin"
    assert town.store.user("ann") is not None
    assert town.events == []
    assert (await town.ask(UserRemoveRequest(name="south"))).ok
    await town.ask(UserAddRequest(name="bo", role=Role.ADMIN, password=HASH))
    assert (await town.ask(UserRemoveRequest(name="ann"))).ok
    assert not (await town.ask(UserRemoveRequest(name="bo"))).ok


async def test_a_new_user_inherits_no_session_of_the_name(town: Town) -> None:
    left = Token(DIGEST, "session", "li", "supervisor", None, NOW)  # begun while the old user was removed
    await town.store.commit(Commit(changes=(DirectoryChange(tokens=(left,)),)))
    assert (await town.ask(UserAddRequest(name="li", role=Role.VIEWER, password=HASH))).ok
    assert town.store.token(DIGEST) is None
    assert [event.revoked for event in town.events] == [(("session", "li"),)]


async def test_a_user_is_added_once_and_removed_with_their_sessions(town: Town) -> None:
    add = UserAddRequest(name="li", role=Role.OPERATOR, password=HASH)
    assert (await town.ask(add)).ok
    assert town.store.user("li") == User("li", "operator", None, HASH)
    again = await town.ask(add)
    assert (again.ok, again.status) == (False, 2)
    assert "user li already" in again.message
    town.events.clear()
    assert (await town.ask(UserRemoveRequest(name="li"))).ok
    assert town.store.user("li") is None
    (event,) = town.events
    assert event.removed_users == ("li",)
    assert event.revoked == (("session", "li"),)


async def test_an_unknown_user_cannot_be_removed(town: Town) -> None:
    reply = await town.ask(UserRemoveRequest(name="li"))
    assert (reply.ok, reply.status, reply.message) == (False, 2, "no user li")


async def test_policies_come_into_force_together(town: Town) -> None:
    first = PoliciesRequest(tables={"a.toml": ladder()})
    assert (await town.ask(first)).lines == ("policy emergency: new",)
    assert (await town.ask(first)).lines == ("nothing to change: these policies are in force already",)
    second = {"a.toml": ladder("other", needed=2)}
    tried = await town.ask(PoliciesRequest(tables=second, dry_run=True))
    assert tried.lines[-1] == "dry run: nothing was changed"
    assert [policy.id for policy in (await town.store.load()).policies] == ["emergency"]
    done = await town.ask(PoliciesRequest(tables=second))
    assert done.lines == ("policy other: new", "policy emergency: no longer in force")
    assert [policy.id for policy in (await town.store.load()).policies] == ["other"]
    assert [policy.id for policy in town.events[-1].policies] == ["other"]


async def test_a_ladder_without_a_human_end_is_refused_with_its_file_and_key(town: Town) -> None:
    step = {"name": "people", "ask": ["volunteer"]}
    reply = await town.ask(PoliciesRequest(tables={"a.toml": ladder(step=[step])}))
    assert reply.status == 2
    assert reply.message.startswith("a.toml: step[0].ask: the ladder must end with a human")
    assert town.events == []


def test_no_ladder_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no \*\.toml file"):
        read_policies({})


async def test_what_the_hub_refuses_is_a_failed_request(town: Town) -> None:
    async def refuse(event: DirectoryUpdated) -> Answer:
        return Answer(code="internal")

    directory = Directory(town.store, refuse, lambda: NOW, lambda: "id")
    reply = await directory.answer(TokenRequest(kind=TokenKind.GATEWAY, id="GW-1", digest=DIGEST))
    assert (reply.ok, reply.message) == (False, "the server refused the change: internal")


def test_what_nobody_can_mend_by_other_words_is_a_failure() -> None:
    assert refusal(StoreUnavailable("disk full")).status == 1
