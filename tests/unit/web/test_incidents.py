"""Incidents over REST: fields, pages, areas, actions, preconditions and repeats."""

import pytest

from callhub.domain import facts as f
from callhub.domain.decision import Answer
from callhub.domain.events import CallTaken, OfferAnswered, OperatorActed
from callhub.domain.incident import IncidentState
from callhub.web.bodies import ACTIONS
from tests.unit.web.stage import Stage

_ITEM = {
    "id", "number", "version", "class", "kind", "urgency", "source", "state", "seeking", "opened_at", "device",
    "device_known", "elder", "area", "go_to", "fix", "flags", "owner", "step", "next_deadline", "offers",
    "assignments", "alarms", "whistles", "follows", "ringing",
}  # fmt: skip
_BARE = {"id", "number", "kind", "state", "opened_at", "ringing", "bare"}
_UNANSWERED = f.StateChanged(event="ladder_exhausted", state=IncidentState.UNANSWERED)


async def test_the_list_shows_every_field_of_the_contract(stage: Stage) -> None:
    id = await stage.press()
    async with await stage.signed_in("olga") as olga:
        page = (await olga.get("/api/v1/incidents?state=open&unknown=ignored")).json()
    epoch, seq = stage.store.head()
    assert page["next"] is None
    assert page["as_of"].rpartition("-")[0] == epoch
    assert int(page["as_of"].rpartition("-")[2]) <= seq
    (item,) = page["items"]
    assert set(item) >= _ITEM
    assert item["id"] == id
    assert item["elder"] == {"id": "E-1", "name": "李奶奶"}
    assert item["area"] == ["D1", "S1"]
    assert item["place"] == ["河西区", "友谊路街"]
    assert item["go_to"]["address"] == "富源里 3 号楼 201"
    assert item["next_deadline"] == {"at": "2026-11-24T05:01:00Z", "why": "step_timeout"}
    assert (item["state"], item["seeking"], item["class"], item["source"]) == ("seeking", True, "emergency", "device")
    (offer,) = item["offers"]
    assert (offer["responder"], offer["name"], offer["state"]) == ("V-1", "王师傅", "open")


async def test_one_incident_adds_timeline_contacts_and_decisions(stage: Stage) -> None:
    id = await stage.press()
    async with await stage.signed_in("olga") as olga:
        body = {"party": "elder", "result": "spoke_ok", "note": "just tired"}
        await olga.post(f"/api/v1/incidents/{id}/contact", json=body)
        answer = await olga.get(f"/api/v1/incidents/{id}")
    one = answer.json()
    assert answer.headers["etag"] == f'"{one["version"]}"'
    assert set(one) >= _ITEM | {"timeline", "contacts", "decisions"}
    assert [entry["fact"] for entry in one["timeline"]] == ["incident_opened", "offer_made", "contact_made"]
    assert one["timeline"][0]["actor"] == {"kind": "gateway", "id": "GW"}
    assert one["contacts"][0] | {"at": None} == {
        "at": None, "by": {"kind": "user", "id": "olga"}, "party": "elder", "result": "spoke_ok", "note": "just tired",
    }  # fmt: skip
    assert one["decisions"][0]["chosen"] == [{"responder": "V-1", "eta_s": 190, "name": one["offers"][0]["name"]}]
    assert one["offers"][0]["name"]
    assert one["decisions"][0]["passed_over"] == [
        {"responder": "GONE", "distance_m": 90, "reason": "quiet", "name": None}
    ], "whose record is gone stays an id"


async def test_private_texts_are_for_operators(stage: Stage) -> None:
    id = await stage.press()
    async with await stage.signed_in("olga") as olga, await stage.signed_in("vera") as vera:
        await olga.post(f"/api/v1/incidents/{id}/note", json={"text": "the key is at the Wangs'"})
        told, kept = [(await who.get(f"/api/v1/incidents/{id}")).json()["timeline"][-1] for who in (olga, vera)]
    assert told["text"] == "the key is at the Wangs'"
    assert kept["fact"] == "note_added"
    assert "text" not in kept


