"""Family, keyholders and roles in the detail of a case, in a real browser in front of a real server."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.integration.command_line import give_beside
from tests.integration.web_house import House

pytestmark = pytest.mark.browser
expect.set_options(timeout=8_000)

CONTACTS = """id,elder,name,relation,phone,channels,inform,responder
C-1,E-1,李明,儿子,13800000009,,,
C-2,E-1,王芳,邻居,,,none,V-2
"""


async def test_an_operator_reads_what_the_family_waits_for_and_asks_for_the_key(
    page: Page, house: House, tmp_path: Path
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text(CONTACTS, encoding="utf-8")
    done = await give_beside("import", "-c", tmp_path / "callhub.toml", "contacts", file)
    assert done.status == 0, done.err
    id = await house.press()
    await house.act(id, "assign", responder="V-1", confirmed_by="telephone")

    await page.click(f"#rows tr[data-id='{id}']")
    detail = page.locator("#detail")
    family = detail.locator(".people li", has_text="李明")
    await expect(family).to_contain_text("儿子 · 13800000009 · 尚未告知：收到紧急呼叫")
    await expect(family).to_contain_text("有人前往")
    await expect(detail.locator(".people li", has_text="王芳")).to_contain_text("邻居 · 有钥匙")

    coming = detail.locator(".people li", has_text="王师傅").first
    await coming.get_by_role("button", name="钥匙").click()
    asked = detail.locator(".people li", has_text="赵阿姨")
    await expect(asked).to_contain_text("钥匙")
    await asked.locator("button").first.click()
    await expect(detail.locator(".people li", has_text="赵阿姨").first).to_contain_text("取钥匙")
    await expect(detail.locator(".timeline")).to_contain_text("取钥匙")
