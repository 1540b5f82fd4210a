"""A real browser in front of a real server."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.integration.web_house import PASSWORD, House

_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def chromium() -> str:
    """The system's chromium; without one the test is skipped, which is a failure under ``CI=true``."""
    found = os.environ.get("CALLHUB_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    return found


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A headless browser that reaches loopback only."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


async def sign_in(page: Page, house: House, name: str = "olga") -> None:
    """Open the page and sign in; returns when the list is live."""
    await page.goto(house.url)
    await page.fill("input[name=user]", name)
    await page.fill("input[name=password]", PASSWORD)
    await page.click("#login button")
    await page.wait_for_selector("#link.is-live", timeout=10_000)
