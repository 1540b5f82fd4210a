"""What a responder's app hears and is answered, by the served product: offers, duties, refusals, repeats."""

import asyncio
from typing import Any

import pytest

from tests.integration.contract_ward import Installation, Site
from tests.integration.link_stage import Client

OFFER = {
    "type",
    "offer",
    "incident",
    "kind",
    "urgency",
    "elder",
    "place",
    "distance_m",
    "eta_s",
    "respond_by",
    "reminder",
}
ASSIGNMENT = {"type", "incident", "state", "version", "go_to", "elder", "arrive_by", "late"}


async def accepted(ward: Installation, site: Site, client: Client) -> str:
    """A press that this volunteer accepted; the incident."""
    incident = await ward.press(site)
    offer = await client.until(type="offer", incident=incident)
    assert (await client.ask({"type": "accept", "id": ward.id(), "offer": offer["offer"]}))["state"] == "assigned"
    return incident


async def test_an_offer_says_little_and_the_assignment_everything(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    assert volunteer.welcome.keys() == {"type", "responder", "seq", "time", "on_duty", "offers", "assignments"}
    incident = await ward.press(site)
    offer = await volunteer.until(type="offer")
    assert offer.keys() == OFFER | {"seq"}
    assert offer["elder"] == {"name": f"李奶奶{site.n}"}
    assert (offer["place"], offer["reminder"], offer["kind"]) == (f"富源里{site.n}", False, "sos")
    assert isinstance(offer["distance_m"], int)
    assert isinstance(offer["eta_s"], int)
    assert site.phone not in str(offer)
    accept = {"type": "accept", "id": "r1", "offer": offer["offer"]}
    assert await volunteer.ask(accept) == {"type": "result", "id": "r1", "ok": True, "state": "assigned"}
    duty = await volunteer.until(type="assignment")
    assert duty.keys() == ASSIGNMENT | {"seq"}
    assert duty["elder"] == {
        "name": f"李奶奶{site.n}",
        "phone": site.phone,
        "access": "钥匙在王家",
        "notes": "听力不好",
        "language": "zh",
    }
    assert duty["go_to"]["source"] == "home"
    assert duty["go_to"].keys() == {"address", "position", "accuracy_m", "source"}
    assert (duty["incident"], duty["state"], duty["late"]) == (incident, "assigned", False)
    again = await ward.responder(site, on_duty=False)
    assert again.welcome["on_duty"] is True
    assert [item.keys() - {"seq"} for item in again.welcome["assignments"]] == [ASSIGNMENT]


async def test_welcome_holds_open_offers_and_the_outbox_follows(ward: Installation) -> None:
    site = ward.site()
    first = await ward.responder(site)
    incident = await ward.press(site)
    offer = await first.until(type="offer", incident=incident)
    second = await ward.responder(site, on_duty=False)
    assert await first.closed() == 4101
    assert second.welcome["seq"] == offer["seq"]
    assert [item["offer"] for item in second.welcome["offers"]] == [offer["offer"]]
    assert second.welcome["offers"][0].keys() - {"seq"} == OFFER
    assert await second.until(type="offer") == offer
    await second.say({"type": "received", "seq": offer["seq"]})
    third = await ward.responder(site, on_duty=False)
    assert [item["offer"] for item in third.welcome["offers"]] == [offer["offer"]]
    await third.say({"type": "presence", "id": "p", "available": True})
    assert (await third.read())["type"] == "result"


async def test_the_first_yes_wins_and_the_others_stand_down(ward: Installation) -> None:
    site = ward.site()
    volunteers = [await ward.responder(site, m) for m in (1, 2, 3)]
    await ward.press(site)
    offers = [await volunteer.until(type="offer") for volunteer in volunteers]
    answers = await asyncio.gather(
        *(
            volunteer.ask({"type": "accept", "id": "r", "offer": offer["offer"]})
            for volunteer, offer in zip(volunteers, offers, strict=True)
        )
    )
    assert sorted(answer["type"] for answer in answers) == ["error", "error", "result"]
    for volunteer, offer, answer in zip(volunteers, offers, answers, strict=True):
        if answer["type"] == "error":
            assert answer["code"] == "offer_not_open"
            down = await volunteer.until(type="stand_down")
            assert down.keys() == {"type", "seq", "offer", "incident", "reason"}
            assert (down["offer"], down["reason"]) == (offer["offer"], "filled")


async def test_a_repeat_gets_the_stored_answer_and_the_state_as_it_is_now(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    incident = await ward.press(site)
    offer = await volunteer.until(type="offer")
    accept = {"type": "accept", "id": "r1", "offer": offer["offer"]}
    first = await volunteer.ask(accept)
    assert (await volunteer.ask({"type": "on_scene", "id": "r2", "incident": incident}))["state"] == "on_scene"
    assert await volunteer.ask(accept) == {**first, "state": "on_scene"}
    # One's own accepted offer again, under a new id, is a result too.
    assert (await volunteer.ask({**accept, "id": "r3"}))["ok"] is True
    reused = await volunteer.ask({"type": "need", "id": "r1", "incident": incident, "need": "key"})
    assert (reused["type"], reused["id_reused"]) == ("result", True)


async def test_duties_go_forward_only(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    incident = await accepted(ward, site, volunteer)

    async def say(type_: str, **fields: object) -> dict[str, Any]:
        return await volunteer.ask({"type": type_, "id": ward.id(), "incident": incident, **fields})

    assert (await say("en_route"))["state"] == "en_route"
    proven = await say("on_scene", proof={"card": f"CARD{site.n}"})
    assert (proven["ok"], proven["state"]) == (True, "on_scene")
    assert (await say("en_route"))["code"] == "illegal_transition"
    assert (await say("need", need="key", note="no key"))["ok"] is True
    assert (await say("need", need="wobble"))["code"] == "invalid_message"
    assert (await say("cleared", outcome="wobble"))["code"] == "invalid_message"
    assert (await say("cleared", outcome="helped", note="fine"))["state"] == "cleared"
    assert (await say("on_scene"))["code"] in ("not_assigned", "illegal_transition")
    assert (await ward.incident(incident))["state"] == "resolved"


async def test_a_clear_must_know_of_the_alarm_that_joined(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    incident = await accepted(ward, site, volunteer)
    await volunteer.ask({"type": "on_scene", "id": "r2", "incident": incident})
    before = (await ward.incident(incident))["version"]
    assert await ward.press(site, kind="smoke") == incident
    update = await volunteer.until(type="update", what="alarm_joined")
    assert update.keys() == {"type", "seq", "incident", "what", "version", "kind", "text"}
    assert (update["kind"], update["incident"]) == ("smoke", incident)
    cleared = {"type": "cleared", "incident": incident, "outcome": "helped"}
    for number, version in enumerate((None, before)):
        frame = {**cleared, "id": f"c-{number}"} | ({} if version is None else {"version": version})
        assert (await volunteer.ask(frame))["code"] == "conflict"
    frame = {**cleared, "id": "c-9", "version": update["version"]}
    assert (await volunteer.ask(frame))["state"] == "cleared"


async def test_no_access_resolves_nothing(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    incident = await accepted(ward, site, volunteer)
    await volunteer.ask({"type": "on_scene", "id": "r2", "incident": incident})
    cleared = {"type": "cleared", "id": "r3", "incident": incident, "outcome": "no_access"}
    assert (await volunteer.ask(cleared))["ok"] is True
    after = await ward.incident(incident)
    assert after["state"] in ("seeking", "unanswered")
    assert after["seeking"] is True


async def test_a_release_asks_others_again(ward: Installation) -> None:
    site = ward.site()
    first, second = await ward.responder(site, 1), await ward.responder(site, 2)
    incident = await accepted(ward, site, first)
    assert (await second.until(type="stand_down"))["reason"] == "filled"
    second.heard.clear()
    released = await first.ask({"type": "release", "id": "r2", "incident": incident, "reason": "car broke down"})
    assert released["state"] == "released"
    assert (await second.until(type="offer"))["incident"] == incident


async def test_decline_is_for_good_and_a_late_yes_is_a_yes(ward: Installation) -> None:
    site = ward.site()
    first, second = await ward.responder(site, 1), await ward.responder(site, 2)
    await ward.press(site)
    offer, other = await first.until(type="offer"), await second.until(type="offer")
    decline = {"type": "decline", "id": "r1", "offer": offer["offer"], "reason": "busy"}
    assert (await first.ask(decline))["state"] == "declined"
    assert (await first.ask({"type": "accept", "id": "r2", "offer": offer["offer"]}))["code"] == "offer_not_open"
    assert (await second.ask({"type": "accept", "id": "r1", "offer": other["offer"]}))["state"] == "assigned"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "accept", "offer": "nope"}, "unknown_offer"),
        ({"type": "decline", "offer": "nope", "reason": "busy"}, "unknown_offer"),
        ({"type": "accept"}, "invalid_message"),
        ({"type": "en_route", "incident": "nope"}, "not_found"),
        ({"type": "presence"}, "invalid_message"),
        ({"type": "presence", "available": "yes"}, "invalid_message"),
        ({"type": "presence", "available": True, "until": "2026-11-24T18:00:00"}, "invalid_message"),
        ({"type": "alarm", "device": "x"}, "unknown_type"),
        ({"type": "wobble"}, "unknown_type"),
    ],
)
async def test_refusals_name_their_code_and_leave_the_link_up(
    ward: Installation, frame: dict[str, Any], code: str
) -> None:
    volunteer = await ward.responder(ward.shared)
    refused = await volunteer.ask({"id": ward.id(), **frame})
    assert (refused["type"], refused["code"]) == ("error", code)
    assert refused["message"]
    assert (await volunteer.ask({"type": "presence", "id": ward.id(), "available": True}))["ok"] is True


async def test_frames_without_an_id_get_an_error_without_one(ward: Installation) -> None:
    volunteer = await ward.responder(ward.shared)
    for frame in ('{"type":"presence","available":true}', "no json", b"\x00", '{"type":"accept","id":5,"offer":"x"}'):
        await volunteer.say(frame)
        heard = await volunteer.until(type="error")
        assert (heard["id"], heard["code"]) == (None, "invalid_message")


async def test_somebody_elses_incident_is_not_mine_to_move(ward: Installation) -> None:
    site = ward.site()
    first, second = await ward.responder(site, 1), await ward.responder(site, 2)
    incident = await accepted(ward, site, first)
    for type_ in ("en_route", "on_scene", "release"):
        moved = await second.ask({"type": type_, "id": ward.id(), "incident": incident, "reason": "x"})
        assert moved["code"] == "not_assigned"


async def test_presence_lasts_until_the_time_it_names_and_off_duty_withdraws(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    await ward.press(site)
    offer = await volunteer.until(type="offer")
    off = await volunteer.ask({"type": "presence", "id": "p2", "available": False})
    assert off == {"type": "result", "id": "p2", "ok": True, "state": "off_duty"}
    down = await volunteer.until(type="stand_down")
    assert (down["offer"], down["reason"]) == (offer["offer"], "off_duty")
    again = await volunteer.ask(
        {"type": "presence", "id": "p3", "available": True, "until": "2099-01-01T00:00:00+08:00"}
    )
    assert again["state"] == "on_duty"
    assert (await volunteer.until(type="offer"))["offer"] != offer["offer"]


async def test_a_report_opens_an_incident_with_its_source(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    report = {"type": "report", "id": "r8", "elder": site.elder, "kind": "visit", "text": "needs a visit"}
    first = await volunteer.ask(report)
    assert first["ok"] is True
    mine = [item for item in await ward.incidents() if item["elder"] and item["elder"]["id"] == site.elder]
    assert [(item["source"], item["class"], item["kind"]) for item in mine] == [("responder", "service", "visit")]
    assert (await volunteer.ask(report))["ok"] is True
    assert len([i for i in await ward.incidents() if i["elder"] and i["elder"]["id"] == site.elder]) == 1


async def test_a_cancel_is_told_to_whoever_is_on_the_way(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    gateway = await ward.gateway(site)
    incident = await accepted(ward, site, volunteer)
    await gateway.say({"type": "cancel", "id": "c-1", "device": site.button})
    update = await volunteer.until(type="update")
    assert (update["what"], update["incident"]) == ("cancel_requested", incident)


async def test_an_arrival_that_the_device_shows_counts_for_the_only_one_on_the_way(ward: Installation) -> None:
    site = ward.site()
    volunteer = await ward.responder(site)
    gateway = await ward.gateway(site)
    incident = await accepted(ward, site, volunteer)
    await gateway.say({"type": "signal", "id": "s-1", "device": site.button, "signal": "arrived"})
    duty = await volunteer.until(type="assignment", state="on_scene")
    assert duty["incident"] == incident
    assert (await gateway.until(type="progress", state="on_scene"))["incident"] == incident
