"""Beginning a drill over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from callhub.domain.events import DrillAsked

if TYPE_CHECKING:
    from tests.unit.web.stage import Stage

URL = "/api/v1/drills"


async def test_an_operator_begins_a_drill_and_gets_the_incident(stage: Stage) -> None:
    async with stage.bearer("api-duty") as duty:
        answer = await duty.post(URL, json={"elder": "E-1", "reason": "half-yearly"})
    assert answer.status_code == 201
    assert answer.json()["elder"]["id"] == "E-1"
    asked = stage.engine.seen[-1]
    assert isinstance(asked, DrillAsked)
    assert (asked.elder.name, asked.kind, asked.reason, asked.actor.id) == ("李奶奶", "sos", "half-yearly", "duty")


async def test_the_same_request_again_begins_no_second_drill(stage: Stage) -> None:
    async with stage.bearer("api-duty") as duty:
        said = {"json": {"elder": "E-1", "reason": "x", "kind": "fall"}, "headers": {"idempotency-key": "k"}}
        first, second = [await duty.post(URL, **said) for _ in range(2)]  # type: ignore[arg-type]  # a stub's Any
    assert first.json()["id"] == second.json()["id"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"elder": "E-1"}, 422, "reason"),
        ({"elder": "E-1", "reason": "  "}, 422, "reason"),
        ({"reason": "x"}, 422, "elder"),
        ({"elder": "E-9", "reason": "x"}, 404, None),
    ],
)
async def test_what_is_missing_is_named(stage: Stage, body: dict[str, str], status: int, field: str | None) -> None:
    async with stage.bearer("api-duty") as duty:
        answer = await duty.post(URL, json=body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)


async def test_a_viewer_begins_none_and_nobody_does_outside_their_area(stage: Stage) -> None:
    said = {"elder": "E-1", "reason": "x"}
    async with await stage.signed_in("vera") as vera, await stage.signed_in("southern") as southern:
        assert (await vera.post(URL, json=said)).status_code == 403
        assert (await southern.post(URL, json=said)).status_code == 404
        assert (await southern.post(URL, json={**said, "elder": "E-2"})).status_code == 201
