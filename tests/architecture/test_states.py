"""The page of states shows the tables that the engine goes by."""

from tests.architecture.source import ROOT
from tests.architecture.states_page import page


def test_the_page_is_drawn_from_the_tables() -> None:
    written = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    assert written == page(), "draw it again: python -m tests.architecture.states_page > docs/states.md"
