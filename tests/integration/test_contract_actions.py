"""What people and programs do to an incident over HTTP, by the served product: bodies, statuses, codes, versions."""

from typing import Any

import pytest

from tests.integration.contract_ward import Installation

PROBLEM = {"type", "title", "status", "detail", "code"}


async def refused(ward: Installation, incident: str, action: str, **body: Any) -> tuple[int, str]:
    answer = await ward.act(incident, action, **body)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.keys() >= PROBLEM
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["code"]


async def done(ward: Installation, incident: str, action: str, **body: Any) -> dict[str, Any]:
    answer = await ward.act(incident, action, **body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    assert document["id"] == incident
    return document


async def test_a_call_by_telephone_finds_its_elder_by_id_number_or_address(ward: Installation) -> None:
    first, second, third = ward.site(), ward.site(), ward.site()
    calls: list[tuple[dict[str, str], str | None]] = [
        ({"elder": first.elder}, first.elder),
        ({"phone": second.phone}, second.elder),
        ({"address": f"富源里 3 号楼 {third.n}"}, third.elder),
        ({"phone": "000"}, None),
        ({"address": "nowhere 1"}, None),
    ]
    async with ward.http() as api:
        for said, elder in calls:
            answer = await api.post("/api/v1/incidents", json={**said, "kind": "sos", "reason": "called us"})
            assert answer.status_code in (200, 201), answer.text
            opened = answer.json()
            assert (opened["source"], opened["class"], opened["kind"]) == ("operator", "emergency", "sos")
            assert (opened["elder"] or {}).get("id") == elder
        nobody = await api.post("/api/v1/incidents", json={"kind": "sos", "reason": "x"})
        assert (nobody.status_code, nobody.json()["code"]) == (422, "invalid_message")


async def test_take_over_and_hand_over_name_the_owner(ward: Installation) -> None:
    incident = await ward.press(ward.site())
    mine = await done(ward, incident, "take-over", reason="I have it")
    assert mine["owner"].items() >= {"kind": "api", "id": "duty"}.items()
    assert "name" in mine["owner"]
    assert (await done(ward, incident, "hand-over", to="admin", reason="x"))["owner"]["id"] == "admin"
    assert (await refused(ward, incident, "hand-over", to="nobody"))[0] == 404
    assert await refused(ward, incident, "hand-over") == (422, "invalid_message")
    timeline = (await ward.incident(incident))["timeline"]
    assert {"kind": "api", "id": "duty"} in [fact["actor"] for fact in timeline]
    assert [fact["at"] for fact in timeline] == sorted(fact["at"] for fact in timeline)


async def test_everything_may_be_done_for_somebody_on_the_telephone(ward: Installation) -> None:
    site = ward.site()
    incident = await ward.press(site)
    offered = await done(ward, incident, "assign", responder=site.volunteer())
    assert [(offer["responder"], offer["state"]) for offer in offered["offers"]] == [(site.volunteer(), "open")]
    assert offered["assignments"] == []
    accepted = await done(ward, incident, "accept", responder=site.volunteer())
    assert [a["state"] for a in accepted["assignments"]] == ["assigned"]
    assert accepted["assignments"][0]["arrive_by"]
    assert (await done(ward, incident, "en-route", responder=site.volunteer()))["assignments"][0]["en_route_at"]
    there = await done(ward, incident, "on-scene", responder=site.volunteer(), proof={"card": f"CARD{site.n}"})
    assert there["state"] == "on_scene"
    assert there["assignments"][0]["proof"] == "card"
    cleared = await done(ward, incident, "cleared", responder=site.volunteer(), outcome="helped", note="fine")
    assert (cleared["state"], cleared["assignments"][0]["state"]) == ("resolved", "cleared")
    assert await refused(ward, incident, "release", responder=site.volunteer()) == (409, "not_assigned")
    acts = [fact for fact in (await ward.incident(incident))["timeline"] if fact["fact"].startswith("assignment")]
    assert {fact["actor"]["id"] for fact in acts} == {"duty"}


async def test_confirmed_by_telephone_is_accepted_at_once_up_to_the_capacity(ward: Installation) -> None:
    site, other = ward.site(), ward.site()
    incident, second = await ward.press(site), await ward.press(other)
    said = {"responder": site.volunteer(), "confirmed_by": "telephone"}
    assert [a["state"] for a in (await done(ward, incident, "assign", **said))["assignments"]] == ["assigned"]
    assert await refused(ward, second, "assign", **said) == (409, "already_assigned")
    assert await refused(ward, second, "assign", responder=site.volunteer(2), confirmed_by="pigeon") == (
        422,
        "invalid_message",
    )
    assert (await refused(ward, second, "assign", responder="NOPE"))[0] == 404
    released = await done(ward, incident, "release", responder=site.volunteer(), reason="car broke down")
    assert released["assignments"][0]["state"] == "released"
    assert released["assignments"][0]["cleared_at"] is None


async def test_an_offer_may_be_answered_for_somebody(ward: Installation) -> None:
    site = ward.site()
    incident = await ward.press(site)
    offers = (await done(ward, incident, "assign", responder=site.volunteer()))["offers"]
    async with ward.http() as api:
        path = f"/api/v1/offers/{offers[0]['id']}/answer"
        said = await api.post(path, json={"answer": "accept", "via": "telephone"})
        assert said.status_code == 200, said.text
        assert (await ward.incident(incident))["state"] == "assigned"
        assert (await api.post(path, json={"answer": "perhaps", "via": "telephone"})).status_code == 422
        unknown = await api.post("/api/v1/offers/nope/answer", json={"answer": "accept", "via": "telephone"})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_offer")


@pytest.mark.parametrize("result", ["silent", "no_answer"])
async def test_silence_on_the_telephone_forbids_the_end(ward: Installation, result: str) -> None:
    incident = await ward.press(ward.site())
    called = await done(ward, incident, "contact", party="elder", result=result, note="nobody speaks")
    for action, body in (("cancel", {"reason": "x"}), ("close", {"outcome": "false_alarm", "reason": "x"})):
        answer = await ward.act(incident, action, version=called["version"], **body)
        assert answer.status_code == 409
        assert answer.json()["code"] in ("illegal_transition", "conflict")
    await done(ward, incident, "contact", party="elder", result="spoke_ok")
    assert (await done(ward, incident, "close", outcome="false_alarm", reason="x"))["state"] == "closed"
    contacts = (await ward.incident(incident))["contacts"]
    assert [(c["party"], c["result"]) for c in contacts] == [("elder", result), ("elder", "spoke_ok")]


async def test_an_end_needs_the_version_once_an_alarm_has_joined(ward: Installation) -> None:
    site = ward.site()
    incident = await ward.press(site)
    await done(ward, incident, "note", text="seen")
    assert await ward.press(site, kind="smoke") == incident
    seen = (await ward.incident(incident))["version"]
    for action, body in (("close", {"outcome": "helped"}), ("cancel", {"reason": "x"})):
        assert await refused(ward, incident, action, **body) == (428, "conflict")
        stale = await ward.act(incident, action, version=seen - 1, **body)
        assert (stale.status_code, stale.json()["code"]) == (412, "conflict")
        assert site.gateway in stale.json()["detail"]
    assert (await ward.act(incident, "close", version=seen, outcome="helped")).json()["state"] == "closed"


async def test_a_stale_version_learns_who_was_first(ward: Installation) -> None:
    incident = await ward.press(ward.site())
    seen = (await ward.incident(incident))["version"]
    async with ward.http("api", "boss") as boss:
        assert (await boss.post(f"/api/v1/incidents/{incident}/take-over", json={})).status_code == 200
    stale = await ward.act(incident, "take-over", version=seen)
    assert (stale.status_code, stale.json()["code"]) == (412, "conflict")
    assert "boss" in stale.json()["detail"]
    assert (await ward.act(incident, "note", version=seen + 1, text="x")).status_code == 200


async def test_an_idempotency_key_makes_a_write_once(ward: Installation) -> None:
    site = ward.site()
    headers = {"Idempotency-Key": ward.id()}
    async with ward.http() as api:
        body = {"elder": site.elder, "kind": "sos", "reason": "x"}
        first, second = [await api.post("/api/v1/incidents", json=body, headers=headers) for _ in range(2)]
        assert first.json()["id"] == second.json()["id"]
        assert len(second.json()["alarms"]) == 1
        path = f"/api/v1/incidents/{first.json()['id']}/note"
        headers = {"Idempotency-Key": ward.id()}
        versions = [(await api.post(path, json={"text": "x"}, headers=headers)).json()["version"] for _ in range(2)]
    assert versions[0] == versions[1]


async def test_ended_and_reopened(ward: Installation) -> None:
    site = ward.site()
    incident = await ward.press(site)
    assert await refused(ward, incident, "close") == (422, "invalid_message")
    assert await refused(ward, incident, "close", outcome="wobble") == (422, "invalid_message")
    closed = await done(ward, incident, "close", outcome="helped", reason="spoke to her")
    assert (closed["state"], closed["next_deadline"]) == ("closed", None)
    for action in ("take-over", "escalate", "cancel"):
        assert await refused(ward, incident, action) == (409, "illegal_transition")
    assert (await done(ward, incident, "feedback", rating=5, text="well done"))["state"] == "closed"
    reopened = await done(ward, incident, "reopen", reason="called again")
    assert reopened["state"] in ("seeking", "unanswered")
    assert reopened["next_deadline"].keys() == {"at", "why"}
    assert reopened["go_to"]["address"]
    assert await refused(ward, incident, "reopen") == (409, "illegal_transition")
    assert (await done(ward, incident, "cancel", reason="x"))["state"] == "cancelled"


async def test_identify_gives_an_incident_its_elder(ward: Installation) -> None:
    site = ward.site()
    incident = await ward.press(site, device=f"NEW-{site.n}")
    assert (await ward.incident(incident))["elder"] is None
    named = await done(ward, incident, "identify", elder=site.elder)
    assert named["elder"] == {"id": site.elder, "name": f"李奶奶{site.n}"}
    assert named["area"] == ["D1", site.street, site.area]
    assert named["go_to"]["source"] == "home"


async def test_wrong_names_and_bodies_are_named(ward: Installation) -> None:
    incident = await ward.press(ward.site())
    assert await refused(ward, "nope", "note", text="x") == (404, "not_found")
    assert (await refused(ward, incident, "wobble"))[0] == 404
    for body in ({"party": "x", "result": "silent"}, {"party": "elder", "result": "x"}, {}):
        assert await refused(ward, incident, "contact", **body) == (422, "invalid_message")
    async with ward.http() as api:
        path = f"/api/v1/incidents/{incident}/note"
        for content in ("no json", "[]", '{"text":"\\ud800"}', '{"text":NaN}'):
            answer = await api.post(path, content=content)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_message"), content
        large = await api.post(path, content="x" * 100_000)
        assert (large.status_code, large.json()["code"]) == (413, "too_large")


async def test_roles_and_tokens_of_the_wrong_kind(ward: Installation) -> None:
    incident = await ward.press(ward.site())
    path = f"/api/v1/incidents/{incident}"
    for words, reads, writes in (
        (("api", "eyes"), 200, 403),
        (("api", "boss"), 200, 200),
        (("gateway", ward.shared.gateway), 403, 403),
        (("responder", ward.shared.volunteer()), 403, 403),
    ):
        async with ward.http(*words) as client:
            assert (await client.get(path)).status_code == reads
            assert (await client.post(f"{path}/note", json={"text": "x"})).status_code == writes
    async with ward.bare() as nobody:
        answer = await nobody.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
