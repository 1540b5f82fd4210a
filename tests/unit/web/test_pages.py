"""The page's files: nothing inline, nothing from elsewhere, every text in both languages."""

import re
from pathlib import Path

import pytest

from callhub.settings import PlaceSettings, Settings
from callhub.texts import LANGUAGES, catalogue
from tests.unit.web.stage import Stage, running

_PAGE = Path(__file__).parents[3] / "callhub" / "web" / "page"
_SOURCES = {path.name: path.read_text("utf-8") for path in _PAGE.iterdir() if path.suffix in {".html", ".js", ".css"}}


async def test_the_page_comes_with_a_strict_policy_and_no_inline_code(stage: Stage) -> None:
    async with stage.browser() as browser:
        answer = await browser.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text)


@pytest.mark.parametrize("name", sorted(_SOURCES))
async def test_every_file_is_served_and_asks_no_other_origin(stage: Stage, name: str) -> None:
    if name != "index.html":
        async with stage.browser() as browser:
            answer = await browser.get(f"/page/{name}")
            assert answer.text == _SOURCES[name]
            again = await browser.get(f"/page/{name}", headers={"if-none-match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
    assert not re.findall(r"(?:https?:)?//[\w.]+\.\w+", _SOURCES[name])


@pytest.mark.parametrize("name", ["nothing.js", "..%2fpages.py", "%2e%2e/pages.py", "index.py"])
async def test_nothing_else_is_served(stage: Stage, name: str) -> None:
    async with stage.browser() as browser:
        assert (await browser.get(f"/page/{name}")).status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_texts_of_a_language_are_its_catalogue(stage: Stage, language: str) -> None:
    async with stage.browser() as browser:
        assert (await browser.get(f"/catalogue/{language}.json")).json() == catalogue(language)
        for unknown in ("fr.json", "en", "en.txt"):
            assert (await browser.get(f"/catalogue/{unknown}")).status_code == 404


@pytest.mark.parametrize("name", sorted(_SOURCES))
def test_every_text_the_page_names_exists(name: str) -> None:
    named = set(re.findall(r"\bpage\.\w+(?=[\"'`])", _SOURCES[name]))
    assert named <= set(catalogue("en"))


async def test_the_page_begins_in_the_language_of_the_installation() -> None:
    async with running(Settings(place=PlaceSettings(language="en"))) as stage, stage.browser() as browser:
        assert '<html lang="en">' in (await browser.get("/")).text
