"""Departments called from the page, in a real browser in front of a real server."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.chromium import sign_in
from tests.integration.web_house import House

pytestmark = pytest.mark.browser
expect.set_options(timeout=8_000)


async def _called(page: Page, id: str) -> None:
    """The water works are called from the detail."""
    await page.click(f"#rows tr[data-id='{id}']")
    form = page.locator("#detail form[data-action=whistle]")
    await form.locator("input[name=departments]").focus()
    await expect(page.locator("#departments option")).to_have_count(1)
    await form.locator("input[name=departments]").fill("WATER")
    await form.locator("input[name=report_in_min]").fill("10")
    await form.locator("input[name=finish_min]").fill("60")
    await form.locator("input[name=text]").fill("水管爆裂")
    await form.locator("button").click()
    await expect(page.locator("#detail .people")).to_contain_text("已吹哨")


async def test_a_department_is_called_followed_by_telephone_returned_and_confirmed(page: Page, house: House) -> None:
    id = await house.press()
    await _called(page, id)
    detail = page.locator("#detail")
    line = detail.locator(".people li", has_text="水务局")
    await expect(detail.locator(".timeline")).to_contain_text("水管爆裂")
    await expect(detail.locator("form[data-action=whistle-return]")).to_be_hidden()
    await expect(detail.locator("form[data-action=whistle-withdraw]")).to_have_count(0)  # for supervisors
    await line.locator("button").first.click()
    await expect(line).to_contain_text("已报到")
    await line.locator("select").select_option("helped")
    await line.locator("button").click()
    await expect(line).to_contain_text("待确认")
    back = detail.locator("form[data-action=whistle-return]")
    await back.locator("input[name=finish_min]").fill("30")
    await back.locator("select").select_option(label="水务局")
    await back.locator("button").click()
    await expect(line).to_contain_text("已报到")
    await line.locator("select").select_option("helped")
    await line.locator("button").click()
    await line.get_by_role("button", name="确认办结").click()
    await expect(line).to_contain_text("已确认")
    assert (await house.api.get(f"/api/v1/incidents/{id}")).json()["whistles"][0]["state"] == "confirmed"


async def test_a_supervisor_withdraws(browser: Browser, house: House) -> None:
    page = await browser.new_page(locale="zh-CN")
    await sign_in(page, house, "boss")
    id = await house.press()
    await _called(page, id)
    form = page.locator("#detail form[data-action=whistle-withdraw]")
    await form.locator("select").select_option(label="水务局")
    await form.locator("input[name=reason]").fill("走错了")
    await form.locator("button").click()
    await expect(page.locator("#detail .people", has_text="水务局")).to_contain_text("已撤哨 · 走错了")
    await expect(form).to_be_hidden()
    await page.close()
