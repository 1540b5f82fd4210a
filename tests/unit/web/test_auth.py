"""Signing in, and what each kind of token may call."""

from datetime import timedelta

import httpx
import pytest

from callhub.web.auth import COOKIE, LOGINS_PER_MINUTE
from tests.unit.web.stage import PASSWORD, Stage

_ORIGIN = {"origin": "http://console.test"}


async def _sign_in(browser: httpx.AsyncClient, name: str = "olga", password: str = PASSWORD) -> httpx.Response:
    return await browser.post("/api/v1/login", json={"user": name, "password": password})


async def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_do_not_get(stage: Stage) -> None:
    async with stage.browser() as browser:
        answer = await _sign_in(browser)
        assert answer.status_code == 200
        assert answer.json()["role"] == "operator"
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "secure" not in cookie
        told = (await browser.get("/api/v1/session")).json()
        assert told == {"user": "olga", "role": "operator", "area": None, "now": "2026-11-24T05:00:00Z"}


async def test_the_cookie_is_secure_under_https(stage: Stage) -> None:
    async with stage.browser("https://console.test") as browser:
        assert "secure" in (await _sign_in(browser)).headers["set-cookie"].lower()


async def test_the_token_of_a_login_is_a_bearer_token_too(stage: Stage) -> None:
    async with await stage.signed_in("vera") as program:
        assert (await program.get("/api/v1/session")).json()["user"] == "vera"


@pytest.mark.parametrize(("name", "password"), [("olga", "wrong"), ("nobody", PASSWORD)])
async def test_wrong_credentials_are_refused_alike(stage: Stage, name: str, password: str) -> None:
    async with stage.browser() as browser:
        answer = await _sign_in(browser, name, password)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthenticated"
    assert answer.json()["detail"] == "wrong user or password"


async def test_too_many_attempts_wait_a_minute(stage: Stage) -> None:
    async with stage.browser() as browser:
        for _ in range(LOGINS_PER_MINUTE):
            assert (await _sign_in(browser, password="wrong")).status_code == 401
        answer = await _sign_in(browser)
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "60"
        assert (await _sign_in(browser, "vera")).status_code == 200  # others are not held up
        stage.clock.advance(60)
        assert (await _sign_in(browser)).status_code == 200


async def test_a_session_expires(stage: Stage) -> None:
    async with await stage.signed_in("olga") as program:
        stage.clock.advance(43_199)
        assert (await program.get("/api/v1/session")).status_code == 200
        stage.clock.advance(1)
        assert (await program.get("/api/v1/session")).status_code == 401


async def test_signing_out_ends_this_session_only(stage: Stage) -> None:
    async with await stage.signed_in("olga") as one, await stage.signed_in("olga") as other:
        assert (await one.post("/api/v1/logout")).status_code == 200
        assert (await one.get("/api/v1/session")).status_code == 401
        assert (await other.get("/api/v1/session")).status_code == 200


async def test_a_write_by_cookie_needs_our_own_origin(stage: Stage) -> None:
    id = await stage.press()
    async with stage.browser() as browser:
        await _sign_in(browser)
        path = f"/api/v1/incidents/{id}/note"
        for headers in ({}, {"origin": "http://evil.test"}, {"origin": "null"}):
            answer = await browser.post(path, json={"text": "x"}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), headers
        assert (await browser.post(path, json={"text": "x"}, headers=_ORIGIN)).status_code == 200


async def test_signing_in_from_another_site_is_refused(stage: Stage) -> None:
    async with stage.browser() as browser:
        body = {"user": "olga", "password": PASSWORD}
        answer = await browser.post("/api/v1/login", json=body, headers={"origin": "http://evil.test"})
        assert answer.status_code == 403


async def test_a_bearer_token_ignores_cookies(stage: Stage) -> None:
    async with stage.browser() as browser:
        await _sign_in(browser)
        assert browser.cookies.get(COOKIE)
        answer = await browser.get("/api/v1/session", headers={"authorization": "Bearer wrong"})
        assert answer.status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer nonsense", "Basic b2xnYTpwdw=="])
async def test_no_or_wrong_credentials_are_401(stage: Stage, header: str) -> None:
    async with stage.browser() as browser:
        answer = await browser.get("/api/v1/incidents", headers={"authorization": header} if header else {})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_api_token_in_a_cookie_is_no_session(stage: Stage) -> None:
    async with stage.browser() as browser:
        browser.cookies.set(COOKIE, "api-duty")
        assert (await browser.get("/api/v1/incidents")).status_code == 401


@pytest.mark.parametrize("token", ["gateway-GW", "responder-V-1"])
async def test_a_machine_reads_nothing(stage: Stage, token: str) -> None:
    id = await stage.press()
    async with stage.bearer(token) as machine:
        for path in ("incidents", f"incidents/{id}", "elders", "responders/V-1", "stream", "session"):
            answer = await machine.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), path
        assert (await machine.post(f"/api/v1/incidents/{id}/take-over")).status_code == 403


async def test_a_viewer_writes_nothing(stage: Stage) -> None:
    id = await stage.press()
    async with await stage.signed_in("vera") as vera:
        assert (await vera.get(f"/api/v1/incidents/{id}")).status_code == 200
        for path in (f"incidents/{id}/take-over", "incidents", f"offers/{id}-1/answer", "devices/BTN-1/test"):
            assert (await vera.post(f"/api/v1/{path}", json={})).status_code == 403, path


async def test_a_ticket_opens_its_own_link_once_and_within_30_s(stage: Stage) -> None:
    async with stage.bearer("responder-V-1") as app:
        first, second = [(await app.post("/api/v1/tickets")).json()["ticket"] for _ in range(2)]
    assert stage.tickets.redeem(first) == ("responder", "V-1")
    assert stage.tickets.redeem(first) is None
    stage.clock.advance(timedelta(seconds=30).total_seconds())
    assert stage.tickets.redeem(second) is None


async def test_a_user_gets_no_ticket(stage: Stage) -> None:
    async with await stage.signed_in("ann") as ann:
        assert (await ann.post("/api/v1/tickets")).status_code == 403
