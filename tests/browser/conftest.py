"""A server and a page for each test; the page may not have made a single error."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.browser.chromium import browsing, sign_in
from tests.integration.web_house import House, serving


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as browser:
        yield browser


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with serving(tmp_path) as house:
        yield house


@pytest.fixture
async def page(browser: Browser, house: House) -> AsyncIterator[Page]:
    """The live page, signed in as an operator. Errors of scripts and refusals of the content policy fail the test."""
    page = await browser.new_page(locale="zh-CN")
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    await sign_in(page, house)
    yield page
    assert faults == []
