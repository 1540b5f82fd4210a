"""The pages agree with the source and with one another."""

import re
from pathlib import Path

import pytest

from callhub.errors import ErrorCode
from tests.architecture.source import ROOT

_PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
_BLOCK = re.compile(r"^```sh\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    dead = [target for target in _LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / target).exists()]
    assert not dead


def test_the_protocol_page_explains_every_error_code() -> None:
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    missing = [code.value for code in ErrorCode if f"`{code.value}`" not in page]
    assert not missing


def test_both_readmes_give_the_same_commands() -> None:
    english, chinese = (
        # What a command says in prose is each language's own.
        [re.sub(r'(?m)( +#.*$|"reason":"[^"]*"|"offer":"[^"]*")', "", block) for block in _BLOCK.findall(text)]
        for text in ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
    )
    assert english
    assert english == chinese


def test_decision_records_are_numbered_without_gap_or_double() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(len(names)))
