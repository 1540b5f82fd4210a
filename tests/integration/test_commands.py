"""The commands without a server, as processes, on a real database."""

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from callhub.cli import change, main
from callhub.domain.policy import Policy
from callhub.settings import shipped
from callhub.store.sqlite import SqliteStore
from tests.integration.command_line import ELDERS, FILES, found_ward, give, write_files


@asynccontextmanager
async def opened(config: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(config.parent / "callhub.db")
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def test_init_writes_all_that_a_server_needs(tmp_path: Path) -> None:
    config, password = found_ward(tmp_path / "ward")
    names = {path.name for path in config.parent.iterdir()}
    assert {"callhub.toml", "policies", "callhub.db"} <= names
    assert len(list(config.parent.glob("*.db"))) == 1
    assert config.read_bytes() == (shipped() / "callhub.toml").read_bytes()
    async with opened(config) as store:
        admin = store.user("admin")
        assert admin is not None
        assert (admin.role, admin.area) == ("admin", None)
        assert PasswordHasher().verify(admin.password, password)
        ladders = {policy.id for policy in (await store.load()).policies}
    assert ladders == {path.stem for path in (shipped() / "policies").glob("*.toml")}


def test_init_shows_the_password_once_and_keeps_it_nowhere(tmp_path: Path) -> None:
    config, password = found_ward(tmp_path / "ward")
    for path in config.parent.rglob("*"):
        assert path.is_dir() or password.encode() not in path.read_bytes()


def test_init_refuses_a_folder_that_holds_one(config: Path) -> None:
    before = config.read_bytes()
    done = give("init", config.parent)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"callhub: {config.parent}: holds callhub.db")
    assert "callhub.toml" in done.err
    assert config.read_bytes() == before


def test_init_that_fails_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    monkeypatch.setenv("CALLHUB_STORE__URL", f"sqlite:///{tmp_path}/no/such/folder/callhub.db")
    with pytest.raises(SystemExit) as ended:
        main(["init", str(tmp_path)])
    assert ended.value.code == 1
    assert "password" not in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("kind", list(FILES))
def test_a_second_import_changes_nothing_and_says_so(kind: str, config: Path, tmp_path: Path) -> None:
    done = give("import", "-c", config, kind, write_files(tmp_path)[kind])
    assert done.status == 0
    assert "nothing to change" in done.err


