"""Call-first and a call-back end to end: HTTP in, the real engine, a real disk, a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.integration.web_house import PASSWORD, House, serving

if TYPE_CHECKING:
    from pathlib import Path


async def as_boss(house: House, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a supervisor does."""
    signed = await house.api.post("/api/v1/login", json={"user": "boss", "password": PASSWORD})
    headers = {"authorization": f"Bearer {signed.json()['token']}"}
    answer = await house.api.request(method, f"/api/v1/{path}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def call_back_of(house: House, incident: str) -> dict[str, Any] | None:
    shown: dict[str, Any] = (await house.api.get(f"/api/v1/incidents/{incident}")).json()
    found: dict[str, Any] | None = shown["call_back"]
    return found


async def test_call_first_is_kept_on_disk_holds_a_press_and_is_ended_by_a_person(tmp_path: Path) -> None:
    until = (datetime.now(UTC) + timedelta(days=7)).replace(microsecond=0)
    wanted = {"seconds": 45, "until": until.isoformat(), "reason": "sits on the button"}
    async with serving(tmp_path) as house:
        set_ = await as_boss(house, "POST", "elders/E-1/call-first", wanted)
        assert set_["call_first"] == {"seconds": 45, "until": until.isoformat().replace("+00:00", "Z")}
    async with serving(tmp_path) as house:
        pressed = await house.press()
        running = await call_back_of(house, pressed)
        assert running is not None
        assert (running["state"], running["call_first"]) == ("running", True)
        await house.act(pressed, "contact", party="elder", result="spoke_ok")
        held = await call_back_of(house, pressed)
        assert held is not None
        assert held["state"] == "held"
    async with serving(tmp_path) as house:
        held = await call_back_of(house, pressed)
        assert held is not None
        assert held["state"] == "held"
        await house.act(pressed, "close", outcome="false_alarm")
        assert (await as_boss(house, "DELETE", "elders/E-1/call-first"))["call_first"] is None
        assert await call_back_of(house, await house.press(id="a-2")) is None


async def test_smoke_rings_before_anybody_is_asked(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        incident = await house.press(kind="smoke")
        shown = (await house.api.get(f"/api/v1/incidents/{incident}")).json()
        assert (shown["ringing"], shown["offers"], shown["next_deadline"]["why"]) == (True, [], "call_back")
        await house.act(incident, "contact", party="elder", result="silent")
        assert await call_back_of(house, incident) is None
