"""Keys, roles and family by the served product: over real sockets, over HTTP, and through a restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.command_line import give
from tests.integration.contract_ward import Installation, Site, installed, put_in_force

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

HEADER = "id,elder,name,relation,phone,channels,inform,responder,language"


@pytest.fixture(scope="module")
def family_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """As ``installation``, with the example for falls in force at any hour."""
    with installed(tmp_path_factory.mktemp("family")) as made:
        fall = (made.config.parent / "policies" / "examples" / "fall.toml").read_text(encoding="utf-8")
        put_in_force(made, "fall.toml", fall.replace('"06:00-22:00"', '"mon-sun 00:00-24:00"'))
        yield made


@pytest.fixture
async def home(family_installation: Installation) -> AsyncIterator[Installation]:
    async with asyncio.timeout(60):
        yield family_installation
    await family_installation.hang_up()


async def contacts(ward: Installation, folder: Path, *rows: str) -> None:
    file = folder / "contacts.csv"
    file.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
    done = await asyncio.to_thread(give, "import", "-c", ward.config, "contacts", file)
    assert done.status == 0, done.err


def son(site: Site, inform: str = "") -> str:
    return f"C-{site.n}-1,{site.elder},李明,son,13800000009,sms,{inform},,zh"


def keyholder(site: Site, m: int = 3) -> str:
    return f"C-{site.n}-2,{site.elder},王芳,neighbour,13800000008,,none,{site.volunteer(m)},zh"


async def waiting(ward: Installation, incident: str) -> dict[str, list[str]]:
    """What waits for each contact, by name."""
    found: list[dict[str, Any]] = (await ward.incident(incident))["family"]
    return {one["name"]: [news["what"] for news in one["waiting"]] for one in found}


async def test_what_the_family_would_be_told_waits_is_shown_and_survives_a_restart(
    home: Installation, tmp_path: Path
) -> None:
    site = home.site()
    await contacts(home, tmp_path, son(site), keyholder(site))
    person = await home.responder(site)
    incident = await home.press(site)
    offer = await person.until(type="offer", incident=incident)
    await person.ask({"type": "accept", "id": "r1", "offer": offer["offer"]})
    assert await waiting(home, incident) == {"李明": ["opened", "coming"], "王芳": []}
    one = (await home.incident(incident))["family"][0]
    assert (one["relation"], one["phone"], one["responder"]) == ("son", "13800000009", None)
    assert one["waiting"][1].keys() == {"what", "since", "responder", "eta_s", "why"}
    assert one["waiting"][1]["responder"] == {"id": site.volunteer(), "name": f"王师傅{site.n}1"}
    assert {news["why"] for news in one["waiting"]} == {"no_channel"}

    async with home.http("api", "eyes") as viewer:
        assert (await viewer.get(f"/api/v1/incidents/{incident}")).json()["family"] == []

    await home.hang_up()
    await asyncio.to_thread(home.stop)
    await contacts(home, tmp_path, f"C-{site.n}-9,{site.elder},李华,daughter,,,,,zh")
    await asyncio.to_thread(home.start)
    assert await waiting(home, incident) == {
        "李明": ["opened", "coming"],
        "王芳": [],
        "李华": ["opened", "coming"],
    }, "whoever was imported while no server ran hears what is so by now"
    await home.act(incident, "close", outcome="helped")
    assert (await waiting(home, incident))["李明"] == ["opened", "coming", "closed"]


async def test_one_goes_to_the_elder_and_one_fetches_the_key(home: Installation, tmp_path: Path) -> None:
    site = home.site()
    await contacts(home, tmp_path, keyholder(site))
    first, second = await home.responder(site, 1), await home.responder(site, 2)
    incident = await home.press(site, kind="fall")
    for n, person in enumerate((first, second)):
        offer = await person.until(type="offer", incident=incident)
        assert "need" not in offer
        await person.ask({"type": "accept", "id": f"r{n}", "offer": offer["offer"]})
    to_elder = await first.until(type="assignment", incident=incident)
    assert (to_elder["role"], to_elder["fetch"]) == ("elder", None)
    for_key = await second.until(type="assignment", incident=incident)
    assert for_key["role"] == "key"
    assert for_key["fetch"] | {"position": None} == {"name": "王芳", "phone": "13800000008", "position": None}
    assert for_key["fetch"]["position"]["lon"] == 117.2
    update = await first.until(type="update", what="key_coming")
    assert update["responder"] == {"name": f"王师傅{site.n}2", "kind": "volunteer"}

    again = await home.link("responder", home.token("responder", site.volunteer(2)))
    (shown,) = again.welcome["assignments"]
    assert (shown["role"], shown["fetch"]) == ("key", for_key["fetch"])
    roles = {a["responder"]: (a["role"], a["fetch"]) for a in (await home.incident(incident))["assignments"]}
    assert roles == {
        site.volunteer(1): ("elder", None),
        site.volunteer(2): ("key", {"contact": f"C-{site.n}-2", "name": "王芳"}),
    }


async def test_whoever_stands_before_a_locked_door_gets_the_key_brought(home: Installation, tmp_path: Path) -> None:
    site = home.site()
    await contacts(home, tmp_path, keyholder(site))
    person, holder = await home.responder(site, 1), await home.responder(site, 3, on_duty=False)
    incident = await home.press(site)
    offer = await person.until(type="offer", incident=incident)
    await person.ask({"type": "accept", "id": "r1", "offer": offer["offer"]})
    await person.ask({"type": "on_scene", "id": "r2", "incident": incident})
    answer = await home.act(incident, "need", responder=site.volunteer(1), need="key")
    assert answer.status_code == 200, answer.text
    asked = await holder.until(type="offer", incident=incident)
    assert asked["need"] == "key"
    offers = {o["responder"]: o["need"] for o in answer.json()["offers"]}
    assert offers == {site.volunteer(1): None, site.volunteer(3): "key"}
    await holder.ask({"type": "accept", "id": "r3", "offer": asked["offer"]})
    assert (await person.until(type="update", what="key_coming"))["responder"]["name"] == f"王师傅{site.n}3"


async def test_a_wrong_need_is_named(home: Installation) -> None:
    incident = await home.press(home.site())
    answer = await home.act(incident, "need", responder="V-1", need="luck")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_message")
    assert answer.json()["field"] == "need"
