"""What an operator sees and does, in a real browser in front of a real server."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.browser.chromium import sign_in
from tests.integration.web_house import PASSWORD, House, serving

pytestmark = pytest.mark.browser
expect.set_options(timeout=8_000)


def _row(page: Page, id: str) -> str:
    return f"#rows tr[data-id='{id}']"


async def _ringing(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.dataset.ringing === 'true'"))


async def test_an_alarm_is_on_the_page_within_a_second_of_its_commit(page: Page, house: House) -> None:
    await expect(page.locator("#nothing")).to_be_visible()
    id = await house.press()
    committed_s = time.monotonic()
    await page.wait_for_selector(_row(page, id), timeout=5_000)
    assert time.monotonic() - committed_s < 1
    row = page.locator(_row(page, id))
    await expect(row).to_contain_text("李奶奶")
    await expect(row).to_contain_text("无人应答")  # the state is a word, not only a colour
    await expect(row.locator(".next .counter")).to_have_text("0:59", timeout=3_000)
    assert await _ringing(page)


async def test_taking_over_silences_every_console(page: Page, house: House, browser: Browser) -> None:
    other = await browser.new_page(locale="zh-CN")
    await sign_in(other, house)
    id = await house.press()
    await page.click(f"{_row(page, id)} button.take")
    for console in (page, other):
        await expect(console.locator(f"{_row(console, id)} .owner")).to_have_text("olga")
        await expect(console.locator("html")).to_have_attribute("data-ringing", "false")
    await other.close()


async def test_the_worst_is_on_top(page: Page, house: House) -> None:
    first, second = await house.press("BTN-1", "a-1"), await house.press("BTN-2", "a-2")
    await page.wait_for_selector(_row(page, second))
    shown = "[...document.querySelectorAll('#rows tr')].map((row) => row.dataset.id)"
    assert await page.evaluate(shown) == [first, second]  # both ring: the oldest first
    await house.act(first, "take-over")
    await expect(page.locator("#rows tr").first).to_have_attribute("data-id", second)


async def test_where_somebody_is_sought_and_nobody_owns_it_stands_right_after_what_rings(
    page: Page, house: House
) -> None:
    async with (
        connect(
            f"ws://127.0.0.1:{house.server.link_port}/v1/responder",
            subprotocols=[Subprotocol("callhub.v1")],
            additional_headers={"Authorization": "Bearer v-1"},
            proxy=None,
        ) as phone,
        asyncio.timeout(20),
    ):
        owned = await house.press("BTN-9", "a-1")
        await phone.send('{"type":"presence","id":"p1","available":true}')
        while json.loads(await phone.recv())["type"] != "result":
            pass
        sought = await house.press("BTN-1", "a-2")  # the one on duty is asked, so that it does not ring
        rings = await house.press("BTN-2", "a-3")
        await house.act(owned, "take-over")
        await expect(page.locator(f"{_row(page, owned)} .owner")).to_have_text("duty")
        await expect(page.locator(_row(page, sought))).to_have_class("is-seeking")
        rows = "[...document.querySelectorAll('#rows tr')].map((row) => row.dataset.id)"
        await page.wait_for_function(f"({rows}).length === 3")
        assert await page.evaluate(rows) == [rings, sought, owned]


async def test_assigning_noting_and_closing_from_the_detail(page: Page, house: House) -> None:
    id = await house.press()
    await page.click(_row(page, id))
    detail = page.locator("#detail")
    await expect(detail).to_contain_text("13800000001")
    await expect(detail.locator(".timeline")).to_contain_text("阶梯")
    await expect(detail.locator(".timeline")).to_contain_text("社区值班台")  # the step's name, in this language

    await detail.locator("[data-action=note] input[name=text]").fill("打过电话")
    await detail.locator("[data-action=note] button").click()
    await expect(detail.locator(".timeline")).to_contain_text("打过电话")

    await detail.locator("[data-action=assign] input[name=responder]").focus()
    await expect(detail.locator("#people option")).to_have_count(2)
    await detail.locator("[data-action=assign] input[name=responder]").fill("王师傅 · V-1")
    await detail.locator("[data-action=assign] input[name=confirmed]").check()
    await detail.locator("[data-action=assign] button").click()
    await expect(page.locator(_row(page, id))).to_contain_text("王师傅")

    await detail.locator("[data-action=close] select").select_option("helped")
    await detail.locator("[data-action=close] button").click()
    await expect(page.locator(_row(page, id))).to_have_count(0)
    await expect(page.locator("#nothing")).to_be_visible()
    assert not await _ringing(page)
    assert (await house.api.get(f"/api/v1/incidents/{id}")).json()["outcome"] == "helped"


async def test_the_detail_says_why_others_were_not_asked(page: Page, house: House) -> None:
    id = await house.press()
    await page.click(_row(page, id))
    why = page.locator("#detail .passed-over")
    await expect(why.locator("dt")).to_have_text(["不在岗"])
    await expect(why.locator("dd")).to_contain_text("王师傅")


async def test_a_drill_says_so_once_and_does_not_ring(page: Page, house: House) -> None:
    answer = await house.api.post("/api/v1/drills", json={"elder": "E-1", "reason": "half a year"})
    row = page.locator(_row(page, answer.json()["id"]))
    await expect(row.locator(".badge", has_text="演练")).to_have_count(1)
    await expect(row.locator(".rings")).to_have_count(0)


async def test_what_is_called_back_first_rings_and_says_whom_to_telephone(page: Page, house: House) -> None:
    row = page.locator(_row(page, await house.press(kind="smoke")))
    await expect(row.locator(".badge")).to_have_text(["请致电老人"])
    await expect(row.locator(".rings")).to_have_count(1)
    await expect(row.locator(".nobody").first).to_be_visible()


async def test_a_whole_case_by_telephone(page: Page, house: House) -> None:
    id = await house.press()
    await page.click(_row(page, id))
    detail, row = page.locator("#detail"), page.locator(_row(page, id))
    await detail.locator("[data-action=assign] input[name=responder]").fill("V-1")
    await detail.locator("[data-action=assign] button").click()
    await expect(row).to_contain_text("已问 1 人：王师傅")
    await detail.get_by_role("button", name="电话答应").click()
    await expect(row).to_contain_text("王师傅 · 已接单")
    await detail.get_by_role("button", name="已到场").click()
    await expect(row).to_contain_text("王师傅 · 已到场")
    await detail.get_by_role("button", name="已完成").click()  # refused by the page: no outcome is chosen yet
    await detail.locator(".people select").select_option("helped")
    await detail.get_by_role("button", name="已完成").click()
    await expect(row).to_contain_text("已处理")
    await expect(row).to_contain_text("王师傅 · 已完成")
    await expect(row).to_contain_text("应回访")


async def test_what_others_close_disappears(page: Page, house: House) -> None:
    id = await house.press()
    await page.wait_for_selector(_row(page, id))
    await house.act(id, "close", outcome="false_alarm")
    await expect(page.locator(_row(page, id))).to_have_count(0)


async def test_a_refusal_is_told_in_words(page: Page, house: House) -> None:
    id = await house.press()
    await house.act(id, "contact", party="elder", result="silent")
    await page.click(_row(page, id))
    await page.select_option("[data-action=close] select", "helped")
    await page.click("[data-action=close] button")
    await expect(page.locator("#detail .error")).to_contain_text("有人")
    await expect(page.locator(_row(page, id))).to_be_visible()


async def test_chinese_first_and_english_at_a_click(page: Page, house: House) -> None:
    id = await house.press()
    row = page.locator(_row(page, id))
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(row).to_contain_text("紧急呼叫")
    await page.click("#language")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(row).to_contain_text("Emergency call")
    await expect(row).to_contain_text("Unanswered")
    await expect(page.locator("#link")).to_have_text("Live")
    text = await page.inner_text("body")
    assert not [line for line in text.splitlines() if line.startswith(("page.", "state.", "kind."))]
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "en")  # it is remembered


@pytest.mark.parametrize(
    ("locale", "language"), [("en-GB", "en"), ("en", "en"), ("zh-TW", "zh-CN"), ("de-DE", "zh-CN"), ("ens", "zh-CN")]
)
async def test_an_english_browser_starts_in_english_until_a_language_is_chosen(
    browser: Browser, house: House, locale: str, language: str
) -> None:
    page = await browser.new_page(locale=locale)
    await page.goto(house.url)
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", language)  # looking at it is no choice
    other = "zh-CN" if language == "en" else "en"
    await page.click("#language")
    await expect(page.locator("html")).to_have_attribute("lang", other)
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", other)
    await page.close()


async def test_in_english_beside_the_detail_every_column_is_seen(browser: Browser, house: House) -> None:
    page = await browser.new_page(locale="en-GB", viewport={"width": 1280, "height": 800})
    await sign_in(page, house)
    id = await house.press()
    await page.click(f"{_row(page, id)} .number")
    await expect(page.locator("#detail")).to_be_visible()
    inside = """([inner, outer]) => {
        const [a, b] = [inner, outer].map((one) => document.querySelector(one).getBoundingClientRect());
        return a.left >= b.left && a.right <= b.right;
    }"""
    assert await page.evaluate(inside, [f"{_row(page, id)} button.take", "#list"])
    await page.set_viewport_size({"width": 1100, "height": 800})  # too narrow for all: the last column stays in sight
    assert await page.evaluate(inside, [f"{_row(page, id)} button.take", "#list"])
    await page.close()


async def test_on_a_phone_what_happened_has_the_whole_width(browser: Browser, house: House) -> None:
    page = await browser.new_page(locale="zh-CN", viewport={"width": 390, "height": 844})
    await sign_in(page, house)
    id = await house.press()
    await page.click(_row(page, id))
    told = page.locator("#detail .timeline li > :last-child").first
    await expect(told).to_be_visible()
    box = await told.bounding_box()
    assert box is not None
    assert box["width"] > 300
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.close()


async def test_sound_is_off_until_a_click_and_says_so(page: Page, house: House) -> None:
    await expect(page.locator("#silent")).to_be_hidden()  # signing in was a click
    await page.reload()
    await expect(page.locator("#silent")).to_be_visible()
    await page.click("#sound")
    await expect(page.locator("#silent")).to_be_hidden()


async def test_the_keyboard_is_enough(page: Page, house: House) -> None:
    first, second = await house.press("BTN-1", "a-1"), await house.press("BTN-2", "a-2")
    await page.wait_for_selector(_row(page, second))
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(page.locator(_row(page, second))).to_have_class("is-unanswered ringing selected")
    await page.keyboard.press("t")
    await expect(page.locator(f"{_row(page, second)} .owner")).to_have_text("olga")
    await page.keyboard.press("k")
    await page.keyboard.press("Enter")
    await expect(page.locator("#detail h2")).to_contain_text("#1")
    await page.keyboard.press("Escape")
    await expect(page.locator("#detail")).to_be_hidden()
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#help")).to_be_hidden()
    assert (await house.api.get(f"/api/v1/incidents/{first}")).json()["owner"] is None


async def test_a_viewer_sees_and_cannot_act(browser: Browser, house: House) -> None:
    page = await browser.new_page(locale="zh-CN")
    await sign_in(page, house, "vera")
    id = await house.press()
    await page.click(_row(page, id))
    await expect(page.locator("#detail .timeline")).to_be_visible()
    assert await page.locator("[data-write]").count() == 0


async def test_another_area_sees_bare_facts_and_may_take_over(browser: Browser, house: House) -> None:
    page = await browser.new_page(locale="zh-CN")
    await sign_in(page, house, "southern")
    id = await house.press()
    row = page.locator(_row(page, id))
    await expect(row).to_contain_text("无人应答")
    assert "李奶奶" not in await row.inner_text()
    await row.locator("button.take").click()
    await expect(row).to_contain_text("李奶奶")


async def test_wrong_credentials_are_told(browser: Browser, house: House) -> None:
    page = await browser.new_page(locale="zh-CN")
    await page.goto(house.url)
    await page.fill("input[name=user]", "olga")
    await page.fill("input[name=password]", PASSWORD + "x")
    await page.click("#login button")
    await expect(page.locator("#login .error")).to_have_text("用户名或密码不对。")


async def test_a_lost_server_makes_the_page_stale_and_its_return_shows_no_gap(browser: Browser, tmp_path: Path) -> None:
    page = await browser.new_page(locale="zh-CN")
    await page.clock.install()
    async with serving(tmp_path) as house:
        port = house.server.web_port
        await sign_in(page, house)
        before = await house.press("BTN-1", "a-1")
        await page.wait_for_selector(_row(page, before))
    await expect(page.locator("#link")).to_have_class("is-reconnecting")
    await expect(page.locator(f"{_row(page, before)} button.take")).to_be_disabled()
    await page.clock.fast_forward(15_000)
    await expect(page.locator("#link")).to_have_class("is-stale")
    await expect(page.locator("#stale")).to_be_visible()
    await expect(page.locator("#stale")).to_contain_text("操作已锁定")

    async with serving(tmp_path, port) as house:
        meanwhile = await house.press("BTN-2", "a-2")
        await house.act(before, "close", outcome="helped")
        await page.clock.fast_forward(5_000)
        await expect(page.locator("#link")).to_have_class("is-live", timeout=15_000)
        await expect(page.locator("#stale")).to_be_hidden()
        await expect(page.locator(_row(page, meanwhile))).to_be_visible()
        await expect(page.locator(_row(page, before))).to_have_count(0)
        await expect(page.locator(f"{_row(page, meanwhile)} button.take")).to_be_enabled()
