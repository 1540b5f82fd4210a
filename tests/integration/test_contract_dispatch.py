"""Dispatch as it is seen from outside the served product: who is asked, what joins, where to go, who stands down."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.contract_ward import Installation


async def test_a_yes_that_fills_the_capacity_withdraws_the_other_offers(ward: Installation) -> None:
    site, other = ward.site(), ward.site()
    volunteer = await ward.responder(site)
    here, there = await ward.press(site), await ward.press(other)
    near = await volunteer.until(type="offer", incident=here)
    assert (await ward.act(there, "assign", responder=site.volunteer())).status_code == 200
    by_hand = await volunteer.until(type="offer", incident=there)
    assert (await volunteer.ask({"type": "accept", "id": "r1", "offer": by_hand["offer"]}))["state"] == "assigned"
    down = await volunteer.until(type="stand_down")
    assert (down["offer"], down["reason"]) == (near["offer"], "busy")
    late = await volunteer.ask({"type": "accept", "id": "r2", "offer": near["offer"]})
    assert late["code"] == "offer_not_open"


async def test_services_join_by_kind_and_a_press_after_them_opens_its_own(ward: Installation) -> None:
    site = ward.site()
    meal, again = await ward.press(site, kind="meal"), await ward.press(site, kind="meal")
    cleaning, press = await ward.press(site, kind="cleaning"), await ward.press(site)
    assert meal == again
    assert len({meal, cleaning, press}) == 3
    assert (await ward.incident(meal))["class"] == "service"
    assert (await ward.incident(press))["follows"] in (meal, cleaning)


async def test_unknown_devices_join_by_gateway_and_device(ward: Installation) -> None:
    site, other = ward.site(), ward.site()
    first, same = [await ward.press(site, device=f"LOST-{site.n}") for _ in range(2)]
    assert first == same
    assert await ward.press(site, device=f"LOST-{site.n}-2") != first
    assert await ward.press(other, device=f"LOST-{site.n}") != first


@pytest.mark.parametrize(
    ("device", "age_s", "accuracy_m", "source"),
    [
        ("mobile", 0, 10, "device"),
        ("mobile", 0, 500, "home"),
        ("mobile", 3600, 10, "home"),
        ("button", 0, 10, "home"),
    ],
)
async def test_only_a_fresh_accurate_fix_of_a_mobile_device_wins_over_home(
    ward: Installation, device: str, age_s: int, accuracy_m: int, source: str
) -> None:
    site = ward.site()
    at = (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat()
    fix = {"lat": site.lat + 0.01, "lon": 117.21, "accuracy_m": accuracy_m}
    incident = await ward.incident(await ward.press(site, device=getattr(site, device), position=fix, at=at))
    assert incident["go_to"]["source"] == source
    assert incident["fix"]["position"]["lon"] == pytest.approx(117.21)


async def test_the_first_answer_is_given_again_after_the_end_too(ward: Installation) -> None:
    site = ward.site()
    gateway = await ward.gateway(site)
    frame = {"type": "alarm", "id": "a-1", "device": site.button, "kind": "sos"}
    first = await gateway.ask(frame)
    assert (await ward.act(first["incident"], "close", outcome="helped")).status_code == 200
    assert await gateway.ask(frame) == {**first, "duplicate": True}
    fresh = await gateway.ask({**frame, "id": "a-2"})
    assert fresh["incident"] != first["incident"]


async def test_presence_ends_at_its_until(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site, on_duty=False)
    until = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    said = await volunteer.ask({"type": "presence", "id": "p", "available": True, "until": until})
    assert said["state"] == "on_duty"
    incident = await ward.press(site)
    offer = await volunteer.until(type="offer", incident=incident)
    down = await volunteer.until(type="stand_down", offer=offer["offer"])
    assert down["reason"] == "off_duty"


async def test_somebody_whose_link_was_lost_a_moment_ago_is_still_asked(ward: Installation) -> None:
    site = ward.site()
    first = await ward.responder(site)
    await first.socket.close()
    incident = await ward.press(site)
    again = await ward.responder(site, on_duty=False)
    assert again.welcome["on_duty"] is True
    assert [offer["incident"] for offer in again.welcome["offers"]] == [incident]


async def test_a_real_press_on_one_that_said_test_asks_the_neighbours_at_once(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    incident = await ward.press(site, test=True)
    seen = await ward.incident(incident)
    assert ("says_test" in seen["flags"], seen["offers"]) == (True, [])
    assert await ward.press(site) == incident
    assert (await volunteer.until(type="offer"))["incident"] == incident


async def test_going_off_duty_keeps_the_assignment(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    incident = await ward.press(site)
    offer = await volunteer.until(type="offer")
    await volunteer.ask({"type": "accept", "id": "r1", "offer": offer["offer"]})
    assert (await volunteer.ask({"type": "presence", "id": "p", "available": False}))["ok"] is True
    assert [duty["state"] for duty in (await ward.incident(incident))["assignments"]] == ["assigned"]
