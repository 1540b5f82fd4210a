"""What a department sees over HTTP: the incidents it is called to, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from callhub.domain import facts as f
from callhub.domain.events import OfferAnswered
from callhub.domain.people import Responder, ResponderKind
from callhub.store.base import Commit, DirectoryChange, Token
from callhub.web.auth import digest_of
from tests.unit.web.stage import START, Stage

if TYPE_CHECKING:
    import httpx

FIRE = Responder("FIRE", "消防", ResponderKind.DEPARTMENT, ("D1",), capacity=None)


async def with_departments(stage: Stage, *records: Responder) -> None:
    """Put departments and a token for each into the store."""
    tokens = tuple(Token(digest_of(f"responder-{r.id}"), "responder", r.id, None, None, START) for r in records)
    await stage.store.commit(Commit(changes=(DirectoryChange(responders=records, tokens=tokens),)))


async def call(stage: Stage, incident: str, department: str = "FIRE") -> str:
    """A whistle; its id."""
    whistle = f"{incident}-w1"
    report_in_by, finish_by = START + timedelta(seconds=60), START + timedelta(seconds=600)
    called = f.WhistleCalled(
        whistle=whistle,
        department=department,
        report_in_s=60,
        finish_s=600,
        report_in_by=report_in_by,
        finish_by=finish_by,
        text="pipe burst",
    )
    await stage.tell(incident, called)
    return whistle


def ids(answer: httpx.Response) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


async def test_a_whistle_grants_its_department_that_one_incident(stage: Stage) -> None:
    await with_departments(stage, FIRE)
    mine, other = await stage.press("BTN-1"), await stage.press("BTN-3", "a-2")
    await call(stage, mine)
    await call(stage, other, "WATER")
    async with stage.bearer("responder-FIRE") as fire:
        one = await fire.get(f"/api/v1/incidents/{mine}")
        assert one.json()["whistles"] == [
            {
                "id": f"{mine}-w1",
                "department": "FIRE",
                "name": "消防",
                "state": "called",
                "called_at": "2026-11-24T05:00:00Z",
                "report_in_by": "2026-11-24T05:01:00Z",
                "finish_by": "2026-11-24T05:10:00Z",
                "reported_at": None,
                "finished_at": None,
                "late": False,
                "outcome": None,
                "reason": None,
            }
        ]
        assert "pipe burst" not in one.text, "texts of the timeline are for operators"
        assert (await fire.get(f"/api/v1/incidents/{other}")).status_code == 404
        listed = await fire.get("/api/v1/incidents")
        assert (ids(listed), listed.json()["next"]) == ([mine], None)
        assert ids(await fire.get("/api/v1/incidents", params={"state": "closed"})) == []
        for path in (f"incidents/{mine}/note", f"incidents/{mine}/whistle-confirm"):
            assert (await fire.post(f"/api/v1/{path}", json={"text": "x"})).status_code == 403
        for path in ("elders", "responders", "devices", "areas", "stream"):
            assert (await fire.get(f"/api/v1/{path}")).status_code == 403


@pytest.mark.parametrize("over", [f.WhistleRefused, f.WhistleConfirmed, f.WhistleWithdrawn])
async def test_the_grant_ends_with_the_whistle(stage: Stage, over: type) -> None:
    await with_departments(stage, FIRE)
    incident = await stage.press()
    whistle = await call(stage, incident)
    await stage.tell(incident, over(whistle=whistle, department="FIRE"))
    async with stage.bearer("responder-FIRE") as fire:
        assert (await fire.get(f"/api/v1/incidents/{incident}")).status_code == 404
        assert ids(await fire.get("/api/v1/incidents")) == []


async def test_an_offer_to_a_department_is_no_grant(stage: Stage) -> None:
    """An operator may have offered it by hand; that is no whistle."""
    await with_departments(stage, FIRE)
    incident = await stage.press()
    asked = f.OfferMade(offer=f"{incident}-2", responder="FIRE", kind=FIRE.kind, step=-1, respond_by=START)
    await stage.tell(incident, asked)
    async with stage.bearer("responder-FIRE") as fire:
        assert ids(await fire.get("/api/v1/incidents")) == []


async def test_other_responders_and_departments_that_are_gone_read_nothing(stage: Stage) -> None:
    gone = Responder("ICE", "冰", ResponderKind.DEPARTMENT, ("D1",), capacity=None, active=False)
    await with_departments(stage, gone)
    await stage.store.commit(Commit(changes=(DirectoryChange(tokens=(_token("GHOST"),)),)))
    incident = await stage.press()
    await call(stage, incident, "V-1")
    for who in ("V-1", "ICE", "GHOST"):
        async with stage.bearer(f"responder-{who}") as client:
            assert (await client.get(f"/api/v1/incidents/{incident}")).status_code == 403
            assert (await client.get("/api/v1/incidents")).status_code == 403


def _token(id: str) -> Token:
    return Token(digest_of(f"responder-{id}"), "responder", id, None, None, START)


async def test_a_whistle_is_answered_for_a_department_on_the_telephone(stage: Stage) -> None:
    incident = await stage.press()
    whistle = await call(stage, incident)
    async with stage.bearer("api-duty") as duty:
        await duty.post(f"/api/v1/offers/{whistle}/answer", json={"answer": "accept"})
    event = stage.engine.seen[-1]
    assert isinstance(event, OfferAnswered)
    assert (event.offer, event.responder, event.accept) == (whistle, "FIRE", True)
