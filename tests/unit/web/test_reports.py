"""The report of how calls are answered, over HTTP."""

import json
from typing import Any

import httpx
import pytest

from callhub.domain import facts as f
from callhub.domain.incident import IncidentState
from callhub.domain.people import ResponderKind
from tests.architecture.source import ROOT
from tests.unit.domain.kpi.rows import assigned
from tests.unit.web.stage import START, Stage

URL = "/api/v1/reports/kpi"


async def read(client: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    async with client:
        answer = await client.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def two_presses(stage: Stage) -> str:
    """One in each street; the first is taken over after 10 s and closed."""
    id = await stage.press("BTN-1", "a-1")
    stage.clock.advance(10)
    await stage.press("BTN-2", "a-2")
    async with stage.bearer("api-duty") as duty:
        await duty.post(f"/api/v1/incidents/{id}/take-over", json={})
        await duty.post(f"/api/v1/incidents/{id}/close", json={"outcome": "helped"})
    return id


async def test_every_figure_of_a_small_day(stage: Stage) -> None:
    id = await two_presses(stage)
    await stage.tell(id, assigned())
    body = await read(stage.bearer("api-duty"))
    about = {key: body.pop(key) for key in ("source", "as_of", "from", "to", "timezone", "area", "class")}
    epoch, seq = stage.store.head()
    assert about == {
        "source": "journal",
        "as_of": f"{epoch}-{seq}",
        "from": "2026-10-25T05:00:11Z",
        "to": "2026-11-24T05:00:11Z",
        "timezone": "UTC",
        "area": None,
        "class": None,
    }
    answered = {"count": 1, "within_60_s": {"count": 1, "of": 1, "share": 1.0}}
    answered |= {"within_180_s": {"count": 1, "of": 1, "share": 1.0}}
    nothing = {"count": 0, "p50_s": None, "p90_s": None, "p95_s": None}
    figures = {
        "incidents": 2,
        "answered": answered,
        "acceptance": {"count": 1, "p50_s": 10.0, "p90_s": 10.0, "p95_s": 10.0},
        "arrival": nothing,
        "unanswered": 0,
        "unclosed": {"count": 1, "over_3600_s": 0, "over_86400_s": 0},
        "first_time_delivery": {"count": 0, "of": 0, "share": None},
    }
    assert body == {
        **figures,
        "by_class": [{"class": "emergency", **figures}],
        "by_kind": [{"kind": "sos", **figures}],
        "by_area": [{"area": "D1", **figures, "name": "河西区"}],
        "by_hour": [{"hour": 5, **figures}],
        "load": [{"kind": "volunteer", "asked": 1, "assignments": 1, "most": 1, "gini": 0.0}],
    }


async def test_the_protocol_page_shows_the_answer_as_it_is(stage: Stage) -> None:
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    example = json.loads(page.split("### Figures")[1].split("```json")[1].split("```")[0])
    await stage.press()
    body = await read(stage.bearer("api-duty"))
    shape = {key: list(value) if isinstance(value, dict) else type(value) for key, value in body.items()}
    assert list(example) == list(body)
    for key, value in example.items():
        if isinstance(value, dict):
            assert list(value) == shape[key]
        elif isinstance(value, list):
            assert set(value[0]) <= set(body[key][0])


async def test_the_live_counters_say_the_same(stage: Stage) -> None:
    await two_presses(stage)
    cold, live = [await read(stage.bearer("api-duty"), source=source) for source in ("journal", "live")]
    assert (cold.pop("source"), live.pop("source")) == ("journal", "live")
    assert cold == live


async def test_a_period_an_area_and_a_class_can_be_asked_for(stage: Stage) -> None:
    await two_presses(stage)
    stage.clock.advance(3600)
    assert (await read(stage.bearer("api-duty"), area="S2"))["incidents"] == 1
    assert (await read(stage.bearer("api-duty"), area="D1", source="live"))["incidents"] == 2
    assert (await read(stage.bearer("api-duty"), **{"class": "service"}))["incidents"] == 0
    only_first = {"from": "2026-11-24T13:00:00+08:00", "to": "2026-11-24T05:00:10Z"}
    assert (await read(stage.bearer("api-duty"), **only_first))["incidents"] == 1
    async with stage.bearer("api-duty") as duty:  # a plus that nobody escaped
        answer = await duty.get(f"{URL}?from=2026-11-24T13:00:05+08:00")
    assert (answer.status_code, answer.json()["incidents"]) == (200, 1)
    assert (await read(stage.bearer("api-duty"), to="0001-01-02T00:00:00Z"))["from"].endswith("1-01-01T00:00:00Z")


async def test_an_incident_without_a_known_area_has_a_row_of_its_own(stage: Stage) -> None:
    await stage.press("BTN-3", "a-3")
    body = await read(stage.bearer("api-duty"))
    assert [(row["area"], row["name"], row["incidents"]) for row in body["by_area"]] == [(None, None, 1)]
    assert (await read(stage.bearer("api-wall")))["incidents"] == 0  # somewhere, but not known to be there


async def test_a_caller_with_an_area_sees_that_area_alone(stage: Stage) -> None:
    await two_presses(stage)
    body = await read(stage.bearer("api-wall"))
    assert (body["area"], body["incidents"]) == ("S1", 1)
    assert (await read(stage.bearer("api-wall"), area="S1"))["incidents"] == 1
    async with stage.bearer("api-wall") as wall:
        for area in ("S2", "D1", "nowhere"):
            answer = await wall.get(URL, params={"area": area})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_only_people_and_programs_with_a_role_may_read_it(stage: Stage) -> None:
    async with stage.browser() as anybody, stage.bearer("gateway-GW") as gateway, stage.bearer("responder-V-1") as app:
        assert (await anybody.get(URL)).status_code == 401
        assert {(await each.get(URL)).status_code for each in (gateway, app)} == {403}
    assert (await read(await stage.signed_in("vera")))["incidents"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-11-24T05:00:00"}, "to"),
        ({"from": "2026-11-24T05:00:00Z", "to": "2026-11-24T05:00:00Z"}, "from"),
        ({"class": "drill"}, "class"),
        ({"class": "party"}, "class"),
        ({"source": "dream"}, "source"),
        ({"from": "2026-01-01T00:00:00Z", "source": "live"}, "from"),
    ],
)
async def test_what_cannot_be_asked_names_the_field(stage: Stage, query: dict[str, str], field: str) -> None:
    async with stage.bearer("api-duty") as duty:
        answer = await duty.get(URL, params=query)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_message", field)


async def test_offers_and_reminders_reach_the_report_and_the_metrics(stage: Stage) -> None:
    id = await stage.press()
    await stage.tell(id, f.OfferSilent(offer=f"{id}-1"))
    await stage.tell(id, f.OfferMade(
        offer=f"{id}-2", responder="V-2", kind=ResponderKind.VOLUNTEER, step=0, respond_by=START
    ), f.OfferDeclined(offer=f"{id}-2"))  # fmt: skip
    await stage.tell(id, f.StateChanged(event="exhausted", state=IncidentState.UNANSWERED))
    body = await read(stage.bearer("api-duty"))
    assert body["first_time_delivery"] == {"count": 1, "of": 2, "share": 0.5}
    assert body["unanswered"] == 1
    async with stage.browser() as anybody:
        text = (await anybody.get("/metrics")).text
    assert 'callhub_kpi_first_time_delivery_share{class="emergency"} 0.5' in text
    assert 'callhub_kpi_incidents{class="emergency"} 1.0' in text
    assert 'callhub_kpi_answered_share{class="emergency",within_s="60"} NaN' in text