async def test_pages_are_newest_first_and_go_on_where_they_ended(stage: Stage) -> None:
    ids = [await stage.press(id=f"a-{n}") for n in range(5)]
    async with await stage.signed_in("olga") as olga:
        seen: list[str] = []
        cursor = ""
        while True:
            page = (await olga.get(f"/api/v1/incidents?limit=2{cursor}")).json()
            assert len(page["items"]) <= 2
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=nonsense", "state"),
        ("class=x", "class"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
    ],
)
async def test_a_wrong_query_is_named(stage: Stage, query: str, field: str) -> None:
    async with await stage.signed_in("olga") as olga:
        answer = await olga.get(f"/api/v1/incidents?{query}")
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_message", field)


async def test_a_limit_over_200_is_200(stage: Stage) -> None:
    async with await stage.signed_in("olga") as olga:
        assert (await olga.get("/api/v1/incidents?limit=100000")).status_code == 200


async def test_another_area_sees_nothing_then_bare_facts_then_all_once_it_took_over(stage: Stage) -> None:
    id = await stage.press("BTN-1")  # in S1
    mine = await stage.press("BTN-2", "a-2")  # in S2
    nowhere = await stage.press("BTN-3", "a-3")  # without an area
    async with await stage.signed_in("southern") as southern:

        async def listed() -> dict[str, dict[str, object]]:
            page = (await southern.get("/api/v1/incidents?state=open")).json()
            return {item["id"]: item for item in page["items"]}

        assert set(await listed()) == {mine, nowhere}
        answer = await southern.get(f"/api/v1/incidents/{id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert (await southern.post(f"/api/v1/incidents/{id}/take-over")).status_code == 404

        await stage.tell(id, _UNANSWERED)
        assert set((await listed())[id]) == _BARE
        assert set((await southern.get(f"/api/v1/incidents/{id}")).json()) == _BARE
        assert (await southern.post(f"/api/v1/incidents/{id}/note", json={"text": "x"})).status_code == 403

        found = (await southern.get("/api/v1/incidents?elder=E-1")).json()["items"]
        assert found == [], "whose it is is no bare fact"

        taken = await southern.post(f"/api/v1/incidents/{id}/take-over")
        assert taken.status_code == 200
        assert taken.json()["elder"]["name"] == "李奶奶"
        await stage.tell(id, f.StateChanged(event="assigned", state=IncidentState.ASSIGNED))
        assert set((await listed())[id]) >= _ITEM


async def test_an_api_token_sees_its_area_only(stage: Stage) -> None:
    inside, outside = await stage.press("BTN-1"), await stage.press("BTN-2", "a-2")
    async with stage.bearer("api-wall") as wall:
        assert (await wall.get(f"/api/v1/incidents/{inside}")).status_code == 200
        assert (await wall.get(f"/api/v1/incidents/{outside}")).status_code == 404


_BODIES: dict[str, dict[str, object]] = {
    "hand-over": {"to": "ann"},
    "assign": {"responder": "V-1", "confirmed_by": "telephone"},
    "accept": {"responder": "V-1"},
    "en-route": {"responder": "V-1"},
    "on-scene": {"responder": "V-1", "proof": {"card": "CARD1"}},
    "cleared": {"responder": "V-1", "outcome": "helped", "version": 3},
    "release": {"responder": "V-1", "reason": "car broke down"},
    "need": {"responder": "V-1", "need": "key", "note": "the door is locked"},
    "contact": {"party": "120", "result": "requested"},
    "note": {"text": "hello"},
    "feedback": {"rating": 5, "text": "kind people"},
    "close": {"outcome": "helped"},
    "identify": {"elder": "E-2"},
    "whistle": {"departments": ["FIRE"], "report_in_s": 60, "finish_s": 600, "text": "pipe burst"},
    "whistle-confirm": {"whistle": "w-1"},
    "whistle-return": {"whistle": "w-1", "finish_s": 600},
    "whistle-withdraw": {"whistle": "w-1", "reason": "a mistake"},
}


@pytest.mark.parametrize("action", sorted(ACTIONS))
async def test_every_action_reaches_the_hub_with_its_body(stage: Stage, action: str) -> None:
    id = await stage.press()
    body = _BODIES.get(action, {})
    async with stage.bearer("api-duty") as duty:
        answer = await duty.post(f"/api/v1/incidents/{id}/{action}", json=body, headers={"if-match": '"1"'})
    assert answer.status_code == 200
    assert answer.json()["id"] == id
    event = stage.engine.seen[-1]
    assert isinstance(event, OperatorActed)
    assert (event.action, event.fields, event.if_match) == (action, body, 1)
    assert (event.actor.kind, event.actor.id, event.actor.is_human) == ("api", "duty", True)
    # An elder who is named is looked up by the web, the one whose card is compared by the hub.
    elders = {"identify": "E-2", "on-scene": "E-1"}
    assert (event.elder.id if event.elder else None) == elders.get(action)


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("assign", {}, "responder"),
        ("assign", {"responder": 7}, "responder"),
        ("assign", {"responder": "V-1", "confirmed_by": "a dream"}, "confirmed_by"),
        ("contact", {"party": "elder"}, "result"),
        ("contact", {"party": "911", "result": "requested"}, "party"),
        ("close", {"outcome": "fine"}, "outcome"),
        ("feedback", {"rating": 6}, "rating"),
        ("note", {"text": ""}, "text"),
        ("whistle", {"departments": [], "report_in_s": 1, "finish_s": 2}, "departments"),
        ("whistle", {"departments": ["FIRE"], "finish_s": 2}, "report_in_s"),
        ("whistle", {"departments": ["FIRE"], "report_in_s": 0, "finish_s": 2}, "report_in_s"),
        ("whistle-return", {"whistle": "w-1"}, "finish_s"),
        ("whistle-withdraw", {"whistle": "w-1"}, "reason"),
        ("on-scene", {"responder": "V-1", "proof": {"card": 5}}, "proof.card"),
    ],
)
async def test_a_wrong_field_is_named(stage: Stage, action: str, body: dict[str, object], field: str) -> None:
    id = await stage.press()
    async with stage.bearer("api-duty") as duty:
        answer = await duty.post(f"/api/v1/incidents/{id}/{action}", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_message", field)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'"text"'])
async def test_a_body_that_is_no_object_is_refused(stage: Stage, content: bytes) -> None:
    id = await stage.press()
    async with stage.bearer("api-duty") as duty:
        answer = await duty.post(f"/api/v1/incidents/{id}/note", content=content)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_message", "body")


async def test_a_large_body_is_refused_by_its_length_or_its_bytes(stage: Stage) -> None:
    id = await stage.press()

    async def endless() -> object:
        for _ in range(100):
            yield b" " * 1024

    async with stage.bearer("api-duty") as duty:
        for content in (b" " * 65_537, endless()):
            answer = await duty.post(f"/api/v1/incidents/{id}/note", content=content)  # type: ignore[arg-type]  # both forms
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(("action", "status"), [("whistle-down", 404), ("drill", 404), ("take_over", 404)])
async def test_an_unknown_action_is_not_found(stage: Stage, action: str, status: int) -> None:
    id = await stage.press()
    async with stage.bearer("api-duty") as duty:
        assert (await duty.post(f"/api/v1/incidents/{id}/{action}", json={})).status_code == status
        assert (await duty.get("/api/v1/reports/weather")).json()["code"] == "not_found"
        assert (await duty.delete(f"/api/v1/incidents/{id}")).status_code == 405


@pytest.mark.parametrize(("to", "status"), [("ghost", 404), ("DESK-1", 404), ("vera", 403), ("southern", 200)])
async def test_an_incident_is_handed_to_operators_only(stage: Stage, to: str, status: int) -> None:
    id = await stage.press()
    async with stage.bearer("api-duty") as duty:
        assert (await duty.post(f"/api/v1/incidents/{id}/hand-over", json={"to": to})).status_code == status


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("conflict", 412),
        ("conflict", 428),
        ("conflict", 409),
        ("illegal_transition", 409),
        ("not_assigned", 409),
        ("already_assigned", 409),
        ("offer_not_open", 409),
        ("not_found", 404),
        ("internal", 500),
    ],
)
async def test_a_refusal_is_a_problem_document(stage: Stage, code: str, status: int) -> None:
    id = await stage.press()
    known = {"by": "olga", "version": 4}
    body = {
        "code": code,
        "message": "so it is",
        "field": None,
        **({} if status == 409 else {"http_status": status}),
        **known,
    }
    stage.engine.refusals["take-over"] = Answer(body, code, id)
    async with stage.bearer("api-duty") as duty:
        answer = await duty.post(f"/api/v1/incidents/{id}/take-over")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == answer.json()["status"] == status
    said = {name: answer.json()[name] for name in ("code", "detail", "by", "version")}
    assert said == {"code": code, "detail": "so it is", **known}


