"""Call-first over REST, and who presses often."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from callhub.domain import events
from callhub.domain import facts as f
from callhub.domain.people import SYSTEM
from callhub.store.base import Commit
from callhub.web import call_first as module
from tests.unit.web.stage import ELDERS, START, Stage

UNTIL = START + timedelta(days=30)
WANTED: dict[str, Any] = {"seconds": 30, "until": UNTIL.isoformat(), "reason": "sits on the button"}
PATH = "/api/v1/elders/E-1/call-first"


async def keep(stage: Stage, seconds: int, until: datetime | None = UNTIL) -> None:
    """What the engine's fact does in the store."""
    fact = f.CallFirstChanged(elder="E-1", seconds=seconds, until=until)
    await stage.store.commit(Commit(rows=(f.Row(None, 0, START, "e", SYSTEM, (fact,)),)))


async def test_a_supervisor_sets_it_and_the_event_says_all(stage: Stage) -> None:
    await keep(stage, 30)
    async with await stage.signed_in("ann") as ann:
        answer = await ann.post(PATH, json=WANTED)
    assert answer.status_code == 200
    assert answer.json() == {"id": "E-1", "call_first": {"seconds": 30, "until": "2026-12-24T05:00:00Z"}}
    event = stage.engine.seen[-1]
    assert isinstance(event, events.CallFirstAsked)
    assert (event.elder, event.seconds, event.until, event.reason) == ("E-1", 30, UNTIL, "sits on the button")
    assert event.actor.id == "ann"


async def test_a_supervisor_ends_it_with_delete_or_with_zero_seconds(stage: Stage) -> None:
    async with await stage.signed_in("ann") as ann:
        answers = [await ann.delete(PATH), await ann.post(PATH, json={"seconds": 0})]
    assert [(a.status_code, a.json()["call_first"]) for a in answers] == [(200, None)] * 2
    asked = [event for event in stage.engine.seen if isinstance(event, events.CallFirstAsked)]
    assert [(event.seconds, event.until) for event in asked] == [(0, None)] * 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"seconds": 46}, "seconds"),
        ({"seconds": "30"}, "seconds"),
        ({"seconds": None}, "seconds"),
        ({"until": "2026-12-24T05:00:00"}, "until"),
        ({"until": "soon"}, "until"),
        ({"reason": " "}, "reason"),
        ({"reason": None}, "reason"),
    ],
)
async def test_what_is_wrong_is_named(stage: Stage, wrong: dict[str, Any], field: str) -> None:
    async with await stage.signed_in("ann") as ann:
        answer = await ann.post(PATH, json={**WANTED, **wrong})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_message", field)


async def test_operators_may_not_and_nobody_does_it_for_an_elder_elsewhere(stage: Stage) -> None:
    async with await stage.signed_in("olga") as olga, await stage.signed_in("ann") as ann:
        assert (await olga.post(PATH, json=WANTED)).status_code == 403
        assert (await olga.delete(PATH)).status_code == 403
        assert (await ann.post("/api/v1/elders/E-9/call-first", json=WANTED)).status_code == 404


async def test_it_is_shown_with_the_elder_until_it_is_over(stage: Stage) -> None:
    async with await stage.signed_in("olga") as olga:
        assert (await olga.get("/api/v1/elders/E-1")).json()["call_first"] is None
        await keep(stage, 30)
        assert (await olga.get("/api/v1/elders/E-1")).json()["call_first"]["seconds"] == 30
        await keep(stage, 30, START - timedelta(seconds=1))
        assert (await olga.get("/api/v1/elders")).json()["items"][0]["call_first"] is None


def test_nobody_unknown_has_one() -> None:
    assert module.call_first(None, START) is None
    assert module.call_first(ELDERS[0], START) is None


async def pressed(stage: Stage, id: str, device: str, *ago_days: float, kind: str = "sos") -> None:
    """One incident with a press so many days ago each."""
    incident = await stage.press(device, id)
    for n, days in enumerate(ago_days):
        at = stage.hub.now() - timedelta(days=days)
        await stage.tell(
            incident, f.AlarmRecorded(id=f"{id}-{n}", gateway="GW", device=device, kind=kind, received_at=at)
        )


async def test_frequent_pressers_are_listed_with_their_numbers_most_first(stage: Stage) -> None:
    await pressed(stage, "a", "BTN-1", 3, 2)
    await pressed(stage, "b", "BTN-1", 1)
    await pressed(stage, "c", "BTN-2", 5, 4, 3, 2)
    await pressed(stage, "d", "BTN-3", 1, 1, 1)
    async with await stage.signed_in("olga") as olga, await stage.signed_in("southern") as southern:
        shown = (await olga.get("/api/v1/elders?frequent=30d")).json()
        assert [(e["id"], e["presses"], e["incidents"]) for e in shown["items"]] == [("E-2", 4, 1), ("E-1", 3, 2)]
        assert shown["items"][1]["last_press_at"] == "2026-11-23T05:00:00Z"
        assert shown["items"][0]["phone"] == "13800000002"
        assert [e["id"] for e in (await southern.get("/api/v1/elders?frequent=30d")).json()["items"]] == ["E-2"]


async def test_presses_before_that_time_and_what_is_no_press_do_not_count(stage: Stage) -> None:
    await pressed(stage, "a", "BTN-1", 9, 2, 1)
    await pressed(stage, "b", "BTN-2", 3, 2, 1, kind="fall")
    async with await stage.signed_in("olga") as olga:
        assert [e["id"] for e in (await olga.get("/api/v1/elders?frequent=10d")).json()["items"]] == ["E-1"]
        assert (await olga.get("/api/v1/elders?frequent=7d")).json()["items"] == []


async def test_every_page_of_incidents_is_read_as_far_back_as_was_asked(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT_MAX", 1)
    for id in ("a", "b", "c"):
        await pressed(stage, id, "BTN-1", 1)
    async with await stage.signed_in("olga") as olga:
        shown = (await olga.get("/api/v1/elders?frequent=30d")).json()
        assert [(e["id"], e["incidents"]) for e in shown["items"]] == [("E-1", 3)]
    stage.clock.advance(40 * 86_400)
    async with stage.bearer("api-duty") as duty:
        assert (await duty.get("/api/v1/elders?frequent=30d")).json()["items"] == []


@pytest.mark.parametrize("days", ["30", "d", "0d", "367d", "9999999d", "-1d", "x", "٣d"])
async def test_a_time_that_cannot_be_read_is_named(stage: Stage, days: str) -> None:
    async with await stage.signed_in("olga") as olga:
        answer = await olga.get("/api/v1/elders", params={"frequent": days})
    assert (answer.status_code, answer.json()["field"]) == (422, "frequent")
