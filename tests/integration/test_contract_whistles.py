"""Departments called to an incident, by the served product: over real sockets and over HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from tests.integration.command_line import give

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.integration.contract_ward import Installation
    from tests.integration.link_stage import Client

HEADER = "id,name,kind,area,lat,lon,phone,skills,capacity,hours,channels,language,active"
WHISTLE = {"id", "department", "state", "report_in_by", "finish_by", "reason"}


class Department:
    """A department of its own for each test, imported and given a token beside the running server."""

    def __init__(self, ward: Installation, folder: Path) -> None:
        self.ward = ward
        self.id = f"DEP-{ward.id()}"
        self.file = folder / "responders.csv"
        self.token = ""

    async def appear(self, *, active: int = 1) -> None:
        """Import its row; the first time it gets a token, too."""
        self.file.write_text(f"{HEADER}\n{self.id},水务局,department,D1,,,,,,,app,zh,{active}\n", encoding="utf-8")
        done = await asyncio.to_thread(give, "import", "-c", self.ward.config, "responders", self.file)
        assert done.status == 0, done.err
        if not self.token:
            given = await asyncio.to_thread(give, "token", "-c", self.ward.config, "responder", self.id)
            self.token = given.out.strip()

    async def link(self) -> Client:
        return await self.ward.link("responder", self.token)

    async def reads(self, path: str) -> httpx.Response:
        async with self.ward.bare({"Authorization": f"Bearer {self.token}"}) as http:
            return await http.get(f"/api/v1/{path}")


async def supervise(ward: Installation, incident: str, action: str, **body: Any) -> httpx.Response:
    async with ward.http("api", "boss") as boss:
        return await boss.post(f"/api/v1/incidents/{incident}/{action}", json=body)


async def whistled(ward: Installation, incident: str) -> dict[str, Any]:
    """The newest whistle as an operator reads it."""
    newest: dict[str, Any] = (await ward.incident(incident))["whistles"][-1]
    assert newest.keys() >= WHISTLE
    return newest


async def test_a_department_is_called_reports_in_finishes_and_is_confirmed(ward: Installation, tmp_path: Path) -> None:
    site, department = ward.site(), Department(ward, tmp_path)
    await department.appear()
    incident, other = await ward.press(site), await ward.press(ward.site())
    link = await department.link()
    said: dict[str, Any] = {"departments": [department.id], "report_in_s": 600, "finish_s": 3600, "text": "水管爆裂"}
    answer = await ward.act(incident, "whistle", **said)
    assert answer.status_code == 200, answer.text
    whistle = await whistled(ward, incident)
    assert (whistle["department"], whistle["state"], whistle["reason"]) == (department.id, "called", None)

    offer = await link.until(type="offer", incident=incident)
    assert "eta_s" not in offer
    clocks = {name: whistle[name] for name in ("report_in_by", "finish_by")}
    assert offer["whistle"] == {"id": whistle["id"], **clocks, "text": "水管爆裂"}
    again = await department.link()
    assert [each["whistle"] for each in again.welcome["offers"]] == [offer["whistle"]]
    accept = {"type": "accept", "id": "r1", "offer": offer["offer"]}
    assert (await again.ask(accept))["state"] == "assigned"
    duty = await again.until(type="assignment", incident=incident)
    assert duty["whistle"] == offer["whistle"]
    assert duty["go_to"]["address"]
    assert (await again.ask(accept))["state"] == "assigned", "the same message again"

    whole = (await department.reads(f"incidents/{incident}")).json()
    assert whole["whistles"][0]["state"] == "reported"
    assert (await department.reads(f"incidents/{other}")).status_code == 404
    assert [item["id"] for item in (await department.reads("incidents?state=open")).json()["items"]] == [incident]
    for closed in ("elders", f"elders/{site.elder}", "responders", "stream"):
        assert (await department.reads(closed)).status_code == 403

    closing = await ward.act(incident, "close", outcome="helped", reason="x")
    assert (closing.status_code, closing.json()["code"]) == (409, "conflict")
    cleared = {"type": "cleared", "incident": incident, "outcome": "helped"}
    assert (await again.ask({**cleared, "id": "r2"}))["state"] == "cleared"
    assert (await whistled(ward, incident))["state"] == "finished"
    returned = await ward.act(incident, "whistle-return", whistle=whistle["id"], finish_s=1800)
    assert returned.json()["whistles"][0]["state"] == "reported"
    assert (await again.until(type="assignment", incident=incident))["whistle"]["finish_by"] > whistle["report_in_by"]
    assert (await again.ask({**cleared, "id": "r3"}))["state"] == "cleared"
    confirmed = await ward.act(incident, "whistle-confirm", whistle=whistle["id"])
    assert confirmed.json()["whistles"][0]["state"] == "confirmed"
    assert (await department.reads(f"incidents/{incident}")).status_code == 404, "the whistle is over"
    assert (await ward.act(incident, "close", outcome="helped", reason="x")).status_code == 200


async def test_a_refusal_and_a_miss_call_the_desk_and_say_why(ward: Installation, tmp_path: Path) -> None:
    department = Department(ward, tmp_path)
    await department.appear()
    incident = await ward.press(ward.site())
    link = await department.link()
    await ward.act(incident, "whistle", departments=[department.id], report_in_s=600, finish_s=600)
    offer = await link.until(type="offer", incident=incident)
    refusal = {"type": "decline", "id": "r1", "offer": offer["offer"], "reason": "人手不足"}
    assert (await link.ask(refusal))["state"] == "declined"
    assert ((await whistled(ward, incident))["state"], (await whistled(ward, incident))["reason"]) == (
        "refused",
        "人手不足",
    )
    assert (await ward.incident(incident))["desk_call"] == "whistle_refused"
    async with asyncio.timeout(10), ward.http() as api, api.stream("GET", "/api/v1/stream") as stream:
        await ward.act(incident, "whistle", departments=[department.id], report_in_s=1, finish_s=600)
        late = await link.until(type="offer", incident=incident)
        async for line in stream.aiter_lines():
            item = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if item.get("id") == incident and item["whistles"][-1]["state"] == "missed":
                break
    assert (await whistled(ward, incident))["reason"] == "not_reported"
    assert (await ward.incident(incident))["desk_call"] == "whistle_missed"
    async with ward.http() as api:
        answer = await api.post(f"/api/v1/offers/{late['offer']}/answer", json={"answer": "accept"})
    assert answer.json()["whistles"][-1]["state"] == "reported", "by telephone, and late"
    assert (await link.until(type="assignment", incident=incident))["whistle"]["id"] == late["offer"]


async def test_a_whistle_to_nobody_and_by_nobody(ward: Installation, tmp_path: Path) -> None:
    site, department = ward.site(), Department(ward, tmp_path)
    await department.appear()
    incident = await ward.press(site)
    clocks = {"report_in_s": 60, "finish_s": 600}
    for departments, status, about in (
        ([], 422, "departments"),
        (["DEP-NONE"], 404, "DEP-NONE"),
        ([site.volunteer()], 422, site.volunteer()),
    ):
        answer = await ward.act(incident, "whistle", departments=departments, **clocks)
        assert (answer.status_code, about in answer.text) == (status, True)
    async with ward.http("api", "eyes") as eyes:
        said = {"departments": [department.id], **clocks}
        assert (await eyes.post(f"/api/v1/incidents/{incident}/whistle", json=said)).status_code == 403
    async with ward.http("responder", site.volunteer()) as volunteer:
        assert (await volunteer.get(f"/api/v1/incidents/{incident}")).status_code == 403, "no department"
    assert (await ward.incident(incident))["whistles"] == []


async def test_only_a_supervisor_withdraws_and_a_deleted_department_is_stood_down(
    ward: Installation, tmp_path: Path
) -> None:
    department = Department(ward, tmp_path)
    await department.appear()
    incident = await ward.press(ward.site())
    link = await department.link()
    said: dict[str, Any] = {"departments": [department.id], "report_in_s": 600, "finish_s": 600}
    first = (await ward.act(incident, "whistle", **said)).json()["whistles"][0]["id"]
    refused = await ward.act(incident, "whistle-withdraw", whistle=first, reason="x")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    silent = await supervise(ward, incident, "whistle-withdraw", whistle=first)
    assert (silent.status_code, silent.json()["field"]) == (422, "reason")
    done = await supervise(ward, incident, "whistle-withdraw", whistle=first, reason="走错了")
    assert (done.json()["whistles"][0]["state"], done.json()["whistles"][0]["reason"]) == ("withdrawn", "走错了")
    assert (await link.until(type="stand_down", offer=first))["reason"] == "cancelled"
    await ward.act(incident, "whistle", **said)
    await department.appear(active=0)
    assert (await link.until(type="stand_down", incident=incident))["reason"] == "disabled"
    assert await link.closed() == 4100
    assert ((await whistled(ward, incident))["state"], (await whistled(ward, incident))["reason"]) == (
        "withdrawn",
        "disabled",
    )
    assert (await department.reads(f"incidents/{incident}")).status_code == 403