@pytest.mark.parametrize("header", ["abc", '"x"', "-1", "1.5", "99999999999"])
async def test_a_wrong_if_match_is_named(stage: Stage, header: str) -> None:
    id = await stage.press()
    async with stage.bearer("api-duty") as duty:
        answer = await duty.post(f"/api/v1/incidents/{id}/take-over", headers={"if-match": header})
    assert (answer.status_code, answer.json()["field"]) == (422, "If-Match")


async def test_an_idempotency_key_makes_a_write_happen_once(stage: Stage) -> None:
    id = await stage.press()
    note, calls = f"/api/v1/incidents/{id}/note", "/api/v1/incidents"
    async with stage.bearer("api-duty") as duty:
        await duty.post(note, json={"text": "once"}, headers={"idempotency-key": "k-1"})
        answer = await duty.post(note, json={"text": "once"}, headers={"idempotency-key": "k-1"})
        assert answer.status_code == 200
        notes = [entry["text"] for entry in answer.json()["timeline"] if entry["fact"] == "note_added"]
        assert notes == ["once"]
        opened = [
            (await duty.post(calls, json={"elder": "E-1"}, headers={"idempotency-key": "k-2"})).json()["id"]
            for _ in range(2)
        ]
        assert opened[0] == opened[1]
        wrong = await duty.post(note, json={"text": "x"}, headers={"idempotency-key": "k" * 129})
        assert wrong.json()["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("said", "elder"),
    [({"elder": "E-1"}, "E-1"), ({"phone": "13800000002"}, "E-2"), ({"address": "桃园里 1 号楼"}, "E-2"),
     ({"phone": "1"}, None), ({"elder": "E-9"}, None)],
)  # fmt: skip
async def test_a_call_by_telephone_opens_an_incident_whoever_calls(
    stage: Stage, said: dict[str, str], elder: str | None
) -> None:
    async with stage.bearer("api-duty") as duty:
        answer = await duty.post("/api/v1/incidents", json={**said, "kind": "fall", "reason": "fell in the kitchen"})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/incidents/{answer.json()['id']}"
    assert (answer.json()["elder"] or {}).get("id") == elder
    assert (answer.json()["source"], answer.json()["kind"]) == ("operator", "fall")
    event = stage.engine.seen[-1]
    assert isinstance(event, CallTaken)
    assert "fell in the kitchen" in (event.text or "")


