"""A roll-call on the page: one row that counts, and a row for a home only where a desk must act."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.integration.web_house import PASSWORD, House

pytestmark = pytest.mark.browser
expect.set_options(timeout=8_000)


async def _asked(house: House) -> str:
    """A supervisor has every home checked; the roll-call's id."""
    signed = await house.api.post("/api/v1/login", json={"user": "boss", "password": PASSWORD})
    now = datetime.now(UTC)
    said = {
        "from": (now - timedelta(hours=1)).isoformat(),
        "until": (now - timedelta(seconds=1)).isoformat(),
        "reason": "停电",
    }
    headers = {"authorization": f"Bearer {signed.json()['token']}"}
    answer = await house.api.post("/api/v1/roll-calls", json=said, headers=headers)
    assert answer.status_code == 201
    return str(answer.json()["id"])


async def test_a_roll_call_counts_on_the_page_in_both_languages(page: Page, house: House) -> None:
    id = await _asked(house)
    row = page.locator(f"#rows tr[data-id='{id}']")
    await expect(row).to_contain_text("中断后点名")
    await expect(row).to_contain_text("已核查 0 / 2 户")
    await expect(row).to_contain_text("人工发起")
    await house.press("BTN-1")
    await expect(row).to_contain_text("已核查 1 / 2 户")
    await page.click("#language")
    await expect(row).to_contain_text("1 of 2 checked")
    await row.click()
    await expect(page.locator("#detail")).to_contain_text("1 of 2 checked")


async def test_a_home_has_a_row_only_while_a_desk_must_act(page: Page, house: House) -> None:
    await _asked(house)
    homes = page.locator("#rows tr", has_text="属于一次点名")
    await expect(homes).to_have_count(2)  # nobody is on duty
    check = await homes.first.get_attribute("data-id")
    await house.act(str(check), "assign", responder="V-1", confirmed_by="telephone")
    await expect(homes).to_have_count(1)
    await house.act(str(check), "cleared", responder="V-1", outcome="helped")
    await expect(page.locator("#rows")).to_contain_text("已核查 1 / 2 户")


async def test_a_roll_call_that_changes_again_and_again_is_shown_as_it_is_with_few_looks(
    page: Page, house: House
) -> None:
    id = await _asked(house)
    await page.locator(f"#rows tr[data-id='{id}']").click()
    await expect(page.locator("#detail")).to_contain_text("已核查 0 / 2 户")
    looks: list[str] = []
    page.on("request", lambda asked: looks.append(asked.url) if asked.url.endswith(f"/incidents/{id}") else None)
    for n in range(60):  # one after the other, each a commit and an event of its own
        await house.act(id, "note", text=f"n {n}")
    await house.act(id, "note", text="the last one")
    await expect(page.locator("#detail")).to_contain_text("the last one")
    assert 1 <= len(looks) < 30
