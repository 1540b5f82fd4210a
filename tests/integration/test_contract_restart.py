"""What a restart must not lose, by the served product with ladders of seconds: receipts, outboxes, duty, clocks."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.contract_ward import Installation, installed, put_in_force
from tests.integration.link_stage import Client

AT = "2026-11-24T05:00:00Z"
QUICK = """
id = "emergency"
class = "emergency"
kinds = ["sos", "fall", "medical", "unknown"]
urgency = 1
hours = ""
needed = 1
repeat_s = 3
owner_check_s = 2
desk_call_s = 2
service_check_s = 2
arrival_slack = 1.0
arrival_min_s = 2
resolution_s = 2
follow_up_s = 2

[[step]]
name = "neighbours"
ask = ["volunteer"]
fan_out = 2
fan_out_max = 2
offer_timeout_s = 1
step_timeout_s = 3

[[step]]
name = "community desk"
ask = ["desk"]
level = "community"
offer_timeout_s = 1
step_timeout_s = 1
"""


@pytest.fixture(scope="module")
def quick_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Like ``installation``, with a ladder of seconds for emergencies."""
    with installed(tmp_path_factory.mktemp("quick")) as made:
        put_in_force(made, "emergency.toml", QUICK)
        yield made


@pytest.fixture
async def quick(quick_installation: Installation) -> AsyncIterator[Installation]:
    async with asyncio.timeout(60):
        yield quick_installation
    await quick_installation.hang_up()


async def restart(ward: Installation, *links: Client) -> None:
    """SIGTERM, every link told to come back, and a new process."""
    stopping = asyncio.create_task(asyncio.to_thread(ward.stop))
    for link in links:
        assert await link.closed() == 4000
    await stopping
    await asyncio.to_thread(ward.start)


async def test_receipts_outlive_a_restart(quick: Installation) -> None:
    site = quick.site()
    gateway, volunteer = await quick.gateway(site), await quick.responder(site)
    alarms = [
        {"type": "alarm", "id": "a-1", "device": site.button, "kind": "sos", "at": AT},
        {"type": "alarm", "id": "a-2", "device": site.button, "kind": "sos"},
        {"type": "signal", "id": "s-1", "device": site.button, "signal": "confirm"},
    ]
    first = [await gateway.ask(frame) for frame in alarms]
    early = {"type": "cancel", "id": "c-1", "alarm": "a-3", "device": site.button}
    assert (await gateway.ask(early))["incident"] is None
    offer = await volunteer.until(type="offer")
    accept = {"type": "accept", "id": "r1", "offer": offer["offer"]}
    accepted = await volunteer.ask(accept)
    await restart(quick, gateway, volunteer)
    gateway, volunteer = await quick.gateway(site), await quick.responder(site, on_duty=False)
    assert volunteer.welcome["on_duty"] is True
    assert [duty["incident"] for duty in volunteer.welcome["assignments"]] == [offer["incident"]]
    assert await volunteer.ask(accept) == accepted
    assert await volunteer.until(type="assignment")
    assert [await gateway.ask(frame) for frame in alarms] == [{**receipt, "duplicate": True} for receipt in first]
    assert (await gateway.ask({**alarms[0], "id": "a-3"}))["duplicate"] is False
    incident = await quick.incident(offer["incident"])
    assert "cancel_requested" in incident["flags"]
    assert [alarm["id"] for alarm in incident["alarms"]] == ["a-1", "a-2", "a-3"]


async def test_a_restart_is_no_cascade(quick: Installation) -> None:
    site = quick.site()
    volunteer = await quick.responder(site)
    incident = await quick.press(site)
    offer = await volunteer.until(type="offer", incident=incident)
    await restart(quick, volunteer)
    # Nobody is linked yet, and still the one who was asked keeps the offer and may say yes late.
    volunteer = await quick.responder(site, on_duty=False)
    accepted = await volunteer.ask({"type": "accept", "id": "r1", "offer": offer["offer"]})
    assert accepted["state"] == "assigned"


async def test_nobody_answers_and_it_stays_open_rings_again_and_takes_a_late_yes(quick: Installation) -> None:
    site = quick.site()
    volunteers = [await quick.responder(site, m) for m in (1, 2, 3)]
    gateway = await quick.gateway(site)
    incident = await quick.press(site)
    first = await volunteers[0].until(type="offer", incident=incident)
    third = await volunteers[2].until(type="offer", incident=incident)
    assert third["respond_by"] > first["respond_by"], "asked only when somebody was silent"
    await gateway.until(type="progress", incident=incident, state="unanswered")
    reminder = await volunteers[0].until(type="offer", incident=incident, reminder=True)
    assert (reminder["offer"], reminder["seq"] > first["seq"]) == (first["offer"], True)
    unanswered = await quick.incident(incident)
    assert (unanswered["state"], unanswered["seeking"]) == ("unanswered", True)
    assert unanswered["next_deadline"]
    assert {offer["state"] for offer in unanswered["offers"]} <= {"silent", "open"}
    late = await volunteers[2].ask({"type": "accept", "id": "r1", "offer": third["offer"]})
    assert late["state"] == "assigned"
    assert (await volunteers[0].until(type="stand_down", incident=incident))["reason"] == "filled"


async def until_fact(ward: Installation, incident: str, fact: str) -> None:
    """Follow the stream until the incident's timeline has such a fact."""
    async with ward.http() as api, api.stream("GET", "/api/v1/stream") as answer:
        lines = answer.aiter_lines()
        while fact not in [entry["fact"] for entry in (await ward.incident(incident))["timeline"]]:
            await anext(lines)


async def test_an_owner_who_does_nothing_is_cleared(quick: Installation) -> None:
    incident = await quick.press(quick.site())
    taken = await quick.act(incident, "take-over")
    assert taken.json()["owner"]["id"] == "duty"
    await until_fact(quick, incident, "owner_cleared")
    assert (await quick.incident(incident))["owner"] is None


async def test_a_missed_resolution_asks_a_desk_and_no_volunteer(quick: Installation) -> None:
    site = quick.site()
    volunteer, other = await quick.responder(site), await quick.responder(site, 2)
    incident = await quick.press(site)
    offer = await volunteer.until(type="offer", incident=incident)
    await volunteer.ask({"type": "accept", "id": "r1", "offer": offer["offer"]})
    await volunteer.ask({"type": "on_scene", "id": "r2", "incident": incident})
    await until_fact(quick, incident, "desk_called")
    seen = await quick.incident(incident)
    assert (seen["state"], seen["desk_call"]) == ("on_scene", "resolution_missed")
    assert seen["next_deadline"]
    await other.until(type="stand_down", incident=incident)
    assert not [message for message in other.heard if message["type"] == "offer" and message["seq"] > offer["seq"] + 2]


async def test_a_service_that_does_not_come_calls_the_desk(quick: Installation) -> None:
    incident = await quick.press(quick.site())
    assert (await quick.act(incident, "contact", party="120", result="requested")).status_code == 200
    await until_fact(quick, incident, "service_missed")
    assert (await quick.incident(incident))["desk_call"] == "service_missed"
