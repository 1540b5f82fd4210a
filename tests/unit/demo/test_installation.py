"""Goal: what the demo sets up is a real installation. Method: open it as a server would."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from argon2 import PasswordHasher

from callhub.clock import ManualClock
from callhub.demo.installation import SIMULATED_USER, USER, install
from callhub.demo.town import make_town, read_areas
from callhub.settings import shipped
from callhub.store.base import Need
from callhub.store.sqlite import SqliteStore

if TYPE_CHECKING:
    import pytest

AREAS = read_areas(Path(__file__).resolve().parents[3] / "config" / "hexi" / "areas.csv")


async def test_the_installation_holds_the_town_its_tokens_and_the_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLHUB_STORE__URL", f"sqlite:///{tmp_path}/somebody-elses.db")
    town = make_town(AREAS, random.Random(3), elders=50, responders=10)
    made = await install(tmp_path, town, 0, 8123, ManualClock(datetime(2026, 11, 24, tzinfo=UTC)))
    assert made.settings.database == tmp_path / "callhub.db"  # the environment must not lead it elsewhere
    assert (made.settings.web.port, made.settings.links.port) == (0, 8123)
    store = SqliteStore(made.settings.database)
    await store.open()
    try:
        assert len(store.all_areas()) == len(AREAS)
        devices = [device.id for device in town.devices]
        assert store.lookup(Need(devices=frozenset(devices))).devices.keys() == set(devices)
        assert len((await store.load()).policies) == len(list((shipped() / "policies").glob("*.toml")))
        assert made.responders.keys() == town.behaviours.keys()
        for kind, tokens in (("gateway", made.gateways), ("responder", made.responders)):
            for id, token in tokens.items():
                kept = store.token(hashlib.sha256(token.encode()).hexdigest())
                assert kept is not None
                assert (kept.kind, kept.id) == (kind, id)
        for name in (USER, SIMULATED_USER):
            user = store.user(name)
            assert user is not None
            assert (user.role, user.area) == ("operator", None)
            assert PasswordHasher().verify(user.password, made.password)
        assert store.verify().flaws == ()
    finally:
        await store.close()
