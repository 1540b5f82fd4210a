"""What stands above what in the list, in a real browser in front of a real server."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from callhub.settings import shipped
from tests.integration.command_line import give_beside
from tests.integration.web_house import House

pytestmark = pytest.mark.browser
expect.set_options(timeout=8_000)

ROWS = "[...document.querySelectorAll('#rows tr')].map((row) => row.dataset.id)"
"""The ids of the rows, from the top."""


async def serve_meals(home: Path, window: str) -> None:
    """Put a ladder of meals with this window in force at the server whose files are there."""
    policies = home / "policies"
    shutil.copytree(shipped() / "policies", policies)
    meal = policies / "meal.toml"
    ladder = re.sub(r'(?m)^window = ".*?"', f'window = "{window.lower()}"', meal.read_text(encoding="utf-8"))
    meal.write_text(ladder, encoding="utf-8")
    done = await give_beside("policy", "apply", "-c", home / "callhub.toml")
    assert done.status == 0, done.err


async def test_a_service_out_of_hours_stands_below_a_call_that_somebody_goes_to(
    page: Page, house: House, tmp_path: Path
) -> None:
    await serve_meals(tmp_path, f"{datetime.now(UTC) + timedelta(days=3):%a} 08:00-10:00")  # never the day of the test
    waiting = await house.press("BTN-1", "a-1", "meal")
    emergency = await house.press("BTN-2", "a-2")
    await house.act(emergency, "assign", responder="V-1", confirmed_by="telephone")
    await expect(page.locator(f"#rows tr[data-id='{emergency}']")).to_contain_text("已接单")
    await page.wait_for_function(f"({ROWS}).length === 2")
    assert await page.evaluate(ROWS) == [emergency, waiting]


async def test_an_older_service_stands_below_an_emergency_that_is_as_far(
    page: Page, house: House, tmp_path: Path
) -> None:
    await serve_meals(tmp_path, "")
    service = await house.press("BTN-1", "a-1", "meal")
    emergency = await house.press("BTN-2", "a-2")
    for incident in (service, emergency):
        await house.act(incident, "assign", responder="V-1", confirmed_by="telephone")
        await expect(page.locator(f"#rows tr[data-id='{incident}']")).to_contain_text("已接单")
    assert await page.evaluate(ROWS) == [emergency, service]
