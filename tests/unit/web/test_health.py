"""Liveness, readiness and figures, without sign-in."""

import pytest

from tests.unit.web.stage import Stage


async def test_the_process_answers_and_is_ready(stage: Stage) -> None:
    async with stage.browser() as anybody:
        assert (await anybody.get("/healthz")).json() == {"status": "ok"}
        answer = await anybody.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")


@pytest.mark.parametrize("part", ["hub", "links", "auditor"])
async def test_readiness_names_the_part_that_is_not(stage: Stage, part: str) -> None:
    stage.links = part != "links"
    stage.auditor.ok = part != "auditor"
    if part == "hub":
        stage.hub.stop()
    async with stage.browser() as anybody:
        answer = await anybody.get("/readyz")
        assert answer.status_code == 503
        assert [name for name, ok in answer.json()["checks"].items() if not ok] == [part]
        assert (await anybody.get("/healthz")).status_code == 200


async def test_metrics_are_in_the_text_format(stage: Stage) -> None:
    async with stage.browser() as anybody:
        answer = await anybody.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "callhub_viewers 0.0" in answer.text


async def test_our_own_exception_is_told_without_details(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(stage.store, "incidents", fail)
    client = stage.bearer("api-duty")
    client._transport = type(client._transport)(stage.app, raise_app_exceptions=False)  # type: ignore[call-arg]  # ASGI
    async with client:
        answer = await client.get("/api/v1/incidents")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