def test_an_import_in_gb18030_of_a_dry_run_and_for_good(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "elders.csv"
    file.write_bytes(ELDERS.replace("听力不好", "听力很好").encode("gb18030"))
    tried = give("import", "-c", config, "elders", file, "--dry-run")
    assert (tried.status, tried.err.splitlines()) == (
        0,
        ["elders: 0 added, 1 updated, 0 as they were", "  E-1: notes", "dry run: nothing was changed"],
    )
    assert "0 added, 1 updated" in give("import", "-c", config, "elders", file).err
    assert "nothing to change" in give("import", "-c", config, "elders", file).err


def test_every_bad_cell_is_named_and_nothing_imported(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "elders.csv"
    file.write_text("id,name,area,phone\nE-7,Li,G1,1.38E+10\nE-8,,G9,\n")
    done = give("import", "-c", config, "elders", file)
    assert (done.status, done.out) == (2, "")
    places = [line.strip().split(":")[0] for line in done.err.splitlines()[1:]]
    assert done.err.startswith(f"callhub: {file}: nothing was imported, 3 cells")
    assert places == ["line 2, phone", "line 3, area", "line 3, name"]


async def test_a_token_stands_alone_on_standard_output(config: Path) -> None:
    done = give("token", "-c", config, "api", "duty", "--role", "operator", "--area", "S1")
    assert (done.status, done.err) == (0, "")
    (token,) = done.out.splitlines()
    async with opened(config) as store:
        kept = store.token(hashlib.sha256(token.encode()).hexdigest())
    assert kept is not None
    assert (kept.kind, kept.id, kept.role, kept.area) == ("api", "duty", "operator", "S1")


def test_tokens_are_valid_beside_older_ones_until_all_are_revoked(config: Path) -> None:
    tokens = [give("token", "-c", config, "responder", "V-1").out.strip() for _ in range(2)]
    digests = [hashlib.sha256(token.encode()).hexdigest() for token in tokens]

    def kept() -> list[str]:
        with closing(sqlite3.connect(config.parent / "callhub.db")) as database, database:
            return [row[0] for row in database.execute("SELECT digest FROM token WHERE kind = 'responder'")]

    assert sorted(kept()) == sorted(digests)
    done = give("token", "-c", config, "revoke", "responder", "V-1")
    assert (done.status, done.err) == (0, "every token of responder V-1 is revoked\n")
    assert kept() == []


def test_a_token_for_an_unknown_responder_is_refused(config: Path) -> None:
    done = give("token", "-c", config, "responder", "V-9")
    assert (done.status, done.out) == (2, "")
    assert done.err == "callhub: no responder V-9; import the responders first\n"


async def test_users_come_with_a_piped_or_a_made_password_and_go(config: Path) -> None:
    piped = give("user", "-c", config, "add", "li", "--role", "operator", "--area", "S1", stdin="correct horse\n")
    assert (piped.status, piped.out) == (0, "")
    made = give("user", "-c", config, "add", "wu", "--role", "viewer")
    async with opened(config) as store:
        li, wu = store.user("li"), store.user("wu")
    assert li is not None
    assert wu is not None
    assert PasswordHasher().verify(li.password, "correct horse")
    assert PasswordHasher().verify(wu.password, made.out.strip())
    assert (li.role, li.area, wu.role, wu.area) == ("operator", "S1", "viewer", None)
    assert give("user", "-c", config, "remove", "li").status == 0
    assert give("user", "-c", config, "remove", "li").err == "callhub: no user li\n"
    async with opened(config) as store:
        assert store.user("li") is None


async def test_policies_come_into_force_when_applied(config: Path) -> None:
    assert "nothing to change" in give("policy", "apply", "-c", config).err
    emergency = config.parent / "policies" / "emergency.toml"
    emergency.write_text(emergency.read_text().replace("repeat_s = 60", "repeat_s = 90"))
    tried = give("policy", "apply", "-c", config, "--dry-run")
    assert tried.err.splitlines() == ["policy emergency: changed", "dry run: nothing was changed"]

    async def in_force() -> Policy:
        async with opened(config) as store:
            return next(policy for policy in (await store.load()).policies if policy.id == "emergency")

    assert (await in_force()).repeat_s == 60
    assert give("policy", "apply", "-c", config).status == 0
    assert (await in_force()).repeat_s == 90


async def test_a_kind_that_loses_its_ladder_is_a_warning_when_policies_are_applied(config: Path) -> None:
    (config.parent / "policies" / "smoke_gas.toml").unlink()
    done = give("policy", "apply", "-c", config)
    assert done.status == 0
    assert [kind for kind in ("smoke", "gas", "door") if f" {kind} " in done.err] == ["smoke", "gas"]
    async with opened(config) as store:
        assert "smoke_gas" not in {policy.id for policy in (await store.load()).policies}


def test_verify_is_content_with_what_was_written(config: Path) -> None:
    done = give("verify", "-c", config)
    assert (done.status, done.err) == (0, "")
    assert "intact (6 journal rows, 0 incidents)" in done.out


def test_verify_names_an_altered_byte(config: Path) -> None:
    with closing(sqlite3.connect(config.parent / "callhub.db")) as database, database:
        changed = database.execute(
            "UPDATE journal SET body = CAST(replace(body, 'responders', 'responderz') AS BLOB) WHERE seq = "
            "(SELECT max(seq) FROM journal WHERE instr(body, 'responders'))"
        )
        assert changed.rowcount == 1
    done = give("verify", "-c", config)
    assert done.status == 1
    assert "journal 6" in done.out
    assert "is not what was written: 1 flaw (6 journal rows, 0 incidents)" in done.err


def test_verify_counts_one_as_one(config: Path) -> None:
    with closing(sqlite3.connect(config.parent / "callhub.db")) as database, database:
        database.execute("DELETE FROM journal WHERE seq > 1")
    done = give("verify", "-c", config)
    assert "(1 journal row, 0 incidents)" in done.out + done.err


async def test_who_holds_the_database_without_answering_is_named(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(change, "PATIENCE_S", 0.1)
    async with opened(config):
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main, ["token", "-c", str(config), "gateway", "GW-1"])
    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"callhub: process {os.getpid()} holds {config.parent / 'callhub.db'}")
    assert "callhub.sock" in shown.err