async def test_a_call_from_nowhere_is_refused_and_a_strange_kind_is_unknown(stage: Stage) -> None:
    async with stage.bearer("api-duty") as duty:
        answer = await duty.post("/api/v1/incidents", json={"kind": "fall"})
        assert (answer.status_code, answer.json()["field"]) == (422, "elder")
        assert (await duty.post("/api/v1/incidents", json={"phone": "1", "kind": "ufo"})).json()["kind"] == "unknown"


async def test_an_offer_is_answered_for_somebody(stage: Stage) -> None:
    id = await stage.press()
    async with stage.bearer("api-duty") as duty:
        answer = await duty.post(f"/api/v1/offers/{id}-1/answer", json={"answer": "accept", "via": "telephone"})
        assert answer.json()["offers"][0]["state"] == "accepted"
        event = stage.engine.seen[-1]
        assert isinstance(event, OfferAnswered)
        assert (event.responder, event.accept, event.via) == ("V-1", True, "telephone")
        for unknown in (f"{id}-9", "nonsense", "x-1"):
            refused = await duty.post(f"/api/v1/offers/{unknown}/answer", json={"answer": "accept"})
            assert (refused.status_code, refused.json()["code"]) == (404, "unknown_offer")
        assert (await duty.post(f"/api/v1/offers/{id}-1/answer", json={"answer": "maybe"})).status_code == 422
